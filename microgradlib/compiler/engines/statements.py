"""Statements of kernels as calls of NumPy."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from microgradlib.compiler.numpy_functions import is_finite, numpy

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.compiler.engines.buffers import Buffers

    Call = tuple[Callable[..., Any], tuple[Any, ...]]
    """A function and its arguments: what is run each time."""

__all__ = ["kernel_calls"]

LARGE: Final = 4096
"""From so many numbers on, sums of products are the quicker without the products written down."""

FEW: Final = 1.5
"""Below this sum of exponentials, of which the largest is 1, those of the others are added without it."""


def kernel_calls(
    buffers: Buffers, kernel: str, names: dict[str, Any], value: Any = None, kept: dict[str, Any] | None = None
) -> list[Call]:
    """Return the calls of a kernel's statements on arrays and numbers by name, `out` and its operands; see `kernels`.

    New arrays are scratch, those of upper case go to `kept`. `value()` writes what the op's own rule gives.
    """
    np, calls, out = numpy(), list[Any](), names["out"]
    operands = [array for name, array in names.items() if name != "out" and isinstance(array, np.ndarray)]
    if not any(np.may_share_memory(out, array) for array in operands):
        names = {**names, "w": out}
    for target, function, words in _parsed(kernel):
        inputs = [_named(names, word) for word in words]
        if function in {"maximum", "minimum"}:  # by arrays, which takes a third of the time that it takes by a number
            inputs = [names[word] if word in names else buffers.filled(float(word), out.shape) for word in words]
        if target.partition("[")[0] not in names:
            names = {**names, target: _new(buffers, target, function, inputs, kept)}
        found = _named(names, target)
        if function in {"rule", "exact"}:
            calls.append((_write_exact, (value, *inputs, found)) if inputs else (value, ()))
        elif function in _functions():
            calls.append((partial(_functions()[function], out=found), tuple(inputs)))
        else:
            calls.append((getattr(np, function), (*inputs, found)))
    return calls


@cache
def _parsed(kernel: str) -> list[tuple[str, str, list[str]]]:
    """Return the target, function and operands of each statement.

    >>> _parsed("w = exp x; out = multiply g w")
    [('w', 'exp', ['x']), ('out', 'multiply', ['g', 'w'])]
    """
    parts = [statement.partition(" = ") for statement in kernel.split("; ")]
    return [(target, words.split()[0], words.split()[1:]) for target, _, words in parts]


def _named(names: dict[str, Any], word: str) -> Any:
    """Return an array by its name, the first term of each row by "name[0]", or a number."""
    name, _, first = word.partition("[")
    found = names[name] if name in names else float(word)
    if isinstance(found, float):  # NumPy takes an array without axes quicker than Python's own number
        return numpy().array(found, names["out"].dtype)
    return found[..., :1, :] if first else found


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


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """Return the functions of kernels that are called with `out` by name; others are NumPy's with `out` as the last."""
    np = numpy()
    by_row = {"axis": -2, "keepdims": True}
    return {
        "maximum": np.maximum,
        "minimum": np.minimum,
        "sum": partial(np.add.reduce, **by_row),
        "max": partial(np.maximum.reduce, **by_row),
        "min": partial(np.minimum.reduce, **by_row),
        "sum_of_products": _sum_of_products,
        "all_but_one": _all_but_one,
        "logit_slopes": _logit_slopes,
    }


def _sum_of_products(x: Any, y: Any, *, out: Any) -> None:
    if x.size < LARGE:
        numpy().add.reduce(x * y, -2, None, out, True)
        return
    axes = list(range(x.ndim))
    numpy().einsum(x, axes, y, axes, [*axes[:-2], axes[-1]], out=out[..., 0, :])


def _write_exact(value: Any, found: Any, out: Any) -> None:
    """Write what was found, or by the table's rule if some number of it is not finite: a strong 0 · inf is 0."""
    if not is_finite(found):
        value()
    elif found is not out:
        out[...] = found


def _all_but_one(exponentials: Any, total: Any, *, out: Any) -> None:
    """Write the total of the exponentials without one of those that are 1; where few are left, their own sum."""
    np = numpy()
    np.subtract(total, 1.0, out)
    if np.minimum.reduce(total, None) < FEW:
        np.add.reduce(np.where(exponentials == 1.0, 0.0, exponentials), -2, None, out, True)
        out += np.add.reduce(exponentials == 1.0, -2, out.dtype, None, True) - 1.0


def _logit_slopes(*operands: Any, out: Any) -> None:
    """Write share (eᵢ Σ wⱼ) − othersᵢ, with othersᵢ = g wᵢ and share = g/total; eᵢ may be near the total.

    There, where few exponentials are left, it is share (eᵢ Σ_{j≠i} wⱼ − wᵢ (total − eᵢ)), the last from their sum.
    """
    np, (w, e, total, rest, share, others) = numpy(), operands
    weight = np.add.reduce(w, -2, None, None, True)
    if np.minimum.reduce(total, None) < FEW:
        np.subtract(1.0, e, others)
        np.add(others, rest, others)
        np.multiply(others, w, others)
        np.subtract(weight, w, out)
        np.multiply(out, e, out)
        np.subtract(out, others, out)
        np.multiply(out, share, out)
    else:
        np.multiply(share, weight, share)
        np.multiply(e, share, out)
        np.subtract(out, others, out)
