"""The banks of one run: the numbers in their slots, and how an operand is read: in place, or gathered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.reading import Grid, blocks, grid, memory_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import Instruction, Operand
    from microgradlib.compiler.kernels import Step

__all__ = ["Banks", "Bound", "Read"]


class Read:
    """An operand as an array of shape (…, batch or 1), and where its slots lie, if evenly.

    `in_place`: the array is a view of the bank, so that a gradient may be written to the same view of its bank.
    """

    def __init__(self, operand: Operand, array: Any, place: Grid | None, *, in_place: bool) -> None:
        self.operand, self.array, self.place, self.in_place = operand, array, place, in_place
        self.distinct = len(set(operand.slots)) == len(operand.slots)


@dataclass
class Bound:
    """An instruction bound to arrays: its operands, its results z, and what its forward steps keep for the adjoint."""

    instruction: Instruction
    reads: list[Read]
    z: Any
    kept: dict[str, Any] = field(default_factory=dict)


class Banks:
    """Arrays (slots, 1) and (slots, batch) of numbers, and the steps that fill them."""

    def __init__(self, sizes: Sequence[int], batch: int, dtype: Any, ones: Sequence[int] = ()) -> None:
        np = numpy()
        self.batch, self.dtype = batch, dtype
        self.numbers = [np.zeros((n, width), dtype) for n, width in zip(sizes, (1, batch))]
        self.numbers[1][list(ones)] = 1.0
        self.ones = frozenset(ones)
        self.gathered: dict[Any, Any] = {}
        self.forward: list[Step] = []
        self._scratch: dict[str, Any] = {}

    def read(self, operand: Operand, shape: tuple[int, ...]) -> Read:
        """Return an operand in this shape, gathering it (once) if its slots do not lie evenly."""
        place = grid(operand.slots, shape)
        bank = self.numbers[operand.bank]
        if place is not None:
            return Read(operand, place.view(bank), place, in_place=True)
        key = (operand.bank, operand.slots)
        if key not in self.gathered:
            copy = numpy().empty((len(operand.slots), bank.shape[1]), self.dtype)
            self._gather(operand, copy)
            self.gathered[key] = copy
        return Read(operand, self.gathered[key].reshape(*shape, bank.shape[1]), None, in_place=False)

    def matrix(self, operand: Operand, rows: int, columns: int, *, ones: bool) -> tuple[Read, Any]:
        """Return an operand of rows × columns numbers, and the matrix rows × (columns · batch) of it.

        With `ones` the matrix has a row of ones more, which the operand has not.
        """
        np = numpy()
        place = grid(operand.slots, (rows, columns))
        bank = self.numbers[operand.bank]
        width = bank.shape[1]
        if place is not None and (columns == 1 or place.steps[1] == 1):
            step = place.steps[0] if rows > 1 else columns
            below = range(place.start + rows * step, place.start + rows * step + columns)
            if not ones or self.ones.issuperset(below):
                longer = Grid(place.start, (rows + ones, columns), (step, 1))
                matrix = longer.view(bank).reshape(rows + ones, columns * width)
                return Read(operand, place.view(bank), place, in_place=True), matrix
        key = (operand.bank, operand.slots, rows, ones)
        if key not in self.gathered:
            copy = np.ones((rows + ones, columns, width), self.dtype)
            if place is not None:
                self.forward.append((np.copyto, (copy[:rows], place.view(bank))))
            else:
                self._gather(operand, copy[:rows])
            self.gathered[key] = copy
        copy = self.gathered[key]
        return Read(operand, copy[:rows], place, in_place=False), copy.reshape(rows + ones, columns * width)

    def _gather(self, operand: Operand, copy: Any) -> None:
        runs = blocks(operand.slots)
        take = runs.view(self.numbers[operand.bank]).take
        self.forward.append((take, (runs.places, 0, copy.reshape(len(runs.places), -1), "clip")))

    def scratch(self, name: str, shape: tuple[int, ...], like: Sequence[Any] = (), dtype: Any = None) -> Any:
        """Return an array for numbers that only the next steps need; the next one of this name may be the same.

        Its axes lie in memory as those of the arrays `like` do, so that all are gone through in one order.
        """
        np = numpy()
        size = int(np.prod(shape))
        if name not in self._scratch or self._scratch[name].size < size:
            self._scratch[name] = np.empty(size, dtype or self.dtype)
        axes = memory_order(shape, like)
        array = self._scratch[name][:size].reshape([shape[axis] for axis in axes])
        return array.transpose(np.argsort(axes))
