"""Evaluation: a program as a pure function of JAX arrays, with slots read as slices where they are even."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from microgradlib.compiler.engines.jax.functions import jax
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.views import cuts, reading_of, sizes_of

__all__ = ["Evaluation", "Step"]

MOST_PARTS = 12
"""An operand from up to so many runs of blocks is their concatenation; one from more is gathered."""
MOST_WINDOWS = 16
"""Windows that overlap are copied one by one up to so many along an axis."""
PADDED = 4
"""Segments are padded to the longest if that gives less than so many times their terms."""

Axes = Sequence[tuple[int, int]]
"""(size, step) of each axis."""


class Step(NamedTuple):
    """An instruction with the shape in which each operand is read, without the batch; `counts` of padded segments.

    A "segment_reduce" becomes a "reduce" whose operands are padded, or one for each number of terms.
    """

    instruction: Instruction
    shapes: tuple[tuple[int, ...], ...]
    counts: Any = None


class Evaluation:
    """A program, or a joint one, whose slots have been resolved; call it while JAX traces.

    Results of a step are a block, an array (results, batch), or (results, 1) without a batch axis. An operand is made
    of the blocks that hold its slots: slices, reshaped, where these are evenly spaced, gathered rows elsewhere.
    """

    def __init__(self, program: ProgramData) -> None:
        np, self.program = numpy(), program
        self._where = [np.full((2, size + 1), -1) for size in program.sizes]  # of each slot: its block, and where there
        self._sizes: tuple[list[int], list[int]] = ([], [])
        self._place(UNBATCHED, np.arange(len(program.parameter_order)), program.parameter_order)
        self._place(UNBATCHED, program.constant_slots)
        self._place(BATCHED, np.arange(program.inputs), program.input_order)
        self._place(BATCHED, program.ones)
        for seeds in program.seeds:
            self._place(seeds.space, seeds.slots)
        self.steps = tuple([step for i in program.instructions for step in _steps(i)])
        for step in self.steps:
            self._place(step.instruction.space, step.instruction.results.slots)

    def _place(self, space: int, slots: Any, order: Any = None) -> None:
        """Let the next block of a space hold these slots, in an order."""
        np, slots = numpy(), numpy().array(slots, numpy().intp)
        self._where[space][0, slots] = len(self._sizes[space])
        self._where[space][1, slots] = np.arange(len(slots)) if order is None else np.array(order, np.intp)
        self._sizes[space].append(len(slots))

    def __call__(
        self,
        compute: Callable[[Step, list[Any]], Any],
        parameters: Any,
        columns: Sequence[Any],
        seeds: Sequence[Any] = (),
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs (outputs, batch) and the cotangents, as `Engine.execute` has them.

        `compute` returns what a step makes of its operands: an array whose first axis is the results.
        """
        jnp, program = jax().numpy, self.program
        dtype, batch = parameters.dtype, columns[0].shape[0]
        rows = [column.reshape(batch, -1).T for column in columns]
        unbatched = [parameters[:, None], jnp.array(program.constants, dtype)[:, None]]
        batched = [rows[0] if len(rows) == 1 else jnp.concatenate(rows), jnp.ones((len(program.ones), batch), dtype)]
        blocks, known = (unbatched, batched), dict[Any, Any]()
        for operand, seed in zip(program.seeds, seeds):
            shape = (len(operand.slots), batch if operand.space == BATCHED else 1)
            array = jnp.asarray(seed, dtype)
            array = array if operand.space == BATCHED else array.reshape(-1, 1)
            blocks[operand.space].append(jnp.broadcast_to(array, shape))

        def read(operand: Operand, shape: tuple[int, ...]) -> Any:
            key = operand.key, shape
            if key not in known:
                known[key] = self._read(blocks[operand.space], operand, shape)
            return known[key]

        for step in self.steps:
            i = step.instruction
            found = compute(step, [read(operand, shape) for operand, shape in zip(i.operands, step.shapes)])
            shape = (i.size, batch if i.space == BATCHED else 1)
            found = jnp.asarray(found, dtype)
            found = found.reshape(shape) if found.size == i.size * shape[1] else jnp.broadcast_to(found, shape)
            blocks[i.space].append(found)
        outputs = [jnp.broadcast_to(read(y, (1,)), (1, batch)) for y in program.outputs]
        found = [read(c, (len(c.slots),)) for c in program.cotangents]
        return jnp.concatenate(outputs), tuple(
            [f if c.space == BATCHED else f[:, 0] for f, c in zip(found, program.cotangents)]
        )

    def _read(self, blocks: Sequence[Any], operand: Operand, shape: tuple[int, ...]) -> Any:
        """Return slots of a space as an array (*shape, batch), with 0 for `NOT_REACHED`."""
        np, jnp = numpy(), jax().numpy
        which, rows = self._where[operand.space][:, operand.slots]
        first = blocks[0]
        width = first.shape[-1]  # the batch, or 1
        ends = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(which)] if len(which) else [0]
        if len(ends) == 2 and which[0] >= 0:
            return self._view(blocks[which[0]], rows, shape)
        if len(ends) <= MOST_PARTS + 1:
            parts = [first[:0]]
            for a, b in pairwise(ends):
                is_zero = which[a] == NOT_REACHED
                zeros = jnp.zeros((b - a, width), first.dtype) if is_zero else None
                parts.append(zeros if is_zero else self._view(blocks[which[a]], rows[a:b], (b - a,)))
            return jnp.concatenate(parts).reshape(*shape, width)
        used = sorted(set(which.tolist()))
        starts = np.zeros(len(self._sizes[operand.space]) + 1, np.intp)
        parts, start = [], 0
        for block in used:
            part = jnp.zeros((1, width), first.dtype) if block < 0 else blocks[block]
            starts[block], start = start, start + len(part)
            parts.append(part)
        places = starts[which] + np.where(which < 0, 0, rows)
        return _gathered(jnp.concatenate(parts), places).reshape(*shape, width)

    @staticmethod
    def _view(block: Any, rows: Any, shape: tuple[int, ...]) -> Any:
        """Return rows of a block as an array (*shape, batch): as slices if they are evenly spaced."""
        found = cuts(rows)
        if found is not None:
            view = reading_of(BATCHED, rows, sizes_of([1, *found, len(rows)]), None, found).view
            array = _strided(block, view.start, list(zip(view.sizes, view.steps)))
            if array is not None:
                return array.reshape(*shape, block.shape[-1])
        return _gathered(block, rows).reshape(*shape, block.shape[-1])


