"""What a call is given: rows of numbers as columns, parameters as one array, both in the precision of the program."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NoReturn

from microgradlib._support.number import refuse_of_another_graph
from microgradlib._support.shown import shown
from microgradlib.compiler.numpy_functions import as_column, numpy
from microgradlib.core.value import Value

__all__ = ["Parameters", "columns_of", "refuse_names", "rounded", "signs_of"]


def columns_of(arguments: tuple[Any, ...], dtype: Any) -> tuple[list[Any], tuple[tuple[int, ...], ...]]:
    """Return each argument as an array (batch,) or (batch, numbers), and the shape of one row of each.

    Raises `ValueError` where the batches differ, are empty, or rows are of different lengths, `TypeError` for what is
    no array of numbers.

    >>> columns, shapes = columns_of(([[[1.0, 2.0]], [[3.0, 4.0]]], [5, 6]), float)
    >>> [column.tolist() for column in columns], shapes
    ([[[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]], ((1, 2), ()))
    """
    arrays = [_numbers_of(argument, i, dtype) for i, argument in enumerate(arguments)]
    batches = {array.shape[:1] for array in arrays}
    if not batches:
        raise TypeError("a compiled function is called with the arrays or lists of a batch, but got no argument")
    if () in batches:
        raise ValueError(
            "each argument is an array or list whose first axis is the batch, got a single number: for a batch of one "
            "example write [x]"
        )
    if len(batches) > 1 or (0,) in batches:
        message = f"the arguments hold {[len(array) for array in arrays]} examples: give equally many, at least one"
        raise ValueError(message)
    shapes = tuple([array.shape[1:] for array in arrays])
    return list(map(as_column, arrays)), shapes


def refuse_names(named: Iterable[str]) -> NoReturn:
    """Raise `TypeError` for arguments that are given by name."""
    given = ", ".join(f"{name}=…" for name in named)
    message = f"a compiled function takes its batches by position, as in fast(X, y), but was called with {given}"
    raise TypeError(message)


signs_of = attrgetter("__class__", "dtype", "shape")
"""What an array is like: a tuple that is the same for arguments that can be taken in the same way."""


def _numbers_of(argument: Any, i: int, dtype: Any) -> Any:
    if type(argument) is numpy().ndarray and argument.dtype is dtype:
        return argument
    masked = sys.modules.get("numpy.ma")  # not imported for this: it takes 10 ms
    if masked is not None and isinstance(argument, masked.MaskedArray):
        message = f"argument {i} is a masked array, whose mask would be lost: give filled(...) numbers, or weights of 0"
        raise TypeError(message)
    refuse_of_another_graph(argument)
    try:
        array = numpy().asarray(argument)
    except (ValueError, TypeError):
        message = (
            f"argument {i} is no array of numbers: its rows differ in length{_lengths(argument)}. Pad them to one "
            f"length, with weights of 0 for what is added, or call the function once for each length"
        )
        raise ValueError(message) from None
    if array.dtype.kind == "O" and all(isinstance(x, (float, int)) for x in array.flat):
        if hasattr(argument, "dtype"):
            message = f"argument {i} is no array of numbers, but one of objects: give array.astype(float)"
            raise TypeError(message)
        try:  # integers of more than 64 bits
            array = array.astype(float)
        except OverflowError:
            message = f"argument {i} has a number that is too large for a float: pass float('inf') instead"
            raise OverflowError(message) from None
    if array.dtype.kind not in "fiub":
        wrong = next((x for x in array.ravel().tolist() if not isinstance(x, (float, int))), argument)
        advice = "; of a Value pass its data" if isinstance(wrong, Value) else ""
        message = (
            f"argument {i} is no array of numbers: some of its entries are of another kind, {shown(wrong)}{advice}"
        )
        raise TypeError(message)
    return rounded(array, dtype)


def _lengths(rows: Any) -> str:
    """Return the lengths of rows in words, empty if they are all the same: then what is in them differs."""
    lengths = sorted({len(row) if hasattr(row, "__len__") else 1 for row in rows})
    shown = [*map(str, lengths[:3]), *["…"] * (len(lengths) > 4), *map(str, lengths[3:][-1:])]
    return f", {', '.join(shown)}" if len(lengths) > 1 else ""


def rounded(array: Any, dtype: Any) -> Any:
    """Return the array in this precision, the same if it is in it already; overflow becomes inf."""
    if array.dtype == dtype:
        return array
    with numpy().errstate(over="ignore"):
        return array.astype(dtype)


class Parameters:
    """Leaf Values, `distinct` without duplicates; `places` finds them in that order as they were listed.

    Raises `TypeError` for anything but a list of leaf Values.

    >>> w, b = Value(2.0, label="w"), Value(1.0, label="b")
    >>> parameters = Parameters([w, b, w])
    >>> parameters.names, parameters.places, parameters.numbers((), float).tolist()
    (('w', 'b'), [0, 1, 0], [2.0, 1.0])
    """

    def __init__(self, parameters: Value | Iterable[Value]) -> None:
        given: Any = [parameters] if isinstance(parameters, Value) else parameters
        if isinstance(given, (str, dict)) or not hasattr(given, "__iter__"):
            message = f"parameters are a list of Values, as model.parameters() gives it, got {shown(given)}"
            raise TypeError(message)
        names, self.listed = getattr(given, "names", ()), list(given)
        for parameter in self.listed:
            if not isinstance(parameter, Value) or parameter.parents:
                message = f"parameters are leaf Values, as model.parameters() gives them, got {shown(parameter)}"
                raise TypeError(message)
        self.distinct = list(dict.fromkeys(self.listed))
        self.names = tuple(dict(zip(self.listed, names)).values()) or _labels(self.distinct)
        position = {parameter: i for i, parameter in enumerate(self.distinct)}
        repeated = len(self.distinct) < len(self.listed)
        self.places: Any = [position[p] for p in self.listed] if repeated else slice(len(self.distinct))
        self._array: Any = None

    def set(self, array: Any) -> None:
        """Take the numbers of an array from now on, in the order of the list; of the Values' own again for None."""
        self._array = None if array is None else self.checked(array, "an array")

    def checked(self, numbers: Any, what: str) -> Any:
        """Return numbers, one for each parameter as listed, as an array; raise for another kind, or shape."""
        array = numpy().asarray(numbers)
        if array.dtype.kind not in "fiub":
            message = f"give {what} of real numbers, one for each parameter, got dtype {array.dtype}"
            raise TypeError(message)
        if array.shape != (len(self.listed),):
            message = f"there are {len(self.listed)} parameters, got {what} of shape {array.shape}"
            raise ValueError(message)
        return array

    def numbers(self, captured: tuple[Value, ...], dtype: Any) -> Any:
        """Return the numbers of the distinct parameters, and behind them those of other Values, as one flat array."""
        array = self._array  # read once: another thread may set another one
        if array is None:
            return rounded(numpy().array([p._float for p in (*self.distinct, *captured)], float), dtype)
        numbers = array if array.dtype is dtype else rounded(array, dtype)
        if len(self.distinct) < len(self.listed):
            numbers = numpy().empty(len(self.distinct), dtype)
            numbers[self.places] = array
        return rounded(numpy().append(numbers, [p._float for p in captured]), dtype) if captured else numbers


def _labels(values: list[Value]) -> tuple[str, ...]:
    """Return the labels of Values as their names, or none where some have none of their own."""
    labels = tuple([value.label for value in values])
    are_names = all(isinstance(label, str) and label.isidentifier() for label in labels)
    return labels if are_names and len(set(labels)) == len(labels) else ()
