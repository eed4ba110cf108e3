"""Places along: columns of boxes, and between them room for frames' edges, bends, texts and arrowheads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.layout.spacing import Across

_BEFORE_HEAD: Final = 3.0
"""Pixels of line before an arrowhead, and before and behind a text."""
_BESIDE_EDGE: Final = 3.0
"""Pixels between a frame's edge and the nearest bend."""
_TITLE_MARGIN: Final = 20.0
"""Pixels that a frame is longer than its title."""


class Column(NamedTuple):
    """One column: its boxes stand from `begin` to `end`; lines are straight from `level` to them, and on to `out`."""

    level: float
    begin: float
    end: float
    out: float


class Ends(NamedTuple):
    """What a frame needs along: room before and behind its contents, and for its title if that stands along."""

    before: float
    behind: float
    title: float = 0.0


@dataclass(frozen=True)
class Along:
    """The columns, where each box, frame begins, where each frame ends, and the length of the drawing."""

    columns: list[Column]
    boxes: list[float]
    begins: list[float]
    ends: list[float]
    length: float


def place_along(
    grid: Grid,
    across: Across,
    spacing: Spacing,
    *,
    lengths: Sequence[float],
    texts: Sequence[float],
    ends: Sequence[Ends],
) -> Along:
    """Return the places along of all columns, boxes and frames.

    Args:
        grid: columns in order, ports assigned.
        across: the places across.
        spacing: the distances.
        lengths: of each box.
        texts: for each box, the longest text on a line into it, 0 for none.
        ends: for each frame, the room that it needs.

    """
    zones = [text + spacing.head + 3 * _BEFORE_HEAD if text else spacing.head + _BEFORE_HEAD for text in texts]
    before, behind = _extents(grid, texts, zones, ends)
    widths = [0.0] * len(grid.columns)
    for box, length in enumerate(lengths):
        widths[grid.column_of[box]] = max(widths[grid.column_of[box]], length)
    needs = _Needs(zones, widths, _bends(grid, spacing, across), before, behind)
    columns = _columns(grid, needs)
    if _widen_for_titles(grid, across, ends, columns, needs):
        columns = _columns(grid, needs)
    boxes = [
        _aligned(columns[grid.column_of[box]], length, first=not grid.before[box], last=not grid.after[box])
        for box, length in enumerate(lengths)
    ]
    shown = [frame for frame, (_, high) in enumerate(grid.span) if high >= 0]
    begins, stops = [0.0] * len(grid.span), [0.0] * len(grid.span)
    for frame in shown:
        begins[frame] = columns[grid.span[frame][0]].begin - before[frame]
        stops[frame] = columns[grid.span[frame][1]].end + behind[frame]
    length = max([column.out for column in columns[-1:]], default=0.0)
    return Along(columns, boxes, begins, stops, length)


class _Needs(NamedTuple):
    """What columns must have room for."""

    zones: Sequence[float]  # for each box, the straight ends of its lines
    widths: list[float]  # of each column's boxes
    bends: Sequence[float]  # before each column
    before: Sequence[float]  # of each frame, before and behind its boxes
    behind: Sequence[float]


def _aligned(column: Column, length: float, *, first: bool, last: bool) -> float:
    """Return where a box begins: leaves stand at the end of their column, outputs at its beginning."""
    slack = column.end - column.begin - length
    return column.begin + (slack if first and not last else 0.0 if last and not first else slack / 2)


def _extents(
    grid: Grid, texts: Sequence[float], zones: Sequence[float], ends: Sequence[Ends]
) -> tuple[list[float], list[float]]:
    """Return how far each frame begins before its first column's boxes, and ends behind its last column's boxes."""
    frames = len(grid.span)
    before, behind = [0.0] * frames, [0.0] * frames
    for box, text in enumerate(texts):
        frame = grid.frames_of[box][-1] if grid.frames_of[box] else -1
        if text and frame >= 0:
            for outer in grid.around[frame]:
                if grid.span[outer][0] == grid.column_of[box]:
                    before[outer] = max(before[outer], zones[box])
    for frame in sorted(range(frames), key=lambda frame: (-len(grid.around[frame]), frame)):
        before[frame] += ends[frame].before
        behind[frame] += ends[frame].behind
        parent, (low, high) = grid.parent[frame], grid.span[frame]
        if parent >= 0 and high >= 0:
            if grid.span[parent][0] == low:
                before[parent] = max(before[parent], before[frame])
            if grid.span[parent][1] == high:
                behind[parent] = max(behind[parent], behind[frame])
    return before, behind


def _bends(grid: Grid, spacing: Spacing, across: Across) -> list[float]:
    """Return the length of the bends before each column: more where lines go farther across."""
    climbs = [0.0] * len(grid.columns)
    for link in grid.links:
        column = grid.column_of[link.head]
        climb = abs(across.middles[link.tail] + link.leaves - across.middles[link.head] - link.enters)
        climbs[column] = max(climbs[column], climb)
    return [min(spacing.longest_bend, spacing.bend + climb / spacing.climb) for climb in climbs]


def _columns(grid: Grid, needs: _Needs) -> list[Column]:
    count = len(needs.widths)
    room = [0.0] * count
    for box, zone in enumerate(needs.zones):
        if grid.before[box]:
            room[grid.column_of[box]] = max(room[grid.column_of[box]], zone)
    close = [0.0] * count
    for frame, (low, high) in enumerate(grid.span):
        if high >= 0:
            room[low] = max(room[low], needs.before[frame] + (_BESIDE_EDGE if low else 0.0))
            close[high] = max(close[high], needs.behind[frame] + (_BESIDE_EDGE if high < count - 1 else 0.0))
    columns: list[Column] = []
    for number, width in enumerate(needs.widths):
        level = columns[-1].out + needs.bends[number] if columns else 0.0
        begin = level + room[number]
        columns.append(Column(level, begin, begin + width, begin + width + close[number]))
    return columns


def _widen_for_titles(
    grid: Grid, across: Across, ends: Sequence[Ends], columns: Sequence[Column], needs: _Needs
) -> bool:
    """Widen the columns of frames that are shorter than their titles, or whose titles lines would cross."""
    crossed = _crossed_from_above(grid, across)
    changed = False
    for frame, (low, high) in enumerate(grid.span):
        if high < 0 or not ends[frame].title:
            continue
        until = low if frame in crossed else high
        behind = needs.behind[frame] if until == high else 0.0
        have = columns[until].end + behind - columns[low].begin + needs.before[frame]
        missing = ends[frame].title + _TITLE_MARGIN - have
        if missing > 0:
            wanted = columns[until].end - columns[until].begin + missing
            changed = True
            needs.widths[until] = max(needs.widths[until], wanted)
    return changed


def _crossed_from_above(grid: Grid, across: Across) -> set[int]:
    """Return the frames whose title bars lines cross, between two of their columns."""
    crossed = set()
    for link in grid.links:
        column = grid.column_of[link.tail]
        for inside, outside in ((link.tail, link.head), (link.head, link.tail)):
            for frame in grid.frames_of[inside]:
                low, high = grid.span[frame]
                if (
                    low <= column < high
                    and frame not in grid.frames_of[outside]
                    and across.middles[outside] < across.begins[frame]
                ):
                    crossed.add(frame)
    return crossed
