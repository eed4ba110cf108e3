"""Lists, tuples and arrays: recognise them, check their lengths, convert them to nested lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import check_order
from microgradlib._support.number import is_array
from microgradlib._support.pytree import TOO_DEEP
from microgradlib._support.shown import shown
from microgradlib.core.value import as_node

if TYPE_CHECKING:
    from microgradlib.core.value import Value

__all__ = ["check_length", "is_sequence", "nested_lists", "nodes_of_length", "refuse_rows"]


def is_sequence(x: Any) -> bool:
    """Return whether `x` is a list, tuple or array rather than one number.

    >>> is_sequence([1.0, 2.0]), is_sequence(3.0)
    (True, False)
    """
    return isinstance(x, (list, tuple)) or is_array(x)


def check_length(x: Any, length: int, name: str) -> None:
    """Raise `ValueError` unless `x` has the length `length`, `TypeError` if it has no length or as `check_order`.

    >>> check_length([1.0, 2.0], 3, "the input of this layer")
    Traceback (most recent call last):
    ValueError: the input of this layer must have 3 entries, got 2
    """
    check_order(x, name)
    if not hasattr(x, "__len__"):
        message = f"{name} must be a list of {length} entries, got {shown(x)}"
        raise TypeError(message)
    if len(x) != length:
        message = f"{name} must have {length} {'entry' if length == 1 else 'entries'}, got {len(x)}"
        raise ValueError(message)


def nodes_of_length(x: Any, length: int, name: str) -> list[Value]:
    """Return the `length` numbers of `x` as nodes.

    Raises as `check_length`, and `TypeError` for an entry that is not a number.

    >>> [node.data for node in nodes_of_length([1, 2], 2, "the input of this layer")]
    [1.0, 2.0]
    """
    check_length(x, length, name)
    return [as_node(number) for number in x]


def refuse_rows(x: Any, what: str) -> None:
    """Raise `TypeError` if a list of numbers was to be given, but `x` holds lists, as several examples are.

    >>> refuse_rows([[0.0, 1.0], [1.0, 1.0]], "a layer")
    Traceback (most recent call last):
    TypeError: a layer takes one example, a list of numbers, got 2 rows: write [model(x) for x in X], or compile it
    """
    if any(map(is_sequence, x)):
        rows = f"{len(x)} row{'s' * (len(x) != 1)}"
        message = f"{what} takes one example, a list of numbers, got {rows}: write [model(x) for x in X], or compile it"
        raise TypeError(message)


def nested_lists(x: Any) -> Any:
    """Return `x` with every tuple and array in it, at every depth, converted to a list; a number is returned as it is.

    >>> nested_lists(((1, 2), [3]))
    [[1, 2], [3]]
    """
    try:
        return _nested_lists(x)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _nested_lists(x: Any) -> Any:
    return [_nested_lists(entry) for entry in x] if is_sequence(x) else x
