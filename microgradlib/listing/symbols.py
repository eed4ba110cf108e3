"""Symbols: a number for every scalar of a program, by the block with a name that it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from microgradlib.compiler.instructions import Operand, ProgramData, Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.parameter_groups import legible, parameter_groups

__all__ = ["Block", "Symbols"]


@dataclass
class Block:
    """Numbers with one name: an argument, a group of parameters, or an instruction's results, from `start` on.

    `lengths`: of its axes. A matrix is numbered row by row, or column by column: its number of rows comes first all the
    same. `inner`: how many numbers lie together, a row or a column.
    """

    kind: str
    name: str
    start: int
    lengths: tuple[int, ...]
    by_columns: bool = False

    @property
    def size(self) -> int:  # noqa: D102
        return prod(self.lengths)

    @property
    def inner(self) -> int:  # noqa: D102
        return max(self.lengths[0] if self.by_columns else prod(self.lengths[1:]), 1)

    @property
    def symbols(self) -> Slots:  # noqa: D102
        return numpy().arange(self.start, self.start + self.size)


class Symbols:
    """The blocks of a program, and in `at`, by space, the symbol of each slot.

    `constants` are the symbols that stand for one number, `one` the one in rows of ones. `stacks` are several groups of
    parameters that are read as one matrix or vector, by name. `offset` is that of a symbol's cotangent, 0 while there
    are none.
    """

    def __init__(self, program: ProgramData, names: Sequence[str]) -> None:
        self.blocks: list[Block] = []
        self.constants: dict[int, float] = {}
        self.stacks: dict[str, Any] = {}
        self._starts: list[int] = []
        self.offset = 0
        self._names: set[str] = set()
        np, arguments = numpy(), program.arguments
        self.at = unbatched, batched = [np.full(size + 1, -1) for size in program.sizes]
        if sum(prod(shape) for _, shape in arguments) != program.inputs:
            arguments = (("x", (program.inputs,)),)
        inputs = [symbol for name, shape in arguments for symbol in self.add("argument", name, shape or (1,)).symbols]
        batched[np.argsort(program.input_order)] = inputs
        slot_of = np.argsort(program.parameter_order)
        others = [f"captured.{i}" for i in range(len(slot_of) - len(names))]
        for group in parameter_groups(program, [*names, *others]):
            kind = "parameter" if group.members[0] < len(names) else "captured"
            unbatched[slot_of[list(group.members)]] = self.add(kind, legible(group.name), group.lengths).symbols
        self.one = self.add("constant", "", (1,)).start
        self.constants[self.one] = 1.0
        batched[list(program.ones)] = self.one
        for number, slot in zip(program.constants, program.constant_slots):
            unbatched[slot] = self.constant(number)
        unbatched[-1] = batched[-1] = self.constant(0.0)

    def add(self, kind: str, name: str, lengths: tuple[int, ...], *, by_columns: bool = False) -> Block:
        """Add a block after the others and return it."""
        while name and name in self._names:
            name += "_2"
        self._names.add(name)
        start = self.blocks[-1].start + self.blocks[-1].size if self.blocks else 0
        block = Block(kind, name, start, lengths, by_columns)
        self.blocks.append(block)
        self._starts.append(start)
        return block

    def constant(self, number: float) -> int:
        """Return a symbol that stands for a number."""
        for symbol, known in self.constants.items():
            if repr(known) == repr(number) and symbol != self.one:
                return symbol
        symbol = self.add("constant", "", (1,)).start
        self.constants[symbol] = number
        return symbol

    def add_cotangents(self, wrt: str) -> dict[str, str]:
        """Add for each block that of its cotangents, and return their names by those of the blocks.

        They are g of a result or input and ∇ of a parameter, and `_` where there is none.
        """
        self.offset, names = self.blocks[-1].start + self.blocks[-1].size, {}
        leaves = {"argument": ("cotangent", "g_")} if wrt == "inputs" else {"parameter": ("gradient", "∇")}
        kinds = {"result": ("cotangent", "g_"), **leaves}
        for block in list(self.blocks):
            kind, mark = kinds.get(block.kind, ("", ""))
            mirror = self.add(kind, kind and mark + block.name, block.lengths, by_columns=block.by_columns)
            names[block.name] = mirror.name = mirror.name or "_"
        return names

    def cotangent(self, symbols: Slots) -> Slots:
        """Return the symbols of the cotangents of symbols."""
        return symbols + self.offset

    def read(self, operand: Operand) -> Slots:
        """Return the symbols that an operand reads."""
        return self.at[operand.space][operand.slots]

    def owner(self, symbol: int) -> Block:
        """Return the block that a symbol belongs to."""
        return self.blocks[bisect_right(self._starts, symbol) - 1]

    def owner_numbers(self, symbols: Slots) -> Slots:
        """Return for each symbol the number of its block."""
        return numpy().searchsorted(self._starts, symbols, side="right") - 1

    def owners(self, symbols: Slots) -> list[Block]:
        """Return the blocks that are read, in the order of their first symbols."""
        return [self.blocks[i] for i in dict.fromkeys(self.owner_numbers(symbols.ravel()).tolist())]

    def named(self, symbols: Slots) -> tuple[Block, ...]:
        """Return the blocks that are read and have a name."""
        return tuple([block for block in self.owners(symbols) if block.name not in {"", "_"}])
