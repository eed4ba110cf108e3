"""Tiles of matrix products: R rows by C columns of vectors of the result, in registers while the terms are added up.

Each turn of a tile's loop over the terms loads C vectors of X and R factors of W, each a number that all lanes are
multiplied by or a vector itself, for R·C vectors of products: so memory is seldom what it waits for. Functions of tiles
have places, strides and sizes as arguments, and serve all products of a program.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.llvm.vectors import sum_lanes, transposed

__all__ = ["Tile", "tile_function", "transposing_function"]

STRIDES = ("wr", "wt", "xt", "xc", "zr", "zc")
"""Numbers from one row, term or column to the next, in W, X and Z."""

Sums = list[list[Number]]
Lines = tuple[list[str], int | str]
"""Where rows of W, or columns of X, start, and how many numbers it is from one term to the next."""


class Tile(NamedTuple):
    """A function that computes Z = W X in tiles: panels of rows below one another, for several groups of columns.

    Its arguments: where W, X and Z start, how many terms, panels and groups there are, and the `strides`.

    >>> tile = Tile(Real("double", 8), 4, 4, "columns", is_vector=False, is_added=False, lanes=8)
    >>> tile.name, tile.strides
    ('tile.v8f64.4x4.8.columns', ('wr', 'wt', 'xt', 'zr'))
    """

    real: Real
    rows: int
    columns: int
    along: str
    """What vectors of numbers that follow one another lie along: the "columns", of X and Z; the "terms", of W and X, in
    lanes of Z that stay apart; the "summed" terms, whose lanes are added up to one number of Z; "" none of these."""
    is_vector: bool
    """Whether the factors of W are vectors too."""
    is_added: bool
    """Whether the results are added to Z, or to 0 if the last argument, %starts, is true."""
    lanes: int
    """So many lanes of the last column are there; of "summed" terms, behind the last whole vector."""
    has_start: bool = False
    """Whether sums start from the number behind the last term in each row of W: a bias; else from 0."""
    has_ones: bool = False
    """Whether the last column of X is made of ones: its sums are additions, for which other units are free."""
    after: Any = None
    """What is done to each vector before it is stored: `after.emit(vector, others)`, with vectors that lie as Z does,
    so many numbers behind it as the arguments at the end say, one for each of `after.closes`; None: nothing."""

    @property
    def name(self) -> str:
        """The name of the function."""
        kinds = f".{self.along or 'across'}{'.vector' * self.is_vector}{'.added' * self.is_added}"
        kinds += ".start" * self.has_start + ".ones" * self.has_ones + (self.after.name if self.after else "")
        return f"tile.{self.real.suffix}.{self.rows}x{self.columns}.{self.lanes}{kinds}"

    @property
    def fixed(self) -> tuple[str, ...]:
        """The strides that are one vector."""
        return {"columns": ("xc", "zc"), "terms": ("wt", "xt", "zc"), "summed": ("wt", "xt"), "": ()}[self.along]

    @property
    def strides(self) -> tuple[str, ...]:
        """The strides that are arguments."""
        return tuple([name for name in STRIDES if name not in self.fixed])


@lru_cache(256)
def tile_function(tile: Tile) -> Function:
    """Return the function of a tile."""
    others = [f"%other.{k}" for k in range(len(tile.after.closes) if tile.after else 0)]
    strides = "".join([f", i64 %{name}" for name in tile.strides] + [f", i64 {name}" for name in others])
    strides += ", i1 %starts" * tile.is_added
    parameters = f"ptr %w, ptr %x, ptr %z, i64 %terms, i64 %panels, i64 %groups{strides}"
    f, real = Function(tile.name, parameters, linkage="internal"), tile.real
    rows, columns, is_summed = range(tile.rows), range(tile.columns), tile.along == "summed"
    wr, wt, xt, xc, zr, zc = [real.lanes if name in tile.fixed else f"%{name}" for name in STRIDES]
    with f.unless_zero("%groups"), f.loop("%groups") as group, f.loop("%panels") as panel:
        row, column = f.mul(panel.index, tile.rows), f.mul(group.index, tile.columns)
        w, x = f.address(real, "%w", f.mul(row, wr)), f.address(real, "%x", f.mul(column, xc))
        z = f.address(real, "%z", f.mul(row, zr), f.mul(column, zc))
        ws = [f.address(real, w, f.mul(r, wr)) for r in rows]
        xs = [f.address(real, x, f.mul(c, xc)) for c in columns[: tile.columns - tile.has_ones]]
        width = [real.lanes] * (tile.columns - 1) + [1 if is_summed else tile.lanes]

        def place(r: int, c: int) -> str:
            return f.address(real, z, f.mul(r, zr), f.mul(c, zc))

        def before(r: int, c: int) -> str:
            return f.address_or_zeros(real, place(r, c), "%starts")

        is_loaded = tile.is_added and tile.along == "columns"
        sums = [[f.number(0.0, real)] * tile.columns] * tile.rows
        if is_loaded:
            sums = [[f.load_first(real, before(r, c), width[c]) for c in columns] for r in rows]
        if tile.has_start:
            sums = [[f.broadcast(real, f.address(real, w, f.mul("%terms", wt)))] * tile.columns for w in ws]
        sums = _sums(f, tile, (ws, wt), (xs, xt), sums)
        for r in rows:
            for c in columns:
                total = sum_lanes(sums[r][c]) if is_summed else sums[r][c]
                if tile.is_added and not is_loaded:
                    total = f.load(total.real, before(r, c)) + total
                lanes, read = 1 if is_summed else width[c], [f.address(real, place(r, c), other) for other in others]
                if tile.after:
                    total = tile.after.emit(total, [f.load_first(total.real, other, lanes) for other in read])
                f.store_first(total, place(r, c), lanes)
    return f


def _sums(f: Function, tile: Tile, w: Lines, x: Lines, sums: Sums) -> Sums:
    """Add the products of all terms to sums, with these rows of W and columns of X; return them."""
    real, is_summed = tile.real, tile.along == "summed"
    whole = [real.lanes] * (tile.columns - 1)

    def after(sums: Sums, term: int | str, width: list[int]) -> Sums:
        moved = [(places, f.mul(term, stride)) for places, stride in (w, x)]
        factors, there = [[f.address(real, place, numbers) for place in places] for places, numbers in moved]
        columns, found = [f.load_first(real, place, lanes) for place, lanes in zip(there, width)], []
        for place, row in zip(factors, sums):
            factor = f.load_first(real, place, width[0]) if tile.is_vector else f.broadcast(real, place)
            found.append([f.fma(factor, column, total) for column, total in zip(columns, row)])
            found[-1] += [total + factor for total in row[len(columns) :]]
        return found

    with f.loop("%terms") as loop:
        before = [[loop.carry(total) for total in row] for row in sums]
        sums = after(before, loop.index, [*whole, real.lanes if is_summed else tile.lanes])
        for old, new in zip(chain(*before), chain(*sums)):
            loop.update(old, new)
    return after(sums, "%terms", [tile.lanes] * tile.columns) if is_summed and tile.lanes else sums


@lru_cache(256)
def transposing_function(real: Real, rows: int, lanes: int) -> Function:
    """Return a function that writes the transposed matrix Y of X, in blocks.

    A block of X is `rows` rows of so many lanes, at most a vector has; %down blocks lie below one another, %across side
    by side. Y has whole vectors: 0 stands where there are no rows of X.
    """
    name = f"transposed.{real.suffix}.{rows}x{lanes}"
    f = Function(name, "ptr %x, ptr %y, i64 %xr, i64 %yr, i64 %down, i64 %across", linkage="internal")
    with f.loop("%down") as down, f.loop("%across") as across:
        i, j = f.mul(down.index, real.lanes), f.mul(across.index, real.lanes)
        places = [f.address(real, "%x", f.mul(f.add(i, r), "%xr"), j) for r in range(rows)]
        block = [f.load_first(real, place, lanes) for place in places]
        block += [f.number(0.0, real)] * (real.lanes - rows)
        for k, vector in enumerate(transposed(block)[:lanes]):
            f.store(vector, f.address(real, "%y", f.mul(f.add(j, k), "%yr"), i))
    return f
