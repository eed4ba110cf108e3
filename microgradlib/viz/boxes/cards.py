"""Boxes of single nodes, and neurons as cards: a row for each weight, then z and f(z)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.absorption import is_number
from microgradlib.viz.boxes.choice import MOST_LISTED
from microgradlib.viz.boxes.diagram import Box, Row, Strip
from microgradlib.viz.boxes.labels import bracketed, relative_name, scope_title
from microgradlib.viz.boxes.neurons import owner
from microgradlib.viz.boxes.sheet import Sheet, Written
from microgradlib.viz.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.neurons import Neuron, Weight
    from microgradlib.viz.boxes.parts import Part

_ROWS_ALONE: Final = 8
"""A neuron that stands alone lists so many weights; one among few others:"""
_ROWS_BESIDE_FEW: Final = 4
_LAST_PLACE: Final = re.compile(r"\[\w+\]$")


def write_node(sheet: Sheet, place: int, *, captions: bool = False) -> Written:
    """Return the box of one node: a leaf, or an op with the parameters that only it reads as rows."""
    part = sheet.parts[place]
    i = part.nodes[0]
    node = sheet.structure.nodes[i]
    title = sheet.labels.title(i, part.path)
    rows: list[Row] = []
    ports: dict[tuple[int, int], int] = {}
    parameters = [parent for parent in dict.fromkeys(node.parents) if parent in sheet.rows]
    for parent in parameters[:_ROWS_ALONE]:
        uses = [(i, where) for where, one in enumerate(node.parents) if one == parent]
        if len(node.parents) == 2:
            ports[i, 1 - uses[0][1]] = len(rows)
        name = relative_name(sheet.structure.nodes[parent].name, sheet.structure.groups.paths[i])
        rows.append(sheet.parameter_row(parent, name, uses))
    if len(parameters) > _ROWS_ALONE:
        rows.append(Row(f"… {counted(len(parameters) - _ROWS_ALONE, 'more parameter')}", kind="note"))
    number = str(i + 1) if sheet.labels.options.numbers else ""
    own = replace(sheet.row(i), number="")  # the box shows it
    if captions:
        data, gradient = [Row("data", own.value, "", node=i, stale=node.stale)], [Row("grad", "", own.gradient, node=i)]
        rows += (data if own.value else []) + (gradient if own.gradient else [])
    elif own.value or own.gradient or rows:
        rows.append(own)
    return Written(
        Box(
            f"n{i}_{part.copy + 1}" if part.copy else f"n{i}",
            node.kind if not node.parents or node.kind == "output" else "op",
            title=title,
            op=sheet.labels.op(i, sheet.structure.absorbed.numbers, sheet.digits),
            rows=tuple(rows),
            nodes=part.nodes,
            alike=_alike(sheet, part.path, node.kind, node.op, title),
            tooltip=_tooltip(sheet, i, title),
            note=sheet.labels.where(i, part.path),
            number=number,
            output=sheet.has_output(place),
        ),
        ports,
    )


def _tooltip(sheet: Sheet, i: int, title: str) -> str:
    node = sheet.structure.nodes[i]
    formula = sheet.labels.formula(i)
    full = node.name if node.name != title else ""
    return f"{sheet.labels.name(i)} = {formula}" if formula else full


def _alike(sheet: Sheet, path: Path, *words: str) -> str:
    """Return a key that boxes of the same thing in equal groups share; outside of all groups, there is none."""
    if not path:
        return ""
    shapes = [str(sheet.structure.groups.shapes[scope]) for scope in path]
    return "/".join([*shapes, *(word.rstrip("0123456789") for word in words)])


def write_card(sheet: Sheet, place: int) -> Written:
    """Return the card of a neuron: its parameters, its net input z and what is computed from it.

    Inputs enter beside the row of their weight, which is the local derivative ∂z/∂x.
    """
    part = sheet.parts[place]
    neuron = part.neuron
    if neuron is None:
        message = "a card needs a neuron"
        raise ValueError(message)
    inner = (*part.path, part.scope) if part.scope is not None else part.path
    result = sheet.structure.nodes[neuron.result]
    kept = _kept(sheet, part, neuron)
    rows: list[Row] = []
    ports: dict[tuple[int, int], int] = {}
    for parameter, weights in _by_parameter(neuron.weights).items():
        if kept:
            ports.update((weight.edge, len(rows)) for weight in weights if weight.edge is not None)
            name = _weight_name(sheet, neuron, weights[0], inner)
            rows.append(sheet.parameter_row(parameter, name, [weight.use for weight in weights]))
    if not kept:
        rows.append(Row(counted(len({weight.parameter for weight in neuron.weights}), "parameter"), kind="note"))
    if neuron.products and kept and len(neuron.products) <= _ROWS_BESIDE_FEW:
        rows += [_product_row(sheet, neuron, weight, inner) for weight in neuron.weights if weight.product is not None]
    rows.append(sheet.row(neuron.net_input, _net_input_name(sheet, neuron)))
    rows += [sheet.row(i, _function_name(sheet, neuron, at)) for at, i in enumerate(neuron.functions)]
    object_name = "" if part.scope is not None else _owner(sheet, neuron)
    title = (
        scope_title(part.scope, part.path)
        if part.scope is not None
        else object_name or sheet.labels.title(neuron.result, part.path)
    )
    group = sheet.structure.groups.keys[part.scope] if part.scope is not None else ""
    shape = str(sheet.structure.groups.shapes[part.scope]) if part.scope is not None else str(len(neuron.weights))
    return Written(
        Box(
            f"c{neuron.result}" if part.scope is None else f"g{group}",
            "card",
            title=title or _bare_title(sheet, neuron),
            rows=tuple(rows),
            strips=() if kept or not sheet.choice.step.weights else _weight_strips(sheet, neuron),
            nodes=part.nodes,
            alike=_alike(sheet, part.path, "card", f"{shape}.") or _LAST_PLACE.sub("", object_name),
            group=group,
            tooltip=part.scope.formula if part.scope is not None and part.scope.formula else result.name,
            output=sheet.has_output(place),
        ),
        ports,
    )


def _kept(sheet: Sheet, part: Part, neuron: Neuron) -> bool:
    """Whether the card lists its parameters."""
    if not sheet.choice.step.weights:
        return False
    groups = sheet.structure.groups
    beside = len(groups.children[part.scope.parent]) if part.scope is not None else 1
    weights = len({weight.parameter for weight in neuron.weights if weight.edge})
    return weights <= (_ROWS_ALONE if beside == 1 else _ROWS_BESIDE_FEW if beside <= MOST_LISTED else 0)


def _by_parameter(weights: Sequence[Weight]) -> dict[int, list[Weight]]:
    found: dict[int, list[Weight]] = {}
    for weight in weights:
        found.setdefault(weight.parameter, []).append(weight)
    return found


def _place(neuron: Neuron, weight: Weight) -> int:
    """Return how many weights of a neuron come before this one."""
    return [one.parameter for one in neuron.weights if one.edge is not None].index(weight.parameter)


def _weight_name(sheet: Sheet, neuron: Neuron, weight: Weight, inner: Path) -> str:
    """Return the name of a parameter, less what the scopes around the box and around the use say."""
    scopes = (*inner, *sheet.structure.groups.paths[weight.use[0]])
    name = relative_name(sheet.structure.nodes[weight.parameter].name, scopes)
    object_name = _owner(sheet, neuron)
    if object_name and name.startswith(f"{object_name}."):
        name = name[len(object_name) + 1 :]
    return name or ("b" if weight.edge is None else f"w.{_place(neuron, weight)}")


def _product_row(sheet: Sheet, neuron: Neuron, weight: Weight, inner: Path) -> Row:
    nodes = sheet.structure.nodes
    product = weight.product
    if product is None or weight.edge is None:
        message = "a row of a product needs a product"
        raise ValueError(message)
    factor = nodes[product].parents[weight.edge[1]]
    known = nodes[factor].name or is_number(nodes[factor])
    text = sheet.labels.name(factor) if known else f"x.{_place(neuron, weight)}"
    return sheet.row(product, f"{_weight_name(sheet, neuron, weight, inner)}·{bracketed(text)}")


def _net_input_name(sheet: Sheet, neuron: Neuron) -> str:
    bias = any(weight.edge is None for weight in neuron.weights)
    name = sheet.labels.shown(neuron.net_input) or "z"
    return f"{name} = w·x + b" if bias else f"{name} = w·x"


def _function_name(sheet: Sheet, neuron: Neuron, at: int) -> str:
    i = neuron.functions[at]
    before = neuron.functions[at - 1] if at else neuron.net_input
    operand = sheet.labels.shown(before)
    operand = operand or ("z" if at == 0 else sheet.structure.nodes[before].op)
    op = sheet.structure.nodes[i].op
    words = op.split(" ", 1)
    text = f"{words[0]}({', '.join([operand, *words[1:]])})" if words[0].isidentifier() else f"{operand} {op}"
    name = sheet.labels.shown(i)
    return f"{name} = {text}" if name else text


def _owner(sheet: Sheet, neuron: Neuron) -> str:
    """Return the object that the weights of a neuron belong to, as in `net.neurons[0].w[1]`."""
    return owner([sheet.structure.nodes[weight.parameter].name for weight in neuron.weights])


def _bare_title(sheet: Sheet, neuron: Neuron) -> str:
    """Return a title for a neuron that has no name."""
    if neuron.functions:
        return f"{sheet.structure.nodes[neuron.functions[-1]].op}(w·x)"
    return "w·x"


def _weight_strips(sheet: Sheet, neuron: Neuron) -> tuple[Strip, ...]:
    nodes = sheet.structure.nodes
    by_parameter = _by_parameter(neuron.weights)
    values = Strip("weights", tuple(nodes[i].data for i in by_parameter))
    if sheet.symbolic:
        return ()
    uses = sheet.structure.groups.uses
    shared = sheet.differentiated and any(len(uses[i]) > len(weights) for i, weights in by_parameter.items())
    gradients = tuple(sheet.share(weight.use for weight in weights) for weights in by_parameter.values())
    own = tuple(nodes[i].grad for i in by_parameter)
    return values, Strip("share" if shared else "gradient", gradients if shared else own)
