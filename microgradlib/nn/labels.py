"""Class labels: whole numbers from 0, or distributions over the classes."""

from __future__ import annotations

import math
from typing import Any

from microgradlib._support.number import as_float, is_array
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.errors import LabelError
from microgradlib.ops import selection

__all__ = ["class_index", "distribution", "is_many", "one_hot"]

TOLERANCE = 1e-6
"""How far the probabilities of a distribution may be from 1 in sum."""


def is_many(thing: Any) -> bool:
    """Say whether `thing` is a list, tuple or array of entries rather than one number.

    >>> is_many([1.0, 2.0]), is_many(3.0)
    (True, False)
    """
    return isinstance(thing, (list, tuple)) or is_array(thing)


def class_index(label: Any, n: int, what: str = "label") -> int:
    """Return a label as a whole number k, 0 ≤ k < n, for n classes; `what` names it in messages.

    Raises `LabelError` for a number that is none of those (nan too), `TypeError` for what is no number.

    >>> class_index(2.0, 3)
    2
    >>> class_index(3, 3)
    Traceback (most recent call last):
    microgradlib.errors.LabelError: the label is 3.0, but the 3 classes are 0 to 2
    """
    number = as_float(label.data if isinstance(label, Node) else label)
    if not (0 <= number < n) or number % 1:
        things = "classes" if what == "label" else "rows"
        message = f"the {what} is {number!r}, but the {n} {things} are 0 to {n - 1}"
        raise LabelError(message)
    return int(number)


def one_hot(label: Any, n: int) -> list[Any]:
    """Return the label k among n classes as n numbers: 1 at place k, 0 elsewhere. Of a Symbol, n Symbols.

    Raises `LabelError` for a number that names no class; of a Symbol that will, all n are 0.

    >>> one_hot(2, 4)
    [0.0, 0.0, 1.0, 0.0]
    """
    if isinstance(label, Symbol):
        return [selection.less(selection.abs(label - k), 0.5) for k in range(n)]
    index = class_index(label, n)
    return [float(k == index) for k in range(n)]


def distribution(target: Any, n: int) -> list[Any]:
    """Return a target, given as n probabilities (one-hot or softer), as a list of floats; Values and Symbols stay.

    Raises `LabelError` for another number of them, for negative ones or nan, and for a sum other than 1.

    >>> distribution((0, 1, 0), 3)
    [0.0, 1.0, 0.0]
    >>> distribution([1, 1, 0], 3)
    Traceback (most recent call last):
    microgradlib.errors.LabelError: the target [1.0, 1.0, 0.0] is no distribution over the classes: it sums to 2.0
    """
    if len(target) != n:
        message = f"the target has {len(target)} entries, but there are {n} classes: give one probability for each"
        raise LabelError(message)
    if any(isinstance(y, Node) for y in target):
        return list(target)
    numbers = [as_float(y) for y in target]
    total = math.fsum(numbers)
    if all(y >= 0 for y in numbers) and abs(total - 1) <= TOLERANCE:
        return numbers
    fault = f"it sums to {total}" if all(y >= 0 for y in numbers) else "it has entries below 0, or nan"
    message = f"the target {numbers} is no distribution over the classes: {fault}"
    raise LabelError(message)
