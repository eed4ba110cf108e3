"""From an output to the class it stands for: what accuracy counts. Each classification cost knows its own rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["at_least_half", "decides_by", "decision_of", "most_probable", "positive", "side_of"]

F = TypeVar("F", bound="Callable[..., Any]")


def most_probable(output: Any) -> int | list[Any]:
    """Return the class k with the largest of the outputs, logits or probabilities; the first of several.

    Of a list of such outputs, as of the places of a sequence, one for each.

    >>> most_probable([0.5, 2.0, 1.0]), most_probable([[0.5, 2.0], [1.0, 0.0]])
    (1, [1, 0])
    """
    if hasattr(output[0], "__len__"):
        return [most_probable(part) for part in output]
    numbers = [float(y) for y in output]
    return numbers.index(max(numbers))


def at_least_half(output: Any) -> int | list[int]:
    """Return class 1 for a probability of ½ or more, else 0; of a list, one for each component.

    >>> at_least_half(0.5), at_least_half([0.2, 0.9])
    (1, [0, 1])
    """
    return [int(float(p) >= 0.5) for p in output] if hasattr(output, "__len__") else int(float(output) >= 0.5)


def positive(output: Any) -> int | list[int]:
    """Return class 1 for a logit of 0 or more, else 0; of a list, one for each component.

    >>> positive(-0.5)
    0
    """
    return [int(float(a) >= 0) for a in output] if hasattr(output, "__len__") else int(float(output) >= 0)


def side_of(output: Any) -> int | list[int]:
    """Return +1 for a score of 0 or more, else −1; of a list, one for each component.

    >>> side_of(-0.5)
    -1
    """
    classes = positive(output)
    return [2 * k - 1 for k in classes] if isinstance(classes, list) else 2 * classes - 1


def decides_by(rule: Callable[[Any], Any]) -> Callable[[F], F]:
    """Give a cost function the rule by which its outputs name classes, as the attribute `decision`."""

    def with_rule(cost: F) -> F:
        cost.decision = rule  # type: ignore[attr-defined]
        return cost

    return with_rule


def decision_of(cost: Callable[..., Any]) -> Callable[[Any], Any] | None:
    """Return the rule of a cost, also of `functools.partial(cost, …)`; None for one that does not classify.

    >>> from microgradlib.costs import cross_entropy, squared_error
    >>> decision_of(cross_entropy)([0.1, 0.9]), decision_of(squared_error)
    (1, None)
    """
    while isinstance(cost, partial):
        cost = cost.func
    return getattr(cost, "decision", None)
