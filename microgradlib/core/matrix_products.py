"""Matrix-vector products over lists: each entry of the result is one `dot` node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import shown
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.list_functions import some_numbers
from microgradlib.core.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from microgradlib.core.list_functions import Floats, Symbols, Untyped, Values
    from microgradlib.core.symbol import Symbol
    from microgradlib.core.value import Value

__all__ = ["linear", "matvec"]


@overload
def matvec(weights: Iterable[Untyped], x: Floats) -> list[Any]: ...
@overload
def matvec(weights: Iterable[Floats], x: Untyped) -> list[Any]: ...
@overload
def matvec(weights: Iterable[Floats], x: Floats) -> list[float]: ...
@overload
def matvec(weights: Iterable[Values], x: Values) -> list[Value]: ...
@overload
def matvec(weights: Iterable[Symbols], x: Symbols) -> list[Symbol]: ...
def matvec(weights: Any, x: Any) -> list[Any]:
    """Return W x for a matrix W as a list of rows: Σⱼ Wᵢⱼ xⱼ for each row i, each as one node.

    `weights` has m rows of n numbers, `x` n numbers; the result has m entries. Floats give floats, Values Values,
    Symbols Symbols; 2-d NumPy arrays serve as well. Raises `ValueError` where lengths differ or are 0, and
    `TypeError` for what is not a list of rows.

    >>> matvec([[1, 2], [3, 4]], [1, -1])
    [-1.0, -1.0]
    """
    return linear(weights, x)


@overload
def linear(weights: Iterable[Untyped], x: Floats, bias: Floats | None = None) -> list[Any]: ...
@overload
def linear(weights: Iterable[Floats], x: Untyped, bias: Floats | None = None) -> list[Any]: ...
@overload
def linear(weights: Iterable[Floats], x: Floats, bias: Floats | None = None) -> list[float]: ...
@overload
def linear(weights: Iterable[Values], x: Values, bias: Values | None = None) -> list[Value]: ...
@overload
def linear(weights: Iterable[Symbols], x: Symbols, bias: Symbols | None = None) -> list[Symbol]: ...
@in_plain_words
def linear(weights: Any, x: Any, bias: Any = None) -> list[Any]:
    """Return W x + b: the net inputs of a fully connected layer, Σⱼ Wᵢⱼ xⱼ + bᵢ for each row i, each as one node.

    `weights` and `x` are those of `matvec`; `bias` is None or has m numbers. PyTorch's `linear(x, W, b)` has the same
    W, of shape (outputs, inputs), but takes x first. Errors are those of `matvec`.

    >>> linear([[1, 2], [3, 4]], [1, -1], [0.5, 0])
    [-0.5, -1.0]
    """
    rows, inputs = _rows(weights), some_numbers(x, "linear", "linear(rows, [x, y])")
    biases = [None] * len(rows) if bias is None else some_numbers(bias, "linear", "linear(rows, [x, y], [b])")
    for i, row in enumerate(rows):
        if len(row) != len(inputs):
            message = f"row {i} of the matrix has {len(row)} numbers, but the vector has {len(inputs)}"
            raise ValueError(message)
    if len(biases) != len(rows):
        message = f"the bias must have one number for each of the {len(rows)} rows, got {len(biases)}"
        raise ValueError(message)
    if any(isinstance(number, Node) for row in [*rows, inputs] for number in row):
        inputs = [Node.constant(number) for number in inputs]  # one leaf for each plain number, shared by all rows
    return [weighted_sum(row, inputs, b) for row, b in zip(rows, biases)]


def _rows(weights: Any) -> list[list[Any]]:
    rows = []
    for row in weights if hasattr(weights, "__iter__") else [None]:
        if not hasattr(row, "__iter__"):
            message = f"a matrix is a list of rows, as in [[1, 2], [3, 4]], got {shown(weights)}"
            raise TypeError(message)
        rows.append(some_numbers(row, "a row of linear"))
    if not rows:
        raise ValueError("a matrix has at least one row, as in [[1, 2], [3, 4]], got none")
    return rows
