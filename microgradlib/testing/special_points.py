"""Points at which an op's rules are most often wrong: kinks, domain edges, boundaries of branches, 0, ±1 and ties."""

from __future__ import annotations

import math
import operator
import struct
from functools import partial
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import IEEE, Float754
from microgradlib.ops import TABLE
from microgradlib.testing.conditioning import sample_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from typing_extensions import Self

    from microgradlib.ops import Op

__all__ = ["branch_boundaries", "special_points"]

_ALWAYS = (0.0, 1.0, -1.0)
_CELLS = 48  # an odd number of them would put a grid point at the middle of the interval, a frequent boundary
_UNDERFLOW = 2.0**-1000  # boundaries nearer to 0, but at 0, are where a number under- or overflows
_MARGIN = 1.5  # how far beyond the sample interval boundaries are searched for


def special_points(op: Op, inputs: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Yield `inputs` with one of them at 0, 1, −1 or a boundary (`branch_boundaries`); with two equal; and 0 in all.

    >>> [x for (x,) in special_points(TABLE["asin"], [0.7])]
    [0.0, 1.0, -1.0, -1.0000000000000002, 0.9999999999999999]
    """
    changes = [
        (i, x)
        for i in range(len(inputs))
        if operator.lt(*sample_interval(op, i))
        for x in (*_ALWAYS, *branch_boundaries(op, inputs, i))
    ]
    changes += [(j, inputs[i]) for i, j in combinations(range(len(inputs)), 2)]
    points = [(*inputs[:i], x, *inputs[i + 1 :]) for i, x in changes]
    yield from dict.fromkeys([*points, (0.0,) * len(inputs)])


def branch_boundaries(op: Op, inputs: Sequence[float], index: int) -> list[float]:
    """Return the numbers next to which the op's rules or kink decide differently as inputs[index] goes through them.

    The rules are evaluated over floats that record every comparison with another number; each change of an outcome, or
    from a finite value or derivative to one that is not, is bisected to two neighbouring floats.

    >>> branch_boundaries(TABLE["clip"], [0.5, -1.5, 1.25], 0)[-2:]
    [1.2499999999999998, 1.25]
    """
    low, high = sample_interval(op, index)
    low, high = low - _MARGIN, high + _MARGIN

    def outcomes(x: float) -> tuple[int, ...]:
        return _outcomes(op, [*inputs[:index], x, *inputs[index + 1 :]])

    grid = [low + (high - low) * k / _CELLS for k in range(_CELLS + 1)]
    found: dict[float, None] = {}
    for (start, at_start), (end, at_end) in pairwise([(x, outcomes(x)) for x in grid]):
        left, right = _rank(start), _rank(end)
        while at_start != at_end and right - left > 1:
            middle = (left + right) // 2
            if outcomes(_float(middle)) != at_start:
                right = middle
            else:
                left = middle
        numbers = _float(left), _float(right)
        if at_start != at_end and not 0 < min(map(abs, numbers)) < _UNDERFLOW:
            found |= dict.fromkeys(numbers)
    return sorted(found)


def _rank(x: float) -> int:
    """Return the place of x among all floats, counted from 0, so that a bisection of places ends at two neighbours."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits if bits >= 0 else -(2**63) - bits


def _float(rank: int) -> float:
    x: float = struct.unpack("<d", struct.pack("<q", rank if rank >= 0 else -(2**63) - rank))[0]
    return x


def _outcomes(op: Op, inputs: Sequence[float]) -> tuple[int, ...]:
    """Return the outcome −1, 0 or 1 of each comparison in the op's rules and kink, and which numbers are finite."""
    namespace = _Namespace()
    numbers: list[Any] = [_Compared(x, namespace.outcomes) for x in inputs]
    output = op.value(namespace, *numbers, *op.settings)
    derivatives = op.differentiate(namespace, output, *numbers)
    if op.kink is not None:
        namespace.outcomes.append(bool(op.kink(*numbers, *op.settings)))
    return (*namespace.outcomes, *[math.isfinite(x) for x in (output, *derivatives)])


class _Compared(float):
    """A float whose arithmetic follows IEEE 754 and whose comparisons are recorded in a list."""

    __slots__ = ("outcomes",)
    outcomes: list[int]

    def __new__(cls, number: float, outcomes: list[int]) -> Self:
        self = float.__new__(cls, number)
        self.outcomes = outcomes
        return self

    def __bool__(self) -> bool:
        return self != 0.0

    __hash__ = float.__hash__


def _arithmetic(name: str) -> Callable[..., Any]:
    operate: Any = getattr(Float754, f"__{name}__")

    def method(self: _Compared, *others: float) -> Any:
        return _Compared(operate(Float754(self), *map(Float754, others)), self.outcomes)

    return method


def _comparison(name: str) -> Callable[..., Any]:
    compare: Any = getattr(float, f"__{name}__")

    def method(self: _Compared, other: float) -> Any:
        a, b = float(self), float(other)
        self.outcomes.append((a > b) - (a < b))
        return compare(a, b)

    return method


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "neg"):
    setattr(_Compared, f"__{_name}__", _arithmetic(_name))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(_Compared, f"__{_name}__", _comparison(_name))


class _Namespace:
    """The namespace `xp` over recording floats: the functions of floats, and the table's value rules for other ops."""

    def __init__(self) -> None:
        self.outcomes: list[int] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(IEEE, name)
        if isinstance(function, partial):  # an op that is made of others
            return partial(TABLE[name].value, self)
        return lambda *xs: _Compared(function(*map(float, xs)), self.outcomes)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        return x if condition else y

    def abs(self, x: Any) -> Any:
        return x if x >= 0 else -x

    def maximum(self, *xs: Any) -> Any:
        return _Compared(max(xs, key=float), self._compared(xs))

    def minimum(self, *xs: Any) -> Any:
        return _Compared(min(xs, key=float), self._compared(xs))

    def _compared(self, xs: tuple[Any, ...]) -> list[int]:
        self.outcomes += [(x > y) - (x < y) for x, y in combinations(map(float, xs), 2)]
        return self.outcomes
