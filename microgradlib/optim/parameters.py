"""Check and set parameters, a list of leaf Values or one NumPy array, and check numbers of the same shape."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import check_order
from microgradlib._support.number import as_float, is_array
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from microgradlib.optim.types import Array

__all__ = ["checked_array", "checked_numbers", "checked_parameter_array", "checked_values", "numpy"]


@cache
def numpy() -> Any:
    """Return the NumPy module; called only where an array was passed, so NumPy is installed."""
    return import_optional("numpy", "an array of parameters")


def checked_values(parameters: Any) -> list[Value]:
    """Return the parameters as a list; a generator is consumed, a single Value gives a list of one.

    Raises `TypeError` for anything but Values; `ValueError` for an empty list, for a Value that is listed twice, and
    for one that was computed from others: only the number of a leaf can be set.

    >>> checked_values([])
    Traceback (most recent call last):
    ValueError: there are no parameters to change; pass model.parameters()
    """
    if isinstance(parameters, Value):
        parameters = [parameters]
    if isinstance(parameters, dict) or not hasattr(parameters, "__iter__"):
        message = f"parameters must be a list of Values, as in model.parameters(), got {shown(parameters)}"
        raise TypeError(message)
    check_order(parameters, "parameters", iterators=True)
    values = list(parameters)
    if not values:
        raise ValueError("there are no parameters to change; pass model.parameters()")
    for i, value in enumerate(values):
        _check_leaf(value, i)
    if len(set(values)) < len(values):
        first = {value: i for i, value in reversed(list(enumerate(values)))}
        i, value = next((i, value) for i, value in enumerate(values) if first[value] != i)
        message = f"parameters {first[value]} and {i} are the same Value {shown(value)}; list each once"
        raise ValueError(message)
    return values


def _check_leaf(value: Any, i: int) -> None:
    if is_array(value):
        raise TypeError("parameters must be a list of Values or one array, got a list of arrays; concatenate them")
    if not isinstance(value, Value):
        message = f"parameters must be leaf Values, got {shown(value)} at index {i}; pass model.parameters()"
        raise TypeError(message)
    if value.parents:
        message = f"parameter {i} was computed by {value.op}; only the number of a leaf can be set: {shown(value)}"
        raise ValueError(message)


def checked_parameter_array(array: Any) -> Array:
    """Return the array itself. Raises `TypeError` or `ValueError` unless it is a writeable NumPy array of floats."""
    if not isinstance(array, numpy().ndarray):
        message = f"an optimiser changes NumPy arrays in place, got {shown(array)}; pass numpy.array(...)"
        raise TypeError(message)
    if array.dtype.kind != "f":
        message = f"an optimiser changes arrays of floats, got dtype {array.dtype}; Values go in a list"
        raise TypeError(message)
    if not array.size:
        raise ValueError("there are no parameters to change: the array is empty")
    if not array.flags.writeable:
        raise ValueError("the array is read-only, but an optimiser changes it in place; pass array.copy()")
    return array  # type: ignore[no-any-return]


def checked_numbers(numbers: Any, length: int, name: str) -> list[float]:
    """Return a list, tuple or array of numbers as a list of floats.

    Raises `TypeError` for anything else, `ValueError` for another length.

    >>> checked_numbers([1, 2], 3, "the gradient")
    Traceback (most recent call last):
    ValueError: the gradient must have one number for each of 3 parameters, got 2
    """
    if is_array(numbers):
        numbers = numbers.tolist()
    if not isinstance(numbers, (list, tuple)):
        message = f"{name} must be a list or an array of {length} numbers, got {shown(numbers)}"
        raise TypeError(message)
    if len(numbers) != length:
        message = f"{name} must have one number for each of {length} parameters, got {len(numbers)}"
        raise ValueError(message)
    try:
        return [number if number.__class__ is float else as_float(number) for number in numbers]
    except TypeError as error:
        message = f"{name}: {error}"
        raise TypeError(message) from None


def checked_array(numbers: Any, like: Array, name: str) -> Any:
    """Return a new array with the numbers `numbers` and the dtype of `like`.

    Raises `TypeError` for anything but numbers, `ValueError` for a shape other than that of `like`.
    """
    try:
        given = numpy().asarray(numbers)
    except ValueError:
        message = f"{name} must be an array of {like.size} numbers, got lists of different lengths"
        raise TypeError(message) from None
    if given.dtype.kind not in "fiub":
        message = f"{name} must be an array of {like.size} numbers, got {shown(numbers)} of dtype {given.dtype}"
        raise TypeError(message)
    if given.shape != like.shape:
        message = f"{name} must have the shape of the parameters, {like.shape}, got {given.shape}"
        raise ValueError(message)
    return numpy().array(given, dtype=like.dtype)
