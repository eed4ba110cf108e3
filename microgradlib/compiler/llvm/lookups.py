"""Look-ups instead of products with one-hot columns: where their 1 is, columns of a matrix read, and added to, by that.

A table is the transposed matrix: its line k, column k of the matrix, is as many numbers as a vector has, or several
times so many; behind the column's own are zeros. Columns of numbers for a vector of examples are squares of lines,
turned in registers.
"""

from __future__ import annotations

from collections.abc import Callable

from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.llvm.vectors import transposed

__all__ = ["add_by_index", "find_ones", "read_by_index", "table_added", "table_written"]

INTEGER = Real("i64", 1)
WORD = 64
"""So many numbers are compared with 0 at once, a bit for each."""


def find_ones(real: Real, terms: int) -> Function:
    """Return the function that finds the 1 in each of %n columns of %c examples at %x, each of %size numbers.

    Column j is `terms` numbers from number %firsts[j] on. The place of its 1 is written, an integer as long as a
    number, to row %rows[j] of %b; the rest of the block, behind the last example, has its place. It gives 0, and is
    done, if one of the columns is not one-hot; else 1.
    """
    parameters = "ptr %x, i64 %size, ptr %firsts, ptr %rows, i64 %n, i64 %c, ptr %b, i64 %B"
    f = Function(f"find_ones.{terms}", parameters, result="i64", linkage="internal")
    last = f.emit("sub i64 %c, 1")
    with f.loop("%B") as examples:
        f.declarations.add("declare i64 @llvm.umin.i64(i64, i64)")
        example = f.emit(f"call i64 @llvm.umin.i64(i64 {examples.index}, i64 {last})")
        x = f.address(real, "%x", f.mul(example, "%size"))
        with f.loop("%n") as columns:
            all_found = columns.carry(Number(f, INTEGER, "1"))
            place, found = _one(f, real, f.address(real, x, f.integer("%firsts", columns.index)), terms)
            row = f.address(real, "%b", f.mul(f.integer("%rows", columns.index), "%B"), examples.index)
            _store_place(f, real, place, row)
            following = Number(f, INTEGER, f.emit(f"and i64 {all_found.name}, {found}"))
            columns.update(all_found, following)
        examples.end = f.emit(f"mul i64 %B, {following.name}")  # no more turns once there is none
    f.do(f"ret i64 {following.name}")
    return f


def _one(f: Function, real: Real, x: str, terms: int) -> tuple[str, str]:
    """Return the place of the only number at x that is not 0, and 1 if there is one, and it is 1, else 0."""
    for name in ("ctpop.i64(i64)", "umin.i64(i64, i64)", "cttz.i64(i64, i1)"):
        f.declarations.add(f"declare i64 @llvm.{name}")
    place, count = "0", "0"
    for first in range(0, terms, WORD):
        word, size = "0", min(WORD, terms - first)
        for start in range(0, size, real.lanes):
            vector = f.load_first(real, f.address(real, x, first + start), min(real.lanes, size - start))
            mask = vector._compare("une", 0.0).name
            bits = f.emit(f"zext i{real.lanes} {f.emit(f'bitcast {real.mask} {mask} to i{real.lanes}')} to i64")
            word = f.emit(f"or i64 {word}, {f.emit(f'shl i64 {bits}, {start}')}")
        count = f.emit(f"add i64 {count}, {f.emit(f'call i64 @llvm.ctpop.i64(i64 {word})')}")
        at = f.add(f.emit(f"call i64 @llvm.cttz.i64(i64 {word}, i1 false)"), first)
        place = f.emit(f"select i1 {f.emit(f'icmp eq i64 {word}, 0')}, i64 {place}, i64 {at}")
    number = f.load(real.one, f.address(real, x, place))
    single = f.emit(f"icmp eq i64 {count}, 1")
    found = f.emit(f"and i1 {single}, {number.equals(1.0).name}")
    return place, f.emit(f"zext i1 {found} to i64")


def _store_place(f: Function, real: Real, place: str, address: str) -> None:
    kind = f"i{real.bits}"
    integer = place if kind == "i64" else f.emit(f"trunc i64 {place} to {kind}")
    f.do(f"store {kind} {integer}, ptr {address}, align {real.bits // 8}")


def _load_place(f: Function, real: Real, address: str) -> str:
    kind = f"i{real.bits}"
    integer = f.emit(f"load {kind}, ptr {address}, align {real.bits // 8}")
    return integer if kind == "i64" else f.emit(f"zext {kind} {integer} to i64")


