"""A plan bound to arrays of one batch size: a list of calls, and what is put in before and taken out after them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.lowering import step_calls
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.planning.data import Plan

__all__ = ["Executable"]


class Executable:
    """A plan with its memory for one batch size. One thread at a time may run it.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.planning import plan
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> program = vectorize(canonicalize(trace(lambda x: x.exp() * 2, [0.0], [])))
    >>> executable = Executable(plan(program), 2, "float64")
    >>> [function.__name__ for function, _ in executable.calls]
    ['exp', 'multiply']
    >>> np = numpy()
    >>> executable.run(np.array([]), [np.array([0.0, np.log(3.0)])])
    >>> executable.outputs().round(9).tolist()
    [[2.0, 6.0]]
    """

    def __init__(self, plan: Plan, batch: int, dtype: Any) -> None:
        np, program = numpy(), plan.program
        self.program, self.buffers = program, Buffers(plan.rows, batch, dtype)
        unbatched, batched = self.buffers.rows
        with np.errstate(over="ignore"):  # a constant beyond single precision
            unbatched[list(plan.constant_rows), 0] = program.constants
        batched[list(plan.one_rows)] = 1.0
        self._parameters = unbatched[: len(program.parameter_order), 0]
        self._order = _index(np.array(program.parameter_order, np.intp))
        self._loads: list[tuple[Any, Any, Any]] | None = None
        self._seeds = [self._read(operand.space, rows) for operand, rows in zip(program.seeds, plan.seed_rows)]
        self._last_seeds: list[Any] = [None] * len(self._seeds)
        self._outputs = [(operand.space, rows) for operand, rows in zip(program.outputs, plan.output_rows)]
        all_batched = all(space == BATCHED for space, _ in self._outputs)
        self._batched_outputs = self._read(BATCHED, np.concatenate(plan.output_rows)) if all_batched else None
        self._cotangents = [
            self._read(operand.space, rows) for operand, rows in zip(program.cotangents, plan.cotangent_rows)
        ]
        self.calls = [call for step in plan.steps for call in step_calls(self.buffers, step)]

    def _read(self, space: int, rows: Any) -> tuple[Any, Any]:
        """Return an array and which of its rows are read, None for all."""
        array, index = self.buffers.rows[space], _index(rows)
        array = array[:, 0] if space == UNBATCHED else array
        return (array[index], None) if index.__class__ is slice else (array, index)

    def run(self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> None:
        """Compute everything, from the flat parameters, each argument's column and the cotangents of the seeds."""
        self._parameters[:] = parameters[self._order]
        if self._loads is None:
            self._loads = _loads(self.program.input_order, self.buffers.rows[BATCHED], columns)
        for column, (target, rows, picked) in zip(columns, self._loads):
            target[rows] = column.T if picked is None else column.T[picked]
        for k, seed in enumerate(seeds):
            if seed.__class__ is not float or seed != self._last_seeds[k]:
                array, rows = self._seeds[k]
                array[... if rows is None else rows] = seed
                self._last_seeds[k] = seed
        for function, arguments in self.calls:
            function(*arguments)

    def outputs(self) -> Any:
        """Return the outputs of the last run, a new array (outputs, batch)."""
        if self._batched_outputs is not None:
            return _copied(*self._batched_outputs)
        result = numpy().empty((len(self._outputs), self.buffers.batch), self.buffers.dtype)
        for k, (space, rows) in enumerate(self._outputs):
            result[k] = self.buffers.rows[space][rows]
        return result

    def cotangents(self) -> tuple[Any, ...]:
        """Return the cotangents of the last run, new arrays (slots,) or (slots, batch)."""
        return tuple([_copied(*read) for read in self._cotangents])


def _index(rows: Any) -> Any:
    """Return rows as a slice if they follow one another, which is quicker.

    >>> _index(numpy().array([4, 5, 6])), _index(numpy().array([4, 6])).tolist()
    (slice(4, 7, None), [4, 6])
    """
    if len(rows) and (numpy().diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _copied(array: Any, rows: Any) -> Any:
    return array.copy() if rows is None else array.take(rows, 0)


def _loads(order: Sequence[int], inputs: Any, columns: Sequence[Any]) -> list[tuple[Any, Any, Any]]:
    """Return for each argument an array, the rows of it that it fills, and which of its numbers do, None for all.

    Row i holds number order[i] of all arguments together. A column is (batch,), one number, or (batch, numbers).

    >>> np = numpy()
    >>> inputs = np.array([[1.0], [2.0], [3.0]])
    >>> _loads([2, 1, 0], inputs, [np.zeros((1, 2)), np.zeros(1)])
    [(array([[2.],
           [3.]]), Ellipsis, array([1, 0])), (array([[1.]]), Ellipsis, None)]
    """
    np, places, found, start = numpy(), numpy().array(order, numpy().intp), [], 0
    for column in columns:
        size = 1 if column.ndim == 1 else column.shape[1]
        rows = np.flatnonzero((places >= start) & (places < start + size))
        picked, index = places[rows] - start, _index(rows)
        whole = column.ndim == 1 or (picked == np.arange(size)).all()
        array, rows = (inputs[index], ...) if index.__class__ is slice else (inputs, rows)
        found.append((array, rows, None if whole else picked))
        start += size
    return found
