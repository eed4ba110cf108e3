"""The JAX engine: programs as pure functions of JAX, compiled by XLA, on one device or on several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.jax.evaluation import Evaluation
from microgradlib.compiler.engines.jax.functions import jax
from microgradlib.compiler.engines.jax.steps import computed
from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["JaxEngine"]

SIZES = 4
"""So many sizes of a batch, between one power of two and the next, are compiled; others are padded to one of them."""


class JaxEngine(Engine):
    """Runs programs as XLA compiles them."""

    def __init__(self, program: ProgramData, dtype: Any, exact: Engine | None = None) -> None:
        super().__init__(program, dtype, exact)
        jax()
        self._compiled: dict[Any, Any] = {}

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        np, batch = numpy(), len(columns[0])
        size = padded_size(batch)
        run = self._for(program, size > batch)
        with jax().enable_x64(True):
            outputs, found = run(parameters, [_padded(c, size) for c in columns], [np.asarray(s, self.dtype) for s in seeds], batch)
            outputs = np.array(outputs)[:, :batch]
            return outputs, tuple([np.array(f)[:, :batch] if f.ndim == 2 else np.array(f) for f in found])

    def _for(self, program: ProgramData, masked):
        key = id(program), masked
        if key not in self._compiled:
            self._compiled[key] = jax().jit(partial(_run, Evaluation(program), masked))
        return self._compiled[key]


def _run(evaluation, masked, parameters, columns, seeds, count):
    size = columns[0].shape[0]
    is_real = jax().numpy.arange(size) < count if masked else None
    return evaluation(computed(is_real), parameters, columns, [_fitted(seed, operand, size) for seed, operand in zip(seeds, evaluation.program.seeds)])

def _fitted(seed, operand, size):
    if operand.space == BATCHED and seed.ndim and seed.shape[-1] not in (1, size):
        return jax().numpy.pad(seed, [(0, 0)] * (seed.ndim - 1) + [(0, size - seed.shape[-1])])
    return seed

def _padded(column, size):
    missing = size - len(column)
    return column if not missing else numpy().concatenate([column, numpy().zeros((missing, *column.shape[1:]), column.dtype)])


def padded_size(batch: int) -> int:
    """Return the size to which a batch is padded.

    >>> [padded_size(batch) for batch in (1, 7, 9, 33, 100, 4096)]
    [1, 7, 10, 40, 112, 4096]
    """
    step = max(1, 1 << (batch - 1).bit_length() >> 3) if batch > 1 else 1
    return -(-batch // step) * step
