"""Flatten nested lists, tuples, dicts and NumPy arrays of numbers into a list, and rebuild them from one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import count, islice
from typing import Any

Builder = Callable[[Iterable[Any], tuple[int, ...]], Any]
"""What makes an array of elements in row-major order and of a shape, as `array_of` does."""

TOO_DEEP = "lists or dicts are nested too deeply, or one contains itself: give numbers, or lists of numbers"
"""What is wrong with a structure that Python's recursion cannot go through."""

__all__ = [
    "TOO_DEEP",
    "array_of",
    "flatten",
    "is_ndarray",
    "same_shape",
    "unflatten",
    "unflatten_matrix",
    "with_lists_for_arrays",
]


def is_ndarray(thing: Any) -> bool:
    """Return whether `thing` is a NumPy array, one without axes too; NumPy is not imported for it."""
    return isinstance(thing, getattr(sys.modules.get("numpy"), "ndarray", ()))


def flatten(tree: Any) -> list[Any]:
    """Return the leaves of a nested structure in order: lists and tuples by position, dicts in insertion order.

    The elements of an array are leaves, in row-major order. Raises `TypeError` for a masked array, `ValueError` for a
    structure that contains itself.

    >>> flatten({"w": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    try:
        return _leaves(tree)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (list, tuple)):
        return _elements(tree) if is_ndarray(tree) else [tree]
    return [leaf for branch in tree for leaf in _leaves(branch)]


def _elements(array: Any) -> list[Any]:
    if hasattr(array, "mask"):
        raise TypeError("a masked array has no numbers at some places: pass array.filled(…) or array.compressed()")
    elements: list[Any] = sys.modules["numpy"].asarray(array).ravel().tolist()
    return elements


def array_of(elements: Iterable[Any], shape: tuple[int, ...]) -> Any:
    """Return a NumPy array: of float64 if all the elements are numbers, otherwise of objects.

    >>> array_of([1, 2, 3, 4], (2, 2))
    array([[1., 2.],
           [3., 4.]])
    """
    numpy = sys.modules["numpy"]  # some argument is an array
    entries = list(elements)
    if all(isinstance(entry, (float, int)) for entry in entries):
        return numpy.array(entries, dtype=float).reshape(shape)
    array = numpy.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):  # one by one, as NumPy would take a list apart
        array[i] = entry
    return array.reshape(shape)


def unflatten(tree: Any, numbers: Iterable[Any], array: Builder = array_of) -> Any:
    """Return a structure nested like `tree` whose leaves are `numbers`, in the order of `flatten`.

    `array(elements, shape)` makes what is in the place of an array.

    >>> unflatten({"w": [1, 2], "b": (3,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    rest = iter(numbers)
    return _fill(tree, lambda _: next(rest), lambda part: array(islice(rest, part.size), part.shape))


def with_lists_for_arrays(tree: Any) -> Any:
    """Return a structure with each array in it as nested lists, one without axes as its element.

    >>> import numpy as np
    >>> with_lists_for_arrays({"w": np.array([[1, 2]])})
    {'w': [[1, 2]]}
    """
    return _fill(tree, lambda leaf: leaf, lambda array: array.tolist())


def unflatten_matrix(rows: Any, columns: Any, matrix: Iterable[Any], array: Builder = array_of) -> Any:
    """Return a matrix, a list of rows, in the structure `rows` in whose leaves are structures like `columns`.

    An array of shape s in `rows` and one of shape t in `columns` give arrays of shape s + t.

    >>> import numpy as np
    >>> unflatten_matrix([1, 2], {"x": 1, "y": 2}, [[1, 2], [3, 4]])
    [{'x': 1, 'y': 2}, {'x': 3, 'y': 4}]
    >>> unflatten_matrix(np.zeros(2), {"x": 1, "y": 2}, [[1, 2], [3, 4]])
    {'x': array([1., 3.]), 'y': array([2., 4.])}
    """
    rest = iter(matrix)
    return _fill(
        rows,
        lambda _: unflatten(columns, next(rest), array),
        lambda part: _unflatten_block(part.shape, columns, list(islice(rest, part.size)), array),
    )


def _unflatten_block(shape: tuple[int, ...], columns: Any, block: list[Any], array: Builder) -> Any:
    """Return the rows for an array of this shape, in the structure `columns`, with the array's axes first."""
    position = count()

    def next_columns(number: int) -> list[Any]:
        places = list(islice(position, number))
        return [row[j] for row in block for j in places]

    return _fill(
        columns,
        lambda _: array(next_columns(1), shape),
        lambda part: array(next_columns(part.size), shape + part.shape),
    )


def _fill(tree: Any, leaf: Callable[[Any], Any], array: Callable[[Any], Any]) -> Any:
    """Return a structure nested like `tree`, with what the two functions return in the place of leaves and arrays."""
    if isinstance(tree, dict):
        return {key: _fill(branch, leaf, array) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        filled = [_fill(branch, leaf, array) for branch in tree]
        if hasattr(tree, "_fields"):  # the constructor of a namedtuple takes its fields as separate arguments
            return type(tree)(*filled)
        return tuple(filled) if isinstance(tree, tuple) else filled
    return array(tree) if is_ndarray(tree) else leaf(tree)


def same_shape(tree: Any, other: Any) -> bool:
    """Return whether two structures have the same nesting, lengths, keys and arrays' shapes, whatever they hold.

    Raises `ValueError` for a structure that contains itself, or is nested too deeply.

    >>> same_shape([1, (2, 3)], [4, (5, 6)]), same_shape([1, 2], [1, [2]])
    (True, False)
    """
    flatten(tree)  # raises the error
    pairs = [(tree, other)]
    while pairs:
        one, two = pairs.pop()
        if isinstance(one, dict):
            if not isinstance(two, dict) or one.keys() != two.keys():
                return False
            pairs += [(one[key], two[key]) for key in one]
        elif isinstance(one, (list, tuple)):
            if not isinstance(two, (list, tuple)) or len(one) != len(two):
                return False
            pairs += zip(one, two)
        elif isinstance(two, (list, tuple, dict)) or _axes(one) != _axes(two):
            return False
    return True


def _axes(leaf: Any) -> tuple[int, ...]:
    """Return the shape of an array, () for a number, which stands for an array without axes."""
    shape: tuple[int, ...] = leaf.shape if is_ndarray(leaf) else ()
    return shape
