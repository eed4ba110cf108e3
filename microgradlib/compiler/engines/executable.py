"""A plan bound to arrays of one batch size: a list of calls, and what is put in before and taken out after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.lowering import step_calls
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import as_column, numpy
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
    >>> executable.run(np.array([]), [np.array([0.0, np.log(3.0)])])[0].round(9).tolist()
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
        self._loads: list[Any] = []
        self._seeds = [self._places(operand.space, rows) for operand, rows in zip(program.seeds, plan.seed_rows)]
        self._cotangents = [self._reader(o.space, rows) for o, rows in zip(program.cotangents, plan.cotangent_rows)]
        self.calls = [call for step in plan.steps for call in step_calls(self.buffers, step)]
        if all(operand.space == BATCHED for operand in program.outputs):
            self._outputs = self._reader(BATCHED, np.concatenate(plan.output_rows))
        else:
            outputs = np.empty((len(program.outputs), batch), dtype)
            for out, operand, [row] in zip(outputs, program.outputs, plan.output_rows):
                self.calls.append((np.copyto, (out, self.buffers.rows[operand.space][row])))
            self._outputs = outputs.copy

    def _places(self, space: int, rows: Any) -> tuple[Any, Any]:
        """Return an array and which of its rows these are; as a view, which is quicker, if they follow one another."""
        array, index = self.buffers.rows[space], _index(rows)
        array = array[:, 0] if space == UNBATCHED else array
        return (array[index], ...) if index.__class__ is slice else (array, index)

    def _reader(self, space: int, rows: Any) -> Callable[[], Any]:
        """Return a function that copies rows."""
        array, index = self._places(space, rows)
        return array.copy if index is ... else partial(array.take, index, 0)

    def run(self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> tuple[Any, tuple[Any, ...]]:
        """Compute everything, from the flat parameters, each argument's column and the cotangents of the seeds.

        Returns new arrays: the outputs, (outputs, batch), and the cotangents, (slots,) or (slots, batch).
        """
        self._parameters[:] = parameters[self._order]
        if not self._loads:
            self._loads = self._loads_of(columns)
        for column, (target, rows, picked) in zip(columns, self._loads):
            numbers = as_column(column).T
            target[rows] = numbers if picked is None else numbers[picked]
        for seed, (target, rows) in zip(seeds, self._seeds):
            target[rows] = seed
        for function, arguments in self.calls:
            function(*arguments)
        return self._outputs(), tuple([read() for read in self._cotangents])

    def _loads_of(self, columns: Sequence[Any]) -> list[tuple[Any, Any, Any]]:
        """Return for each argument the rows of the inputs that it fills, and its numbers there.

        Row i holds number `input_order[i]` of all arguments together. A column is (batch, …).
        """
        np, places, found, start = numpy(), numpy().array(self.program.input_order, numpy().intp), [], 0
        for column in columns:
            size = column[0].size
            rows = np.flatnonzero((places >= start) & (places < start + size))
            picked = places[rows] - start
            found.append((*self._places(BATCHED, rows), None if (picked == np.arange(size)).all() else picked))
            start += size
        return found


def _index(rows: Any) -> Any:
    """Return rows as a slice if they follow one another, which is quicker.

    >>> _index(numpy().array([4, 5, 6])), _index(numpy().array([4, 6])).tolist()
    (slice(4, 7, None), [4, 6])
    """
    if len(rows) and (numpy().diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
