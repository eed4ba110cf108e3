"""Costs of classification: Bernoulli and Multinoulli cross-entropy, of probabilities and of logits, and hinge loss."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import real_number
from microgradlib._support.number import as_operand
from microgradlib._support.shown import shown
from microgradlib.core.modes import users_frame
from microgradlib.core.node import Node
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.core.symbol import Symbol
from microgradlib.costs.decision import argmax, sign_of_score, threshold_logit, threshold_probability, with_decision
from microgradlib.costs.negative_log import is_softmax_output, negative_log, negative_log_complement
from microgradlib.costs.reduction import is_batch, per_component, reduce_costs, total
from microgradlib.costs.signatures import as_class_cost, as_cost, as_logit_cost, as_softmax_cost
from microgradlib.costs.softmax_cost import Options, class_weights, count_kept, softmax_cost, weighted
from microgradlib.nn.labels import Check, class_index, distribution, one_hot
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import activations, arithmetic, reductions
from microgradlib.ops.derivative_graph import strong_mul

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "cross_entropy_from_probabilities",
    "hinge",
]


_binary_label = Check("label", "but labels of two classes are 0 and 1, or a probability of class 1", 0.0, 1.0)


def weighted_cost(weights: Sequence[Any], class_cost: Callable[[int], Any]) -> Any:
    """Return Σ_k weight_k · class_cost(k); a term whose weight is exactly 0 is left out, so that 0·∞ is 0."""
    if any(isinstance(weight, Node) for weight in weights):
        return reductions.sum(*[strong_mul(weight, class_cost(k)) for k, weight in enumerate(weights)])
    terms = [(weight, class_cost(k)) for k, weight in enumerate(weights) if weight]
    return total([cost if weight == 1 else weight * cost for weight, cost in terms] or [0.0])


def _bernoulli_cost(y: Any, cost_of_0: Callable[[], Any], cost_of_1: Callable[[], Any], weight: float = 1.0) -> Any:
    """Return (1 − y) cost_of_0() + weight · y · cost_of_1(); a cost whose factor is 0 is not computed."""
    return weighted_cost([1 - y, y if weight == 1 else weight * y], lambda k: (cost_of_0, cost_of_1)[k]())


@as_cost
@with_decision(threshold_probability)
@recorded(Function("binary cross-entropy", "−y ln ŷ − (1 − y) ln(1 − ŷ)"))
def binary_cross_entropy(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = −Σ_k [y_k ln ŷ_k + (1 − y_k) ln(1 − ŷ_k)]: −ln of a Bernoulli's probability. ŷ = σ(a): ∂L/∂a = ŷ − y.

    `output`: the probability ŷ of class 1, one number or a list of components; a list of lists is a batch. `target`:
    y, 0 or 1 or a probability. If ŷ is a node made by `sigmoid`, the cost is computed from its net input a, so that it
    is exact where σ rounds to 0 or 1. `reduction`: None for the mean over the examples of a batch, else PyTorch's
    "sum", "mean" or "none" over all components. (*Deep Learning*, 6.2.2.2.)

    Raises `LabelError` for a label outside [0, 1] or nan, naming the example, `ValueError` where lengths differ.

    >>> binary_cross_entropy(0.5, 1)
    0.6931471805599453
    """

    def cost(p: Any, y: Any) -> Any:
        return _bernoulli_cost(_binary_label(y), lambda: negative_log_complement(p), lambda: negative_log(p))

    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)


@as_logit_cost
@with_decision(threshold_logit)
@recorded(Function("binary cross-entropy", "−y ln σ(a) − (1 − y) ln(1 − σ(a))"))
def binary_cross_entropy_with_logits(
    output: Any, target: Any, *, pos_weight: float = 1.0, reduction: str | None = None
) -> Any:
    """Return L = Σ_k y_k ζ(−a_k) + (1 − y_k) ζ(a_k): binary cross-entropy of ŷ = σ(a), a softplus ζ of the logit a.

    `output`: the net input a of the sigmoid output unit, finite and exact however large. `pos_weight` multiplies the
    cost of class 1, as in PyTorch. Other arguments, errors and source are those of `binary_cross_entropy`.

    >>> binary_cross_entropy_with_logits(-1000.0, 1)
    1000.0
    """
    pos_weight = real_number(pos_weight, "pos_weight", ge=0, finite=False, example=1.0)

    def cost(a: Any, y: Any) -> Any:
        softplus = activations.softplus
        return _bernoulli_cost(_binary_label(y), lambda: softplus(a), lambda: softplus(-a), pos_weight)

    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)


def multinoulli_cost(
    y: Any, n: int, class_cost: Callable[[int], Any], weight: Collection[float] | None
) -> tuple[Any, float]:
    """Return the cost Σ_k weight_k y_k class_cost(k) of one example and its weight; y is a class or a distribution."""
    by_class = class_weights(weight, n)
    if isinstance(y, Symbol):
        y = one_hot(y, n)
    if is_sequence(y):
        y = distribution(y, n)
        return weighted_cost(y if by_class is None else [w * y_k for w, y_k in zip(by_class, y)], class_cost), 1.0
    k = class_index(y, n)
    w = 1.0 if by_class is None else by_class[k]
    return weighted(w, class_cost(k)), w


