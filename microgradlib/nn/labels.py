"""Check class labels: whole numbers from 0, or distributions over the classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.errors import LabelError
from microgradlib.ops import selection

if TYPE_CHECKING:
    from microgradlib.nn.vectors import Number, Vector

__all__ = ["class_index", "distribution", "one_hot"]

TOLERANCE = 1e-6
"""How far the sum of a distribution's probabilities may be from 1."""


def class_index(label: Number, n: int, name: str = "label") -> int:
    """Return a label as a whole number k, 0 ≤ k < n, for n classes; `name` is what messages call it.

    Raises `LabelError` for any other number, nan included, `TypeError` for anything but a number.

    >>> class_index(2.0, 3)
    2
    >>> class_index(3, 3)
    Traceback (most recent call last):
    microgradlib.errors.LabelError: the label is 3.0, but the 3 classes are 0 to 2
    """
    number = as_float(label.data if isinstance(label, Node) else label)
    if not (0 <= number < n) or number % 1:
        choices = "classes" if name == "label" else "rows"
        message = f"the {name} is {number!r}, but the {n} {choices} are 0 to {n - 1}"
        raise LabelError(message)
    return int(number)


def one_hot(label: Number, n: int) -> list[Any]:
    """Return the label k among n classes as n floats: 1 at index k, 0 elsewhere. For a Symbol, return n Symbols.

    Raises `LabelError` for a number that is not one of the classes. A Symbol's number is not known yet: if it is not
    one of the classes when the graph is evaluated, all n Symbols are 0.

    >>> one_hot(2, 4)
    [0.0, 0.0, 1.0, 0.0]
    """
    if isinstance(label, Symbol):
        return [selection.less(selection.abs(label - k), 0.5) for k in range(n)]
    index = class_index(label, n)
    return [float(k == index) for k in range(n)]


def distribution(target: Vector, n: int) -> list[Number]:
    """Return a target of n probabilities, one-hot or not, as a list of floats.

    If any entry is a Value or Symbol, the entries are returned unchecked. Raises `LabelError` for another
    number of entries, for negative ones or nan, and for a sum other than 1.

    >>> distribution((0, 1, 0), 3)
    [0.0, 1.0, 0.0]
    >>> distribution([1, 1, 0], 3)
    Traceback (most recent call last):
    microgradlib.errors.LabelError: the target [1.0, 1.0, 0.0] is not a distribution over the classes: it sums to 2.0
    """
    if len(target) != n:
        message = f"the target has {len(target)} entries, but there are {n} classes: give one probability for each"
        raise LabelError(message)
    if any(isinstance(y, Node) for y in target):
        return list(target)
    numbers = [as_float(y) for y in target]
    total = math.fsum(numbers)
    if all(y >= 0 for y in numbers) and abs(total - 1) <= TOLERANCE:
        return [*numbers]
    fault = f"it sums to {total}" if all(y >= 0 for y in numbers) else "it has entries below 0, or nan"
    message = f"the target {numbers} is not a distribution over the classes: {fault}"
    raise LabelError(message)
