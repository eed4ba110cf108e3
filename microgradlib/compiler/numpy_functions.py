"""The elementary functions on NumPy arrays: the namespace over which the op table's rules run in compiled programs."""

from __future__ import annotations

import math
from functools import cache, partial, reduce
from typing import Any

from microgradlib._support.floats import IEEE
from microgradlib._support.optional import import_optional
from microgradlib.ops import TABLE

__all__ = ["array_functions", "as_column", "grouped", "is_finite", "numpy"]

SAME = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "hypot", "sin", "cos", "tan", "sinh", "cosh",
    "tanh", "abs", "mod", "floor", "ceil", "where",
)  # fmt: skip
RENAMED = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh",
}  # fmt: skip
ONE_BY_ONE = {"erf": 1, "erfc": 1, "gamma": 1, "lgamma": 1, "polygamma": 2}
"""Functions that NumPy lacks, with how many arguments each takes: computed element by element."""


@cache
def numpy() -> Any:
    """Return the NumPy module. Raises `MissingExtraError` where it is not installed."""
    return import_optional("numpy", "compile")


def as_column(array: Any) -> Any:
    """Return an array (batch, …) as (batch,) or (batch, numbers)."""
    return array if array.ndim < 3 else array.reshape(len(array), -1)


def is_finite(array: Any) -> bool:
    """Say whether all numbers are finite: as a rule by the sum of their squares, which is quick.

    >>> is_finite(numpy().ones((2, 2))), is_finite(numpy().array([1.0, float("nan")]))
    (True, False)
    """
    flat = array.ravel()
    return math.isfinite(flat @ flat) or bool(numpy().isfinite(flat).all())


def grouped(numbers: Any) -> tuple[Any, Any, Any]:
    """Return the distinct numbers in order, the stable order that sorts all of them, and how many there are of each.

    As numpy.unique, whose first call imports numpy.ma, which takes as long as a small program's whole compilation.

    >>> [part.tolist() for part in grouped(numpy().array([5, 3, 5]))]
    [[3, 5], [1, 0, 2], [1, 2]]
    """
    np = numpy()
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else order
    return ordered[starts], order, np.diff(np.append(starts, len(ordered)))


def _power(x: Any, y: Any) -> Any:
    """Return x**y as C's pow has it: for ½, NumPy takes the square root, which differs from it at −inf and −0."""
    np = numpy()
    if np.size(y) == 1 and y == 0.5:
        return np.where(np.isneginf(x), math.inf, np.sqrt(x + 0.0))
    return np.power(x, y)


def _one_by_one(function: Any) -> Any:
    return lambda *xs: numpy().asarray(function(*xs), dtype=float)


class _Functions:
    """The namespace `xp` of the op table's rules, over arrays; ops that are no elementary functions run their rule."""

    def __init__(self) -> None:
        np = numpy()
        for name in (*SAME, *RENAMED):
            setattr(self, name, getattr(np, RENAMED.get(name, name)))
        for name, count in ONE_BY_ONE.items():
            setattr(self, name, _one_by_one(np.frompyfunc(getattr(IEEE, name), count, 1)))
        self.maximum = lambda *xs: reduce(np.maximum, xs)
        self.minimum = lambda *xs: reduce(np.minimum, xs)
        self.pow = _power
        self.detach = lambda x: x
        self.undefined = lambda x: x * math.nan
        self.closed_at_zero = lambda x: x

    def __getattr__(self, name: str) -> Any:
        return partial(TABLE[name].value, self)


@cache
def array_functions() -> Any:
    """Return the namespace.

    >>> array_functions().sigmoid(numpy().array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    return _Functions()
