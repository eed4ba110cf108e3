"""Flatten nested lists, tuples and dicts of numbers into a list, and rebuild them from one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["flatten", "same_shape", "unflatten"]


def flatten(tree: Any) -> list[Any]:
    """Return the leaves of a nested structure in order: lists and tuples by position, dicts in insertion order.

    >>> flatten({"w": [1, 2], "b": (3,)})
    [1, 2, 3]
    """
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (list, tuple)):
        return [tree]
    return [leaf for branch in tree for leaf in flatten(branch)]


def unflatten(tree: Any, numbers: Iterable[Any]) -> Any:
    """Return a structure nested like `tree` whose leaves are `numbers`, in the order of `flatten`.

    >>> unflatten({"w": [1, 2], "b": (3,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    return _fill(tree, iter(numbers))


def _fill(tree: Any, numbers: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _fill(branch, numbers) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        filled = [_fill(branch, numbers) for branch in tree]
        if hasattr(tree, "_fields"):  # the constructor of a namedtuple takes its fields as separate arguments
            return type(tree)(*filled)
        return tuple(filled) if isinstance(tree, tuple) else filled
    return next(numbers)


def same_shape(tree: Any, other: Any) -> bool:
    """Return whether two structures have the same nesting, lengths and keys, whatever numbers they hold.

    >>> same_shape([1, (2, 3)], [4, (5, 6)]), same_shape([1, 2], [1, [2]])
    (True, False)
    """
    if isinstance(tree, dict):
        return (
            isinstance(other, dict) and tree.keys() == other.keys() and all(same_shape(tree[k], other[k]) for k in tree)
        )
    if isinstance(tree, (list, tuple)):
        return isinstance(other, (list, tuple)) and len(tree) == len(other) and all(map(same_shape, tree, other))
    return not isinstance(other, (list, tuple, dict))
