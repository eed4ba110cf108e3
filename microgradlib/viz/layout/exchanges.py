"""Exchange neighbours in the order of columns as long as that makes the order better."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from microgradlib.viz.layout.crossings import shift
from microgradlib.viz.layout.order_state import DISORDER, OrderState

_MOST_WORK: Final = 24_000
"""Limit on exchanges times cells: larger diagrams get fewer, to bound the time."""


def exchange_frames(state: OrderState) -> None:
    """Exchange neighbouring frames of one frame where that makes the order better."""
    grid = state.grid
    inside: dict[int, list[int]] = {}
    for frame, parent in enumerate(grid.parent):
        inside.setdefault(parent, []).append(frame)
    budget = _MOST_WORK // (len(grid.breadths) + 1)
    best = state.snapshot()
    for frames in inside.values():
        frames.sort(key=lambda frame: (state.keys[frame], frame))
        for i in range(len(frames) - 1):
            budget -= 1
            if budget < 0 or not best.cost:
                state.restore(best)
                return
            one, other = frames[i], frames[i + 1]
            if not state.overlap(one, other):
                continue
            state.keys[one], state.keys[other] = state.keys[other], state.keys[one]
            if state.keys[one] == state.keys[other]:
                state.keys[one] += 1e-9
            state.set_sides()
            state.sort_all()
            found = state.snapshot()
            if found.cost < best.cost:
                best = found
                frames[i], frames[i + 1] = other, one
            state.restore(best)


def exchange_cells(state: OrderState) -> None:
    """Exchange neighbouring cells of one frame as long as that removes crossings or puts kin in order."""
    grid = state.grid
    rounds = max(1, min(8, _MOST_WORK // (len(grid.breadths) + 1)))
    for _ in range(rounds):
        changed = False
        for column in grid.columns:
            for i in range(len(column) - 1):
                one, other = column[i], column[i + 1]
                if grid.frames_of[one] == grid.frames_of[other] and _gain(state, one, other) > 0:
                    column[i], column[i + 1] = other, one
                    state.index[one], state.index[other] = i + 1, i
                    changed = True
        if not changed:
            break
    state.number_all()


def _gain(state: OrderState, one: int, other: int) -> float:
    """Return by how much the cost falls if `other`, now right below `one`, is put above it."""
    grid = state.grid
    gain = 0.0
    for links, before in ((grid.before, True), (grid.after, False)):
        if links[one] and links[other]:
            above = sorted(_far_end(state, i, before=before) for i in links[one])
            below = sorted(_far_end(state, i, before=before) for i in links[other])
            gain += _pairs(above, below) - _pairs(below, above)
    if max(one, other) < grid.boxes and state.kin[one] is not None and state.kin[one] == state.kin[other]:
        gain += DISORDER if one > other else -DISORDER
    return gain


def _far_end(state: OrderState, number: int, *, before: bool) -> float:
    link = state.grid.links[number]
    if before:
        return state.index[link.tail] + shift(state.grid, link.tail, link.leaves)
    return state.index[link.head] + shift(state.grid, link.head, link.enters)


def _pairs(above: Sequence[float], below: Sequence[float]) -> int:
    """Count the pairs that cross: ends of the upper cell that lie below ends of the lower one; both are sorted."""
    return sum(len(above) - bisect_right(above, end) for end in below)