def table_written(real: Real, terms: int, length: int) -> Function:
    """Return the function that writes the table %t of a matrix at %w, if %found is 1 and it was not written before.

    Columns of the matrix are %column numbers apart, numbers of a column %row. It gives %found; but 0 if a number is not
    finite: 0 · inf is nan in a product, whichever column is meant. As there, −0 becomes 0. The number behind the table,
    at first 0, is then 1, or 2 if a number is not finite.
    """
    parameters = "i64 %found, ptr %t, ptr %w, i64 %row, i64 %column"
    f = Function(f"table_written.{terms}.{length}", parameters, result="i64", linkage="internal")
    line = _line(real, length)
    state = f.address(real, "%t", terms * line)
    is_new = f.emit(f"zext i1 {f.load(real.one, state).equals(0.0).name} to i64")
    with f.unless_zero(f.emit(f"and i64 %found, {is_new}")):
        with f.loop(terms) as k:
            before = k.carry(f.number(0.0, real.one))
            with f.loop(length) as i:
                check = i.carry(before)
                place = f.add(f.mul(k.index, "%column"), f.mul(i.index, "%row"))
                number = f.load(real.one, f.address(real, "%w", place)) + 0.0
                f.store(number, f.address(real, "%t", f.mul(k.index, line), i.index))
                after = check + number * 0.0
                i.update(check, after)
            k.update(before, after)
        one, two = f.number(1.0, real.one), f.number(2.0, real.one)
        f.store(one.select(after.equals(0.0), two), state)
    is_finite = f.emit(f"zext i1 {f.load(real.one, state).equals(1.0).name} to i64")
    f.do(f"ret i64 {f.emit(f'and i64 %found, {is_finite}')}")
    return f


def table_added(real: Real, terms: int, length: int) -> Function:
    """Return the function that adds a table %t to the first lanes of vectors at %l.

    Those of a column are %row numbers apart, and columns %column numbers.
    """
    f = Function(f"table_added.{terms}.{length}", "ptr %t, ptr %l, i64 %row, i64 %column", linkage="internal")
    with f.loop(terms) as k, f.loop(length) as i:
        to = f.address(real, "%l", f.mul(k.index, "%column"), f.mul(i.index, "%row"))
        number = f.load(real.one, f.address(real, "%t", f.mul(k.index, _line(real, length)), i.index))
        f.store(f.load(real.one, to) + number, to)
    return f


def read_by_index(real: Real, length: int) -> Function:
    """Return the function that writes %n columns Z at %z: of the table %t, the lines whose numbers `find_ones` wrote.

    These are at %x, for a block of %B examples; columns are %xc numbers apart there and %zc in Z, whose rows are %zr.
    """
    parameters = "ptr %t, ptr %x, i64 %xc, ptr %z, i64 %zr, i64 %zc, i64 %n, i64 %B"

    def body(f: Function, lines: list[str], rows: list[str]) -> None:
        columns = transposed([f.load(real, line) for line in lines])
        for row, column in zip(rows, columns):
            f.store(column, row)

    return _by_index(Function(f"read_by_index.{length}", parameters, linkage="internal"), real, length, body)


def add_by_index(real: Real, length: int) -> Function:
    """Return the function that adds columns Z, laid out as those of `read_by_index`, to lines of the table %t."""
    parameters = "ptr %t, ptr %x, i64 %xc, ptr %z, i64 %zr, i64 %zc, i64 %n, i64 %B"

    def body(f: Function, lines: list[str], rows: list[str]) -> None:
        columns = [f.load(real, row) for row in rows]
        columns += [f.number(0.0, real)] * (real.lanes - len(rows))
        for line, added in zip(lines, transposed(columns)):
            f.store(f.load(real, line) + added, line)  # one after another: lines may be the same

    return _by_index(Function(f"add_by_index.{length}", parameters, linkage="internal"), real, length, body)


def _by_index(f: Function, real: Real, length: int, body: Callable[[Function, list[str], list[str]], None]) -> Function:
    """Write loops over columns, examples and vectors of a line; return the function.

    `body` is given the addresses in the lines of a vector of examples, and those in the rows of Z.
    """
    with f.loop("%n") as column, f.loop("%B", step=real.lanes) as example:
        x = f.address(real, "%x", f.mul(column.index, "%xc"), example.index)
        z = f.address(real, "%z", f.mul(column.index, "%zc"), example.index)
        places = [_load_place(f, real, f.address(real, x, lane)) for lane in range(real.lanes)]
        lines = [f.address(real, "%t", f.mul(place, _line(real, length))) for place in places]

        def vector(start: int | str, count: int) -> None:
            rows = [f.address(real, z, f.mul(f.add(start, i), "%zr")) for i in range(count)]
            body(f, [f.address(real, line, start) for line in lines], rows)

        whole = length // real.lanes * real.lanes
        if whole:
            with f.loop(whole, step=real.lanes) as start:
                vector(start.index, real.lanes)
        if whole < length:
            vector(whole, length - whole)
    return f


def _line(real: Real, length: int) -> int:
    """Return how many numbers a line of a table has."""
    return -(-length // real.lanes) * real.lanes
