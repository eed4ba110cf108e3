"""The grid of a layered drawing: boxes in columns, lanes in which lines pass the columns that they skip, and links.

A *lane* is an invisible cell (a dummy node in the terms of Sugiyama, Tagawa and Toda 1981). Lines of one trunk share
their lanes, so a value with many uses is drawn as one line that branches. A frame has a cell in every column that it
spans: where it has neither a box nor a lane, it gets an empty cell, so that it has a place in the order of each.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """An arrow between boxes, both by number.

    Args:
        tail, head: the boxes.
        trunk: lines of one tail and one trunk share lanes.
        leaves, enters: where it leaves its tail and enters its head, across, from the middle; None: anywhere.

    """

    tail: int
    head: int
    trunk: Hashable = ""
    leaves: float | None = None
    enters: float | None = None


@dataclass
class Link:
    """A part of a line between two neighbouring columns; offsets are measured across, from the cells' middles.

    `free_exit`, `free_entry`: the offset is to be chosen after the order of the columns is known.
    """

    tail: int
    head: int
    leaves: float = 0.0
    enters: float = 0.0
    free_exit: bool = False
    free_entry: bool = False
    trunk: Hashable = ""


@dataclass
class Grid:
    """Cells (boxes first, then lanes and empty cells) in columns, and the links between them.

    Args:
        boxes: how many cells are boxes.
        columns: the cells of each column, in their order across.
        column_of, breadths: of each cell.
        frames_of: the frames around each cell, outermost first.
        parent: the frame around each frame, or −1.
        around: for each frame, the frames around it, outermost first, and itself.
        span: the first and the last column of each frame.
        links: all of them.
        before, after: for each cell, its links to the columns before and after.
        paths: for each line, its cells from tail to head.
        last: for each line, its link into the head.

    """

    boxes: int
    columns: list[list[int]]
    column_of: list[int]
    breadths: list[float]
    frames_of: list[tuple[int, ...]]
    parent: tuple[int, ...]
    around: tuple[tuple[int, ...], ...]
    span: list[tuple[int, int]]
    links: list[Link]
    before: list[list[int]]
    after: list[list[int]]
    paths: list[tuple[int, ...]]
    last: list[int]

    def is_lane(self, cell: int) -> bool:
        """Whether a line passes through the cell."""
        return cell >= self.boxes and bool(self.before[cell])


def make_grid(
    breadths: Sequence[float],
    ranks: Sequence[int],
    frames_of: Sequence[tuple[int, ...]],
    parent: Sequence[int],
    lines: Sequence[Line],
) -> Grid:
    """Return the grid of boxes and lines, each column in the order in which its cells were made.

    Args:
        breadths: the size of each box across.
        ranks: its column.
        frames_of: the frames around it, outermost first.
        parent: the frame around each frame, or −1; outer frames come first.
        lines: each from a lower to a higher column.

    >>> grid = make_grid([40.0] * 3, [0, 1, 2], [()] * 3, [], [Line(0, 1), Line(1, 2), Line(0, 2)])
    >>> grid.columns, grid.paths[2]
    ([[0], [1, 3], [2]], (0, 3, 2))
    """
    grid = Grid(
        boxes=len(breadths),
        columns=[],
        column_of=list(ranks),
        breadths=list(breadths),
        frames_of=list(frames_of),
        parent=tuple(parent),
        around=_around(parent),
        span=_spans(ranks, frames_of, len(parent)),
        links=[],
        before=[[] for _ in ranks],
        after=[[] for _ in ranks],
        paths=[],
        last=[],
    )
    _add_lines(grid, lines)
    _add_empty_cells(grid)
    grid.columns = [[] for _ in range(max(grid.column_of, default=-1) + 1)]
    for cell, column in enumerate(grid.column_of):
        grid.columns[column].append(cell)
    return grid


def _around(parent: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    around: list[tuple[int, ...]] = []
    for frame, outer in enumerate(parent):
        around.append((*(around[outer] if outer >= 0 else ()), frame))
    return tuple(around)


def _spans(ranks: Sequence[int], frames_of: Sequence[tuple[int, ...]], frames: int) -> list[tuple[int, int]]:
    low, high = [len(ranks)] * frames, [-1] * frames
    for column, around in zip(ranks, frames_of, strict=True):
        for frame in around:
            low[frame] = min(low[frame], column)
            high[frame] = max(high[frame], column)
    return list(zip(low, high, strict=True))


def _add_cell(grid: Grid, column: int, frames: tuple[int, ...]) -> int:
    grid.column_of.append(column)
    grid.breadths.append(0.0)
    grid.frames_of.append(frames)
    grid.before.append([])
    grid.after.append([])
    return len(grid.column_of) - 1


def _add_link(grid: Grid, link: Link) -> int:
    number = len(grid.links)
    grid.links.append(link)
    grid.after[link.tail].append(number)
    grid.before[link.head].append(number)
    return number


def _add_lines(grid: Grid, lines: Sequence[Line]) -> None:
    trunks: dict[tuple[int, Hashable], list[int]] = {}
    heads: dict[int, list[int]] = {}  # of the lines that pass a lane
    for line in lines:
        trunk = trunks.setdefault((line.tail, line.trunk), [line.tail])
        while grid.column_of[trunk[-1]] < grid.column_of[line.head] - 1:
            lane = _add_cell(grid, grid.column_of[trunk[-1]] + 1, ())
            _add_link(grid, _leaving(line, trunk[-1], lane))
            trunk.append(lane)
        path = (*trunk[: max(1, grid.column_of[line.head] - grid.column_of[line.tail])], line.head)
        link = _leaving(line, path[-2], line.head)
        link.free_entry = line.enters is None
        link.enters = line.enters or 0.0
        grid.last.append(_add_link(grid, link))
        grid.paths.append(path)
        for lane in path[1:-1]:
            heads.setdefault(lane, []).append(line.head)
    for (tail, _), trunk in trunks.items():
        for lane in trunk[1:]:
            grid.frames_of[lane] = _frames_of_lane(grid, tail, heads[lane], grid.column_of[lane])


def _leaving(line: Line, tail: int, head: int) -> Link:
    if tail != line.tail:
        return Link(tail, head, trunk=line.trunk)
    return Link(tail, head, line.leaves or 0.0, free_exit=line.leaves is None, trunk=line.trunk)


def _frames_of_lane(grid: Grid, tail: int, heads: Sequence[int], column: int) -> tuple[int, ...]:
    """Return the frames around a lane: those of the tail while they last, else those that all heads are already in."""
    before = grid.frames_of[tail]
    behind = grid.frames_of[heads[0]]
    for head in heads[1:]:
        behind = behind[: _common(behind, grid.frames_of[head])]
    shared = _common(before, behind)
    own = [*before[:shared]]
    for frame in before[shared:]:
        if grid.span[frame][1] < column:
            break
        own.append(frame)
    if len(own) == shared:
        for frame in behind[shared:]:
            if grid.span[frame][0] > column:
                break
            own.append(frame)
    return tuple(own)


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count


def _add_empty_cells(grid: Grid) -> None:
    filled = {(frame, grid.column_of[cell]) for cell, frames in enumerate(grid.frames_of) for frame in frames}
    for frame in reversed(range(len(grid.parent))):  # inner frames first: their cells also fill the outer ones
        low, high = grid.span[frame]
        for column in range(low, high + 1):
            if (frame, column) not in filled:
                _add_cell(grid, column, grid.around[frame])
                filled.update((outer, column) for outer in grid.around[frame])
