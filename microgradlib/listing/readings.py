"""Readings: how the numbers that an operand reads are written, as parts of blocks, as vectors and as matrices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from microgradlib.compiler.instructions import Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.parameter_groups import few, in_braces
from microgradlib.listing.symbols import Block, Symbols

__all__ = ["by", "groups_of", "height", "is_one_part", "matrix", "reading"]

MOST_PARTS = 4
"""Of how many parts a list is written out; a longer one is `[…]`."""


def reading(symbols: Symbols, read: Slots, *, flat: bool = True, letter: str = "W") -> ArrayFormula:
    """Write a reading: a name, a part of a block, a list of such, or `[…]` for any order.

    A reading with two axes is written as a matrix, another as a vector: parts of matrices are `.flat`, unless `flat` is
    False. `letter` is that of the name that several groups of parameters get together.

    >>> from microgradlib import compile
    >>> symbols = Symbols(compile(lambda x: x[0] + x[3]).lower([[0.0] * 4]), [])
    >>> for read in ([0, 1, 2, 3], [1, 2], [0, 3], [3, 1, 0, 2, 0, 1]):
    ...     print(reading(symbols, numpy().array(read)))
    x
    x[1:3]
    [x[0], x[3]]
    x[…]
    """
    if read.size == 1 and int(read.flat[0]) in symbols.constants:
        return ArrayFormula.number(symbols.constants[int(read.flat[0])])
    found = matrix(symbols, read) if read.ndim == 2 else _vector(symbols, read, flat=flat, letter=letter)
    return found or _formula(symbols, read, _picked(symbols, read))


def by(lengths: Sequence[int]) -> str:
    """Write the lengths of axes: rows × columns of a matrix.

    >>> by((3, 4)), by(())
    ('3 × 4', '1')
    """
    return " × ".join(map(str, lengths)) or "1"


def is_one_part(formula: ArrayFormula | None) -> bool:
    """Say whether a reading is a block or a part of one, so that a matrix is not a list of numbers."""
    return formula is not None and not formula.text.endswith("[…]") and not formula.text.startswith("[")


def height(symbols: Symbols, read: Slots) -> int:
    """Return how many rows a matrix has, column by column; or how many columns, row by row. 0 for no matrix."""
    block = symbols.owner(read[0])
    part = _part(block, read) if len(block.lengths) > 1 else None
    return part[1] if part else 0


def matrix(symbols: Symbols, read: Slots) -> ArrayFormula | None:
    """Write a reading as a matrix: part of a block, `.T` or `.reshape`; None if it is none."""
    stack, [block, *others], (rows, columns) = _stacked(symbols, read, "W"), symbols.owners(read), read.shape
    text = None if others else _matrix_part(block, read)
    if stack is not None or text is not None:
        return stack or _formula(symbols, read, text or "")
    if 1 in read.shape:
        line = reading(symbols, read.ravel())
        return line if columns == 1 else line.transposed()
    for part, ending in ((read, f".reshape({rows}, {columns})"), (read.T, f".reshape({columns}, {rows}).T")):
        vector = _vector(symbols, part.ravel())
        if vector is not None and is_one_part(vector):
            return _formula(symbols, read, vector.text + ending)
    return None


def _formula(symbols: Symbols, read: Slots, text: str) -> ArrayFormula:
    return ArrayFormula(text, size=read.size, leaves=tuple([block.name for block in symbols.named(read)]))


def _picked(symbols: Symbols, read: Slots) -> str:
    """Write numbers in any order."""
    numbers = {symbols.constants[symbol] for symbol in read.ravel().tolist() if symbol in symbols.constants}
    constants = str(ArrayFormula.number(numbers.pop())) if len(numbers) == 1 else "constants"
    names = few(list(dict.fromkeys([block.name or constants for block in symbols.owners(read)])), MOST_PARTS)
    return (names[0] if len(names) == 1 else f"[{', '.join(names)}]") + "[…]"


def _vector(symbols: Symbols, read: Slots, *, flat: bool = True, letter: str = "W") -> ArrayFormula | None:
    """Write a reading as parts one after another; None where these are too many."""
    stack = _stacked(symbols, read, letter)
    if stack is not None:
        return stack
    owners = symbols.owner_numbers(read)
    owners[numpy().isin(read, [*symbols.constants])] = -1
    owners[[symbols.blocks[owner].name == "_" for owner in owners]] = -2
    pieces = numpy().split(read, numpy().flatnonzero(numpy().diff(owners)) + 1)
    flat = flat or len(pieces) > 1  # a list is of vectors
    parts: list[str] = []
    for part in pieces:
        found = _parts(symbols, part, flat)
        if not found or len(parts) + len(found) > MOST_PARTS:
            return None
        parts += found
    alone = len(parts) == 1 and owners[0] != -1
    return _formula(symbols, read, parts[0] if alone else f"[{', '.join(parts)}]")


def _parts(symbols: Symbols, read: Slots, flat: bool) -> list[str]:
    """Write symbols of one block as a rectangle of it, or as runs; nothing where these go across a matrix."""
    if int(read[0]) in symbols.constants:
        numbers = [str(ArrayFormula.number(symbols.constants[symbol])) for symbol in read.tolist()]
        return [", ".join(few(numbers, MOST_PARTS))]
    block, np = symbols.owner(read[0]), numpy()
    if block.name == "_":
        return ["_"]
    runs = [read] if _part(block, read) else np.split(read, np.flatnonzero(np.diff(read) != 1) + 1)
    parts = [(_part(block, run), len(run)) for run in runs]
    texts = [part[0] + (".flat" if flat and 1 < part[1] < length else "") for part, length in parts if part]
    return texts if len(texts) == len(runs) else []


def _stacked(symbols: Symbols, read: Slots, letter: str) -> ArrayFormula | None:
    """Write several groups of parameters together by one name, giving one to those that have none yet."""
    owners, np = symbols.owners(read), numpy()
    gradients = owners[0].kind == "gradient"
    if len(owners) < 2 or any(block.kind != ("gradient" if gradients else "parameter") for block in owners):
        return None
    wanted = read - symbols.offset if gradients else read
    for name, stack in symbols.stacks.items():
        order = np.argsort(stack, axis=None)
        places = order[np.searchsorted(stack.ravel()[order], wanted).clip(max=stack.size - 1)]
        block = Block("parameter", f"∇{name}" if gradients else name, 0, stack.shape)
        text = _matrix_part(block, places) if (stack.ravel()[places] == wanted).all() else None
        if text is not None:
            return ArrayFormula(text, size=read.size, leaves=(block.name,))
    if gradients or symbols.offset:  # all were read in the forward pass
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
    """Write a reading as a part of a block with the same axes, or the transpose of one; None if it is none."""
    for turned, ending in ((read, ""), (read.T, ".T")):
        part = _part(block, turned.ravel("F" if block.by_columns else "C"))
        if part and (read.ndim == 1 or part[1] == turned.shape[0 if block.by_columns else 1]):
            return part[0] + ending
    return None


def _part(block: Block, read: Slots) -> tuple[str, int] | None:
    """Write symbols as a rectangular part of a block, and say how wide that is; None if they are none, in order.

    >>> from microgradlib.compiler.instructions import slot_array
    >>> block = Block("result", "h", 0, (4, 6), by_columns=True)
    >>> [_part(block, slot_array(read)) for read in ([8, 9, 10, 11], [9, 10, 13, 14], [2, 1])]
    [('h[:, 2]', 4), ('h[1:3, 2:4]', 2), None]
    """
    np, inner, size, axes = numpy(), block.inner, block.size, len(block.lengths)
    first, last = int(read[0]) - block.start, int(read[-1]) - block.start
    step = int(read[1] - read[0]) if axes == 1 and len(read) > 2 else 1
    if step > 1 and (np.diff(read) == step).all():
        return f"{block.name}[{first}:{last + 1 if last + step < size else ''}:{step}]", 1
    lines, places = range(first // inner, last // inner + 1), range(first % inner, last % inner + 1)
    wide = len(places) == inner
    if len(lines) * len(places) != len(read) or (axes > 2 and len(lines) > 1 and not wide):
        return None
    if (read != block.start + np.add.outer(np.array(lines) * inner, np.array(places)).ravel()).any():
        return None
    spans = [_span(lines, size // inner), _span(places, inner)][:: -1 if block.by_columns else 1]
    if len(read) == size or block.name == "_":
        subscript = ""
    elif axes > 2 and not wide:
        subscript = f".flat[{first}:{last + 1}]"
    else:
        subscript = f"[{spans[0]}]" if spans[1] == ":" else f"[{spans[0]}, {spans[1]}]"
    return block.name + subscript, len(places)


def _span(part: range, length: int) -> str:
    if len(part) == length:
        return ":"
    return str(part.start) if len(part) == 1 else f"{part.start}:{part.stop}"
