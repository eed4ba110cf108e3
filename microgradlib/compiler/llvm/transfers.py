"""Functions that bring numbers into rows and out of them: columns of data, seeds, outputs, sums, gradients."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from microgradlib.compiler.llvm.closed import CLOSED
from microgradlib.compiler.llvm.ir import Function, Loop, Number, Real
from microgradlib.compiler.llvm.vectors import lanes_added_up, sum_lanes, transposed
from microgradlib.compiler.numpy_functions import numpy

__all__ = [
    "add_up_lanes", "fill", "gather_numbers", "load_columns", "load_numbers", "load_row", "load_seed", "store_rows",
    "stretches", "total",
]  # fmt: skip

LONG_RUN = 64
"""So many numbers that follow one another are copied at once, not by a table of where each goes."""


def load_columns(real: Real) -> Function:
    """Return the function that fills %n rows from %c examples at %x, each of %size numbers.

    Row k of the table %rows has number k of the table %picked. The first %even of these are neighbours: squares of as
    many of them, and of examples, as a vector has lanes are transposed in registers. Examples that lack in the block
    repeat the last one.
    """
    parameters = "ptr %b, i64 %B, ptr %rows, ptr %picked, i64 %n, i64 %even, ptr %x, i64 %size, i64 %c"
    f, lanes = Function("load_columns", parameters), real.lanes
    f.declarations.add("declare i64 @llvm.umin.i64(i64, i64)")

    def target(number: int | str, example: int | str) -> str:
        return f.address(real, "%b", f.mul(f.integer("%rows", number), "%B"), example)

    examples, numbers = (f.emit(f"and i64 {count}, {-lanes}") for count in ("%c", "%even"))
    last = f.emit("sub i64 %c, 1")
    groups = f.unless_zero(examples), f.unless_zero(numbers)
    with groups[0], groups[1], f.loop(examples, step=lanes) as j, f.loop(numbers, step=lanes) as k:
        x = f.address(real, "%x", f.integer("%picked", k.index))
        square = [f.load(real, f.address(real, x, f.mul(f.add(j.index, i), "%size"))) for i in range(lanes)]
        for i, vector in enumerate(transposed(square)):
            f.store(vector, target(f.add(k.index, i), j.index))
    for first, end, first_number in (("0", examples, numbers), (examples, "%B", "0")):
        count, rest = f.emit(f"sub i64 {end}, {first}"), f.emit(f"sub i64 %n, {first_number}")
        with f.unless_zero(count), f.unless_zero(rest), f.loop(rest) as k:
            number = f.add(k.index, first_number)
            x, row = f.address(real, "%x", f.integer("%picked", number)), target(number, first)
            with f.loop(count) as j:
                example = f.emit(f"call i64 @llvm.umin.i64(i64 {f.add(j.index, first)}, i64 {last})")
                f.store(f.load(real.one, f.address(real, x, f.mul(example, "%size"))), f.address(real, row, j.index))
    return f


def load_numbers(real: Real) -> Function:
    """Return the function that copies numbers %x[k · %step] to the places of the table %rows in %u."""
    f = Function("load_numbers", "ptr %u, ptr %rows, i64 %n, ptr %x, i64 %step")
    with f.loop("%n") as loop:
        found = f.load(real.one, f.address(real, "%x", f.mul(loop.index, "%step")))
        f.store(found, f.address(real, "%u", f.integer("%rows", loop.index)))
    return f


def stretches(rows: Any) -> list[tuple[int, Any]]:
    """Return rows in stretches, each with its start: long runs of neighbours alone, and what is between these.

    >>> [(start, len(rows)) for start, rows in stretches([7, 5, 6, *range(100, 200), *range(300, 390), 4])]
    [(0, 3), (3, 100), (103, 90), (193, 1)]
    """
    np, found = numpy(), list[tuple[int, Any]]()
    ends = [*(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
    runs = list(zip([0, *ends], ends))
    for is_long, some in groupby(runs, lambda run: run[1] - run[0] >= LONG_RUN):
        bounds = list(some)
        spans = bounds if is_long else [(bounds[0][0], bounds[-1][1])]
        found += [(start, rows[start:end]) for start, end in spans]
    return found


def load_row(real: Real) -> Function:
    """Return the function that writes a row: the numbers of %c examples at %x; those that lack repeat the last one."""
    f = Function("load_row", "ptr %row, i64 %B, ptr %x, i64 %c")
    for kind, start, loop in _pieces(f, real, "%c"):
        place = f.add(start, loop.index)
        f.store(f.load(kind, f.address(kind, "%x", place)), f.address(kind, "%row", place))
    last = f.load(real.one, f.address(real, "%x", f.emit("sub i64 %c, 1")))
    _fill_rest(f, last)
    return f


def load_seed(real: Real) -> Function:
    """Return the function that writes a row of seeds: the numbers %x[j · %step] of its %c examples.

    A seed of 0 is a structural zero, −0 (see `CLOSED`), and so is that of examples that lack in the block.
    """
    f = Function("load_seed", "ptr %row, i64 %B, ptr %x, i64 %step, i64 %c")

    def closed_if_0(found: Number) -> Number:
        return f.number(CLOSED, found.real).select(found.equals(0.0), found)

    with f.unless_zero("%step"), f.loop("%c") as loop:
        found = f.load(real.one, f.address(real, "%x", f.mul(loop.index, "%step")))
        f.store(closed_if_0(found), f.address(real, "%row", loop.index))
    with f.unless_zero(f.emit(f"zext i1 {f.emit('icmp eq i64 %step, 0')} to i64")):
        one = closed_if_0(f.broadcast(real, "%x"))
        with f.loop("%B", step=real.lanes) as loop:
            f.store(one, f.address(real, "%row", loop.index))
    _fill_rest(f, f.number(CLOSED, real.one))
    return f


def fill(real: Real) -> Function:
    """Return the function that writes %n times the number at %x to %row."""
    f = Function("fill", "ptr %row, i64 %n, ptr %x")
    for kind, start, loop in _pieces(f, real, "%n"):
        f.store(f.broadcast(kind, "%x"), f.address(kind, "%row", start, loop.index))
    return f


def store_rows(real: Real) -> Function:
    """Return the function that copies %c examples of each of %n rows, by the table %rows, to %x + %places · %stride.

    %zero is added: 0, which makes 0 of structural zeros, or −0, which changes nothing.
    """
    parameters = "ptr %b, i64 %B, ptr %rows, ptr %places, i64 %n, ptr %x, i64 %stride, i64 %c"
    f = Function("store_rows", f"{parameters}, {real.scalar} %zero")
    zero = Number(f, real.one, "%zero")
    with f.loop("%n") as rows:
        source = f.address(real, "%b", f.mul(f.integer("%rows", rows.index), "%B"))
        target = f.address(real, "%x", f.mul(f.integer("%places", rows.index), "%stride"))
        for kind, start, loop in _pieces(f, real, "%c"):
            place = f.add(start, loop.index)
            found = f.load(kind, f.address(kind, source, place))
            f.store(found + f.splat(zero, kind), f.address(kind, target, place))
    return f


def gather_numbers(real: Real) -> Function:
    """Return the function that copies the numbers in the places of the table %rows in %u to %x."""
    f = Function("gather_numbers", "ptr %u, ptr %rows, i64 %n, ptr %x")
    with f.loop("%n") as loop:
        found = f.load(real.one, f.address(real, "%u", f.integer("%rows", loop.index)))
        f.store(found, f.address(real, "%x", loop.index))
    return f


def total(real: Real) -> Function:
    """Return the function that adds %zero to %n numbers at %x, as in `store_rows`, and gives the sum of %factor · each.

    It adds up lane by lane, then the lanes. For a factor of 0 the sum is nan where a number is not finite, else 0.
    """
    parameters = f"ptr %x, i64 %n, {real.scalar} %zero, {real.scalar} %factor"
    f = Function("total", parameters, result=real.scalar)
    sums = {kind: f.emit(f"alloca {kind.text}, align 64") for kind in (real, real.one)}
    for kind, place in sums.items():
        f.store(f.number(0.0, kind), place)
    for kind, start, loop in _pieces(f, real, "%n"):
        carried, address = loop.carry(f.number(0.0, kind)), f.address(kind, "%x", start, loop.index)
        zero, factor = [f.splat(Number(f, real.one, name), kind) for name in ("%zero", "%factor")]
        number = f.load(kind, address) + zero
        f.store(number, address)
        following = carried + number * factor
        loop.update(carried, following)
        f.store(following, sums[kind])
    both = sum_lanes(f.load(real, sums[real]))
    if real.lanes > 1:
        both = both + f.load(real.one, sums[real.one])
    f.do(f"ret {real.scalar} {both.name}")
    return f


def add_up_lanes(real: Real) -> Function:
    """Return a function that writes the sums of the lanes of %n vectors at %l, one number each, to %x."""
    f, lanes = Function("write_lane_sums", "ptr %l, i64 %n, ptr %x"), real.lanes
    whole = f.emit(f"and i64 %n, {-lanes}")
    with f.unless_zero(whole), f.loop(whole, step=lanes) as loop:
        start = f.mul(loop.index, lanes)
        vectors = [f.load(real, f.address(real, "%l", start, k * lanes)) for k in range(lanes)]
        f.store(lanes_added_up(vectors), f.address(real, "%x", loop.index))
    rest = f.emit(f"sub i64 %n, {whole}")
    with f.unless_zero(rest), f.loop(rest) as loop:
        place = f.add(whole, loop.index)
        f.store(sum_lanes(f.load(real, f.address(real, "%l", f.mul(place, lanes)))), f.address(real, "%x", place))
    return f


def _pieces(f: Function, real: Real, count: str) -> Iterator[tuple[Real, int | str, Loop]]:
    """Yield loops over so many numbers, by vectors, then over those left; each with its type and first place."""
    whole = f.emit(f"and i64 {count}, {-real.lanes}")
    rest = f.emit(f"sub i64 {count}, {whole}")
    for kind, start, some in ((real, 0, whole), (real.one, whole, rest))[: 1 if real.lanes == 1 else 2]:
        with f.unless_zero(some), f.loop(some, step=kind.lanes) as loop:
            yield kind, start, loop


def _fill_rest(f: Function, number: Number) -> None:
    """Write a number to %row for the examples from %c up to %B."""
    rest = f.emit("sub i64 %B, %c")
    with f.unless_zero(rest), f.loop(rest) as loop:
        f.store(number, f.address(number.real, "%row", "%c", loop.index))
