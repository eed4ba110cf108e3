"""Check class labels: whole numbers from 0, or distributions over the classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.modes import record_check
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.errors import LabelError
from microgradlib.ops import selection

if TYPE_CHECKING:
    from microgradlib.nn.vectors import Number, Vector

__all__ = ["Check", "class_check", "class_index", "distribution", "one_hot"]

TOLERANCE = 1e-6
"""How far the sum of a distribution's probabilities may be from 1."""


class Check(NamedTuple):
    """Which numbers a label or an index may be: finite, from `low` to `high`, in whole steps unless `step` is 0.

    Data, so that a compiled function can test whole columns by it. `name` and `rest` are for the message.
    """

    name: str
    rest: str
    low: float = -math.inf
    high: float = math.inf
    step: float = 0.0
    other: float | None = None
    """A number that is allowed besides: the label that a cost ignores."""

    def __call__(self, y: Any) -> Any:
        """Return y as a float; a node unchanged. Raises `LabelError` for a number that it may not be.

        The number of a Symbol is not known yet: while a function is compiled, the check is recorded for its calls.
        """
        if isinstance(y, Node):
            if isinstance(y, Symbol):
                record_check(y, self)
            return y
        number = as_float(y)
        is_between = self.low <= number <= self.high and math.isfinite(number)
        if (not is_between or (self.step and (number - self.low) % self.step)) and number != self.other:
            raise LabelError(self.message(number))
        return number

    def message(self, number: float) -> str:
        """Return what is wrong with a number."""
        return f"the {self.name} is {shown(number)}, {self.rest}"


def class_check(n: int, name: str = "label", ignored: int | None = None) -> Check:
    """Return the check that a label is a whole number k, 0 ≤ k < n, or `ignored`; `name` is what messages call it."""
    choices = "classes" if name == "label" else "rows"
    return Check(name, f"but the {n} {choices} are 0 to {n - 1}", 0.0, n - 1.0, 1.0, ignored)


def class_index(label: Number, n: int, name: str = "label") -> int:
    """Return a label as a whole number k, 0 ≤ k < n, for n classes; `name` is what messages call it.

    Raises `LabelError` for any other number, nan included, `TypeError` for anything but a number.

    >>> class_index(2.0, 3)
    2
    >>> class_index(3, 3)
    Traceback (most recent call last):
    microgradlib.errors.LabelError: the label is 3.0, but the 3 classes are 0 to 2
    """
    return int(class_check(n, name)(label.data if isinstance(label, Node) else label))


def one_hot(label: Number, n: int, name: str = "label", ignored: int | None = None) -> list[Any]:
    """Return the label k among n classes as n floats: 1 at index k, 0 elsewhere. For a Symbol, return n Symbols.

    Raises `LabelError` for a number that is not one of the classes; so do the calls of a compiled function, but for the
    label `ignored`. Evaluated otherwise, the n Symbols of a label that is not one of the classes are all 0.

    >>> one_hot(2, 4)
    [0.0, 0.0, 1.0, 0.0]
    """
    if isinstance(label, Symbol):
        class_check(n, name, ignored)(label)
        return [selection.less(selection.abs(label - k), 0.5) for k in range(n)]
    index = class_index(label, n, name)
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