def _gathered(block: Any, rows: Any) -> Any:
    return block.at[numpy().asarray(rows, numpy().int32)].get(mode="promise_in_bounds")


def _strided(block: Any, start: int, axes: Axes) -> Any:
    """Return block[start + Σ kᵢ stepᵢ] for all k as an array, by slices; None for windows that overlap too often."""
    jnp, sizes = jax().numpy, tuple([size for size, _ in axes])
    start += sum((size - 1) * step for size, step in axes if step < 0)
    kept = [axis for axis, (size, step) in enumerate(axes) if size > 1 and step]
    order = sorted(kept, key=lambda axis: -abs(axes[axis][1]))
    steps = [(axes[axis][0], abs(axes[axis][1])) for axis in order]
    array = _nested(block, 0, start, steps)
    if array is None:
        return None
    array = array.transpose(*[order.index(axis) for axis in kept], len(kept))
    turned = [k for k, axis in enumerate(kept) if axes[axis][1] < 0]
    array = jnp.flip(array, turned) if turned else array
    array = array.reshape(*[size if axis in kept else 1 for axis, size in enumerate(sizes)], block.shape[-1])
    return jnp.broadcast_to(array, (*sizes, block.shape[-1]))


def _nested(array: Any, axis: int, start: int, axes: Axes) -> Any:
    """Return the entries along an axis that lie `start` + Σ kᵢ stepᵢ from its beginning, the largest step first."""
    lax, length = jax().lax, array.shape[axis]
    if not axes:
        return lax.index_in_dim(array, start, axis, keepdims=False)
    (size, step), *inner = axes
    if not inner:
        return lax.slice_in_dim(array, start, start + (size - 1) * step + 1, step, axis)
    span = 1 + sum((n - 1) * s for n, s in inner)
    if span > step:  # windows that overlap
        chosen = min(range(len(axes)), key=lambda k: axes[k][0])
        count, gap = axes[chosen]
        if count > MOST_WINDOWS:
            return None
        rest = [*axes[:chosen], *axes[chosen + 1 :]]
        parts = [_nested(array, axis, start + k * gap, rest) for k in range(count)]
        return None if parts[0] is None else jax().numpy.stack(parts, axis + chosen)
    base = max(0, min(start, length - size * step))
    base = base if start - base + span <= step else start
    missing = base + size * step - length
    if missing > 0:
        array = lax.pad(
            array, jax().numpy.zeros((), array.dtype), [(0, missing * (k == axis), 0) for k in range(array.ndim)]
        )
    array = lax.slice_in_dim(array, base, base + size * step, 1, axis)
    array = array.reshape(*array.shape[:axis], size, step, *array.shape[axis + 1 :])
    return _nested(array, axis + 1, start - base, inner)


def _steps(i: Instruction) -> list[Step]:
    """Return the steps of an instruction."""
    n = i.size
    if i.kind == "elementwise":
        return [Step(i, ((n,),) * len(i.operands))]
    if i.kind == "matmul":
        count, rows, terms, columns = i.shape
        return [Step(i, ((count, rows, terms), (count, terms, columns)))]
    if i.kind == "reduce":
        results = n if i.wrt is None else n // i.terms
        adjoint = i.wrt is not None  # whose first operands are the cotangents and the output
        shapes = tuple([(results,) if adjoint and k < 2 else (results, i.terms) for k in range(len(i.operands))])
        return [Step(i, shapes)]
    return _segments(i)


def _segments(i: Instruction) -> list[Step]:
    """Return a "segment_reduce" as a "reduce" of padded segments, or as one for each number of terms."""
    np, counts = numpy(), numpy().repeat(i.counts, i.width)
    ends = np.cumsum(np.multiply(i.counts, i.width))
    first = (
        np.repeat(ends - np.multiply(i.counts, i.width), i.width).reshape(-1, i.width) + np.arange(i.width)
    ).ravel()

    def reduced(members: Any, counts_of: Any = None) -> Step:
        longest = int(counts[members].max())
        places = first[members][:, None] + i.width * np.arange(longest)
        is_term = np.arange(longest) < counts[members][:, None]
        operands = [
            Operand.of(o.space, np.where(is_term, o.slots.take(places, mode="clip"), NOT_REACHED).ravel())
            for o in i.operands
        ]
        part = replace(
            i,
            kind="reduce",
            terms=longest,
            counts=(),
            width=1,
            operands=tuple(operands),
            results=Operand.of(i.space, i.results.slots[members]),
        )
        return Step(part, ((len(members), longest),) * len(operands), counts_of)

    everything = np.arange(len(counts))
    if i.op.name in {"sum", "dot", "mean"} and len(counts) * counts.max() <= PADDED * counts.sum():
        return [reduced(everything, counts)]
    return [reduced(everything[counts == length]) for length in sorted(set(counts.tolist()))]
