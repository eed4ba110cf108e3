"""The JAX engine: programs as pure functions of JAX, compiled by XLA, on one device or with the batch over several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

from microgradlib._support.checks import whole_number
from microgradlib._support.shown import shown
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.jax.blocks import Blocks
from microgradlib.compiler.engines.jax.functions import float64_enabled, jax
from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy

__all__ = ["BatchFunction", "JaxEngine", "devices_of", "padded_size"]

CHUNKS = 16
"""A batch whose sums are to be reproducible is divided into so many chunks, which are summed in one order."""


class JaxEngine(Engine):
    """Runs programs as XLA compiles them, once for each program and padded size of a batch.

    `devices` are those that share a batch; None is JAX's default device. `reproducible` makes the sums over the batch
    the same, bit for bit, whatever the number of devices.
    """

    def __init__(
        self,
        program: ProgramData,
        dtype: Any,
        exact: Engine | None = None,
        *,
        devices: Sequence[Any] | None = None,
        reproducible: bool = False,
    ) -> None:
        super().__init__(program, dtype, exact)
        self.devices, self.reproducible = devices or jax().devices()[:1], reproducible
        self._functions: dict[int, BatchFunction] = {}

    def execute(self, program: ProgramData, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any] = ()) -> Any:
        """Run a program on a batch; see `Engine.execute`."""
        np, run = numpy(), self.function(program)
        given = [np.asarray(seed, self.dtype) for seed in seeds]
        with float64_enabled():
            found = (partial(self._in_chunks, run) if self.reproducible else run.padded)(parameters, columns, given)
            outputs, cotangents = found
            batch = len(columns[0])
            return np.array(outputs)[:, :batch], tuple(
                [np.array(c)[:, :batch] if c.ndim == 2 else np.array(c) for c in cotangents]
            )

    def function(self, program: ProgramData) -> BatchFunction:
        """Return a program as a function of batches, made when first asked for."""
        if id(program) not in self._functions:
            with self._lock:
                devices = self.devices[:1] if self.reproducible else self.devices
                self._functions.setdefault(id(program), BatchFunction(program, devices))
        return self._functions[id(program)]

    def _in_chunks(
        self, run: BatchFunction, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """Run chunks on all devices by one compiled program; add up their sums as a tree, in one order.

        A loop inside XLA would not do: how it fuses operations, and so the last bits of an exponential or of a product
        that is added to something, depends on the number of devices.
        """
        np, batch = numpy(), len(columns[0])
        length = padded_size(-(-batch // CHUNKS))
        starts = range(0, batch, length)
        found = []
        for k, start in enumerate(starts):
            chunk = slice(start, start + length)
            rows = [_padded(column[chunk], length) for column in columns]
            own = [_padded_last(s[:, chunk], length) if s.shape[1:] == (batch,) else s for s in seeds]
            device = self.devices[k * len(self.devices) // len(starts)]
            given = jax().device_put((parameters, rows, own), device)
            found.append(run.compiled(*given, min(length, batch - start), masked=True))
        outputs, cotangents = zip(*[(np.asarray(y), list(map(np.asarray, c))) for y, c in found])
        parts = zip(*cotangents)
        return np.concatenate(outputs, 1), [np.concatenate(p, 1) if p[0].ndim == 2 else _tree_sum(p) for p in parts]


class BatchFunction:
    """A program as a function of batches, which devices share; call it while JAX traces, or run `compiled`."""

    def __init__(self, program: ProgramData, devices: Sequence[Any]) -> None:
        self.program, self.blocks = program, Blocks(program)
        several = len(devices) > 1 or devices[0] != jax().devices()[0]
        self.mesh = jax().sharding.Mesh(numpy().array(devices), ("batch",)) if several else None
        self.width = len(devices)
        self.compiled = jax().jit(self.__call__, static_argnames="masked")

    def padded_size(self, batch: int) -> int:
        """Return the number of examples to which a batch is padded."""
        return padded_size(-(-batch // self.width)) * self.width

    def padded(self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """Run a batch of any size; the results are those of the padded one."""
        batch = len(columns[0])
        size = self.padded_size(batch)
        rows = [_padded(column, size) for column in columns]
        own = [_padded_last(seed, size) if seed.shape[1:] == (batch,) else seed for seed in seeds]
        return self.compiled(parameters, rows, own, batch, masked=size > batch)  # type: ignore[no-any-return]

    def __call__(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any], count: Any, *, masked: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs and cotangents of a batch of a padded size, whose first `count` examples are real."""
        if self.mesh is None:
            return self.blocks(parameters, columns, seeds, count if masked else None)
        spec = jax().sharding.PartitionSpec
        by_example = spec(None, "batch")
        is_own = [seed.ndim == 2 and seed.shape[1] == columns[0].shape[0] for seed in seeds]
        results = tuple([by_example if c.space == BATCHED else spec() for c in self.program.cotangents])
        spread = jax().shard_map(
            partial(self._on_device, masked=masked),
            mesh=self.mesh,
            in_specs=(
                spec(),
                [spec("batch")] * len(columns),
                [by_example if own else spec() for own in is_own],
                spec(),
            ),
            out_specs=(by_example, results),
            check_vma=False,
        )
        found = spread(parameters, columns, seeds, count)
        if jax().process_count() > 1:  # else a process would have the examples of its own devices alone
            found = jax().lax.with_sharding_constraint(found, jax().sharding.NamedSharding(self.mesh, spec()))
        return found  # type: ignore[no-any-return]

    def _on_device(
        self, parameters: Any, columns: Sequence[Any], seeds: Sequence[Any], count: Any, *, masked: bool
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs of the examples of one device, and the sums over those of all: one all-reduce."""
        count -= jax().lax.axis_index("batch") * columns[0].shape[0]
        outputs, cotangents = self.blocks(parameters, columns, seeds, count if masked else None)
        totals = iter(jax().lax.psum([c for c in cotangents if c.ndim == 1], "batch"))
        return outputs, tuple([c if c.ndim == 2 else next(totals) for c in cotangents])


def _tree_sum(parts: Sequence[Any]) -> Any:
    """Return the sum of arrays, added in pairs, and pairs of these.

    >>> _tree_sum([1.0, 2.0, 3.0])
    6.0
    """
    while len(parts) > 1:
        pairs = zip_longest(parts[0::2], parts[1::2])
        parts = [a if b is None else a + b for a, b in pairs]
    return parts[0]


def _padded(array: Any, size: int) -> Any:
    missing = size - len(array)
    if not missing:
        return array
    return numpy().concatenate([array, numpy().zeros((missing, *array.shape[1:]), array.dtype)])


def _padded_last(array: Any, size: int) -> Any:
    return _padded(array.T, size).T


def padded_size(batch: int) -> int:
    """Return the next of the sizes that are compiled, four between one power of two and the next.

    >>> [padded_size(batch) for batch in (1, 7, 9, 33, 100, 4096)]
    [1, 7, 10, 40, 112, 4096]
    """
    step = max(1, 1 << (batch - 1).bit_length() >> 3)
    return -(-batch // step) * step


def devices_of(devices: Any) -> list[Any] | None:
    """Return the devices that share a batch, None for the default one.

    Raises `TypeError` for what is no number or list of devices, `ValueError` for a number that JAX has not.
    """
    known = jax().devices()
    if devices is None:
        return None
    if isinstance(devices, (list, tuple)):
        if not devices or not all(isinstance(device, jax().Device) for device in devices):
            message = f"devices is a number, or a list of JAX's devices as jax.devices() gives it, got {shown(devices)}"
            raise TypeError(message)
        return list(devices)
    count = whole_number(devices, "devices", reason="how many devices share a batch", example=len(known))
    if count > len(known):
        message = f"devices={count}, but JAX has {len(known)} of {known[0].platform}: give at most that many"
        raise ValueError(message)
    return list(known[:count])
