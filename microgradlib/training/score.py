"""score: how a model does on examples, without training it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.costs import decision_of
from microgradlib.metrics import accuracy
from microgradlib.training.examples import Examples
from microgradlib.training.risk import Risk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.nn import Module

__all__ = ["Score", "score"]


class Score(NamedTuple):
    """The mean cost, and the share of examples told rightly, 0 to 1; None where the cost does not classify."""

    loss: float
    accuracy: float | None


def score(
    model: Module,
    loss: Callable[[Any, Any], Any],
    X: Sequence[Any],  # noqa: N803
    y: Sequence[Any],
) -> Score:
    """Return the mean of loss(model(x), y) and the accuracy over the examples, in evaluation mode; nothing changes.

    Arguments and errors are those of `fit`.

    >>> from microgradlib.costs import binary_cross_entropy_with_logits
    >>> from microgradlib.nn import Neuron
    >>> score(Neuron(1, "linear", init="zeros"), binary_cross_entropy_with_logits, [[0.0], [1.0]], [1, 0])
    Score(loss=0.6931471805599453, accuracy=0.5)
    """
    examples = Examples.of(X, y, "score")
    mean, outputs = Risk(model, loss).evaluate(examples)
    decide = decision_of(loss)
    return Score(mean, accuracy([decide(output) for output in outputs], examples.targets) if decide else None)
