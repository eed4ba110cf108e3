"""Order the cells of each column so that few lines cross, with frames in one piece and in the same order everywhere.

Barycentre sweeps (Sugiyama, Tagawa and Toda 1981): a cell goes to the mean place of its neighbours in the column
before or after. A frame has one key for all columns, so frames stand in the same order in each. After the sweeps,
neighbours in a column, and neighbouring frames, change places as long as that removes crossings. The best order seen is
kept: crossings count 1, pairs of equal boxes out of their own order 1.5, of neighbouring frames 5, lines through a
foreign frame 20.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from microgradlib.viz.layout.exchanges import exchange_cells, exchange_frames
from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.order_state import Found, OrderState

_MOST_WORK: Final = 24_000
"""Limit on sweeps times cells: larger diagrams get fewer sweeps, to bound the time."""
_MOST_SWEEPS: Final = 16


def order_columns(grid: Grid, kin: Sequence[Hashable | None]) -> None:
    """Order the columns of a grid, in place.

    Args:
        grid: its columns stand in an order to begin with, which ties keep.
        kin: for each box, a key that equal boxes share, such as inputs of one frame; None for boxes without kin.

    >>> from microgradlib.viz.layout.crossings import crossings
    >>> from microgradlib.viz.layout.grid import Line, make_grid
    >>> lines = [Line(0, 5), Line(1, 4), Line(2, 3)]
    >>> grid = make_grid([40.0] * 6, [0, 0, 0, 1, 1, 1], [()] * 6, [], lines)
    >>> order_columns(grid, [None] * 6)
    >>> grid.columns, crossings(grid)
    ([[2, 1, 0], [3, 4, 5]], 0)
    """
    state = OrderState(grid, kin)
    state.number_all()
    sweeps = max(2, min(_MOST_SWEEPS, _MOST_WORK // (len(grid.breadths) + 1)))
    if grid.parent:
        state.set_own_keys()
        state.sort_all()
        best = _sweep(state, (sweeps + 1) // 2, state.snapshot(), keep_keys=True)
    else:
        best = state.snapshot()
    best = _sweep(state, sweeps, best, keep_keys=not grid.parent)
    state.restore(best)
    if best.cost:
        exchange_frames(state)
        exchange_cells(state)


def _sweep(state: OrderState, sweeps: int, best: Found, *, keep_keys: bool) -> Found:
    """Sweep back and forth, and return the best order seen; without `keep_keys`, frames may change their order."""
    for sweep in range(sweeps):
        if not best.cost:
            break
        state.sweep(backwards=sweep % 2 == 0)
        if state.grid.parent:
            if keep_keys:
                state.set_sides()
            else:
                state.set_keys(outside=sweep % 3 == 2)
            state.sort_all()
        best = min(best, state.snapshot(), key=lambda found: found.cost)
    return best
