"""The NumPy engine: plans of programs, run in blocks of examples that stay in cache."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.executable import Executable
from microgradlib.compiler.engines.threads import shared
from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning import plan

__all__ = ["NumpyEngine"]

CACHE_BYTES = 2 << 20
"""A block of examples is as large as its rows fit here: about what a core's second-level cache holds."""

SMALLEST_BLOCK = 61
"""… but not smaller than this, since a call costs the same for few examples as for many. Odd, as numbers that lie a
power of two apart in memory meet in the same few places of the cache; BLAS is the quicker for products this thin."""

LARGEST_BLOCK = 1.5
"""A batch of up to so many blocks is one block."""

BLOCKS_OF_A_THREAD, BLOCK_OF_A_THREAD = 4, 1000
"""Threads help where each has so many blocks of so many examples: 160,000 points on a small network take 0.7 times as
long by two. Calls on fewer numbers are short, and threads that wait for one another take longer than one alone."""

SIZES_KEPT = 8
"""For how many batch sizes of a program the memory is kept."""


class _Planned:
    """A program with its plan, and executables that no thread uses now, by batch size."""

    def __init__(self, program: ProgramData, dtype: Any) -> None:
        self.program, self.dtype, self.plan = program, dtype, plan(program)
        self.block = max(SMALLEST_BLOCK, CACHE_BYTES // (dtype.itemsize * self.plan.rows[BATCHED]))
        self.free = lru_cache(SIZES_KEPT)(lambda _batch: list[Executable]())

    def run(self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs and cotangents of a batch that is one block."""
        batch = len(columns[0])
        free = self.free(batch)
        try:
            executable = free.pop()
        except IndexError:
            executable = Executable(self.plan, batch, self.dtype)
        results = executable.run(parameters, columns, seeds)
        free.append(executable)
        return results


class NumpyEngine(Engine):
    """Runs plans on arrays whose first axis is the rows of memory and whose last is the batch.

    Derivatives are those of the op table where all numbers are finite. Elsewhere a closed branch does not stop inf and
    nan, and `Engine` takes the derivatives of the reference engine.
    """

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        self._planned: dict[int, _Planned] = {}

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        planned = self._planned.get(id(program))
        if planned is None:
            with self._lock:
                planned = self._planned.get(id(program)) or _Planned(program, self.dtype)
                self._planned[id(program)] = planned
        if len(columns[0]) <= LARGEST_BLOCK * planned.block:
            return planned.run(parameters, columns, seeds)
        return _in_blocks(planned, parameters, columns, seeds)


def _in_blocks(
    planned: _Planned, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]
) -> tuple[Any, tuple[Any, ...]]:
    """Run blocks of about the same size; add up what is summed over the batch, in their order.

    So the results do not depend on the number of threads.
    """
    np, batch, program = numpy(), len(columns[0]), planned.program
    count = -(-batch // planned.block)

    def run(k: int) -> tuple[Any, tuple[Any, ...]]:
        block = slice(batch * k // count, batch * (k + 1) // count)
        own = [
            seed[..., block] if operand.space == BATCHED and np.shape(seed)[-1:] == (batch,) else seed
            for seed, operand in zip(seeds, program.seeds)
        ]
        with np.errstate(all="ignore"):  # of this thread
            return planned.run(parameters, [column[block] for column in columns], own)

    several = count // BLOCKS_OF_A_THREAD if planned.block >= BLOCK_OF_A_THREAD else 1
    outputs, cotangents = zip(*shared(run, range(count), max(several, 1)))
    return np.concatenate(outputs, 1), tuple(
        [
            np.concatenate(found, 1) if operand.space == BATCHED else sum(found[1:], found[0])
            for operand, found in zip(program.cotangents, zip(*cotangents))
        ]
    )
