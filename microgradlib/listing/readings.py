"""Readings: how the numbers that an operand reads are written, as parts of blocks, as vectors and as matrices."""

from __future__ import annotations

from itertools import count, pairwise
from typing import TYPE_CHECKING

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.parameter_groups import in_braces
from microgradlib.listing.symbols import Block

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import Slots
    from microgradlib.listing.symbols import Symbols

__all__ = ["groups_of", "height", "is_one_part", "matrix", "written"]

MOST_PARTS = 4
"""Of how many parts a list is written out; a longer one is `[…]`."""


def written(symbols: Symbols, read: Slots, *, flat: bool = True, letter: str = "W") -> ArrayFormula:
    """Write a reading: a name, a part of a block, a list of such, or `[…]` for any order.

    A reading with two axes is written as a matrix, another as a vector: parts of matrices are `.flat`, unless `flat` is
    False. `letter` is that of the name that several groups of parameters get together.
    """
    if read.size == 1 and int(read.flat[0]) in symbols.constants:
        return ArrayFormula.number(symbols.constants[int(read.flat[0])])
    found = matrix(symbols, read) if read.ndim == 2 else _vector(symbols, read, flat=flat, letter=letter)
    return found or _formula(symbols, read, _picked(symbols, read))


def is_one_part(formula: ArrayFormula | None) -> bool:
    """Say whether a reading is a block or a part of one, so that a matrix is not a list of numbers."""
    return formula is not None and not formula.text.endswith("[…]") and not formula.text.startswith("[")


def height(symbols: Symbols, read: Slots) -> int:
    """Return how many rows a matrix has, column by column; or how many columns, row by row. 0 for no matrix."""
    block = symbols.owner(read[0])
    index = _rectangle(block, read) if len(block.lengths) > 1 else None
    return len(index[1]) if index is not None else 0


def matrix(symbols: Symbols, read: Slots) -> ArrayFormula | None:
    """Write a reading as a matrix: part of a block, `.T`, `.reshape`, or parts below each other; None if it is none."""
    stack, [block, *others], (rows, columns) = _stacked(symbols, read, "W"), symbols.owners(read), read.shape
    if stack is not None:
        return stack
    if not others:
        for part, ending in ((read, ""), (read.T, ".T")):
            text = _matrix_part(block, part)
            if text is not None:
                return _formula(symbols, read, text + ending)
    if 1 in read.shape:
        line = written(symbols, read.ravel())
        return line if columns == 1 else line.transposed()
    for part, ending in ((read, f".reshape({rows}, {columns})"), (read.T, f".reshape({columns}, {rows}).T")):
        vector = _vector(symbols, part.ravel())
        if vector is not None and is_one_part(vector):
            return _formula(symbols, read, vector.text + ending)
    return _below_each_other(symbols, read) or _below_each_other(symbols, read.T)


def _formula(symbols: Symbols, read: Slots, text: str) -> ArrayFormula:
    return ArrayFormula(text, size=read.size, leaves=tuple([block.name for block in symbols.named(read)]))


def _picked(symbols: Symbols, read: Slots) -> str:
    """Write numbers in any order."""
    numbers = {symbols.constants[symbol] for symbol in read.ravel().tolist() if symbol in symbols.constants}
    constants = str(ArrayFormula.number(numbers.pop())) if len(numbers) == 1 else "constants"
    names = list(dict.fromkeys([block.name or constants for block in symbols.owners(read)]))
    shown = names if len(names) <= MOST_PARTS else [*names[: MOST_PARTS - 1], "…"]
    return (shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]") + "[…]"


def _vector(symbols: Symbols, read: Slots, *, flat: bool = True, letter: str = "W") -> ArrayFormula | None:
    """Write a reading as parts one after another; None where these are too many."""
    stack = _stacked(symbols, read, letter)
    if stack is not None:
        return stack
    owners = symbols.owner_numbers(read)
    owners[numpy().isin(read, [*symbols.constants])] = -1
    owners[[symbols.blocks[owner].name == "_" for owner in owners]] = -2
    cuts = [0, *(numpy().flatnonzero(numpy().diff(owners)) + 1).tolist(), len(read)]
    parts: list[str] = []
    for start, end in pairwise(cuts):
        found = _parts(symbols, read[start:end], flat)
        if found is None or len(parts) + len(found) > MOST_PARTS:
            return None
        parts += found
    alone = len(parts) == 1 and owners[0] != -1
    return _formula(symbols, read, parts[0] if alone else f"[{', '.join(parts)}]")


def _parts(symbols: Symbols, read: Slots, flat: bool) -> list[str] | None:
    """Write symbols of one block as parts: one, if they are a rectangle of it, or runs of equal step."""
    if int(read[0]) in symbols.constants:
        numbers = [str(ArrayFormula.number(symbols.constants[symbol])) for symbol in read.tolist()]
        few = (
            numbers
            if len(numbers) <= MOST_PARTS
            else [*numbers[: 1 if len(set(numbers)) == 1 else 2], "…", numbers[-1]]
        )
        return [", ".join(few)]
    block = symbols.owner(read[0])
    if block.name == "_":
        return ["_"]
    index = _rectangle(block, read)
    if index is None:
        return _runs(block, read)
    matrix = 1 < len(index[1]) < len(read)
    return [block.name + _subscript(block, *index) + (".flat" if flat and matrix else "")]


