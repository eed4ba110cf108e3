"""A program on a batch of any size on one device: in blocks of examples, one after another, where these are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.engines.jax.computing import Computing, positive
from microgradlib.compiler.engines.jax.evaluation import Evaluation
from microgradlib.compiler.engines.jax.functions import jax
from microgradlib.compiler.instructions import BATCHED, ProgramData

__all__ = ["Blocks"]

BLOCK_BYTES = 24 << 20
"""On a CPU a batch is run in blocks whose numbers fit here: beyond that memory is slower than computing."""
SMALLEST_BLOCK = 64


class Blocks:
    """A program as a function of arrays, as `Evaluation`; `are_closed` says whether seeds may be −0.

    A batch of up to `fewest` blocks is one block.
    """

    def __init__(self, program: ProgramData, *, are_closed: bool = False, fewest: int = 1) -> None:
        self.program, self.are_closed, self.fewest, self.evaluation = program, are_closed, fewest, Evaluation(program)

    def __call__(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = (), count: Any = None
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs and cotangents of a batch whose first `count` examples are real; None: all are."""
        size, lax = columns[0].shape[0], jax().lax
        most = max(SMALLEST_BLOCK, BLOCK_BYTES // (parameters.dtype.itemsize * max(1, self.program.batched_size)))
        number = -(-size // most)
        if size <= self.fewest * most or jax().default_backend() != "cpu":
            return self._block(parameters, columns, seeds, count)
        length = -(-size // number)
        if number * length > size:
            count = size if count is None else jax().numpy.minimum(count, size)  # of a device's part, all may be real
        is_own = [seed.ndim == 2 and seed.shape[1] == size for seed in seeds]
        rows = [_cut(column, number, length) for column in columns]
        own = [_cut(seed.T, number, length) for seed, split in zip(seeds, is_own) if split]
        counts = None if count is None else count - length * jax().numpy.arange(number)

        def run(totals: Any, block: Any) -> tuple[Any, Any]:
            rows, own, count = block
            own = iter(own)
            given = [next(own).T if split else seed for seed, split in zip(seeds, is_own)]
            outputs, cotangents = self._block(parameters, rows, given, count)
            sums = [c for c in cotangents if c.ndim == 1]
            return [a + b for a, b in zip(totals, sums)], [outputs, *[c for c in cotangents if c.ndim == 2]]

        cotangents = self.program.cotangents
        zeros = [jax().numpy.zeros(len(c.slots), parameters.dtype) for c in cotangents if c.space != BATCHED]
        totals, found = lax.scan(run, zeros, (rows, own, counts))
        outputs, *examples = [a.swapaxes(0, 1).reshape(a.shape[1], -1)[:, :size] for a in found]
        sums, rest = iter(totals), iter(examples)
        return outputs, tuple([next(rest if c.space == BATCHED else sums) for c in cotangents])

    def _block(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any], count: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        is_real = None if count is None else jax().numpy.arange(columns[0].shape[0]) < count
        computing = Computing(self.program, is_real, is_closed=self.are_closed)
        outputs, cotangents = self.evaluation(computing, parameters, columns, seeds)
        return outputs, tuple(map(positive, cotangents))


def _cut(array: Any, number: int, length: int) -> Any:
    """Return the rows of an array as blocks, the last one filled with 0."""
    missing = number * length - len(array)
    array = jax().numpy.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array
    return array.reshape(number, length, *array.shape[1:])
