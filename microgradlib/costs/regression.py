"""Costs of real-valued outputs: squared and absolute error, and the Gaussian with learned precision."""

from __future__ import annotations

from typing import Any

from microgradlib._support.number import as_operand
from microgradlib._support.shown import shown
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.core.value import Value
from microgradlib.costs.reduction import is_batch, per_component, reduce_costs
from microgradlib.costs.signatures import as_cost, as_cost_of_pairs
from microgradlib.nn.labels import Check
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import exponential, selection

__all__ = ["absolute_error", "checked_target", "distance", "gaussian_nll", "squared_error"]


checked_target = Check("target", "which no output can approximate; remove or repair the example")


def _half_square(y_hat: Any, y: Any) -> Any:
    return 0.5 * (y_hat - checked_target(y)) ** 2


@as_cost
@recorded(Function("squared error", "½ (ŷ − y)²", ("sub", 1)))
def squared_error(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = ½ Σ_k (y_k − ŷ_k)²: up to a constant the −ln of a Gaussian's density with mean ŷ, so ∂L/∂ŷ = ŷ − y.

    Its minimiser is the conditional mean of y. `output`: ŷ, one number or a list for the components of one example; a
    list of lists is a batch. `reduction`: None for the mean over the examples of a batch, else PyTorch's "sum", "mean"
    or "none" over all components (PyTorch's `mse_loss` is twice the "mean"). (*Deep Learning*, 6.2.1, 6.2.2.1.)

    Raises `ValueError` where lengths differ, `LabelError` for a target that is nan or infinite, naming the example.

    >>> squared_error([1.0, 2.0], [0.0, 4.0])
    2.5
    """
    return reduce_costs(per_component(_half_square), output, target, batch=is_batch(output), reduction=reduction)


def distance(y_hat: Any, y: Any) -> Any:
    """Return |ŷ − y|. Raises as `checked_target`.

    >>> distance(1.0, 3.0)
    2.0
    """
    return selection.abs(y_hat - checked_target(y))


@as_cost
@recorded(Function("absolute error", "|ŷ − y|", ("sub", 1)))
def absolute_error(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = Σ_k |y_k − ŷ_k|, whose minimiser is the conditional median of y; ∂L/∂ŷ is sign(ŷ − y).

    Arguments and errors are those of `squared_error`. (*Deep Learning*, 6.2.1.2.)

    >>> absolute_error([[1.0, 2.0], [0.0, 0.0]], [[0.0, 4.0], [0.0, 1.0]])
    2.0
    """
    return reduce_costs(per_component(distance), output, target, batch=is_batch(output), reduction=reduction)


def _negative_log_density(parameters: Any, y: Any) -> Any:
    """Return −ln of a Gaussian's density at y, up to a constant, for parameters (mean, precision)."""
    mean, precision = parameters
    number = precision._float if isinstance(precision, Value) else precision
    if isinstance(number, float) and number < 0:
        message = (
            f"a precision β = 1/σ² must be above 0, got {shown(number)}; compute it by softplus, as in GaussianOutput"
        )
        raise ValueError(message)
    return 0.5 * precision * (checked_target(y) - mean) ** 2 - 0.5 * exponential.log(precision)


def _gaussian_terms(output: Any, target: Any) -> list[tuple[Any, Any]]:
    if not is_sequence(output) or len(output) != 2:
        message = f"gaussian_nll takes the pair (mean, precision) as output, got {shown(output)}"
        raise ValueError(message)
    mean, precision = output
    terms = per_component(_negative_log_density, lambda parameters: [as_operand(number) for number in parameters])
    if not is_sequence(mean):
        return terms([(mean, precision)], [target])
    if len(mean) != len(precision):
        message = f"there are {len(mean)} means but {len(precision)} precisions: give one of each for each component"
        raise ValueError(message)
    return terms(list(zip(mean, precision)), target)


@as_cost_of_pairs
@recorded(Function("Gaussian cost", "½ β (y − μ)² − ½ ln β", ("sub", 0)))
def gaussian_nll(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = Σ_k ½ β_k (y_k − μ_k)² − ½ ln β_k: −ln of a Gaussian's density, up to the constant ½ ln 2π.

    `output` is the pair (μ, β) as `GaussianOutput` returns it, each a number or a list: means and precisions, β = 1/σ².
    The precision makes division unnecessary. A *list* of pairs is a batch. Other arguments and errors are those of
    `squared_error`. For large β the gradient is large: clip it. (*Deep Learning*, 6.2.2.4.)

    >>> gaussian_nll((1.0, 1.0), 3.0)
    2.0
    >>> gaussian_nll([(1.0, 1.0), (0.0, 1.0)], [3.0, 0.0])
    1.0
    """
    if isinstance(output, list) and output and not is_sequence(output[0]):
        message = (
            f"gaussian_nll takes the pair (mean, precision) as a tuple, a list of such pairs as a batch, got {output}"
        )
        raise ValueError(message)
    return reduce_costs(_gaussian_terms, output, target, batch=isinstance(output, list), reduction=reduction)
