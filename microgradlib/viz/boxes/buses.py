"""Where several boxes read the same several sources, the lines run through one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.arrows import passes, tooltip
from microgradlib.viz.boxes.diagram import Arrow, Box, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.arrows import Line
    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.sheet import Sheet, Written

Source = tuple[int, int]
"""The place of a part and the node whose value comes from it; -1 for all the outputs of a group."""

_MOST_LINES: Final = 8
"""So many lines between the sources and the boxes that read them need no bar; into one closed group or table:"""
_MOST_INTO_ONE: Final = 4


def add_buses(
    sheet: Sheet, written: Sequence[Written], lines: Sequence[Line]
) -> tuple[list[Line], list[tuple[Box, Path, int]], list[Arrow]]:
    """Return the lines that need no bar; the bars; and the arrows to and from these.

    Each bar comes with the scopes around it and the place of the first part that reads it. One thick line leads from
    it to each of its readers.
    """
    reads: list[dict[Source, Line]] = [{} for _ in sheet.parts]
    for line in lines:
        reads[line.head].setdefault((line.tail, -1 if line.source is None else line.source), line)
    together: dict[tuple[tuple[Source, ...], Path], list[int]] = {}
    for head, read in enumerate(reads):
        if len(read) > 1:
            together.setdefault((tuple(sorted(read)), sheet.parts[head].path), []).append(head)
    bars: list[tuple[Box, Path, int]] = []
    arrows: list[Arrow] = []
    behind: set[int] = set()
    for (sources, path), heads in together.items():
        if not _needed(written, sources, heads):
            continue
        name = f"b{len(bars)}"
        box, into = _bus(sheet, written, name, [reads[heads[0]][source] for source in sources])
        bars.append((box, path, min(heads)))
        arrows += into
        behind.update(heads)
        for head in heads:
            edges = [edge for line in lines if line.head == head for edge in line.edges]
            arrows.append(
                Arrow(
                    name,
                    written[head].box.id,
                    tooltip=tooltip(sheet, edges),
                    source=name,
                    lines=len(sources),
                    passes=passes(sheet, edges),
                    edges=tuple(edges),
                )
            )
    return [line for line in lines if line.head not in behind], bars, arrows


def _needed(written: Sequence[Written], sources: Sequence[Source], heads: Sequence[int]) -> bool:
    if len(heads) > 1:
        return len(sources) * len(heads) > _MOST_LINES
    return written[heads[0]].box.kind in {"table", "closed", "elided"} and len(sources) > _MOST_INTO_ONE


def _bus(sheet: Sheet, written: Sequence[Written], name: str, reads: Sequence[Line]) -> tuple[Box, list[Arrow]]:
    """Return a bar, and the arrows into it from its sources, one for each."""
    rows = []
    arrows = []
    for place, line in enumerate(reads):
        tail = written[line.tail]
        label = tail.box.title if line.source is None else sheet.labels.name(line.source)
        rows.append(Row(label, kind="note", node=line.source))
        arrows.append(
            Arrow(
                tail.box.id,
                name,
                tooltip=label,
                port=place,
                source=tail.box.id if line.source is None else f"n{line.source}",
                lines=len(line.edges) if line.source is None else 1,
                tail_port=None if line.source is None else tail.exits.get(line.source),
            )
        )
    return Box(name, "bus", rows=tuple(rows)), arrows
