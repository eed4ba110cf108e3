"""What a node with a known number shares with Python's numbers: comparisons, and becoming a float, an int or a bool."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float, is_array
from microgradlib.core.math_calls import math_function_called_by, refuse_math_call
from microgradlib.core.modes import current_mode, is_unknown
from microgradlib.core.node import Node
from microgradlib.ops import selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops import Op

__all__ = ["KnownNumber", "is_other_node"]


class KnownNumber(Node):
    """A node whose number can be read: comparisons give bools, `float`, `int`, `bool` and `round` act on it.

    While a function is compiled, the numbers of parameters are not to be known: comparisons then give nodes, 0 or 1.
    """

    __slots__ = ("_data",)

    _data: float

    def __lt__(self, other: Any) -> Any:
        return _compared(self, other, selection.less, operator.lt)

    def __le__(self, other: Any) -> Any:
        return _compared(self, other, selection.less_equal, operator.le)

    def __gt__(self, other: Any) -> Any:
        return _compared(self, other, selection.greater, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return _compared(self, other, selection.greater_equal, operator.ge)

    def __float__(self) -> float:
        refuse_math_call(math_function_called_by(sys._getframe(1)))
        return self.data

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.data, digits)

    def __floor__(self) -> None:
        refuse_math_call("floor")

    def __ceil__(self) -> None:
        refuse_math_call("ceil")

    def __trunc__(self) -> int:
        return int(self.data)


def _compared(value: KnownNumber, other: Any, op: Op, holds: Callable[[Any, Any], Any]) -> Any:
    """Compare numbers; where one is not to be known yet, return a node that will be 0 or 1."""
    if is_other_node(other):
        return NotImplemented
    if current_mode() is not None and (is_unknown(value) or (isinstance(other, KnownNumber) and is_unknown(other))):
        return op(value, other)
    return holds(value._data, _number(other))


def is_other_node(thing: Any) -> bool:
    """Say whether `thing` is a node without a known number, such as a Symbol."""
    return hasattr(thing, "__apply_op__") and not isinstance(thing, KnownNumber)


def _number(thing: Any) -> Any:
    if isinstance(thing, KnownNumber):
        return thing._data
    return thing if is_array(thing) else as_float(thing)
