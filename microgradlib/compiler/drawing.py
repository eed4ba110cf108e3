"""Describe a program as a diagram from top to bottom, with a box for each line of its forward pass."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib.compiler.printing import DrawnNode, drawn
from microgradlib.compiler.printing.account import Account
from microgradlib.errors import GraphTooLargeError
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Row
from microgradlib.viz.drawings.drawing import Drawing, check_engine, content_of
from microgradlib.viz.theme import check_theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.viz.boxes.diagram import BoxKind
    from microgradlib.viz.drawings.drawing import Engine
    from microgradlib.viz.theme import Theme

__all__ = ["diagram_of", "drawing_of", "wrapped"]

LONGEST: Final = 36
"""Largest number of characters in a line of a box: = relu(layers.0.w @ x + layers.0.b), a layer, just fits."""
MOST_LINES: Final = 8
"""Largest number of lines of a formula in a box; the rest of a longer one is replaced by …"""

_KINDS: Final[Mapping[str, BoxKind]] = {
    "result": "op",
    "output": "output",
    "argument": "input",
    "parameter": "parameter",
    "held": "constant",
}
_UNBREAKABLE: Final = re.compile(r"(?<= )[-+*/@<>] |\[[\d:]+, [\d:]+\]")
"""Spaces that do not end a line: after an operator, and in a subscript."""
_NO_BREAK_SPACE: Final = "\u00a0"


def drawing_of(program: ProgramData, *, max_nodes: WholeNumber, engine: Engine, theme: Theme | None) -> Drawing:
    """Return the drawing that `Program.draw` describes."""
    check_engine(engine)
    check_theme(theme)
    diagram = diagram_of(program, max_nodes=max_nodes)
    return Drawing(content_of(diagram, "down"), engine=engine, theme=theme)


def diagram_of(program: ProgramData, *, max_nodes: WholeNumber) -> Diagram:
    """Describe a program as boxes n0, n1, …, operands before results, and an arrow for each operand.

    Raises:
        TypeError: `max_nodes` is not a whole number.
        ValueError: `max_nodes` is less than 1.
        GraphTooLargeError: there are more than `max_nodes` boxes.

    >>> from microgradlib import Value, compile
    >>> w = Value(2.0, label="w")
    >>> fast = compile(lambda x: (w * x).tanh(), [w])
    >>> values = fast([0.0])
    >>> for box in diagram_of(fast.program, max_nodes=3).boxes:
    ...     print(box.id, box.kind, box.title, *[row.name for row in box.rows if row.kind == "code"])
    n0 parameter w
    n1 input x
    n2 output J = tanh(w * x)
    """
    max_nodes = whole_number(max_nodes, "max_nodes", example=200)
    nodes = _nodes(program)
    if len(nodes) > max_nodes:
        message = (
            f"the program has {len(nodes):,} boxes and a drawing shows at most {max_nodes:,}. Draw a smaller program, "
            "of the same function with fewer layers or for a shorter sequence; or raise max_nodes, as in "
            f"draw(max_nodes={len(nodes)}); or read it instead: print(program) has no limit"
        )
        raise GraphTooLargeError(message)
    ids: dict[str, str] = {}
    for place, node in enumerate(nodes):
        ids.setdefault(
            node.name, f"n{place}"
        )  # a parameter may be called return too; no arrow starts at the box "return"
    boxes = [_box(node, f"n{place}") for place, node in enumerate(nodes)]
    arrows = [Arrow(ids[name], f"n{place}") for place, node in enumerate(nodes) for name in node.reads]
    return Diagram(tuple(boxes), tuple(arrows), captions=True)


def _nodes(program: ProgramData) -> list[DrawnNode]:
    """Return the nodes of a program. If its last line joins several results, that line is the only output."""
    names, arguments = program.parameter_names, program.arguments
    nodes = drawn(program, names, arguments)
    account = Account(program, names, arguments)
    last = account.forward()[-1]
    owners = [block for block in account.places.owners(account.outputs) if block.kind != "constant"]
    if last.target != "return" or [(block.kind, block.name) for block in owners] == [("result", last.formula)]:
        return nodes
    known = {node.name: node for node in nodes}
    for block in owners:
        leaf = DrawnNode(block.kind, block.name, "", block.lengths, (), block.kind == "argument")
        known.setdefault(block.name, leaf)
    reads = tuple([block.name for block in owners])
    each = any(known[name].each for name in reads)
    gathered = [node._replace(kind="result") if node.kind == "output" else node for node in known.values()]
    return [*gathered, DrawnNode("output", "return", last.formula, last.lengths, reads, each)]


def _box(node: DrawnNode, name: str) -> Box:
    kind = _KINDS[node.kind]
    leaf = kind not in {"op", "output"}
    lines = [Row(line, kind="code") for line in wrapped(node.formula)]
    return Box(
        name,
        kind,
        title=node.name,
        rows=(*lines, Row("size", " × ".join(map(str, node.lengths)) or "1")),
        note=node.kind if leaf else "" if node.each else "once for all",
        output=kind == "output",
    )


def wrapped(formula: str) -> list[str]:
    """Write a formula on lines of limited length, which begin with an operator where possible; none for no formula.

    >>> wrapped("relu(blocks.0.attention.o.w @ h2 + blocks.0.attention.o.b)")
    ['= relu(blocks.0.attention.o.w @ h2', '+ blocks.0.attention.o.b)']
    """
    if not formula:
        return []
    unbroken = _UNBREAKABLE.sub(lambda found: found[0].replace(" ", _NO_BREAK_SPACE), f"={_NO_BREAK_SPACE}{formula}")
    lines = textwrap.wrap(unbroken, LONGEST, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [line.replace(_NO_BREAK_SPACE, " ") for line in lines]
