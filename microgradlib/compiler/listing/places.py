"""Places: every number of a program by the block it belongs to, and how readings of them are written."""

from __future__ import annotations

from itertools import count, groupby
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from microgradlib.compiler.instructions import BATCH, FIXED
from microgradlib.compiler.printing.block import Block, rectangle, runs, subscript
from microgradlib.compiler.printing.families import families, in_braces
from microgradlib.compiler.printing.formula import ArrayFormula

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.instructions import ProgramData

__all__ = ["Places", "Spread", "spread"]

MOST_PARTS = 4
"""Of how many parts a list is written out; a longer one is `[…]`."""


class Spread(NamedTuple):
    """How often a reading takes each place: "all" once, "one" over and over, "each" `times` in turn, "tile" in rounds.

    `base` are the places once each.
    """

    pattern: str
    base: list[int]
    times: int = 1


def spread(places: list[int]) -> Spread:
    """Return the pattern of a reading.

    >>> spread([4, 4, 5, 5]).pattern, spread([4, 5, 4, 5]).pattern, spread([4, 5, 5, 4]).pattern
    ('each', 'tile', 'all')
    """
    n = len(places)
    if n == 1:
        return Spread("all", places)
    run = next((i for i, place in enumerate(places) if place != places[0]), n)
    if run == n:
        return Spread("one", places[:1], n)
    if run > 1 and n % run == 0:
        base = places[::run]
        if all(places[i : i + run] == [place] * run for i, place in zip(range(0, n, run), base)):
            return Spread("each", base, run)
    period = next((i for i in range(1, n) if places[i] == places[0]), n)
    if n % period == 0 and n > period and places == places[:period] * (n // period):
        return Spread("tile", places[:period], n // period)
    return Spread("all", places)


class Places:
    """The blocks of a program, in the order in which they arise, and where each slot of the banks stands."""

    def __init__(
        self, program: ProgramData, names: Sequence[str], arguments: Sequence[tuple[str, tuple[int, ...]]]
    ) -> None:
        self.blocks: list[Block] = []
        self._owners: list[Block] = []
        self._names: set[str] = set()
        self.at = ([-1] * program.fixed_size, [-1] * program.batch_size)
        self.constants: dict[int, float] = {}
        self.stacks: dict[tuple[int, ...], tuple[str, tuple[int, ...]]] = {}
        if sum(prod(shape) for _, shape in arguments) != program.inputs:
            arguments = [("x", (program.inputs,))]
        places = [
            place
            for name, shape in arguments
            for block in [self.add("argument", name, prod(shape), shape or (1,))]
            for place in range(block.start, block.start + block.size)
        ]
        self.at[BATCH][: program.inputs] = [places[index] for index in program.input_order]
        self._add_parameters(program, names)
        first = len(program.parameter_order)
        values = sorted(enumerate(program.constants), key=lambda pair: (pair[1] != pair[1], pair[1]))
        block = self.add("constant", "", len(values), (len(values),))
        for i, (k, value) in enumerate(values):
            self.at[FIXED][first + k] = block.start + i
            self.constants[block.start + i] = value

    def _add_parameters(self, program: ProgramData, names: Sequence[str]) -> None:
        slot_of = {index: slot for slot, index in enumerate(program.parameter_order)}
        others = [f"held.{i}" for i in range(len(slot_of) - len(names))]
        for family in families(program, [*names, *others]):
            kind = "parameter" if family.members[0] < len(names) else "held"
            block = self.add(kind, family.name, len(family.members), family.lengths)
            for i, index in enumerate(family.members):
                self.at[FIXED][slot_of[index]] = block.start + i

    def add(self, kind: str, name: str, size: int, lengths: tuple[int, ...], *, by_columns: bool = False) -> Block:
        """Add a block after the others and return it."""
        while name and name in self._names:
            name += "_2"
        self._names.add(name)
        block = Block(kind, name, len(self._owners), size, lengths, by_columns)
        self.blocks.append(block)
        self._owners += [block] * size
        return block

    def owner(self, place: int) -> Block:
        """Return the block that a place belongs to."""
        return self._owners[place]

    def owners(self, places: Sequence[int]) -> list[Block]:
        """Return the blocks that are read, in the order of their first places."""
        return list({id(block): block for block in map(self.owner, places)}.values())

    def is_whole(self, places: Sequence[int]) -> bool:
        """Say whether these are all places of one block, in order."""
        block = self.owner(places[0])
        return list(places) == list(range(block.start, block.start + block.size))

    def rows(self, places: Sequence[int]) -> int:
        """Return how many rows a matrix has, column by column; or how many columns, row by row. 0 for no matrix."""
        block = self.owner(places[0])
        index = rectangle(block, places)
        return len(index[1]) if index is not None and len(block.lengths) > 1 else 0

    def written(
        self,
        places: list[int],
        inner: int = 0,
        *,
        by_columns: bool = True,
        name: Callable[[Block], str] = lambda block: block.name,
    ) -> ArrayFormula:
        """Write a reading of each place once: a name, a part of a block, a list of such, or `[…]` for any order.

        Of a matrix, `inner` numbers lie together: a column, or a row where not `by_columns`. Of a vector `inner` is 1,
        and parts of matrices are `.flat`; 0 leaves them as they are. `name` names the blocks.
        """
        owners = self.owners(places)
        if len(places) == 1 and places[0] in self.constants:
            return ArrayFormula.number(self.constants[places[0]])
        parts: list[str] = []
        for _, group in groupby(places, key=lambda place: id(self.owner(place))):
            part = self._parts(list(group), inner, by_columns, name)
            parts += part or [""] * (MOST_PARTS + 1)
        if len(parts) <= MOST_PARTS:
            alone = len(parts) == 1 and owners[0].kind != "constant"
            return ArrayFormula(parts[0] if alone else f"[{', '.join(parts)}]", size=len(places))
        if owners[0].kind == "constant" and len(owners) == 1:
            numbers = [str(ArrayFormula.number(self.constants[place])) for place in places]
            return ArrayFormula(f"[{numbers[0]}, {numbers[1]}, …, {numbers[-1]}]", size=len(places))
        return self.picked(places, name)

    def picked(self, places: Sequence[int], name: Callable[[Block], str]) -> ArrayFormula:
        """Write numbers in any order."""
        owners = self.owners(places)
        names = [name(block) if block.name else "constants" for block in owners]
        shown = names if len(names) <= MOST_PARTS else [*names[: MOST_PARTS - 1], "…"]
        return ArrayFormula((shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]") + "[…]", size=len(places))

    def _parts(self, places: list[int], inner: int, by_columns: bool, name: Callable[[Block], str]) -> list[str]:
        """Write places of one block as parts: one, if they are a rectangle of it, or runs of equal step."""
        block = self.owner(places[0])
        if block.kind == "constant":
            hidden = name(block) == "_"
            numbers = ["_" if hidden else str(ArrayFormula.number(self.constants[place])) for place in places]
            if len(places) > MOST_PARTS and len(set(places)) == 1:
                return [f"{numbers[0]}, …, {numbers[0]}"]
            return [", ".join(numbers)] if len(places) <= MOST_PARTS else []
        index = rectangle(block, places)
        if index is None:
            return [_with(name(block), part) for part in runs(block, places, MOST_PARTS) or []]
        height = len(index[1])
        matrix = 1 < height < len(places)
        turned = 1 < inner == height < len(places) and block.by_columns != by_columns
        ending = ".flat" if inner == 1 and matrix else ".T" if turned else ""
        return [_with(name(block), subscript(block, *index) + ending)]

    def stack(self, places: list[int], letter: str, lengths: tuple[int, ...]) -> str | None:
        """Return the name of several families of parameters together, giving one to those that have none yet."""
        owners = self.owners(places)
        if len(owners) < 2 or any(block.kind != "parameter" for block in owners):
            return None
        key = tuple(places)
        if key not in self.stacks:
            taken = {name for name, _ in self.stacks.values()} | {block.name for block in self.blocks}
            name = next(name for i in count(1) if (name := f"{letter}{i}") not in taken)
            self.stacks[key] = name, lengths
        return self.stacks[key][0]

    def stacked(self, places: Sequence[int], lengths: tuple[int, ...]) -> str:
        """Write what a stack is made of, `[…]` where that is not all of its families."""
        owners = self.owners(places)
        whole = len(set(places)) == len(places) == sum(block.size for block in owners)
        width = lengths[1] if len(lengths) > 1 else 1
        lines = [[block.name for block in self.owners(places[i : i + width])] for i in range(0, len(places), width)]
        rows = [list(row) for row in dict.fromkeys(map(tuple, lines))]
        return in_braces(rows) + ("" if whole else "[…]")


def _with(name: str, part: str) -> str:
    return name if name == "_" else name + part
