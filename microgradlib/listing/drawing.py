"""Describe a program as a diagram from top to bottom, with a box for each line of its listing."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final, NamedTuple

from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib.errors import GraphTooLargeError
from microgradlib.listing.listing import listing_of
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Row
from microgradlib.viz.drawings.drawing import Drawing, check_engine, content_of
from microgradlib.viz.theme import check_theme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.listing.backward import Line
    from microgradlib.listing.listing import Listing
    from microgradlib.viz.boxes.diagram import BoxKind
    from microgradlib.viz.drawings.drawing import Engine
    from microgradlib.viz.theme import Theme

__all__ = ["diagram_of", "drawing_of", "wrapped"]

LONGEST: Final = 36
"""Largest number of characters in a line of a box: = relu(layers.0.w @ x + layers.0.b), a layer, just fits."""
MOST_LINES: Final = 8
"""Largest number of lines of a formula in a box; the rest of a longer one is replaced by …"""

_KINDS: Final[Mapping[str, BoxKind]] = {"argument": "input", "parameter": "parameter", "captured": "constant"}
_UNBREAKABLE: Final = re.compile(r"(?<![^ ])(?:[-+*/@<>]=?|=) |\[[\d:]+, [\d:]+\]")
"""Spaces that do not end a line: after an operator, and in a subscript."""
_NO_BREAK_SPACE: Final = "\u00a0"


def drawing_of(
    program: ProgramData, *, max_nodes: WholeNumber, backward: bool, engine: Engine, theme: Theme | None
) -> Drawing:
    """Return the drawing that `Program.draw` describes, of a joint program where the backward pass is shown too."""
    check_engine(engine)
    check_theme(theme)
    diagram = diagram_of(program, max_nodes=max_nodes, backward=backward)
    return Drawing(content_of(diagram, "down"), engine=engine, theme=theme)


class _Node(NamedTuple):
    """One box: `lines` are formulas that begin with a sign or a target, `reads` the titles of what they name."""

    kind: BoxKind
    title: str
    lines: tuple[str, ...]
    lengths: tuple[int, ...]
    reads: tuple[str, ...]
    note: str


def diagram_of(program: ProgramData, *, max_nodes: WholeNumber, backward: bool = False) -> Diagram:
    """Describe a program as boxes n0, n1, …, operands before results, and an arrow for each operand.

    Raises:
        TypeError: `max_nodes` is not a whole number.
        ValueError: `max_nodes` is less than 1.
        GraphTooLargeError: there are more than `max_nodes` boxes.

    >>> from microgradlib import Value, compile
    >>> from microgradlib.compiler.reverse import reverse
    >>> w = Value(2.0, label="w")
    >>> program = compile(lambda x: (w * x).tanh(), [w]).lower([0.0])
    >>> for box in diagram_of(reverse(program), max_nodes=5, backward=True).boxes:
    ...     print(box.id, box.kind, box.title, *[row.name for row in box.rows if row.kind == "code"])
    n0 parameter w
    n1 input x
    n2 output J = tanh(w * x)
    n3 op ∇w = tanh'(w * x) * x
    """
    max_nodes = whole_number(max_nodes, "max_nodes", example=200)
    listing = listing_of(program)
    nodes = _forward(listing) + (_backward(listing) if backward else [])
    if len(nodes) > max_nodes:
        message = (
            f"the program has {len(nodes):,} boxes and a drawing shows at most {max_nodes:,}. Draw a smaller program, "
            "of the same function with fewer layers or for a shorter sequence; or raise max_nodes, as in "
            f"draw(max_nodes={len(nodes)}); or read it instead: print(program) has no limit"
        )
        raise GraphTooLargeError(message)
    ids: dict[str, str] = {}
    for place, node in enumerate(nodes):  # a parameter may be called return too; no arrow starts at the box "return"
        ids.setdefault(node.title, f"n{place}")
    ids |= {a: ids[line] for a, _, line in listing.net_inputs}
    arrows = [
        Arrow(tail, f"n{place}")
        for place, node in enumerate(nodes)
        for tail in dict.fromkeys([ids[name] for name in node.reads])
    ]
    return Diagram(tuple([_box(node, f"n{i}") for i, node in enumerate(nodes)]), tuple(arrows), captions=True)


def _forward(listing: Listing) -> list[_Node]:
    """Return a node for each line, after the leaves that it reads. A line that joins several results is the output."""
    leaves = {
        block.name: _Node(_KINDS[block.kind], block.name, (), block.lengths, (), block.kind)
        for block in listing.symbols.blocks
        if block.kind in _KINDS
    }
    for line in listing.stacks:
        leaves[line.target] = _Node("parameter", line.target, (f"= {line.formula}",), line.lengths, (), "parameter")
    nodes: dict[str, _Node] = {}
    *_, last = listing.forward
    result = last.formula.text if last.target == "return" else last.target
    for line in listing.forward:
        is_output = line.target == "return"
        if is_output and result in listing.batched:
            break  # it returns one of the lines before
        for name in line.formula.leaves:
            nodes.setdefault(name, leaves[name] if name in leaves else nodes[name])
        batched = any(listing.batched.get(name, nodes[name].note == "argument") for name in line.formula.leaves)
        kind: BoxKind = "output" if is_output or line.target == result else "op"
        note = "" if (batched if is_output else listing.batched[line.target]) else "once for all"
        node = _Node(kind, line.target, (f"= {line.formula}",), line.lengths, line.formula.leaves, note)
        nodes["" if is_output else line.target] = node
    return list(nodes.values())


def _backward(listing: Listing) -> list[_Node]:
    """Return a node for each block of cotangents, with the lines that set it, in the order of the last of these."""
    lines: dict[str, list[Line]] = {}
    for line in listing.backward:
        for name in line.names:
            lines[name] = [*lines.pop(name, []), line]
    nodes = []
    for name, own in lines.items():
        texts = [
            f"{line.sign} {line.formula}" if line.target == name else f"{line.target} {line.sign} {line.formula}"
            for line in own
        ]
        reads = dict.fromkeys([leaf for line in own for leaf in line.formula.leaves if leaf != name])
        note = "" if listing.batched.get(name) else "mean over the batch"
        nodes.append(_Node("op", name, tuple(texts), listing.lengths(name), tuple(reads), note))
    return nodes


def _box(node: _Node, name: str) -> Box:
    lines = [Row(line, kind="code") for text in node.lines for line in wrapped(text)]
    size = Row("size", " × ".join(map(str, node.lengths)) or "1")
    output = node.kind == "output"
    return Box(name, node.kind, title=node.title, rows=(*lines, size), note=node.note, output=output)


def wrapped(formula: str) -> list[str]:
    """Write a formula on lines of limited length, which begin with an operator where possible.

    >>> wrapped("= relu(blocks.0.attention.o.w @ h2 + blocks.0.attention.o.b)")
    ['= relu(blocks.0.attention.o.w @ h2', '+ blocks.0.attention.o.b)']
    """
    unbroken = _UNBREAKABLE.sub(lambda found: found[0].replace(" ", _NO_BREAK_SPACE), formula)
    lines = textwrap.wrap(unbroken, LONGEST, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [line.replace(_NO_BREAK_SPACE, " ") for line in lines]
