"""Functions that bring numbers into rows and out of them: columns of data, seeds, outputs, gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from microgradlib.compiler.llvm.ir import Function, Loop, Number, Real

__all__ = [
    "CLOSED", "fill", "finish", "gather_numbers", "load_columns", "load_matrix", "load_numbers", "load_row",
    "load_seed", "store_rows", "total", "transposed",
]  # fmt: skip

CLOSED = -0.0
"""The structural zero in memory: it stops inf and nan that it is multiplied by. A computed cotangent is never −0, as 0
is added to it; and sums keep both: −0 + −0 = −0, −0 + x = x. Products of matrices make an ordinary 0 of it."""


def _copy(f: Function, real: Real, source: str, target: str) -> None:
    f.store(f.load(real.one, source), target)


def load_columns(real: Real) -> Function:
    """Return the function that fills %n rows from %c examples at %x, each of %size numbers.

    Row k of the table %rows has number k of the table %picked. Examples that lack in the block repeat the last one.
    """
    parameters = "ptr %b, i64 %B, ptr %rows, ptr %picked, i64 %n, ptr %x, i64 %size, i64 %c"
    f = Function("load_columns", parameters, linkage="internal")
    last = f.emit("sub i64 %c, 1")
    with f.loop("%n") as rows:
        row, picked = f.integer("%rows", rows.index), f.integer("%picked", rows.index)
        target, source = f.address(real, "%b", f.mul(row, "%B")), f.address(real, "%x", picked)
        with f.loop("%B") as examples:
            is_there = f.emit(f"icmp ult i64 {examples.index}, %c")
            example = f.emit(f"select i1 {is_there}, i64 {examples.index}, i64 {last}")
            _copy(f, real, f.address(real, source, f.mul(example, "%size")), f.address(real, target, examples.index))
    return f


def load_matrix(real: Real) -> Function:
    """Return the function that writes the first %n numbers of %c examples at %x, each of %size, to the rows of %rows.

    Squares of as many examples and numbers as a vector has lanes are transposed in registers. Examples that lack in the
    block repeat the last one.
    """
    f = Function("load_matrix", "ptr %b, i64 %B, ptr %rows, i64 %n, ptr %x, i64 %size, i64 %c", linkage="internal")
    lanes = real.lanes

    def target(number: int | str, example: int | str) -> str:
        return f.address(real, "%b", f.mul(f.integer("%rows", number), "%B"), example)

    examples, numbers = (f.emit(f"and i64 {count}, {-lanes}") for count in ("%c", "%n"))
    last = f.emit("sub i64 %c, 1")
    groups = f.unless_zero(examples), f.unless_zero(numbers)
    with groups[0], groups[1], f.loop(examples, step=lanes) as j, f.loop(numbers, step=lanes) as k:
        sources = [f.address(real, "%x", f.mul(f.add(j.index, i), "%size"), k.index) for i in range(lanes)]
        for i, vector in enumerate(transposed([f.load(real, source) for source in sources])):
            f.store(vector, target(f.add(k.index, i), j.index))
    for first, end, first_number in (("0", examples, numbers), (examples, "%B", "0")):
        count, rest = f.emit(f"sub i64 {end}, {first}"), f.emit(f"sub i64 %n, {first_number}")
        with f.unless_zero(count), f.loop(count) as j, f.unless_zero(rest), f.loop(rest) as k:
            place, number = f.add(j.index, first), f.add(k.index, first_number)
            example = f.emit(f"call i64 @llvm.umin.i64(i64 {place}, i64 {last})")
            source = f.address(real, "%x", f.mul(example, "%size"), number)
            _copy(f, real, source, target(number, place))
    f.declarations.add("declare i64 @llvm.umin.i64(i64, i64)")
    return f


def transposed(vectors: list[Number]) -> list[Number]:
    """Return as many vectors as they have lanes, vector i with lane i of each: halves, quarters … change places."""
    f, real, lanes = vectors[0].function, vectors[0].real, len(vectors)
    distance = lanes // 2
    while distance:
        for i in [i for i in range(lanes) if not i & distance]:
            x, y = vectors[i].name, vectors[i + distance].name
            for target, shift in ((i, 0), (i + distance, distance)):
                kept = [k + shift if not k & distance else lanes + k - distance + shift for k in range(lanes)]
                mask = f"<{lanes} x i32> <{', '.join([f'i32 {k}' for k in kept])}>"
                text = f"shufflevector {real.text} {x}, {real.text} {y}, {mask}"
                vectors[target] = Number(f, real, f.emit(text))
        distance //= 2
    return vectors


def load_numbers(real: Real) -> Function:
    """Return the function that copies numbers %x[k · %step] to the places of the table %rows in %u."""
    f = Function("load_numbers", "ptr %u, ptr %rows, i64 %n, ptr %x, i64 %step", linkage="internal")
    with f.loop("%n") as loop:
        source = f.address(real, "%x", f.mul(loop.index, "%step"))
        _copy(f, real, source, f.address(real, "%u", f.integer("%rows", loop.index)))
    return f


def load_row(real: Real) -> Function:
    """Return the function that writes a row: the numbers of %c examples at %x; those that lack repeat the last one."""
    f = Function("load_row", "ptr %row, i64 %B, ptr %x, i64 %c", linkage="internal")
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
    f = Function("load_seed", "ptr %row, i64 %B, ptr %x, i64 %step, i64 %c", linkage="internal")

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
    f = Function("fill", "ptr %row, i64 %n, ptr %x", linkage="internal")
    for kind, start, loop in _pieces(f, real, "%n"):
        f.store(f.broadcast(kind, "%x"), f.address(kind, "%row", start, loop.index))
    return f


def store_rows(real: Real) -> Function:
    """Return the function that copies %c examples of each of %n rows, by the table %rows, to %x + %places · %stride.

    %zero is added: 0, which makes 0 of structural zeros, or −0, which changes nothing.
    """
    parameters = "ptr %b, i64 %B, ptr %rows, ptr %places, i64 %n, ptr %x, i64 %stride, i64 %c"
    f = Function("store_rows", f"{parameters}, {real.scalar} %zero", linkage="internal")
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
    f = Function("gather_numbers", "ptr %u, ptr %rows, i64 %n, ptr %x", linkage="internal")
    with f.loop("%n") as loop:
        source = f.address(real, "%u", f.integer("%rows", loop.index))
        _copy(f, real, source, f.address(real, "%x", loop.index))
    return f


def total(real: Real) -> Function:
    """Return the function that gives the sum of %n numbers at %x: lane by lane, then of the lanes."""
    return _summed("total", real, lambda number, _place: number)


def finish(real: Real) -> Function:
    """Return the function that makes 0 of structural zeros among %n numbers at %x; it gives the sum of 0 · each.

    That is nan where a number is not finite.
    """

    def finished(number: Number, place: str) -> Number:
        number.function.store(number + 0.0, place)
        return number * 0.0

    return _summed("finish", real, finished)


def _summed(name: str, real: Real, term: Callable[[Number, str], Number]) -> Function:
    """Return the function that gives the sum of a term for each of %n numbers at %x, given with its address."""
    f = Function(name, "ptr %x, i64 %n", result=real.scalar, linkage="internal")
    sums = {kind: f.emit(f"alloca {kind.text}, align 64") for kind in (real, real.one)}
    for kind, total in sums.items():
        f.store(f.number(0.0, kind), total)
    for kind, start, loop in _pieces(f, real, "%n"):
        carried, address = loop.carry(f.number(0.0, kind)), f.address(kind, "%x", start, loop.index)
        following = carried + term(f.load(kind, address), address)
        loop.update(carried, following)
        f.store(following, sums[kind])
    both = f.sum_lanes(f.load(real, sums[real]))
    if real.lanes > 1:
        both = both + f.load(real.one, sums[real.one])
    f.do(f"ret {real.scalar} {both.name}")
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