def classes_of(output: Any) -> list[Any]:
    """Return the numbers of an output, one for each class, as nodes and floats; `ValueError` unless two or more."""
    if not is_sequence(output) or len(output) < 2:
        message = f"the output must have one number for each class, and at least two classes, got {shown(output)}"
        raise ValueError(message)
    return [as_operand(number) for number in output]


@as_softmax_cost
@with_decision(argmax)
@recorded(Function("cross-entropy", "−ln softmax(z)_y"))
def cross_entropy(
    output: Any,
    target: Any,
    *,
    weight: Collection[float] | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str | None = None,
) -> Any:
    """Return L = −ln softmax(z)_y = ln Σ_k exp z_k − z_y for logits z and class y; with softmax, ∂L/∂z_k = ŷ_k − y_k.

    `output`: the net inputs z of a softmax output unit, one for each class; a list of them is a batch. `target`: the
    class, 0 to n − 1, or its one-hot row, or any distribution y over the classes, for L = Σ_k y_k (ln Σ_j exp z_j −
    z_k). `weight`: one number for each class by which its cost is multiplied. `label_smoothing`: a number ε by which y
    becomes (1 − ε) y + ε/n. `ignore_index`: a label whose examples have cost 0 and do not count in means (in `fit` and
    `compile`, which take the mean of the examples' costs, they do). `reduction`: None for the mean over the examples,
    or PyTorch's "sum", "mean" (divided by the weights of the labels) or "none". (*Deep Learning*, 6.2.2.3.)

    L and its slopes keep their digits however large the logits are, and however near 1 the probability of y is. Warns
    if the z_k were computed by a softmax, as the cost would be that of two, whose slopes are too small. Raises
    `LabelError` for a class out of range, a row that is not a distribution, or nan, naming the example, `ValueError`
    for a `label_smoothing` outside [0, 1].

    >>> cross_entropy([0.0, 0.0], 1), cross_entropy([1000.0, 0.0], 1)
    (0.6931471805599453, 1000.0)
    >>> cross_entropy([[0.0, 0.0], [1.0, 0.0]], [1, -100], ignore_index=-100)
    0.6931471805599453
    """
    options = Options(weight, label_smoothing, ignore_index).checked()

    def terms(z: Any, y: Any) -> list[tuple[Any, Any]]:
        z = classes_of(z)
        if is_softmax_output(z[0]):
            _warn_of_two_softmaxes()
        return [softmax_cost(z, y, options)]

    batch = is_batch(output)
    if batch and reduction is None and options.ignore_index is not None:
        summed = reduce_costs(terms, output, target, batch=True, reduction="sum")
        return arithmetic.div(summed, count_kept(target, options.ignore_index))  # 0/0 if all are ignored: nan
    return reduce_costs(terms, output, target, batch=batch, reduction=reduction)


def _warn_of_two_softmaxes() -> None:
    _, above = users_frame()
    warnings.warn(
        "cross_entropy takes logits, but its output was computed by a softmax: leave that out, or take "
        "cross_entropy_from_probabilities",
        UserWarning,
        stacklevel=above + 1,
    )


@as_class_cost
@with_decision(argmax)
@recorded(Function("cross-entropy", "−ln ŷ_y"))
def cross_entropy_from_probabilities(
    output: Any, target: Any, *, weight: Collection[float] | None = None, reduction: str | None = None
) -> Any:
    """Return L = −Σ_k y_k ln ŷ_k for probabilities ŷ, one for each class: −ln of a Multinoulli's probability.

    If the ŷ_k are nodes made by `softmax`, the cost is computed from its net inputs, so that it is exact where a ŷ_k
    rounds to 0. Arguments, errors and source are those of `cross_entropy`.

    >>> cross_entropy_from_probabilities([0.25, 0.75], [1, 0])
    1.3862943611198906
    """

    def terms(p: Any, y: Any) -> list[tuple[Any, Any]]:
        p = classes_of(p)
        return [multinoulli_cost(y, len(p), lambda k: negative_log(p[k]), weight)]

    return reduce_costs(terms, output, target, batch=is_batch(output), reduction=reduction)


_sign_label = Check("label", "but the labels of hinge are −1 and +1; for 0 and 1 write 2 * y − 1", -1.0, 1.0, step=2.0)


@as_cost
@with_decision(sign_of_score)
@recorded(Function("hinge loss", "max(0, 1 − y a)", ("mul", 0)))
def hinge(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = Σ_k max(0, 1 − y_k a_k), the hinge loss of scores a for labels y of −1 or +1, a margin of 1.

    Its derivative is −y inside the margin and 0 outside. Arguments are those of `squared_error`. Raises `LabelError`
    for another label, naming the example.

    >>> hinge(0.25, 1), hinge([[2.0], [0.5]], [[1], [-1]])
    (0.75, 0.75)
    """

    def cost(a: Any, y: Any) -> Any:
        return activations.relu(1 - _sign_label(y) * a)

    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)