def _below_each_other(symbols: Symbols, read: Slots) -> ArrayFormula | None:
    """Write a matrix as parts below each other, if it is made so."""
    cuts = [0, *(numpy().flatnonzero(numpy().diff(symbols.owner_numbers(read[:, 0]))) + 1).tolist(), len(read)]
    if not 2 < len(cuts) < 6 or any(end - start == 1 for start, end in pairwise(cuts)):
        return None  # a single row or column would read as a vector
    parts = [matrix(symbols, read[start:end]) for start, end in pairwise(cuts)]
    return _formula(symbols, read, f"[{', '.join(map(str, parts))}]") if all(map(is_one_part, parts)) else None


def _stacked(symbols: Symbols, read: Slots, letter: str) -> ArrayFormula | None:
    """Write several groups of parameters together by one name, giving one to those that have none yet."""
    owners, np = symbols.owners(read), numpy()
    gradients = owners[0].kind == "gradient"
    if len(owners) < 2 or any(block.kind != ("gradient" if gradients else "parameter") for block in owners):
        return None
    wanted = symbols.of(read) if gradients else read
    for name, stack in symbols.stacks.items():
        order = np.argsort(stack, axis=None)
        places = order[np.searchsorted(stack.ravel()[order], wanted).clip(max=stack.size - 1)]
        block = Block("parameter", f"∇{name}" if gradients else name, 0, stack.shape)
        for part, ending in ((places, ""), (places.T, ".T")) if (stack.ravel()[places] == wanted).all() else ():
            text = _matrix_part(block, part)
            if text is not None:
                return ArrayFormula(text + ending, size=read.size, leaves=(block.name,))
    if gradients or symbols.has_cotangents:  # all were read in the forward pass
        return None
    taken = {*symbols.stacks, *[block.name for block in symbols.blocks]}
    name = next(name for i in count(1) if (name := f"{letter}{i}") not in taken)
    symbols.stacks[name] = read
    return ArrayFormula(name, size=read.size, leaves=(name,))


def groups_of(symbols: Symbols, stack: Slots) -> str:
    """Write what a stack is made of, `[…]` where that is not all of its groups."""
    whole = len(numpy().unique(stack)) == stack.size == sum(block.size for block in symbols.owners(stack))
    lines = [tuple([block.name for block in symbols.owners(line)]) for line in stack.reshape(len(stack), -1)]
    return in_braces([list(row) for row in dict.fromkeys(lines)]) + ("" if whole else "[…]")


def _matrix_part(block: Block, read: Slots) -> str | None:
    """Write a reading as a part of a block with the same axes, or None if it is none."""
    index = _rectangle(block, read.ravel("F" if block.by_columns else "C"))
    if index is None or (read.ndim == 2 and len(index[1]) != read.shape[0 if block.by_columns else 1]):
        return None
    return block.name if block.name == "_" else block.name + _subscript(block, *index)


def _rectangle(block: Block, read: Slots) -> tuple[range, range] | None:
    """Return the (outer, inner) ranges of a rectangular part of a block, or None if these are none, in order."""
    np, inner = numpy(), block.inner
    first, last = int(read[0]) - block.start, int(read[-1]) - block.start
    lines, places = range(first // inner, last // inner + 1), range(first % inner, last % inner + 1)
    several_parts = len(lines) > 1 and len(places) < inner and len(block.lengths) > 2
    if len(lines) * len(places) != len(read) or several_parts:
        return None
    expected = block.start + np.add.outer(np.array(lines) * inner, np.array(places)).ravel()
    return (lines, places) if (read == expected).all() else None


def _subscript(block: Block, outer: range, inner: range) -> str:
    """Write a rectangle as a subscript, nothing for the whole block.

    >>> block = Block("result", "h", 0, (4, 6), by_columns=True)
    >>> _subscript(block, *_rectangle(block, range(8, 12))), _subscript(block, range(2, 4), range(1, 3))
    ('[:, 2]', '[1:3, 2:4]')
    """
    width = block.inner
    first, second = _span(outer, block.size // width), _span(inner, width)
    if block.by_columns:
        first, second = second, first
    elif len(block.lengths) > 2 and second != ":":
        return f".flat[{outer.start * width + inner.start}:{outer.start * width + inner.stop}]"
    if second == ":":
        return "" if first == ":" else f"[{first}]"
    return f"[{first}, {second}]"


def _span(part: range, length: int) -> str:
    if len(part) == length:
        return ":"
    return str(part.start) if len(part) == 1 else f"{part.start}:{part.stop}"


def _runs(block: Block, read: Slots) -> list[str] | None:
    """Write numbers as parts of equal step; None where they are too many or go across a matrix.

    >>> from microgradlib.compiler.instructions import slot_array
    >>> _runs(Block("result", "h", 0, (9,)), slot_array([4, 5, 6, 0, 2, 4, 8]))
    ['h[4:7]', 'h[0:5:2]', 'h[8]']
    """
    found: list[str] = []
    steps = numpy().append(numpy().diff(read), 0).tolist()
    start = 0
    while start < len(read) and len(found) <= MOST_PARTS:
        end = start + 1
        while steps[end - 1] == steps[start] > 0:
            end += 1
        if end - start == 2 and steps[start] > 1:
            end = start + 1
        index = _rectangle(block, read[start:end])
        if index is None and block.inner not in {1, block.size}:
            return None
        first, last, step = read[start] - block.start, read[end - 1] - block.start, steps[start]
        strided = f"[{first}:{'' if last + step >= block.size else last + 1}:{step}]"
        found.append(block.name + (strided if index is None else _subscript(block, *index)))
        start = end
    return found
