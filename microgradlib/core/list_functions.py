"""Functions of many numbers, given as a list: sum, mean, prod, dot, maximum, minimum, logsumexp, softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.number import is_array
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.ops import GRAPH, Op, reductions, selection

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dot", "log_softmax", "logsumexp", "maximum", "mean", "minimum", "prod", "softmax", "sum"]


def _numbers(xs: Any, name: str) -> list[Any]:
    try:
        numbers = list(xs)
    except TypeError:
        message = f"{name} takes a list of numbers, as in {name}([x, y, z]), got {type(xs).__name__}"
        raise TypeError(message) from None
    if any(is_array(x) for x in numbers):
        message = f"{name} takes a flat list of numbers, got a list of arrays or rows: apply it to each row"
        raise TypeError(message)
    return numbers


def _some_numbers(xs: Any, name: str) -> list[Any]:
    numbers = _numbers(xs, name)
    if not numbers:
        message = f"{name} of no numbers is not defined"
        raise ValueError(message)
    return numbers


def sum(xs: Iterable[Any], start: Any = None) -> Any:  # noqa: A001
    """Return Σ xᵢ as one node with n parents; 0.0 for no numbers. `start`, if given, is one more term, the first.

    >>> from microgradlib import Value
    >>> total = sum([Value(1.0), 2, 3.5])
    >>> total.data, len(total.parents)
    (6.5, 3)
    """
    numbers = _numbers(xs, "sum")
    if start is not None:
        numbers.insert(0, start)
    return reductions.sum(*numbers) if numbers else 0.0


def mean(xs: Iterable[Any]) -> Any:
    """Return Σ xᵢ / n as one node. Raises `ValueError` for no numbers.

    >>> mean([1, 2, 6])
    3.0
    """
    return reductions.mean(*_some_numbers(xs, "mean"))


def prod(xs: Iterable[Any]) -> Any:
    """Return Π xᵢ as one node, its derivatives right where factors are 0; 1.0 for no numbers.

    >>> prod([2, 3, 4])
    24.0
    """
    numbers = _numbers(xs, "prod")
    return reductions.prod(*numbers) if numbers else 1.0


def dot(weights: Iterable[Any], inputs: Iterable[Any], bias: Any = None) -> Any:
    """Return Σ wᵢ xᵢ, plus b if given: the net input of a neuron, as one node with parents w₁ … wₙ x₁ … xₙ (b).

    Raises `ValueError` unless there are as many weights as inputs, and at least one.

    >>> dot([1, 2], [3, 4], bias=0.5)
    11.5
    """
    w, x = _some_numbers(weights, "dot"), _some_numbers(inputs, "dot")
    if len(w) != len(x):
        message = f"dot needs as many inputs as weights, got {len(w)} weights and {len(x)} inputs"
        raise ValueError(message)
    return weighted_sum(w, x, bias)


def _extreme(op: Op, xs: tuple[Any, ...]) -> Any:
    return op(*(_some_numbers(xs[0], op.name) if len(xs) == 1 and hasattr(xs[0], "__iter__") else xs))


def maximum(*xs: Any) -> Any:
    """Return the largest of several numbers, or of one list, as one node; nan if any is nan.

    Its derivative is 1 for the largest; inputs that tie share it equally.

    >>> maximum(1, 5, 3), maximum([2, 4])
    (5.0, 4.0)
    """
    return _extreme(selection.maximum, xs)


def minimum(*xs: Any) -> Any:
    """Return the smallest of several numbers, or of one list, as one node; nan if any is nan.

    >>> minimum(1, 5, 3)
    1.0
    """
    return _extreme(selection.minimum, xs)


def logsumexp(xs: Iterable[Any]) -> Any:
    """Return ln Σ exp xᵢ as one node, without overflow. Raises `ValueError` for no numbers.

    >>> logsumexp([1000, 1000])
    1000.6931471805599
    """
    return reductions.logsumexp(*_some_numbers(xs, "logsumexp"))


def softmax(xs: Iterable[Any]) -> list[Any]:
    """Return exp(xᵢ)/Σⱼ exp(xⱼ) for each i: probabilities, without overflow. Raises `ValueError` for no numbers.

    The largest x is subtracted first, as a constant, which changes nothing but the range.

    >>> softmax([1000, 1000])
    [0.5, 0.5]
    """
    numbers = _some_numbers(xs, "softmax")
    shift = GRAPH.detach(selection.maximum(*numbers))
    exponentials = [GRAPH.exp(x - shift) for x in numbers]
    total = reductions.sum(*exponentials)
    return [GRAPH.div(e, total) for e in exponentials]


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """Return xᵢ − ln Σⱼ exp(xⱼ) for each i: the logarithms of softmax, without overflow.

    >>> log_softmax([0, 1000])
    [-1000.0, 0.0]
    """
    numbers = _some_numbers(xs, "log_softmax")
    total = reductions.logsumexp(*numbers)
    return [x - total for x in numbers]
