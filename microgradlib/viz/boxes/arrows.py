"""The lines between boxes: which arrows of the graph share a line, where it enters, and what stands on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.diagram import Arrow
from microgradlib.viz.numbers import MINUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.sheet import Sheet, Written

MOST_TEXTS: Final = 6
"""Local derivatives are written on the lines into a box that has at most so many; all have tooltips."""

_STALE: Final = "*"
"""Stands after a local derivative of a result that was computed before a number was changed, as after its value."""


@dataclass(frozen=True)
class Line:
    """Arrows of the graph that are one line of the drawing.

    Args:
        tail, head: the places of the parts.
        port: the row or column of the head beside which it enters; None: anywhere.
        source: the node whose value it carries; None for all the outputs of a group.
        edges: the arrows, as (node, place among its parents).

    """

    tail: int
    head: int
    port: int | None
    source: int | None
    edges: list[tuple[int, int]] = field(default_factory=list)


def find_lines(sheet: Sheet, written: Sequence[Written], *, apart: bool = False) -> list[Line]:
    """Return the lines between parts, in the order of their heads.

    Args:
        sheet: the parts.
        written: the box of each part.
        apart: whether each arrow of the graph is a line of its own.

    """
    copies = _copies(sheet)
    found: dict[tuple[object, ...], Line] = {}
    for head, part in enumerate(sheet.parts):
        for i in part.nodes:
            for place, parent in enumerate(sheet.structure.nodes[i].parents):
                tail = copies.get((parent, i), sheet.owner.get(parent))
                if tail is None or tail == head or part.kind == "leaf":
                    continue
                port = written[head].ports.get((i, place))
                source = None if written[tail].joins else parent
                key = (tail, head, port, source, (i, place) if apart else None)
                line = found.setdefault(key, Line(tail, head, port, source))
                line.edges.append((i, place))
    return list(found.values())


def _copies(sheet: Sheet) -> dict[tuple[int, int], int]:
    """Return which box of a leaf that has several an op reads: by (leaf, op)."""
    return {
        (part.nodes[0], user): place
        for place, part in enumerate(sheet.parts)
        if part.users is not None
        for user in sorted(part.users)
    }


def write_arrows(sheet: Sheet, written: Sequence[Written], lines: Sequence[Line]) -> list[Arrow]:
    """Return the arrows of a diagram for the lines between its parts.

    Local derivatives are written on all lines into a box or on none of them.
    """
    into = [0] * len(sheet.parts)
    for line in lines:
        into[line.head] += 1
    texts = [_text(sheet, written, line, into[line.head]) for line in lines]
    bare = {line.head for line, text in zip(lines, texts, strict=True) if not text and line.port is None}
    return [
        Arrow(
            tail=written[line.tail].box.id,
            head=written[line.head].box.id,
            text="" if line.head in bare and not text.startswith("×") else text,
            tooltip=tooltip(sheet, line.edges),
            port=line.port,
            source=written[line.tail].box.id if line.source is None else f"n{line.source}",
            lines=len(line.edges) if line.source is None else 1,
            passes=passes(sheet, line.edges),
            edges=tuple(line.edges),
            tail_port=written[line.tail].exits.get(line.source) if line.source is not None else None,
        )
        for line, text in zip(lines, texts, strict=True)
    ]


def _text(sheet: Sheet, written: Sequence[Written], line: Line, into: int) -> str:
    for scope in sheet.parts[line.tail].path:
        if scope in sheet.choice.folded and scope not in sheet.parts[line.head].path:
            return f"×{sheet.choice.folded[scope]:,}"
    count = written[line.tail].box.count
    if count > 1:
        return f"×{count:,}"
    silent = written[line.head].silent or line.source is None or line.port is not None or into > MOST_TEXTS
    if silent or sheet.labels.options.local_derivatives is None or len(line.edges) > 2:
        return ""
    texts = [sheet.labels.text(*edge) + _STALE * sheet.structure.nodes[edge[0]].stale for edge in line.edges]
    return " + ".join(texts).replace(f"+ {MINUS}", f"{MINUS} ") if all(texts) else ""


def tooltip(sheet: Sheet, edges: Sequence[tuple[int, int]]) -> str:
    """Return the local derivative of the arrows of a line, in full, or how many they are."""
    if len(edges) > 2:
        return f"{len(edges):,} arrows of the graph"
    return "; ".join(dict.fromkeys(sheet.labels.tooltip(*edge) for edge in edges))


def passes(sheet: Sheet, edges: Sequence[tuple[int, int]]) -> bool:
    """Whether a gradient passes along one of the arrows.

    None does where the local derivative is 0, where the gradient upstream is 0, and, after a backward pass, where it
    has not been reached.
    """
    for i, place in edges:
        node = sheet.structure.nodes[i]
        local = node.local_derivatives[place] if place < len(node.local_derivatives) else None
        reached = node.grad is not None or not sheet.differentiated
        if local != 0 and node.grad != 0 and reached:
            return True
    return False
