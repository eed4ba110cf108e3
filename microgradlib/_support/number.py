"""Convert numbers to float, and classify operands by their class."""

from __future__ import annotations

import sys
from numbers import Integral, Real
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType
from typing import Any

from microgradlib._support.shown import shown

__all__ = [
    "PLAIN_NUMBERS", "as_float", "as_operand", "as_point", "holds_elements", "is_array", "is_foreign", "is_one_number",
    "is_whole", "number_at", "refuse_of_another_graph",
]  # fmt: skip

PLAIN_NUMBERS: frozenset[Any] = frozenset({float, int, bool})
"""The classes of number that hot paths accept without further checks."""


_NO_OPERANDS = (
    Real, str, bytes, complex, list, tuple, dict, set, frozenset, range, type(None), FunctionType,
    BuiltinFunctionType, MethodType, GeneratorType,
)  # fmt: skip
"""Classes that have no operators with a Value of their own: what is no number among them is refused."""


def as_float(number: Any) -> float:
    """Return `number` as a float: an int, float, bool, Fraction, NumPy scalar or one-element array.

    Raises `TypeError` for anything else (text, complex numbers, lists, arrays of several elements, PyTorch's tensors
    with a graph), and `OverflowError` for an integer beyond the range of a float.

    >>> from fractions import Fraction
    >>> as_float(Fraction(1, 4))
    0.25
    """
    if number.__class__ in PLAIN_NUMBERS or isinstance(number, Real):
        try:
            return float(number)
        except OverflowError:
            message = f"a number of class {type(number).__name__} is too large for a float: pass float('inf') instead"
            raise OverflowError(message) from None
        except TypeError:  # NumPy's durations, which are among its integers
            pass
    if hasattr(number, "mask") and hasattr(number, "filled"):  # nodes may have an attribute mask of their own
        raise TypeError("a masked number is none: pass array.filled(…) or array.compressed()")
    refuse_of_another_graph(number)
    item = getattr(number, "item", None)  # NumPy's bools and arrays, tensors of other libraries
    if callable(item):
        try:
            inner = item()
        except (ValueError, RuntimeError, TypeError):
            inner = number
        if inner is not number:
            return as_float(inner)
    raise TypeError(_not_a_number_message(number))


def as_operand(x: Any) -> Any:
    """Return a node unchanged, a number as a float. Raises as `as_float`.

    Whatever computes with Python's operators converts its numbers first: those of NumPy's would be computed in their
    own class, where 100 − 200 is 156 (uint8), or to eight digits (float32).

    >>> as_operand(3)
    3.0
    """
    return x if x.__class__ is float or hasattr(type(x), "__apply_op__") else as_float(x)


def refuse_of_another_graph(thing: Any) -> None:
    """Raise `TypeError` for a number or array that PyTorch or JAX follows: their gradient would end here, unheard."""
    if getattr(thing, "requires_grad", False) is True:
        message = (
            f"expected a real number, got {shown(thing)}, which requires grad: nothing flows back to it from here; "
            "write tensor.item() for its number, or torch_loss (microgradlib.interop) for a function in PyTorch's graph"
        )
        raise TypeError(message)
    if isinstance(thing, getattr(sys.modules.get("jax.core"), "Tracer", ())):
        message = (
            f"expected a real number, got {type(thing).__name__}, which JAX follows: nothing flows back to it from "
            "here; jax_loss (microgradlib.interop) and fast.as_function('jax') give functions that JAX differentiates"
        )
        raise TypeError(message)


def _not_a_number_message(number: Any) -> str:
    given = shown(number)
    if not given.startswith(("a ", "the ", type(number).__name__)) and number is not None:
        given = f"{type(number).__name__} {given}"
    if number is None:
        advice = "a function that ends without return gives None"
    elif isinstance(number, complex):
        advice = "only real numbers are supported: pass .real or .imag"
    elif isinstance(number, (str, bytes)):
        advice = "convert it first, as in float(text)"
    elif hasattr(type(number), "__apply_op__"):
        advice = "write v.data for its number, v.detach() for a leaf of the same number, or v itself"
    elif hasattr(number, "__len__"):
        advice = "make one Value for each element, as in [Value(x) for x in numbers]"
    else:
        advice = "pass an int, float, bool, Fraction or NumPy scalar"
    return f"expected a real number, got {given}; {advice}"


def is_whole(number: Any) -> bool:
    """Return whether the class of `number` is an integer class: int or one of NumPy's, but not bool.

    >>> is_whole(3), is_whole(3.0), is_whole(True)
    (True, False, False)
    """
    return isinstance(number, Integral) and hasattr(number, "__index__") and not isinstance(number, bool)


def is_array(operand: Any) -> bool:
    """Return whether `operand` is an array with at least one axis: NumPy's, or another class with `__array__`."""
    return hasattr(operand, "__array__") and bool(getattr(operand, "shape", ()))


def holds_elements(operand: Any) -> bool:
    """Return whether operators go element by element: an array with at least one axis, or any array of objects."""
    return hasattr(operand, "__array__") and (bool(getattr(operand, "shape", ())) or operand.dtype == "O")


def is_foreign(operand: Any) -> bool:
    """Return whether `operand` is of an unknown class, which may itself define operators with a Value.

    Operators return `NotImplemented` for such operands, so that Python calls the operator of the other class.
    """
    return not (
        isinstance(operand, _NO_OPERANDS)
        or hasattr(operand, "__apply_op__")
        or hasattr(operand, "__array__")
        or callable(getattr(operand, "item", None))
    )


def is_one_number(thing: Any) -> bool:
    """Return whether `thing` is a number, a node or an array without axes, not a list or anything else of several.

    >>> is_one_number(1.0), is_one_number([1.0]), is_one_number("1")
    (True, False, False)
    """
    if isinstance(thing, (Real, complex)) or hasattr(type(thing), "__apply_op__"):
        return True
    return getattr(thing, "shape", None) == () and hasattr(thing, "item")


def as_point(xs: Any) -> list[float]:
    """Return the numbers at which a function of several numbers is looked at, one for each of its arguments.

    A single number stands for a list of one, a Value for its number. Raises `TypeError` for anything else.

    >>> as_point((1, 2.5)), as_point(3)
    ([1.0, 2.5], [3.0])
    """
    if is_one_number(xs):
        return [number_at(xs)]
    if isinstance(xs, (str, bytes, dict, set, frozenset)) or not hasattr(xs, "__iter__"):
        message = f"expected a list of numbers, one for each argument of f, got {shown(xs)}; write [x] for one argument"
        raise TypeError(message)
    numbers = list(xs)
    for i, x in enumerate(numbers):
        if isinstance(x, (list, tuple)) or is_array(x):
            message = (
                f"expected a list of numbers, one for each argument of f, got {shown(x)} at index {i}; if f takes one "
                "list, write lambda *xs: f(xs)"
            )
            raise TypeError(message)
    return [number_at(x) for x in numbers]


def number_at(x: Any) -> float:
    """Return a number, or that of a Value, as a float. Raises as `as_float`, for a Symbol `SymbolHasNoValueError`."""
    return float(x.data) if hasattr(type(x), "__apply_op__") else as_float(x)
