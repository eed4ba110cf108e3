"""Fast kernels: what the table's rules of some ops compute, as NumPy calls that write in place.

A test holds each to the table.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.numpy_functions import array_functions, is_finite, numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops import Op

    Step = tuple[Callable[..., Any], tuple[Any, ...]]

__all__ = ["Applied", "adjoint_steps", "constant_derivative", "forward_steps", "number_like"]


class Applied(NamedTuple):
    """An op on arrays: those of its inputs, of its result z, and of the gradient g of the result.

    `scratch` gives arrays for what only its own steps need; `kept` is what its forward steps leave to the adjoint's.
    """

    op: Op
    inputs: list[Any]
    z: Any
    scratch: Callable[..., Any]
    g: Any = None
    kept: dict[str, Any] = {}  # noqa: RUF012  of a reduction, by itself


def number_like(number: float, like: Any) -> Any:
    """Return a number as an array without axes, of the type of another: NumPy takes it quicker than Python's own."""
    return numpy().array(number, like.dtype)


def forward_steps(applied: Applied) -> list[Step]:
    """Return the steps that write op(*inputs), element by element, into z."""
    np = numpy()
    op, inputs, z, scratch, *_ = applied
    ufuncs = {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "exp": np.exp,
        "log": np.log, "tanh": np.tanh, "sqrt": np.sqrt, "abs": np.absolute, "sin": np.sin, "cos": np.cos,
    }  # fmt: skip
    if op.name in ufuncs:
        return [(ufuncs[op.name], (*map(_bare, inputs), z))]
    if op.name == "neg":
        return [(np.multiply, (inputs[0], number_like(-1.0, z), z))]  # np.negative has misread arrays with gaps
    if op.name == "strong_mul":
        return [(_strong_mul, (applied,))]
    if op.name == "relu":
        return [(partial(np.maximum, out=z), (number_like(0.0, z), inputs[0]))]
    if op.name in {"identity", "detach"}:
        return [(np.copyto, (z, inputs[0]))]
    if op.name == "pow" and op.settings == (2.0,):
        return [(np.square, (inputs[0], z))]
    if op.name == "pow" and op.settings == (-0.5,):
        return [(np.sqrt, (inputs[0], z)), (np.divide, (1.0, z, z)), (_write_where_not_finite, (applied,))]
    if op.name == "sigmoid":
        return _sigmoid(inputs[0], z, scratch)
    return [(_write_value, (applied,))]


def _bare(array: Any) -> Any:
    """Return an array of one number without its axes."""
    return array.reshape(()) if array.size == 1 else array


def _sigmoid(x: Any, z: Any, scratch: Callable[..., Any]) -> list[Step]:
    """σ(x) = 1/(1 + e) for x ≥ 0 and e/(1 + e) for x < 0, with e = exp(−|x|): the table's rule in place."""
    np = numpy()
    e, negative = scratch("e", z.shape, [z]), scratch("mask", z.shape, [z], bool)
    return [
        (np.absolute, (x, e)),
        (np.multiply, (e, -1.0, e)),
        (np.exp, (e, e)),
        (np.less, (x, 0.0, negative)),
        (np.copyto, (z, 1.0)),
        (partial(np.copyto, where=negative), (z, e)),
        (np.add, (e, 1.0, e)),
        (np.divide, (z, e, z)),
    ]


def _sigmoid_adjoint(g: Any, x: Any, out: Any, scratch: Callable[..., Any]) -> list[Step]:
    """Write g σ′(x) = g e/(1 + e)² with e = exp(−|x|), which keeps its digits where σ is 1."""
    np = numpy()
    square = scratch("e", out.shape, [out])
    return [
        (np.absolute, (x, out)),
        (np.multiply, (out, -1.0, out)),
        (np.exp, (out, out)),
        (np.add, (out, 1.0, square)),
        (np.multiply, (square, square, square)),
        (np.divide, (out, square, out)),
        (np.multiply, (g, out, out)),
    ]


def _strong_mul(applied: Applied) -> None:
    """Write x y; only where something is not finite can the zeros' strength show."""
    np = numpy()
    np.multiply(*applied.inputs, out=applied.z)
    if not is_finite(applied.z):
        _write_value(applied)


def _write_where_not_finite(applied: Applied) -> None:
    """Write the value of the table's rule if some number is not finite: √x differs from x^½ at −inf and −0."""
    if not is_finite(applied.z):
        _write_value(applied)


def _write_value(applied: Applied) -> None:
    applied.z[...] = applied.op.value(array_functions(), *applied.inputs, *applied.op.settings)


def constant_derivative(op: Op, index: int) -> float | None:
    """Return ∂op/∂(input `index`) if the rule gives a number whatever the inputs, as those of +, − and step do.

    >>> from microgradlib.ops import TABLE
    >>> constant_derivative(TABLE["sub"], 1), constant_derivative(TABLE["mul"], 1)
    (-1.0, None)
    """
    if not isinstance(op.derivatives, tuple):
        return None
    some = [numpy().full(1, 0.5) for _ in op.derivatives]
    with numpy().errstate(all="ignore"):
        d = op.derivatives[index](array_functions(), some[0], *some, *op.settings)
    return float(d) if isinstance(d, (int, float)) else None


def adjoint_steps(applied: Applied, index: int, out: Any) -> list[Step]:
    """Return the steps that write g · ∂op/∂(input `index`) into `out`, of the shape of g.

    The kernels agree with the table's rules wherever all numbers are finite.
    """
    np = numpy()
    op, inputs, z, scratch, g, _ = applied
    if op.name in {"mul", "strong_mul"}:
        return [(np.multiply, (g, inputs[1 - index], out))]
    if op.name == "relu":
        mask = scratch("mask", out.shape, [out], bool)
        return [(np.greater, (inputs[0], number_like(0.0, out), mask)), (np.multiply, (g, mask, out))]
    if op.name == "exp":
        return [(np.multiply, (g, z, out))]
    if op.name == "div" and index == 0:
        return [(np.divide, (g, inputs[1], out))]
    if op.name == "div":
        return [(np.multiply, (g, z, out)), (np.divide, (out, inputs[1], out)), (np.multiply, (out, -1.0, out))]
    if op.name == "tanh":
        return [
            (np.cosh, (inputs[0], out)),
            (np.divide, (1.0, out, out)),
            (np.square, (out, out)),
            (np.multiply, (g, out, out)),
        ]
    if op.name == "sigmoid":
        return _sigmoid_adjoint(g, inputs[0], out, scratch)
    if op.name == "pow" and op.settings == (2.0,):
        return [(np.multiply, (g, inputs[0], out)), (np.multiply, (out, 2.0, out))]
    if op.name == "pow" and op.settings:
        power = op.settings[0]
        return [(np.divide, (z, inputs[0], out)), (np.multiply, (out, power, out)), (np.multiply, (g, out, out))]
    if op.name == "sqrt":
        return [(np.divide, (g, z, out)), (np.multiply, (out, 0.5, out))]
    return [(_write_adjoint, (applied, index, out))]


def _write_adjoint(applied: Applied, index: int, out: Any) -> None:
    op, inputs, z, _, g, _ = applied
    out[...] = op.derivatives[index](array_functions(), z, *inputs, *op.settings) * g  # type: ignore[index]
