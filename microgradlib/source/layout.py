"""Layout: the axes of an array of results, found in the coordinates of what they read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.source.arrays import Arrays
from microgradlib.source.graph import NOTHING
from microgradlib.source.packs import Pack

__all__ = ["collapsed", "layouts", "softmax_rows", "varying"]

FEWEST = 0.3
"""What part of a grid the results must fill at least."""


def layouts(pack: Pack, arrays: Arrays) -> Iterable[Any]:
    """Yield arrays of places in `pack.members`, `NOTHING` where a grid holds none: the best first, the last one flat.

    A result of an elementwise op lies where its operand does, that of a matrix product at its row and column: the
    coordinates of what is read first are gone through until they tell the results apart.
    """
    np = numpy()
    parts = [np.array([parts[k] for parts in pack.parts]) for k in range(len(pack.parts[0]))]
    reads = [_one_term(part, arrays) for part in parts]
    if pack.kind in {"reduce", "neg_log_softmax"}:
        reads = reads[:2]
    columns = [_columns(read, part, arrays) for read, part in zip(reads, parts)]
    sizes = [len(np.unique(read)) for read in reads]
    order = sorted(range(len(reads)), key=lambda k: (not _batched(reads[k], arrays), -sizes[k], k))
    if len(pack.members) == 1:
        yield np.zeros((), int)
        return
    tried = [order, order[::-1], [*range(len(reads))]] if pack.kind == "dot" else [order]
    for choice in dict.fromkeys(map(tuple, tried)):
        grid = _grid([column for k in choice for column in columns[k]], len(pack.members))
        if grid is not None:
            yield grid
    yield np.lexsort(reads[::-1])


def _one_term(part: Any, arrays: Arrays) -> Any:
    """Return of what is read one number for each result: where possible one that is in no result padding."""
    np = numpy()
    there = (part != NOTHING) & (arrays.owner[part] >= 0)
    best = int(there.sum(0).argmax())
    first = np.where((part != NOTHING).any(1), (part != NOTHING).argmax(1), 0)
    return np.where(part[:, best] != NOTHING, part[:, best], part[np.arange(len(part)), first])


def _batched(read: Any, arrays: Arrays) -> bool:
    owner = int(arrays.owner[read[0]])
    return owner >= 0 and arrays.known[owner].batched


def _columns(read: Any, part: Any, arrays: Arrays) -> list[Any]:
    """Return the coordinates of what the results read, if that lies in one array, one axis after another."""
    owners = arrays.owners(read)
    windows = arrays.windows_beyond(part) if part.shape[1] > 1 else None
    if windows:
        return list(windows[1][:, 0].T)
    if len(owners) > 1:
        return [numpy().unique(arrays.owner[read], return_inverse=True)[1], arrays.place[read]]
    return [] if owners[0] < 0 else list(arrays.coordinates(read).T)


def _grid(columns: Sequence[Any], count: int) -> Any:
    """Return the results in a grid, the first columns that tell them apart being its axes; None for too few of it.

    A column that adds to others is ranked within each of their groups, if the grid is full then: the units of a head.
    """
    return _grid_of(tuple([(column - column.min()).astype("int64").tobytes() for column in columns]), count)


@lru_cache(maxsize=1024)
def _grid_of(moved: tuple[bytes, ...], count: int) -> Any:
    """Return the grid of columns, which begin with 0: it is the same for all steps in time."""
    np = numpy()
    columns = [np.frombuffer(column, "int64") for column in moved]
    axes: list[Any] = []
    known, groups = np.zeros(count, int), 1
    for column in columns:
        both = np.unique(np.stack([known, column]), axis=1, return_inverse=True)
        distinct, which = both[0].shape[1], both[1].ravel()
        if distinct == groups:
            continue
        ranks = np.unique(column, return_inverse=True)[1].ravel()
        first = np.searchsorted(both[0][0], np.arange(groups))
        inside = which - first[known]
        width = inside.max() + 1
        axes.append(inside if groups * width == distinct and width <= ranks.max() else ranks)
        known, groups = which, distinct
        if groups == count:
            break
    shape = tuple([int(axis.max()) + 1 for axis in axes])
    if groups < count or count < FEWEST * np.prod(shape):
        return None
    grid = np.full(shape, NOTHING)
    grid[tuple(axes)] = np.arange(count)
    return grid


def softmax_rows(pack: Pack, arrays: Arrays) -> tuple[Any, Any]:
    """Return the terms of a pack's softmax, row by row in the last axis, and the members in the same places.

    Shorter rows end with `NOTHING`; so do the members, which are scalars here.
    """
    np = numpy()
    rows = sorted({parts[0] for parts in pack.parts})
    longest = max(map(len, rows))
    terms = np.array([[*row, *[NOTHING] * (longest - len(row))] for row in rows])
    members = np.full(terms.shape, NOTHING)
    number = {row: k for k, row in enumerate(rows)}
    for member, (row,), index in zip(pack.members, pack.parts, pack.indices):
        members[number[row], index] = member
    grid = _grid(_columns(terms[:, 0], terms[:, :1], arrays), len(rows)) if len(rows) > 1 else np.zeros((), int)
    if grid is None or (grid == NOTHING).any():
        grid = np.arange(len(rows))
    return terms[grid], members[grid]


def varying(part: Any) -> list[int]:
    """Return the axes of the results along which a factor (…, terms) is not the same; the others are all left out.

    Where nothing is, it may be anything: of a factor along a diagonal one of the axes remains.
    """
    axes = list[int]()
    for k in reversed(range(part.ndim - 1)):
        top = part.max(k, keepdims=True)
        if ((part != top) & (part != NOTHING)).any():
            axes.insert(0, k)
        else:
            part = top
    return axes


def collapsed(part: Any, axes: Sequence[int]) -> Any:
    """Return a factor (…, terms) without the axes of the results along which it is the same."""
    return part.max(tuple([k for k in range(part.ndim - 1) if k not in axes]))
