"""Symbols: every number of a program by the block it belongs to, and how readings of them are written."""

from __future__ import annotations

from bisect import bisect_right
from itertools import count, pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.listing.blocks import Block, rectangle, runs, subscript
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.parameter_groups import in_braces, parameter_groups
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Operand, ProgramData, Slots

__all__ = ["Symbols"]

MOST_PARTS = 4
"""Of how many parts a list is written out; a longer one is `[…]`."""


class Symbols:
    """The blocks of a program, and for each slot the number of its symbol: block after block, each in its own order.

    `constants` are the symbols that stand for one number, `one` the one in rows of ones. `stacks` are several groups of parameters
    that are read as one matrix or vector, by name.
    """

    def __init__(
        self, program: ProgramData, names: Sequence[str], arguments: Sequence[tuple[str, tuple[int, ...]]]
    ) -> None:
        np = numpy()
        self.blocks: list[Block] = []
        self._starts: list[int] = []
        self._size = 0
        self._cotangents = 0
        self._names: set[str] = set()
        self.at = [np.full(size + 1, -1) for size in program.sizes]
        self.stacks: dict[str, Any] = {}
        if sum(prod(shape) for _, shape in arguments) != program.inputs:
            arguments = [("x", (program.inputs,))]
        inputs = [self.symbols(self.add("argument", name, shape or (1,))) for name, shape in arguments]
        self.at[BATCHED][: program.inputs] = np.concatenate([*inputs, self._none()])[list(program.input_order)]
        slot_of = np.argsort(program.parameter_order)
        others = [f"captured.{i}" for i in range(len(slot_of) - len(names))]
        for group in parameter_groups(program, [*names, *others]):
            kind = "parameter" if group.members[0] < len(names) else "captured"
            self.at[UNBATCHED][slot_of[list(group.members)]] = self.symbols(self.add(kind, group.name, group.lengths))
        numbers = sorted(enumerate((*program.constants, 0.0, 1.0)), key=lambda pair: (pair[1] != pair[1], pair[1]))
        block = self.add("constant", "", (len(numbers),))
        self.constants = {block.start + i: number for i, (_, number) in enumerate(numbers)}
        slots = numpy().array([*program.constant_slots, -1, -1])
        for symbol, (k, _) in zip(self.constants, numbers):
            self.at[UNBATCHED][slots[k]] = symbol
        self.at[BATCHED][-1] = self.at[UNBATCHED][-1] = block.start + [k for k, _ in numbers].index(len(slots) - 2)
        self.one = block.start + [k for k, _ in numbers].index(len(slots) - 1)
        self.at[BATCHED][list(program.ones)] = self.one

    @staticmethod
    def _none() -> Slots:
        return numpy().zeros(0, int)

    def add(self, kind: str, name: str, lengths: tuple[int, ...], *, by_columns: bool = False) -> Block:
        """Add a block after the others and return it."""
        while name and name in self._names:
            name += "_2"
        self._names.add(name)
        block = Block(kind, name, self._size, lengths, by_columns)
        self.blocks.append(block)
        self._starts.append(block.start)
        self._size += block.size
        return block

    def constant(self, number: float) -> int:
        """Return a symbol that stands for a number."""
        for symbol, known in self.constants.items():
            if repr(known) == repr(number) and symbol != self.one:
                return symbol
        block = self.add("constant", "", (1,))
        self.constants[block.start] = number
        return block.start

    def symbols(self, block: Block) -> Slots:
        """Return the symbols of a block, in its order."""
        return numpy().arange(block.start, block.start + block.size)

    def add_cotangents(self, wrt: str) -> dict[str, str]:
        """Add for each block that of its cotangents, and return their names by those of the blocks.

        They are g of a result or input and ∇ of a parameter, and `_` where there is none.
        """
        self._cotangents, names = self._size, {}
        for block in list(self.blocks):
            wanted = block.kind in {"result", "argument" if wrt == "inputs" else "parameter"}
            name = f"{'∇' if block.kind == 'parameter' else 'g_'}{block.name}" if wanted else ""
            kind = "gradient" if block.kind == "parameter" and wanted else "cotangent"
            mirror = self.add(kind, name, block.lengths, by_columns=block.by_columns)
            names[block.name] = mirror.name = mirror.name or "_"
        return names

    def cotangent(self, symbols: Slots) -> Slots:
        """Return the symbols of the cotangents of symbols."""
        return symbols + self._cotangents

    def read(self, operand: Operand) -> Slots:
        """Return the symbols that an operand reads."""
        return self.at[operand.space][operand.slots]

    def owner(self, symbol: int) -> Block:
        """Return the block that a symbol belongs to."""
        return self.blocks[bisect_right(self._starts, symbol) - 1]

    def owners(self, symbols: Slots) -> list[Block]:
        """Return the blocks that are read, in the order of their first symbols."""
        return [self.blocks[i] for i in dict.fromkeys(self.owner_numbers(symbols.ravel()).tolist())]

    def named(self, symbols: Slots) -> list[Block]:
        """Return the blocks that are read and have a name."""
        return [block for block in self.owners(symbols) if block.name not in {"", "_"}]

    def owner_numbers(self, symbols: Slots) -> Slots:
        """Return for each symbol the number of its block."""
        return numpy().searchsorted(self._starts, symbols, side="right") - 1

    def rows(self, symbols: Slots) -> int:
        """Return how many rows a matrix has, column by column; or how many columns, row by row. 0 for no matrix."""
        block = self.owner(symbols[0])
        index = rectangle(block, symbols) if len(block.lengths) > 1 else None
        return len(index[1]) if index is not None else 0

    def written(self, read: Slots, *, flat: bool = True, letter: str = "W") -> ArrayFormula:
        """Write a reading: a name, a part of a block, a list of such, or `[…]` for any order.

        A reading with two axes is written as a matrix, another as a vector: parts of matrices are `.flat`, unless `flat`
        is False. `letter` is that of the name that several groups of parameters get together.
        """
        if read.size == 1 and int(read.flat[0]) in self.constants:
            return ArrayFormula.number(self.constants[int(read.flat[0])])
        return self.matrix(read) or self.picked(read) if read.ndim == 2 else self._vector(read, flat, letter)

    def picked(self, read: Slots) -> ArrayFormula:
        """Write numbers in any order."""
        names = [block.name or self._constants_in(read) for block in self.owners(read)]
        shown = names if len(names) <= MOST_PARTS else [*names[: MOST_PARTS - 1], "…"]
        text = (shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]") + "[…]"
        return ArrayFormula(text, size=read.size, leaves=self._leaves(read))

    def _constants_in(self, read: Slots) -> str:
        numbers = {self.constants[symbol] for symbol in read.ravel().tolist() if symbol in self.constants}
        return str(ArrayFormula.number(*numbers)) if len(numbers) == 1 else "constants"

    def _leaves(self, read: Slots) -> tuple[str, ...]:
        return tuple([block.name for block in self.named(read)])

    def _vector(self, read: Slots, flat: bool = True, letter: str = "W") -> ArrayFormula:
        stack = self._stacked(read, letter)
        if stack is not None:
            return stack
        np = numpy()
        which = self.owner_numbers(read)
        cuts = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(read)]
        parts: list[str] = []
        for start, end in pairwise(cuts):
            part = self._parts(read[start:end], flat) or [""] * (MOST_PARTS + 1)
            parts += part if part != ["_"] or parts[-1:] != part else []
            if len(parts) > MOST_PARTS:
                break
        if len(parts) <= MOST_PARTS:
            alone = len(parts) == 1 and int(read[0]) not in self.constants
            text = parts[0] if alone else f"[{', '.join(parts)}]"
            return ArrayFormula(text, size=read.size, leaves=self._leaves(read))
        if len(cuts) == 2 and int(read[0]) in self.constants:
            numbers = [str(ArrayFormula.number(self.constants[symbol])) for symbol in read[[0, 1, -1]].tolist()]
            return ArrayFormula(f"[{numbers[0]}, {numbers[1]}, …, {numbers[2]}]", size=read.size)
        return self.picked(read)

    def _parts(self, read: Slots, flat: bool) -> list[str]:
        """Write symbols of one block as parts: one, if they are a rectangle of it, or runs of equal step."""
        block = self.owner(read[0])
        if block.name == "_":
            return ["_"]
        if block.kind == "constant":
            numbers = [str(ArrayFormula.number(self.constants[symbol])) for symbol in read.tolist()]
            if len(numbers) > MOST_PARTS and len(set(numbers)) == 1:
                return [f"{numbers[0]}, …, {numbers[0]}"]
            return [", ".join(numbers)] if len(numbers) <= MOST_PARTS else []
        index = rectangle(block, read)
        if index is None:
            return [block.name + part for part in runs(block, read, MOST_PARTS) or []]
        matrix = 1 < len(index[1]) < len(read)
        return [block.name + subscript(block, *index) + (".flat" if flat and matrix else "")]

    def matrix(self, read: Slots) -> ArrayFormula | None:
        """Write a reading as a matrix: part of a block, `.T`, `.reshape`, or parts side by side; None if it is none."""
        block, rows, columns = self.owner(read[0, 0]), *read.shape
        leaves, size = self._leaves(read), read.size
        stack = self._stacked(read)
        if stack is not None:
            return stack
        if len(self.owners(read)) == 1 and block.kind != "constant":
            for part, ending in ((read, ""), (read.T, ".T")):
                text = _matrix_part(block, part)
                if text is not None:
                    return ArrayFormula(text + ending, size=size, leaves=leaves)
        if 1 in read.shape:
            vector = self._vector(read.ravel())
            return vector if columns == 1 else vector.transposed()
        for part, ending in ((read, f".reshape({rows}, {columns})"), (read.T, f".reshape({columns}, {rows}).T")):
            flat = self._vector(part.ravel())
            if is_one_part(flat):
                return ArrayFormula(f"{flat}{ending}", size=size, leaves=leaves)
        return self._side_by_side(read) or self._side_by_side(read.T)

    def _side_by_side(self, read: Slots) -> ArrayFormula | None:
        """Write a matrix as parts below each other, if it is made so."""
        owners = self.owner_numbers(read[:, 0])
        cuts = [0, *(numpy().flatnonzero(numpy().diff(owners)) + 1).tolist(), len(read)]
        if not 2 < len(cuts) < 6 or any(end - start == 1 for start, end in pairwise(cuts)):
            return None  # a single row or column would read as a vector
        parts = [self.matrix(read[start:end]) for start, end in pairwise(cuts)]
        if not all(part is not None and is_one_part(part) for part in parts):
            return None
        return ArrayFormula(f"[{', '.join(map(str, parts))}]", size=read.size, leaves=self._leaves(read))

    def _stacked(self, read: Slots, letter: str = "W") -> ArrayFormula | None:
        """Write several groups of parameters together by one name, giving one to those that have none yet."""
        owners = self.owners(read)
        cotangents = owners[0].kind == "gradient"
        symbols = read - self._cotangents if cotangents else read
        if len(owners) < 2 or any(block.kind != "parameter" for block in self.owners(symbols)):
            return None
        for name, stack in self.stacks.items():
            order = numpy().argsort(stack, axis=None)
            places = order[numpy().searchsorted(stack.ravel()[order], symbols).clip(max=stack.size - 1)]
            if (stack.ravel()[places] == symbols).all():
                block = Block("parameter", f"∇{name}" if cotangents else name, 0, stack.shape)
                for part, ending in ((places, ""), (places.T, ".T")):
                    text = _matrix_part(block, part) if places.ndim == 2 else _vector_part(block, part)
                    if text is not None:
                        return ArrayFormula(text + ending, size=read.size, leaves=(block.name,))
        if self._cotangents:  # all were read in the forward pass
            return None
        name = next(name for i in count(1) if (name := f"{letter}{i}") not in self.stacks and name not in self._names)
        self.stacks[name] = symbols
        return ArrayFormula(name, size=read.size, leaves=(name,))

    def groups_of(self, stack: Slots) -> str:
        """Write what a stack is made of, `[…]` where that is not all of its groups."""
        owners = self.owners(stack)
        whole = len(numpy().unique(stack)) == stack.size == sum(block.size for block in owners)
        lines = [tuple([block.name for block in self.owners(line)]) for line in stack.reshape(len(stack), -1)]
        return in_braces([list(row) for row in dict.fromkeys(lines)]) + ("" if whole else "[…]")


def is_one_part(formula: ArrayFormula) -> bool:
    """Say whether a reading is a block or a part of one, so that a matrix is not a list of numbers."""
    return "[…]" not in formula.text and not formula.text.startswith("[")


def _matrix_part(block: Block, read: Slots) -> str | None:
    """Write a reading with two axes as a part of a block, or None if it is none."""
    index = rectangle(block, read.ravel("F" if block.by_columns else "C"))
    if index is None or len(index[1]) != read.shape[0 if block.by_columns else 1]:
        return None
    return block.name if block.name == "_" else block.name + subscript(block, *index)


def _vector_part(block: Block, read: Slots) -> str | None:
    index = rectangle(block, read)
    return None if index is None else block.name + subscript(block, *index)
