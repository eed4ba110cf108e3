"""The cost of one example with softmax outputs, −ln softmax(z)_y: class weights, label smoothing, ignored labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.checks import fraction, whole_number
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.nn.labels import class_index, distribution, one_hot
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import derivative_graph, reductions, selection, softmax

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Options", "class_weights", "count_kept", "neg_log_softmax", "softmax_cost", "weighted"]


class Options(NamedTuple):
    """The options of `cross_entropy` for one example, checked by `checked`."""

    weight: Collection[float] | None
    label_smoothing: float
    ignore_index: int | None

    def checked(self) -> Options:
        """Return the options. Raises `ValueError` for a smoothing outside [0, 1], `TypeError` for an index like 1.5."""
        smoothing = fraction(self.label_smoothing, "label_smoothing", one=True, example=0.1)
        ignored = self.ignore_index
        if ignored is not None:
            ignored = whole_number(ignored, "ignore_index", None, example=-100)
        return Options(self.weight, smoothing, ignored)


def class_weights(weight: Collection[float] | None, n: int) -> list[float] | None:
    """Return the weights of n classes as floats. Raises `TypeError` for no list, `ValueError` for wrong numbers."""
    if weight is None:
        return None
    if not hasattr(weight, "__iter__"):
        message = f"weight must be a list of one number for each of the {n} classes, got {shown(weight)}"
        raise TypeError(message)
    numbers = [as_float(w) for w in weight]
    if len(numbers) != n or not all(w >= 0 for w in numbers):
        message = f"weight must have one number >= 0 for each of the {n} classes, got {numbers}"
        raise ValueError(message)
    return numbers


def weighted(weight: float, cost: Any) -> Any:
    """Return weight · cost; a weight of 0 passes nothing on to the cost, which may be infinite.

    >>> weighted(2.0, 3.0), weighted(0.0, float("inf"))
    (6.0, 0.0)
    """
    if weight == 1:
        return cost
    return weight * cost if weight else derivative_graph.strong_mul(weight, cost)


def neg_log_softmax(z: Sequence[Any], k: int) -> Any:
    """Return −ln softmax(z)_k as one node: ln Σ_j exp(z_j) − z_k, of which no digit is lost where it is tiny.

    >>> neg_log_softmax([50.0, 0.0], 0)
    1.9287498479639178e-22
    """
    return softmax.neg_log_softmax(z[k], *z[:k], *z[k + 1 :])


def softmax_cost(z: Sequence[Any], y: Any, options: Options) -> tuple[Any, Any]:
    """Return the cost of one example, Σ_k q_k (−ln softmax(z)_k), and its weight in PyTorch's mean.

    For a class y, q is its one-hot row, smoothed to (1 − ε) y_k + ε/n and times the weights of the classes; the weight
    is that of class y. For a distribution y the weight is 1. An ignored label has cost and weight 0.
    """
    n, by_class = len(z), class_weights(options.weight, len(z))
    if is_sequence(y):
        return _expected_cost(z, _weighted(_smoothed(distribution(y, n), options.label_smoothing), by_class)), 1.0
    if isinstance(y, Symbol):
        row = one_hot(y, n, ignored=options.ignore_index)
        if options.ignore_index is not None and 0 <= options.ignore_index < n:
            row[options.ignore_index] = 0.0
        cost = _expected_cost(z, _weighted(_smoothed(row, options.label_smoothing, known=False), by_class))
        counts = by_class is not None or options.ignore_index is not None
        return cost, reductions.sum(*_weighted(row, by_class)) if counts else 1.0
    if options.ignore_index is not None and _number(y) == options.ignore_index:
        return 0.0, 0.0
    k = class_index(y, n)
    w = 1.0 if by_class is None else by_class[k]
    if options.label_smoothing:
        return _expected_cost(z, _weighted(_smoothed(one_hot(k, n), options.label_smoothing), by_class)), w
    cost = neg_log_softmax(z, k)
    return weighted(w, cost), w


def count_kept(labels: Sequence[Any], ignored: int) -> Any:
    """Return how many of the labels are not ignored; rows of a distribution never are."""
    kept = [
        1.0
        if is_sequence(y)
        else 1 - selection.less(selection.abs(y - ignored), 0.5)
        if isinstance(y, Symbol)
        else float(_number(y) != ignored)
        for y in labels
    ]
    return reductions.sum(*kept)


def _number(label: Any) -> float:
    return as_float(label.data if isinstance(label, Node) else label)


def _smoothed(row: Sequence[Any], smoothing: float, *, known: bool = True) -> list[Any]:
    """Return (1 − ε) y_k + ε/n; times Σ y, which is 0 or 1, for a class that is not yet known: 0 if ignored."""
    if not smoothing:
        return list(row)
    whole = 1.0 if known else reductions.sum(*row)
    return [(1 - smoothing) * y + smoothing / len(row) * whole for y in row]


def _weighted(row: Sequence[Any], by_class: list[float] | None) -> list[Any]:
    return list(row) if by_class is None else [w * y for w, y in zip(by_class, row)]


def _expected_cost(z: Sequence[Any], q: Sequence[Any]) -> Any:
    """Return Σ q_k (−ln softmax(z)_k); for a single class, times its weight, if the q are known numbers."""
    if not any(isinstance(weight, Node) for weight in q):
        positive = [k for k, weight in enumerate(q) if weight]
        if not positive:
            return 0.0
        if len(positive) == 1:
            [k] = positive
            return weighted(q[k], neg_log_softmax(z, k))
    return softmax.cross_entropy(*q, *z)
