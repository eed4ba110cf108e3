"""Where lines leave and enter the sides of boxes: fixed rows and columns, and free places chosen without crossings."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from microgradlib.viz.layout.grid import Grid

_MARGIN: Final = 8.0
"""Pixels between the end of a side and the first line that enters there."""


def breadth_for(fixed: Sequence[float], free: int, pitch: float, breadth: float) -> float:
    """Return the least breadth of a box that `free` lines enter, `pitch` apart, beside those at `fixed` places.

    Args:
        fixed: places of other lines, from the beginning of the side.
        free: how many lines enter anywhere.
        pitch: pixels between two of them.
        breadth: of the box without them.

    >>> breadth_for([], 6, 14.0, 47.0), breadth_for([20.0, 37.0], 1, 14.0, 60.0)
    (86.0, 60.0)
    """
    if not free:
        return breadth
    if not fixed:
        return max(breadth, (free - 1) * pitch + 2 * _MARGIN)
    below = free - _room_above(fixed, pitch)
    return max(breadth, max(fixed) + below * pitch + _MARGIN) if below > 0 else breadth


def _room_above(fixed: Sequence[float], pitch: float) -> int:
    return max(0, int((min(fixed) - pitch - _MARGIN) // pitch) + 1)


def free_places(fixed: Sequence[float], free: int, pitch: float, breadth: float) -> list[float]:
    """Return the places of free lines from the beginning of the side: centred, or around the fixed ones.

    >>> free_places([], 3, 10.0, 60.0), free_places([30.0], 3, 14.0, 80.0)
    ([20.0, 30.0, 40.0], [16.0, 44.0, 58.0])
    """
    if not fixed:
        step = min(pitch, (breadth - 2 * _MARGIN) / (free - 1)) if free > 1 else 0.0
        return [breadth / 2 + (i - (free - 1) / 2) * step for i in range(free)]
    above = min(free, _room_above(fixed, pitch))
    first = [min(fixed) - pitch * (above - i) for i in range(above)]
    return first + [max(fixed) + pitch * (i + 1) for i in range(free - above)]


def assign_ports(grid: Grid, pitches: Sequence[float], tight: float) -> None:
    """Choose the places of all free lines at the sides of boxes, in the order in which they come and go.

    Args:
        grid: its columns are in order; its links are changed.
        pitches: for each box, pixels between two free lines that enter it.
        tight: pixels between two trunks that leave a box.

    """
    index = [0] * len(grid.breadths)
    for column in grid.columns:
        for place, cell in enumerate(column):
            index[cell] = place
    depths = path_lengths(grid)
    for box in range(grid.boxes):
        _assign_exits(grid, box, tight, index)
    for box in range(grid.boxes):
        _assign_entries(grid, box, pitches[box], index)
        _centre_longest(grid, box, pitches[box], depths)


def path_lengths(grid: Grid) -> list[int]:
    """Return how many boxes the longest path to each cell passes; lanes do not count."""
    lengths = [0] * len(grid.breadths)
    for column in grid.columns:
        for cell in column:
            tails = [grid.links[number].tail for number in grid.before[cell]]
            lengths[cell] = max([lengths[tail] + (tail < grid.boxes) for tail in tails], default=0)
    return lengths


def _centre_longest(grid: Grid, box: int, pitch: float, depths: Sequence[int]) -> None:
    """Let the line of the longest path enter in the middle, if the others find room: so a chain stays straight."""
    links = [grid.links[number] for number in grid.before[box]]
    longest = [link for link in links if depths[link.tail] + (link.tail < grid.boxes) == depths[box]]
    if len(links) < 2 or len(longest) != 1 or not all(link.free_entry for link in links):
        return
    shift = longest[0].enters
    room = grid.breadths[box] / 2 - pitch / 2
    if all(abs(link.enters - shift) <= room for link in links):
        for link in links:
            link.enters -= shift


def _assign_exits(grid: Grid, box: int, tight: float, index: Sequence[int]) -> None:
    trunks: dict[Hashable, list[int]] = {}
    for number in grid.after[box]:
        if grid.links[number].free_exit:
            trunks.setdefault(grid.links[number].trunk, []).append(number)
    if len(trunks) < 2:
        return
    links = grid.links
    means = {key: sum([index[links[i].head] + _part(grid, i) for i in of]) / len(of) for key, of in trunks.items()}
    order = sorted(trunks, key=means.__getitem__)
    for key, place in zip(order, free_places((), len(order), tight, grid.breadths[box]), strict=True):
        for number in trunks[key]:
            links[number].leaves = place - grid.breadths[box] / 2


def _part(grid: Grid, number: int) -> float:
    link = grid.links[number]
    return 0.9 * link.enters / grid.breadths[link.head] if link.enters else 0.0


def _assign_entries(grid: Grid, box: int, pitch: float, index: Sequence[int]) -> None:
    free = [number for number in grid.before[box] if grid.links[number].free_entry]
    if not free:
        return
    half = grid.breadths[box] / 2
    links = grid.links
    fixed = [links[number].enters + half for number in grid.before[box] if not links[number].free_entry]

    def origin(number: int) -> float:
        link = links[number]
        return index[link.tail] + (0.9 * link.leaves / grid.breadths[link.tail] if link.leaves else 0.0)

    free.sort(key=origin)
    for number, place in zip(free, free_places(fixed, len(free), pitch, 2 * half), strict=True):
        links[number].enters = place - half
