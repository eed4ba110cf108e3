"""Lowering: from a step of a plan, with its views of memory, to calls of NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.kernels import Call, kernel_calls, kernel_of
from microgradlib.compiler.engines.matmuls import matmul_calls
from microgradlib.compiler.instructions import Instruction
from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.compiler.planning.data import Rows, Step
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.ops import Op

__all__ = ["step_calls"]


def step_calls(buffers: Buffers, step: Step) -> list[Call]:
    """Return the calls of one step."""
    instruction, out, places = step.instruction, buffers.view(step.results), list[Any](step.operands)
    if instruction is None:
        return _gather(buffers, step, out)
    read = buffers.number_or_view if instruction.kind == "elementwise" else buffers.view
    arrays = [read(place) for place in places]
    if instruction.kind == "matmul":
        return matmul_calls(buffers, instruction, arrays, out)
    if instruction.kind == "segment_reduce":
        return _segment_reduce(instruction, arrays, out)
    if instruction.sums_batch:
        return [(numpy().add.reduce, (arrays[0], (-2, -1), None, out, True))]
    return (_elementwise if instruction.kind == "elementwise" else _reduce)(buffers, instruction, arrays, out)


def _gather(buffers: Buffers, step: Step, out: Any) -> list[Call]:
    """Copy rows, or an even grid of them, to rows that follow one another.

    NumPy makes two more copies where the span of what is read overlaps what is written.
    """
    np, [place] = numpy(), step.operands
    if not isinstance(place, Rows):
        return [(np.copyto, (out.reshape(*place.sizes, -1), buffers.view(place)))]
    whole, target = buffers.whole[place.space], out.reshape(len(place.rows), -1)
    for zero in (len(whole) - 1, 0):
        rows = np.where(place.rows == len(whole) - 2, zero, place.rows + 1)
        source = whole[rows.min() : rows.max() + 1]
        if not np.may_share_memory(source, target):
            break
    return [(source.take, (rows - rows.min(), 0, target, "clip"))]


def _elementwise(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Run an op's kernel on arrays (…, batch), or the adjoint's; its own rule where there is none."""
    op, wrt, reads, names = instruction.op, instruction.wrt, instruction.reads, {"out": out}
    if op.settings:
        names["p"] = buffers.filled(op.settings[0], ())
    if wrt is None:
        names |= zip("xy", arrays)
        return kernel_calls(buffers, kernel_of(op, wrt), names, partial(_write_value, op, arrays, out))
    g, *read = arrays
    names |= {"g": g, **{"zxy"[place]: array for place, array in zip(reads, read) if place < 3}}
    rule = partial(_write_adjoint, op, wrt, g, rule_arguments(op, reads, read), out)
    return kernel_calls(buffers, kernel_of(op, wrt), names, rule)


def _reduce(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Reduce (…, terms, batch) to (…, 1, batch), or from there write the adjoints of the terms.

    An adjoint reads what its forward kernel kept. Where there is nothing, as only some of the results were reached or
    lie otherwise, it is computed by its rule.
    """
    op, wrt, statements = instruction.op, instruction.wrt, kernel_of(instruction.op, instruction.wrt)
    g, z, *terms = arrays if wrt is not None else (None, out, *arrays)
    rows = [x[..., i, :] for x in terms for i in range(x.shape[-2])]
    names = {"out": out, "n": buffers.filled(instruction.terms, ()), **dict(zip("xy", terms))}
    if " y" in statements and len(terms) == 1:  # inputs that are no pairs, as their number is odd
        statements = ""
    if wrt is None:
        calls = kernel_calls(buffers, statements, names, partial(_write_value, op, rows, out[..., 0, :]))
        residuals = {name: array for name, array in names.items() if name.isupper()}
        buffers.residuals[instruction.results, terms[0].shape] = residuals
        return calls
    residuals = buffers.residuals.get((instruction.operands[1], terms[0].shape)) or {}
    if not (residuals or statements.islower()):
        statements = ""
    rule = partial(_write_adjoints, op, wrt * instruction.terms, g, z, rows, out=out)
    return kernel_calls(buffers, statements, {**names, **residuals, "g": g, "z": z}, rule)


def _segment_reduce(instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Reduce (terms, width, batch) to (segments, width, batch)."""
    np, name, counts = numpy(), instruction.op.name, numpy().array(instruction.counts)
    ufunc = getattr(np, name) if name in {"maximum", "minimum"} else np.add
    starts, calls = np.cumsum(counts) - counts, list[Any]()
    x = arrays[0]
    if len(arrays) > 1:
        x = np.empty(np.broadcast_shapes(x.shape, arrays[1].shape), x.dtype)
        calls.append((np.multiply, (*arrays, x)))
    calls.append((ufunc.reduceat, (x, starts, 0, None, out)))
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
