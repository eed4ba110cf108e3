"""Writer: packs as lines of code, short ones written in the line that reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.source.arrays import Arrays
from microgradlib.source.code import Code
from microgradlib.source.expressions import Expressions
from microgradlib.source.frameworks import Framework
from microgradlib.source.graph import NOTHING, Graph
from microgradlib.source.packs import Pack, packs_of
from microgradlib.source.places import Array

__all__ = ["Line", "Writer"]

LONGEST, LONGEST_INSIDE, LONGEST_PRODUCT = 100, 60, 90
"""The longest expression that is written in one line, if it could be written in two; that of a part of one, and of a
product of matrices that a function is applied to."""

LETTERS = {"+": "s", "-": "d", "*": "p", "/": "q", "**": "p"}


@dataclass
class Line:
    """A line `name = code`, and the lengths of the axes of what it computes, without the batch.

    Lines are sorted by their `number`; the name is that between two §, until it is known what comes before it, and then
    begins with `letter`.
    """

    name: str
    code: Code
    lengths: tuple[int, ...]
    number: float
    letter: str

    @property
    def text(self) -> str:
        """The code as text."""
        return self.code.text

    @property
    def shape(self) -> str:
        """The shape as a comment shows it."""
        parts = ["batch"] * self.code.batched + list(map(str, self.lengths))
        return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


class Writer:
    """Writes the lines of a program for a framework; `given` are the names of the leaves, `lines` those so far.

    `waiting` are the numbers of arrays that have no line yet: the code, and the pack. `inside` are those that the
    expression being written has in it, None where it may have none. `alone`: the outputs are returned as one array.
    """

    def __init__(
        self, graph: Graph, framework: Framework, given: Sequence[str], taken: set[str], *, alone: bool
    ) -> None:
        self.graph, self.framework, self.lines = graph, framework, list[Line]()
        precise = [name for leaf, name in zip(graph.leaves, given) if leaf.kind == "parameter"]
        like = next(iter([*precise, *given]), "")
        constants = {i: scalar.number for i, scalar in enumerate(graph.scalars) if scalar.kind == "constant"}
        self.arrays = arrays = Arrays(framework, constants, len(graph.scalars), self._whole, self._named, like=like)
        self.used, self.counts = taken | {*given}, Counter[str]()
        self.waiting: dict[int, tuple[Code, Pack]] = {}
        self.inside: list[int] | None = []
        for leaf, name in zip(graph.leaves, given):
            arrays.add(Array(name, leaf.lengths, leaf.kind == "argument"), numpy().array(leaf.scalars, int))
            if leaf.kind == "argument" and not arrays.rows:
                arrays.rows = f"len({name})"
        self.write, self.packs = Expressions(arrays, self._kept), packs_of(graph)
        self.pack: Pack | None = None
        self.most_readers = self._most_readers(alone=alone)
        for pack in self.packs:
            self._add(pack)

    def outputs(self, scalars: Any) -> Code:
        """Write numbers that are returned, of the whole batch."""
        self.pack = None
        code: Code = self._shortest(lambda: self.arrays.full(scalars, batched=bool(self.arrays.rows)))
        return code

    def _most_readers(self, *, alone: bool) -> dict[Any, int]:
        """Return for packs of a form how often one of them is read: steps in time are then written alike."""
        np = numpy()
        pack_of = np.full(len(self.graph.scalars) + 1, NOTHING)
        for number, pack in enumerate(self.packs):
            pack_of[pack.members] = number
        returned = pack_of[self.graph.outputs].tolist()
        readers = Counter[int](set(returned) if alone else returned * 2)
        for pack in self.packs:
            for part in zip(*pack.parts):
                readers.update(np.unique(pack_of[[scalar for scalars in part for scalar in scalars]]).tolist())
        most = dict[Any, int]()
        for number, pack in enumerate(self.packs):
            most[pack.form] = max(most.get(pack.form, 0), readers[number])
        return most

    def _add(self, pack: Pack) -> None:
        self.pack = pack
        members, code, zeros = self._shortest(lambda: self.write(pack))
        number = self.arrays.add(Array("", members.shape, code.batched), members.ravel(), zeros=zeros)
        self.waiting[number] = code, pack

    def _shortest(self, write: Any) -> Any:
        """Return what is written: with short expressions in it, unless it is too long then."""
        self.inside = []
        result = write()
        text = str(result[1] if isinstance(result, tuple) else result)
        if len(text) > LONGEST and self.inside:
            self.inside = None
            result = write()
        for number in self.inside or []:
            _, child = self.waiting.pop(number, (None, None))
            if self.pack is not None and child is not None:
                self.pack.is_product |= child.is_product
        self.inside = []
        return result

    def _whole(self, number: int) -> Code:
        """Write an array that is read as a whole: its name, or its code if this is all that reads it."""
        if number in self.waiting and self.inside is not None and self._fits(number):
            self.inside.append(number)
            return self.waiting[number][0]
        return self._named(number)

    def _fits(self, number: int) -> bool:
        code, child = self.waiting[number]
        pack = self.pack
        longest = LONGEST_PRODUCT if child.is_product else LONGEST_INSIDE
        if self.most_readers[child.form] > 1 or len(str(code)) > longest or child.kind == "softmax":
            return False
        if pack is None:
            return True
        if child.is_product:
            return pack.kind == "elementwise" and (len(pack.parts[0]) == 1 or pack.op.name == "add")
        few = pack.kind == "dot" and all(len(part) == 1 for part in pack.parts[0])
        return few or pack.kind in {"elementwise", "reduce"}

    def _named(self, number: int) -> Code:
        """Write an array by its name, in a line of its own from now on."""
        array = self.arrays.known[number]
        if number in self.waiting:
            code, pack = self.waiting.pop(number)
            array.name = f"§{number}§"
            self.lines.append(Line(array.name, code, array.lengths, number, self._letter(pack)))
        return Code(array.name, batched=array.batched)

    def _kept(self, code: Code, lengths: tuple[int, ...], letter: str) -> Code:
        """Write what is made of nothing, a mask or a first state, by a name, in a line of its own."""
        line = next((line for line in self.lines if str(line.code) == str(code)), None)
        if line is None:
            number = len(self.arrays.known) - 0.5
            line = Line(f"§{number}§", code, lengths, number, letter)
            self.lines.append(line)
        return Code(line.name, batched=code.batched)

    def _letter(self, pack: Pack) -> str:
        symbol = pack.op.symbol
        if pack.kind == "softmax":
            return "p"
        if pack.is_product:
            return "h" if symbol[0].isalpha() and pack.kind != "dot" else "a"
        return symbol[0].lower() if symbol[0].isascii() and symbol[0].isalpha() else LETTERS.get(symbol, "c")

    def fresh(self, letter: str, *, alone: bool = False) -> str:
        """Return a name that nothing has yet: the letter and a number; `alone`, or of a word, without one if it can."""
        if (alone or len(letter) > 1) and letter not in self.used:
            self.used.add(letter)
            return letter
        while True:
            self.counts[letter] += 1
            name = f"{letter}{self.counts[letter]}"
            if name not in self.used:
                self.used.add(name)
                return name
