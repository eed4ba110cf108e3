"""Costs of an output for a target: −ln of a likelihood, or the hinge loss."""

import typing as _typing

from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.costs.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_from_probabilities,
    hinge,
)
from microgradlib.costs.decision import decision_of
from microgradlib.costs.likelihood import kl_div, nll, nll_of, poisson_nll
from microgradlib.costs.multivariate import cholesky_factor, multivariate_gaussian_nll, scale_gradient
from microgradlib.costs.regression import absolute_error, gaussian_nll, squared_error
from microgradlib.costs.robust import huber, smooth_l1

__all__ = [
    "absolute_error",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cholesky_factor",
    "cross_entropy",
    "cross_entropy_from_probabilities",
    "decision_of",
    "gaussian_nll",
    "hinge",
    "huber",
    "kl_div",
    "multivariate_gaussian_nll",
    "nll",
    "nll_of",
    "poisson_nll",
    "scale_gradient",
    "smooth_l1",
    "squared_error",
]

if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = _missing_names(__name__, __all__)
