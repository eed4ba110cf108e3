"""Decision rules, from an output to a class, for `accuracy`. Each classification cost has its own rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["argmax", "decision_of", "sign_of_score", "threshold_logit", "threshold_probability", "with_decision"]

F = TypeVar("F", bound="Callable[..., Any]")


def argmax(output: Any) -> int | list[Any]:
    """Return the class k with the largest of the outputs, logits or probabilities; the first of several.

    For a list of such outputs, one for each position of a sequence, return a list of classes.

    >>> argmax([0.5, 2.0, 1.0]), argmax([[0.5, 2.0], [1.0, 0.0]])
    (1, [1, 0])
    """
    if hasattr(output[0], "__len__"):
        return [argmax(position) for position in output]
    numbers = [float(y) for y in output]
    return numbers.index(max(numbers))


def threshold_probability(output: Any) -> int | list[int]:
    """Return class 1 for a probability of ½ or more, else 0; for a list, one class for each component.

    >>> threshold_probability(0.5), threshold_probability([0.2, 0.9])
    (1, [0, 1])
    """
    return _threshold(output, 0.5)


def threshold_logit(output: Any) -> int | list[int]:
    """Return class 1 for a logit of 0 or more, else 0; for a list, one class for each component.

    >>> threshold_logit(-0.5)
    0
    """
    return _threshold(output, 0.0)


def sign_of_score(output: Any) -> int | list[int]:
    """Return class +1 for a score of 0 or more, else −1; for a list, one class for each component.

    >>> sign_of_score(-0.5)
    -1
    """
    classes = _threshold(output, 0.0)
    return [2 * k - 1 for k in classes] if isinstance(classes, list) else 2 * classes - 1


def _threshold(output: Any, threshold: float) -> int | list[int]:
    if hasattr(output, "__len__"):
        return [int(float(y) >= threshold) for y in output]
    return int(float(output) >= threshold)


def with_decision(rule: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that sets the attribute `decision` of a cost function to its decision rule."""

    def decorate(cost: F) -> F:
        cost.decision = rule  # type: ignore[attr-defined]
        return cost

    return decorate


def decision_of(cost: Callable[..., Any]) -> Callable[[Any], Any] | None:
    """Return the decision rule of a cost or of `functools.partial(cost, …)`; None for one that does not classify.

    >>> from microgradlib.costs import cross_entropy, squared_error
    >>> decision_of(cross_entropy)([0.1, 0.9]), decision_of(squared_error)
    (1, None)
    """
    while isinstance(cost, partial):
        cost = cost.func
    return getattr(cost, "decision", None)
