"""Costs of an output for a target: −ln of a likelihood, or the hinge loss."""

from microgradlib.costs.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_from_probabilities,
    hinge,
)
from microgradlib.costs.decision import decision_of
from microgradlib.costs.regression import absolute_error, gaussian_nll, squared_error

__all__ = [
    "absolute_error",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "cross_entropy_from_probabilities",
    "decision_of",
    "gaussian_nll",
    "hinge",
    "squared_error",
]
