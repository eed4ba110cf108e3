"""What `draw(model)` shows of a module: its network picture, the graph of a call, or its parts as boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from microgradlib import nn
from microgradlib.core.nested import nodes_in
from microgradlib.core.scopes import last_call
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame, Row, Strip
from microgradlib.viz.networks.layout import NetworkPicture, network_picture
from microgradlib.viz.networks.reading import network
from microgradlib.viz.numbers import counted

if TYPE_CHECKING:
    from types import FrameType

    from microgradlib.core.node import Node

_GATES: Final = {
    "LSTMCell": (
        ("forget_gate", "f = σ(U x + W h + b)"),
        ("input_gate", "i = σ(U x + W h + b)"),
        ("candidate", "g = tanh(U x + W h + b)"),
        ("output_gate", "o = σ(U x + W h + b)"),
    ),
    "GRUCell": (
        ("reset_gate", "r = σ(U x + W h + b)"),
        ("update_gate", "z = σ(U x + W h + b)"),
        ("candidate", "n = tanh(U x + b + r ∘ (W h + c))"),
    ),
}
"""The gates of the cells of which a diagram is drawn, each with its formula."""


def module_picture(
    model: Any, *, inputs: Any = None, outputs: Any = None, frame: FrameType | None = None
) -> NetworkPicture | list[Node] | Diagram:
    """Return what is drawn of a module.

    That is its network picture, if there is one; else the outputs of `model(inputs)`, those given, or those of its last
    call, whose graph is then drawn with the modules as groups; else its parts as boxes. An LSTM or GRU that is not
    given inputs or outputs is drawn as its equations. The arguments are those of `network`.

    Raises:
        TypeError: there are no Values in `outputs`.
        ValueError: both inputs and outputs are given; and what the model raises for these inputs.

    >>> type(module_picture(nn.Neuron(2))).__name__, type(module_picture(nn.LSTMCell(2, 3))).__name__
    ('NetworkPicture', 'Diagram')
    """
    found = network(model, inputs=inputs, outputs=outputs, frame=frame)
    if found is not None:
        return network_picture(found)
    ends: list[Node] = nodes_in([model(inputs) if inputs is not None else outputs])
    call = last_call(model) if inputs is None and outputs is None and _gated_cell(model) is None else None
    ends = ends or [node for node in (output() for output in call.outputs) if node is not None] if call else ends
    return ends or module_diagram(model)


def module_diagram(model: Any) -> Diagram:
    """Return the parts of a module as boxes: the equations of an LSTM or GRU cell, else the rows of its `summary()`.

    Arrows are drawn where the class says what reads what.

    >>> [box.title for box in module_diagram(nn.GRUCell(2, 3)).boxes]
    ['x_t', 'h_{t-1}', 'reset_gate', 'update_gate', 'candidate', 'h_t']
    """
    cell = _gated_cell(model)
    return _summary_diagram(model) if cell is None else _cell_diagram(cell)


def _gated_cell(model: Any) -> Any:
    """Return the only cell of a recurrent network, or the cell itself, if it is one whose equations are known."""
    if isinstance(model, (nn.LSTM, nn.GRU)):
        cell: Any = model.cells[0] if len(model.cells) == 1 else None
    else:
        cell = model.cell if isinstance(model, nn.Unfolded) else model
    known: set[type] = {nn.LSTMCell, nn.GRUCell}
    return cell if type(cell) in known else None


def _cell_diagram(cell: Any) -> Diagram:
    is_lstm = isinstance(cell, nn.LSTMCell)
    names = ["x_t", "h_{t-1}", *(["c_{t-1}"] if is_lstm else [])]
    sizes = [cell.nin, cell.nhidden, cell.nhidden]
    boxes = [
        Box(f"i{k}", "input", name, rows=(_note(counted(size, "number")),))
        for k, (name, size) in enumerate(zip(names, sizes))
    ]
    gates = _GATES[type(cell).__name__]
    arrows = []
    for k, (name, formula) in enumerate(gates):
        boxes.append(_gate_box(f"g{k}", name, formula, getattr(cell, name)))
        arrows += [Arrow("i0", f"g{k}", source="x"), Arrow("i1", f"g{k}", source="h")]
    if is_lstm:
        boxes.append(Box("c", "op", "c_t", "f ∘ c + i ∘ g", frame="f"))
        boxes.append(Box("h", "output", "h_t", "o ∘ tanh(c)", frame="f"))
        arrows += [Arrow("i2", "c"), *(Arrow(f"g{k}", "c") for k in range(3)), Arrow("c", "h"), Arrow("g3", "h")]
    else:
        if cell.candidate.__class__ is nn.Gate:
            boxes[-1] = _gate_box("g2", "candidate", "n = tanh(U x + W (r ∘ h) + b)", cell.candidate)
        boxes.append(Box("h", "output", "h_t", "(1 − z) ∘ n + z ∘ h", frame="f"))
        arrows += [Arrow("g0", "g2"), Arrow("i1", "h", source="h"), Arrow("g1", "h"), Arrow("g2", "h")]
    order = {box.id: k for k, box in enumerate(boxes)}
    arrows.sort(key=lambda arrow: (order[arrow.head], order[arrow.tail]))
    frame = Frame("f", type(cell).__name__, f"{cell.nin} → {cell.nhidden}")
    return Diagram(tuple(boxes), tuple(arrows), (frame,), counted(len(cell.parameters()), "parameter"))


def _gate_box(name: str, title: str, formula: str, gate: Any) -> Box:
    weights = [w.data for w in gate.weights()]
    strips = (Strip("weights", tuple(weights)),) if len(weights) <= _STRIP else ()
    rows = (Row(formula, kind="formula"), _note(counted(len(gate.parameters()), "parameter")))
    return Box(name, "card", title, rows=rows, strips=strips, frame="f", alike="gate")


_STRIP: Final = 64
"""Up to so many weights of a gate are shown as squares."""


def _summary_diagram(model: Any) -> Diagram:
    summary = model.summary()
    alone = summary.rows[0] if len(summary.rows) == 1 and not summary.rows[0].layer else None
    boxes = _parameter_boxes(model) if alone else []
    for k, row in enumerate(summary.rows if not alone else ()):
        notes = [row.shape] if row.shape else []
        notes.append(counted(row.parameters, "parameter"))
        boxes.append(Box(f"m{k}", "card", row.layer, row.kind, tuple(map(_note, notes)), frame="f", alike="part"))
    if not boxes:
        boxes.append(Box("m0", "card", type(model).__name__, rows=(_note(alone.shape if alone else "no layers"),)))
        return Diagram(tuple(boxes), ())
    in_a_row = isinstance(model, (nn.Sequential, nn.MLP)) and len(boxes) > 1
    arrows = [Arrow(f"m{k - 1}", f"m{k}") for k in range(1, len(boxes))] if in_a_row else []
    frame = Frame("f", type(model).__name__, alone.shape if alone else counted(summary.total, "parameter"))
    note = "" if in_a_row else "the parts of the module; call it and keep what it returns to see its graph"
    return Diagram(tuple(boxes), tuple(arrows), (frame,), note)


def _parameter_boxes(model: Any) -> list[Box]:
    """Return a box for each attribute of a module that holds parameters, such as the keys k of attention."""
    parts: dict[str, list[float]] = {}
    for path, parameter in model.named_parameters():
        parts.setdefault(path.partition(".")[0], []).append(parameter.data)
    return [
        Box(
            f"m{k}",
            "card",
            name,
            rows=(_note(counted(len(numbers), "parameter")),),
            strips=(Strip("weights", tuple(numbers)),) if len(numbers) <= _STRIP else (),
            frame="f",
        )
        for k, (name, numbers) in enumerate(parts.items())
    ]


def _note(text: str) -> Row:
    return Row(text, kind="note")
