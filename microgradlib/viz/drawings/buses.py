"""Where several boxes read the same several sources, the lines run through one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.drawings.arrows import passes, tooltip
from microgradlib.viz.drawings.diagram import Arrow, Box, Row
from microgradlib.viz.drawings.groups import common

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.drawings.arrows import Line
    from microgradlib.viz.drawings.groups import Path
    from microgradlib.viz.drawings.sheet import Sheet
    from microgradlib.viz.drawings.written import Written

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
    reads: list[dict[int, list[Line]]] = [{} for _ in sheet.parts]
    for line in lines:
        if line.source is not None:
            reads[line.head].setdefault(line.source, []).append(line)
    together: dict[tuple[tuple[int, ...], Path], list[int]] = {}
    for head, read in enumerate(reads):
        if len(read) > 1:
            together.setdefault((tuple(sorted(read)), sheet.parts[head].path), []).append(head)
    through: set[int] = set()
    boxes: list[tuple[Box, Path, int]] = []
    arrows: list[Arrow] = []
    for (sources, path), heads in together.items():
        if not _needed(written, sources, heads):
            continue
        name = f"b{len(boxes)}"
        bars, into = _bus(sheet, written, name, sources, reads[heads[0]])
        boxes.append((bars, common([path]), min(heads)))
        arrows += into
        for head in heads:
            edges = [edge for source in sources for line in reads[head][source] for edge in line.edges]
            through.update(id(line) for source in sources for line in reads[head][source])
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
    return [line for line in lines if id(line) not in through], boxes, arrows


def _needed(written: Sequence[Written], sources: Sequence[int], heads: Sequence[int]) -> bool:
    if len(heads) > 1:
        return len(sources) * len(heads) > _MOST_LINES
    return written[heads[0]].box.kind in {"table", "closed", "elided"} and len(sources) > _MOST_INTO_ONE


def _bus(
    sheet: Sheet, written: Sequence[Written], name: str, sources: Sequence[int], reads: Mapping[int, Sequence[Line]]
) -> tuple[Box, list[Arrow]]:
    """Return a bar, and the arrows into it from its sources, one for each."""
    rows = []
    arrows = []
    for place, source in enumerate(sources):
        line = reads[source][0]
        rows.append(Row(sheet.labels.name(source), kind="note", node=source))
        arrows.append(
            Arrow(
                written[line.tail].box.id,
                name,
                tooltip=sheet.labels.name(source),
                port=place,
                source=f"n{source}",
                edges=(),
                tail_port=written[line.tail].exits.get(source),
            )
        )
    return Box(name, "bus", rows=tuple(rows)), arrows
