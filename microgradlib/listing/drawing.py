"""Describe a program as a diagram from top to bottom, with a box for each line of its listing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from microgradlib._support.checks import WholeNumber, boolean, whole_number
from microgradlib.compiler.instructions import ProgramData
from microgradlib.errors import GraphTooLargeError
from microgradlib.listing.backward import Line
from microgradlib.listing.listing import Listing, listing_of
from microgradlib.listing.readings import by
from microgradlib.viz.boxes.diagram import Arrow, Box, BoxKind, Diagram, Row
from microgradlib.viz.drawings.drawing import Drawing, Engine, check_engine, content_of
from microgradlib.viz.theme import Theme, check_theme

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
    diagram = diagram_of(program, max_nodes=max_nodes, backward=boolean(backward, "backward"))
    return Drawing(content_of(diagram, "down"), engine=engine, theme=theme)


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
    drawn = _Boxes(listing_of(program))
    drawn.add_forward_pass()
    if backward:
        drawn.add_backward_pass()
    if len(drawn.boxes) > max_nodes:
        message = (
            f"the program has {len(drawn.boxes):,} boxes and a drawing shows at most {max_nodes:,}. Draw a smaller "
            "program, of the same function with fewer layers or for a shorter sequence; or raise max_nodes, as in "
            f"draw(max_nodes={len(drawn.boxes)}); or read it instead: print(program) has no limit"
        )
        raise GraphTooLargeError(message)
    return Diagram(tuple(drawn.boxes), tuple(drawn.arrows), captions=True)


class _Boxes:
    """The boxes and arrows so far; `ids` are those of the boxes that have a name or title."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.ids: dict[str, str] = {}
        blocks = [block for block in listing.symbols.blocks if block.kind in _KINDS]
        self.leaves: dict[str, tuple[str, list[str], tuple[int, ...]]] = {
            b.name: (b.kind, [], b.lengths) for b in blocks
        }
        for line in listing.stacks:
            self.leaves[line.target] = ("parameter", [f"= {line.formula}"], line.lengths)

    def add(
        self, kind: BoxKind, title: str, texts: Sequence[str], lengths: tuple[int, ...],
        *, note: str, reads: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Add a box with formulas that begin with a sign or a target, and arrows from all that they read."""
        name = f"n{len(self.boxes)}"
        lines = [Row(line, kind="code") for text in texts for line in wrapped(text)]
        rows = (*lines, Row("size", by(lengths)))
        self.boxes.append(Box(name, kind, title=title, rows=rows, note=note, output=kind == "output"))
        self.arrows += [Arrow(tail, name) for tail in dict.fromkeys([self.ids[read] for read in reads])]
        self.ids.setdefault(title, name)  # a parameter may be called return too; no arrow starts at the box "return"

    def add_leaves(self, names: Sequence[str]) -> None:
        """Add a box for each leaf among these that has none yet."""
        for name in names:
            if name in self.leaves and name not in self.ids:
                leaf, texts, lengths = self.leaves[name]
                self.add(_KINDS[leaf], name, texts, lengths, note=leaf)

    def add_forward_pass(self) -> None:
        """Add a box for each line, after the leaves that it reads. A line that joins several results is the output."""
        forward, batched = self.listing.forward, self.listing.batched
        result = forward[-1].formula.text if forward[-1].target == "return" else forward[-1].target
        for line in forward:
            if line.target == "return" and result in self.ids and result not in self.leaves:
                break  # it returns one of the lines before
            self.add_leaves(line.formula.leaves)
            each = any(map(batched.get, line.formula.leaves)) if line.target == "return" else batched[line.target]
            kind: BoxKind = "output" if line.target in {"return", result} else "op"
            note = "" if each else "once for all"
            self.add(kind, line.target, [f"= {line.formula}"], line.lengths, note=note, reads=line.formula.leaves)
        self.ids |= {a: self.ids[line] for a, _, line in self.listing.net_inputs}

    def add_backward_pass(self) -> None:
        """Add a box for each block of cotangents, with the lines that set it, in the order of the last of these.

        Where parts of a block are set, read, and other parts set from that, the latter have a box of their own: arrows
        form no cycle.
        """
        lines: dict[str, list[Line]] = {}
        reads: dict[str, list[str]] = {}
        boxes: dict[str, list[str]] = {}  # of each block, those with a line so far
        done: set[str] = set()  # blocks that have been read since a line was added to their last box
        for line in self.listing.backward:
            leaves = line.formula.leaves
            for name in line.names:
                keys = boxes.setdefault(name, [name])
                if name in done:
                    done.remove(name)
                    keys.append(f"{keys[-1]} again")
                lines[keys[-1]] = [*lines.pop(keys[-1], []), line]
                read = [key for leaf in leaves if leaf != name for key in boxes.get(leaf, [leaf])]
                reads[keys[-1]] = reads.get(keys[-1], []) + read
            done.update(set(leaves).difference(line.names).intersection(boxes))
        names = {key: name for name, keys in boxes.items() for key in keys}
        for key, own in lines.items():
            name = names[key]
            texts = [line.text.removeprefix(f"{name} ") for line in own]
            note = "" if self.listing.batched.get(name) else "mean over the batch"
            self.add_leaves(reads[key])  # the forward pass may read it in a stack alone
            self.add("op", name, texts, self.listing.lengths[name], note=note, reads=reads[key])
            self.ids[key] = self.boxes[-1].id


def wrapped(formula: str) -> list[str]:
    """Write a formula on lines of limited length, which begin with an operator where possible.

    >>> wrapped("= relu(blocks.0.attention.o.w @ h2 + blocks.0.attention.o.b)")
    ['= relu(blocks.0.attention.o.w @ h2', '+ blocks.0.attention.o.b)']
    """
    unbroken = _UNBREAKABLE.sub(lambda found: found[0].replace(" ", _NO_BREAK_SPACE), formula)
    lines = textwrap.wrap(unbroken, LONGEST, break_on_hyphens=False, max_lines=MOST_LINES, placeholder=" …")
    return [line.replace(_NO_BREAK_SPACE, " ") for line in lines]
