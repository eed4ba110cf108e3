"""Lowering: from a step of a plan, with its views of memory, to calls of NumPy."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from microgradlib.compiler.engines.kernels import kernel_of
from microgradlib.compiler.engines.matmuls import matmul_calls
from microgradlib.compiler.engines.statements import kernel_calls
from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.compiler.planning.data import Rows
from microgradlib.compiler.slopes import rule_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.engines.buffers import Buffers
    from microgradlib.compiler.engines.statements import Call
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.compiler.planning.data import Step
    from microgradlib.ops import Op

__all__ = ["step_calls"]

LARGE_RUN: Final = 1024
"""Runs of segments of one length are reduced in a call each where they have so many numbers on average."""


def step_calls(buffers: Buffers, step: Step) -> list[Call]:
    """Return the calls of one step."""
    instruction, out, places = step.instruction, buffers.view(step.results), list[Any](step.operands)
    if instruction is None:
        return _gather(buffers, step, out)
    if instruction.kind == "elementwise":
        return _elementwise(buffers, instruction, [buffers.scalar_or_view(place) for place in places], out)
    arrays = [buffers.view(place) for place in places]
    if instruction.kind == "reduce":
        return _reduce(buffers, instruction, step.position, arrays, out)
    lower = matmul_calls if instruction.kind == "matmul" else _segment_reduce
    return lower(buffers, instruction, arrays, out)


def _gather(buffers: Buffers, step: Step, out: Any) -> list[Call]:
    """Copy rows, or an even grid of them, to rows that follow one another.

    Where the span of what is read overlaps that of what is written, NumPy would copy the latter twice more.
    """
    [place] = step.operands
    if not isinstance(place, Rows):
        return [(numpy().copyto, (out.reshape(*place.sizes, -1), buffers.view(place)))]
    np, whole, rows = numpy(), buffers.whole[place.space], 1 + place.rows
    padding = rows == len(whole) - 1
    low, high = rows[~padding].min(), rows[~padding].max() + 1
    if padding.any() and step.results.start >= high - 1:
        low, rows = 0, np.where(padding, 0, rows)
    elif padding.any():
        high = len(whole)
    source, target = whole[low:high], out.reshape(len(rows), -1)
    overlap = np.may_share_memory(source, target)
    found = buffers.scratch("gathered", target) if overlap else target
    calls: list[Call] = [(source.take, (rows - low, 0, found, "clip"))]
    return [*calls, (np.copyto, (target, found))] if overlap else calls


def _elementwise(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Run an op's kernel on arrays (…, batch), or the adjoint's; its own rule where there is none."""
    op, wrt, reads, kernel = instruction.op, instruction.wrt, instruction.reads, kernel_of(instruction.op)
    names = {"out": out, "p": op.settings[0]} if op.settings else {"out": out}
    if wrt is None:
        value = partial(_write_value, op, arrays, out)
        return (
            kernel_calls(buffers, kernel.forward, names | dict(zip("xy", arrays)), value) if kernel else [(value, ())]
        )
    g, *read = arrays
    if kernel is None or wrt >= len(kernel.adjoints) or not set(kernel.reads(wrt)) <= set(reads):
        return [(_write_adjoint, (op, wrt, g, rule_arguments(op, reads, read), out))]
    names |= {"g": g, **{"zxy"[place]: array for place, array in zip(reads, read) if place < 3}}
    return kernel_calls(buffers, kernel.adjoints[wrt], names)


def _reduce(buffers: Buffers, instruction: Instruction, position: int, arrays: list[Any], out: Any) -> list[Call]:
    """Reduce (…, terms, batch) to (…, 1, batch), or from there write the adjoints of the terms.

    An adjoint reads what its forward kernel kept. Where there is nothing, or not of the same rows, as only some results
    were reached or lie otherwise, it computes that again.
    """
    if instruction.sums_batch:
        return _sum_over_batch(buffers, arrays[0], out)
    op, wrt, kernel = instruction.op, instruction.wrt, kernel_of(instruction.op)
    arrays = [numpy().broadcast_to(x, (*x.shape[:-1], out.shape[-1])) for x in arrays]
    g, z, *terms = arrays if wrt is not None else (None, out, *arrays)
    rows = [x[..., i, :] for x in terms for i in range(x.shape[-2])]
    if kernel is None or len(terms) < kernel.operands or len(kernel.adjoints) < (0 if wrt is None else wrt + 1):
        if wrt is None:
            return [(_write_value, (op, rows, out[..., 0, :]))]
        return [(partial(_write_adjoints, out=out), (op, wrt * instruction.terms, g, z, rows))]
    names, kept = {"x": terms[0], "y": terms[-1], "n": float(instruction.terms)}, {"results": instruction.results}

    def forward(z: Any) -> list[Call]:
        value = partial(_write_value, op, rows, z[..., 0, :])
        return kernel_calls(buffers, kernel.forward, {**names, "out": z}, value, kept)

    if wrt is None:
        buffers.kept[position] = kept
        return forward(out)
    known, calls = buffers.kept.get(instruction.forward, {}), list[Any]()
    if known.get("results") == instruction.operands[1] and known.get("E", terms[-1]).shape == terms[-1].shape:
        kept = known
    else:
        calls = forward(buffers.scratch("again", z))
    return [*calls, *kernel_calls(buffers, kernel.adjoints[wrt], {**names, **kept, "g": g, "z": z, "out": out})]


def _sum_over_batch(buffers: Buffers, x: Any, out: Any) -> list[Call]:
    """Write Σ x over terms and batch, as a product with a column of ones."""
    np = numpy()
    if x.shape[-2] > 1:
        return [(np.add.reduce, (x, (-2, -1), None, out, True))]
    return [(np.matmul, (x[..., 0, :], buffers.ones, out[..., 0, :]))]


def _segment_reduce(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Reduce (terms, width, batch) to (segments, width, batch)."""
    np, calls, name, counts = numpy(), list[Any](), instruction.op.name, numpy().array(instruction.counts)
    x, *others = [np.broadcast_to(x, (*x.shape[:-1], out.shape[-1])) for x in arrays]
    if others:
        products = buffers.scratch("products", x)
        calls.append((np.multiply, (x, others[0], products)))
        x = products
    ufunc = getattr(np, name) if name in {"maximum", "minimum"} else np.add
    starts, cuts = np.cumsum(counts) - counts, [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(counts)]
    if x.size < LARGE_RUN * len(cuts):
        calls.append((ufunc.reduceat, (x, starts, 0, None, out)))
    else:
        for first, last in pairwise(cuts):
            terms = x[starts[first] :][: counts[first] * (last - first)]
            calls.append((ufunc.reduce, (terms.reshape(last - first, -1, *x.shape[1:]), 1, None, out[first:last])))
    if name == "mean":
        calls.append((np.divide, (out, counts[:, None, None].astype(out.dtype), out)))
    return calls


def _write_value(op: Op, inputs: Sequence[Any], out: Any) -> None:
    out[...] = op.value(array_functions(), *inputs, *op.settings)


def _write_adjoint(op: Op, wrt: int, g: Any, arguments: Sequence[Any], out: Any) -> None:
    out[...] = op.derivatives[wrt](array_functions(), *arguments, *op.settings) * g  # type: ignore[index]


def _write_adjoints(op: Op, first: int, g: Any, z: Any, rows: Sequence[Any], *, out: Any) -> None:
    """Write the adjoints of the terms from the `first` on."""
    derivatives = op.differentiate(array_functions(), z[..., 0, :], *rows)
    for i in range(out.shape[-2]):
        out[..., i, :] = derivatives[first + i] * g[..., 0, :]
