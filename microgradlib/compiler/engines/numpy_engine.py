"""The NumPy engine: plans of programs, run in blocks of examples that stay in cache."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.executable import Executable
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.instructions import ProgramData

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
        self.free: dict[int, list[Executable]] = {}
        self._lock = threading.Lock()

    def free_for(self, batch: int) -> list[Executable]:
        """Return the list that executables of a batch size are taken from and given back to."""
        free = self.free.get(batch)
        if free is None:
            with self._lock:
                while len(self.free) >= SIZES_KEPT and batch not in self.free:
                    del self.free[next(iter(self.free))]
                free = self.free.setdefault(batch, [])
        return free

    def run(self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs and cotangents of a batch that is one block."""
        batch = len(columns[0])
        free = self.free.get(batch) or self.free_for(batch)
        try:
            executable = free.pop()
        except IndexError:
            executable = Executable(self.plan, batch, self.dtype)
        try:
            executable.run(parameters, columns, seeds)
            return executable.outputs(), executable.cotangents()
        finally:
            free.append(executable)


class NumpyEngine(Engine):
    """Runs plans on arrays whose first axis is the rows of memory and whose last is the batch.

    Derivatives are those of the op table where all numbers are finite. Elsewhere a closed branch does not stop inf and
    nan, and `Engine` takes the derivatives of the reference engine.
    """

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        self._planned: dict[int, _Planned] = {}

    def execute(
        self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()
    ) -> tuple[Any, tuple[Any, ...]]:
        """Run a program on a batch; see `Engine.execute`."""
        planned = self._planned.get(id(program))
        if planned is None:
            with self._lock:
                planned = self._planned.get(id(program)) or _Planned(program, self.dtype)
                self._planned[id(program)] = planned
        batch = len(columns[0])
        if batch <= LARGEST_BLOCK * planned.block:
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
    outputs, parts = np.empty((len(program.outputs), batch), planned.dtype), list[Any]([None]) * count

    def run(waiting: Iterator[int], failures: list[BaseException]) -> None:
        try:
            for k in waiting:
                block = slice(batch * k // count, batch * (k + 1) // count)
                own = [_sliced(seed, operand.space, batch, block) for seed, operand in zip(seeds, program.seeds)]
                with np.errstate(all="ignore"):  # of this thread
                    outputs[:, block], parts[k] = planned.run(parameters, [column[block] for column in columns], own)
        except BaseException as failure:  # noqa: BLE001  raised in the caller's thread
            failures.append(failure)

    waiting, failures = iter(range(count)), list[BaseException]()
    several = min(os.cpu_count() or 1, count // BLOCKS_OF_A_THREAD) if planned.block >= BLOCK_OF_A_THREAD else 1
    threads = [threading.Thread(target=run, args=(waiting, failures)) for _ in range(several - 1)]
    for thread in threads:
        thread.start()
    run(waiting, failures)
    for thread in threads:
        thread.join()
    for failure in failures:
        raise failure
    cotangents = [
        np.concatenate(found, 1) if operand.space == BATCHED else sum(found[1:], found[0])
        for operand, found in zip(program.cotangents, zip(*parts))
    ]
    return outputs, tuple(cotangents)


def _sliced(seed: Any, space: int, batch: int, block: slice) -> Any:
    return seed[..., block] if space == BATCHED and numpy().shape(seed)[-1:] == (batch,) else seed
