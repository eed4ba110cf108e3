"""score: the mean cost and accuracy of a model on examples, without training it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from microgradlib._support.calling import in_plain_words
from microgradlib.costs import decision_of
from microgradlib.metrics import accuracy
from microgradlib.training.examples import Examples
from microgradlib.training.risk import Risk, check_model_and_loss

if TYPE_CHECKING:
    from microgradlib.nn import Module
    from microgradlib.training.types import Loss, Rows

__all__ = ["Score", "score"]


class Score(NamedTuple):
    """The mean cost, and the fraction of examples classified correctly, or None if the cost does not classify."""

    loss: float
    accuracy: float | None


@in_plain_words
def score(
    model: Module,
    loss: Loss,
    X: Rows,  # noqa: N803  the matrix of inputs
    y: Rows,
) -> Score:
    """Return the mean of loss(model(x), y) and the accuracy over the examples, computed in evaluation mode.

    The model is not changed. Arguments and errors are those of `fit`.

    >>> from microgradlib.costs import binary_cross_entropy_with_logits
    >>> from microgradlib.nn import Neuron
    >>> score(Neuron(1, "linear", init="zeros"), binary_cross_entropy_with_logits, [[0.0], [1.0]], [1, 0])
    Score(loss=0.6931471805599453, accuracy=0.5)
    """
    check_model_and_loss(model, loss)
    examples = Examples.of(X, y, "score")
    mean, outputs = Risk(model, loss).evaluate(examples)
    decision = decision_of(loss)
    return Score(mean, accuracy([decision(output) for output in outputs], examples.targets) if decision else None)
