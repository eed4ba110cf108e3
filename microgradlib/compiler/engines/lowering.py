"""Lowering: from a step of a plan, with its views of memory, to calls of NumPy."""

from __future__ import annotations

from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from microgradlib.compiler.engines.kernels import kernel_of
from microgradlib.compiler.numpy_functions import array_functions, is_finite, numpy
from microgradlib.compiler.slopes import rule_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.engines.buffers import Buffers
    from microgradlib.compiler.instructions import Instruction
    from microgradlib.ops import Op

    Call = tuple[Callable[..., Any], tuple[Any, ...]]
    """A function and its arguments: what is run each time."""

__all__ = ["elementwise_calls", "reduction_calls", "segment_calls"]

LARGE: Final = 4096
"""From so many numbers on, sums of products are the quicker without the products written down."""

LARGE_RUN: Final = 1024
"""Runs of segments of one length are reduced in a call each where they have so many numbers on average."""

FEW: Final = 1.5
"""Below this sum of exponentials, of which the largest is 1, those of the others are added without it."""


def elementwise_calls(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Return the calls of an elementwise instruction or adjoint: its kernel's, or one of the table's rule."""
    op, wrt, kernel = instruction.op, instruction.wrt, kernel_of(instruction.op)
    if wrt is None:
        value = partial(_write_value, op, arrays, out)
        if kernel is None:
            return [(value, ())]
        return _calls(buffers, kernel.forward, dict(zip("xy", arrays)), out, op, value)
    g, *read = arrays
    if kernel is not None and wrt < len(kernel.adjoints) and set(kernel.reads(wrt)) <= set(instruction.reads):
        names = {"zxy"[place]: array for place, array in zip(instruction.reads, read)}
        return _calls(buffers, kernel.adjoints[wrt], {"g": g, **names}, out, op)
    return [(_write_adjoint, (op, wrt, g, rule_arguments(op, instruction.reads, read), out))]


def reduction_calls(
    buffers: Buffers, instruction: Instruction, position: int, arrays: list[Any], out: Any
) -> list[Call]:
    """Return the calls of a "reduce" or its adjoint, of arrays (…, terms, batch) and (…, 1, batch).

    An adjoint reads what its forward kernel kept. Where there is nothing, or not of the same rows, as only some results
    were reached or lie otherwise, it computes that again.
    """
    op, wrt, kernel = instruction.op, instruction.wrt, kernel_of(instruction.op)
    if instruction.sums_batch:
        return _sum_over_batch(buffers, arrays[0], out)
    arrays = [numpy().broadcast_to(x, (*x.shape[:-1], out.shape[-1])) for x in arrays]
    g, z, *terms = arrays if wrt is not None else (None, out, *arrays)
    rows = [x[..., i, :] for x in terms for i in range(x.shape[-2])]
    value = partial(_write_value, op, rows, z[..., 0, :])
    names = {"x": terms[0], "y": terms[-1], "n": _number(instruction.terms, out)}
    if kernel is None or (len(terms) == 1 and "y" in kernel.forward.split()):
        return [(value, ())] if wrt is None else [(_write_adjoints, (op, rows, g, z, wrt * instruction.terms, out))]
    if wrt is None:
        kept = buffers.kept[position] = {"results": instruction.results}
        return _calls(buffers, kernel.forward, names, out, op, value, kept)
    kept, calls = buffers.kept.get(instruction.forward, {}), []
    if kept.get("results") != instruction.operands[1] or kept.get("E", terms[-1]).shape != terms[-1].shape:
        kept, again = {}, buffers.scratch("z", z)
        calls = _calls(
            buffers, kernel.forward, names, again, op, partial(_write_value, op, rows, again[..., 0, :]), kept
        )
    return [*calls, *_calls(buffers, kernel.adjoints[wrt], {**names, **kept, "g": g, "z": z}, out, op)]


def segment_calls(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Return the calls of a "segment_reduce": of arrays (terms, width, batch) to (segments, width, batch)."""
    np, calls, name = numpy(), list[Any](), instruction.op.name
    x, *others = [np.broadcast_to(x, (*x.shape[:-1], out.shape[-1])) for x in arrays]
    counts = np.array(instruction.counts)
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


def _sum_over_batch(buffers: Buffers, x: Any, out: Any) -> list[Call]:
    """Write Σ x over terms and batch, as a product with a column of ones."""
    np, calls = numpy(), list[Any]()
    if x.shape[-2] > 1:
        summed = buffers.scratch("summed", x[..., :1, :])
        calls.append((np.add.reduce, (x, -2, None, summed, True)))
        x = summed
    return [*calls, (np.matmul, (x[..., 0, :], buffers.ones, out[..., 0, :]))]


def _calls(
    buffers: Buffers, kernel: str, names: dict[str, Any], out: Any, op: Op, value: Any = None, kept: Any = None
) -> list[Call]:
    """Return the calls of a kernel's statements on arrays by name; new arrays are scratch, or go to `kept`.

    `value` writes what the table's rule gives.
    """
    np = numpy()
    shared = any(np.may_share_memory(out, array) for array in names.values())
    names = {**names, "out": out, **({} if shared else {"w": out})}
    if op.settings:
        names["p"] = _number(op.settings[0], out)
    calls: list[Call] = []
    for target, function, words in _statements(kernel):
        inputs = [_named(names, word, out) for word in words]
        if target.partition("[")[0] not in names:
            names[target] = _new(buffers, target, function, inputs, kept)
        found = _named(names, target, out)
        if function in FUNCTIONS:
            calls += FUNCTIONS[function](buffers, inputs, found, value)
        else:
            calls.append((getattr(np, function), (*inputs, found)))
    return calls


@cache
def _statements(kernel: str) -> list[tuple[str, str, list[str]]]:
    """Return the target, function and operands of each statement.

    >>> _statements("w = exp x; out = multiply g w")
    [('w', 'exp', ['x']), ('out', 'multiply', ['g', 'w'])]
    """
    found = []
    for statement in kernel.split("; "):
        target, _, expression = statement.partition(" = ")
        function, *words = expression.split()
        found.append((target, function, words))
    return found


def _named(names: dict[str, Any], word: str, like: Any) -> Any:
    """Return an array by its name, the first term of each row by "name[0]", or a number."""
    name, _, first = word.partition("[")
    if name not in names:
        return _number(float(word), like)
    return names[name][..., :1, :] if first else names[name]


def _number(number: float, like: Any) -> Any:
    """Return a number as an array without axes, of the type of another: NumPy takes it quicker than Python's own."""
    return numpy().array(number, like.dtype)


def _new(buffers: Buffers, target: str, function: str, inputs: list[Any], kept: dict[str, Any] | None) -> Any:
    """Return an array for the result of a function, in memory as an operand of its shape."""
    np = numpy()
    if function in {"sum", "max", "all_but_one"}:
        like = inputs[0][..., :1, :]
    else:
        shape = np.broadcast_shapes(*[x.shape for x in inputs])
        like = next((x for x in inputs if x.shape == shape), inputs[0])
    if target.isupper() and kept is not None:
        kept[target] = np.empty_like(like)
        return kept[target]
    return buffers.scratch(target, like, bool if function == "greater" else None)


def _reduced(name: str) -> Any:
    return lambda _, inputs, out, value: [(getattr(numpy(), name).reduce, (inputs[0], -2, None, out, True))]


def _bounded(name: str) -> Any:
    return lambda _, inputs, out, value: [(partial(getattr(numpy(), name), out=out), tuple(inputs))]


def _sum_of_products(buffers: Buffers, inputs: list[Any], out: Any, _value: Any) -> list[Call]:
    x, y = inputs
    if x.size >= LARGE:
        axes = list(range(x.ndim))
        return [(partial(numpy().einsum, out=out[..., 0, :]), (x, axes, y, axes, [*axes[:-2], axes[-1]]))]
    products = buffers.scratch("products", x)
    return [(numpy().multiply, (x, y, products)), (numpy().add.reduce, (products, -2, None, out, True))]


FUNCTIONS: Final[dict[str, Callable[[Buffers, list[Any], Any, Any], list[Call]]]] = {
    "copy": lambda _, inputs, out, value: [(numpy().copyto, (out, inputs[0]))],
    "maximum": _bounded("maximum"),
    "minimum": _bounded("minimum"),
    "sum": _reduced("add"),
    "max": _reduced("maximum"),
    "min": _reduced("minimum"),
    "sum_of_products": _sum_of_products,
    "rule": lambda _, inputs, out, value: [(value, ())],
    "exact": lambda _, inputs, out, value: [(_write_exact, (value, inputs[0], out))],
    "all_but_one": lambda _, inputs, out, value: [(_write_all_but_one, (*inputs, out))],
    "logit_slopes": lambda buffers, inputs, out, value: [
        (_write_logit_slopes, (*inputs, buffers.scratch("share", inputs[0]), buffers.scratch("others", out), out))
    ],
}
"""The functions of kernels that are not ufuncs of NumPy called with their operands and `out`."""


def _write_value(op: Op, inputs: Sequence[Any], out: Any) -> None:
    out[...] = op.value(array_functions(), *inputs, *op.settings)


def _write_adjoint(op: Op, wrt: int, g: Any, arguments: Sequence[Any], out: Any) -> None:
    out[...] = op.derivatives[wrt](array_functions(), *arguments, *op.settings) * g  # type: ignore[index]


def _write_adjoints(op: Op, rows: Sequence[Any], g: Any, z: Any, first: int, out: Any) -> None:
    """Write the adjoints of the terms from the `first` on."""
    derivatives = op.differentiate(array_functions(), z[..., 0, :], *rows)
    for i in range(out.shape[-2]):
        out[..., i, :] = derivatives[first + i] * g[..., 0, :]


def _write_exact(value: Any, found: Any, out: Any) -> None:
    """Write what was found, or by the table's rule if some number of it is not finite: a strong 0 · inf is 0."""
    if not is_finite(found):
        value()
    elif found is not out:
        out[...] = found


def _write_all_but_one(exponentials: Any, total: Any, out: Any) -> None:
    """Write the total of the exponentials without one of those that are 1; where few are left, their own sum."""
    np = numpy()
    np.subtract(total, 1.0, out)
    if np.minimum.reduce(total, None) < FEW:
        np.add.reduce(np.where(exponentials == 1.0, 0.0, exponentials), -2, None, out, True)
        out += np.add.reduce(exponentials == 1.0, -2, out.dtype, None, True) - 1.0


def _write_logit_slopes(g: Any, w: Any, e: Any, total: Any, rest: Any, share: Any, others: Any, out: Any) -> None:
    """Write g (pᵢ Σ wⱼ − wᵢ), with p = e/total; pᵢ may be near 1 where few exponentials are left.

    There it is g (pᵢ Σ_{j≠i} wⱼ − wᵢ (1 − pᵢ)), with 1 − pᵢ from the sum of the others.
    """
    np = numpy()
    weight = np.add.reduce(w, -2, None, None, True)
    np.divide(g, total, share)
    if np.minimum.reduce(total, None) < FEW:
        np.subtract(1.0, e, others)
        np.add(others, rest, others)
        np.multiply(others, w, others)
        np.subtract(weight, w, out)
        np.multiply(out, e, out)
        np.subtract(out, others, out)
        np.multiply(out, share, out)
        return
    np.multiply(share, weight, share)
    np.multiply(e, share, out)
    np.multiply(w, g, others)
    np.subtract(out, others, out)
