"""Negative log-likelihoods: of log-probabilities, of any density, of counts; and the Kullback–Leibler divergence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import call, in_plain_words, returned
from microgradlib._support.checks import boolean, non_negative, shown
from microgradlib._support.lookup import lookup
from microgradlib._support.number import as_operand
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.core.symbol import Symbol
from microgradlib.costs.classification import classes_of, multinoulli_cost, weighted_cost
from microgradlib.costs.decision import argmax, with_decision
from microgradlib.costs.option_signatures import as_kl_div, as_nll, as_poisson_nll
from microgradlib.costs.reduction import REDUCTIONS, is_batch, per_component, reduce_costs
from microgradlib.costs.softmax_cost import Options, class_weights, count_kept
from microgradlib.nn.labels import Check, one_hot
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import GRAPH, arithmetic, exponential, reductions, selection
from microgradlib.ops.derivative_graph import strong_mul

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["kl_div", "nll", "nll_of", "poisson_nll"]


@as_nll
@with_decision(argmax)
@recorded(Function("negative log-likelihood", "−ln p_y"))
def nll(
    output: Any,
    target: Any,
    *,
    weight: Collection[float] | None = None,
    ignore_index: int | None = None,
    reduction: str | None = None,
) -> Any:
    """Return L = −Σ_k y_k ln p_k for log-probabilities ln p, one for each class: −ln p_y for class y.

    `output`: ln p, as `log_softmax` gives them; for logits write `cross_entropy`, which is `nll` of `log_softmax`.
    Target, `weight`, `ignore_index`, `reduction` and errors are those of `cross_entropy`, and PyTorch's `nll_loss` has
    the same values.

    >>> from microgradlib import log_softmax
    >>> nll(log_softmax([0.0, 0.0]), 1), nll([[-0.5, -1.0], [-2.0, -0.25]], [0, 1], weight=[1.0, 3.0], reduction="mean")
    (0.6931471805599453, 0.3125)
    """
    ignored = Options(weight, 0.0, ignore_index).checked().ignore_index

    def terms(log_p: Any, y: Any) -> list[tuple[Any, Any]]:
        log_p = classes_of(log_p)
        n = len(log_p)
        if ignored is not None and isinstance(y, Symbol):
            by_class = class_weights(weight, n) or [1.0] * n
            chosen = one_hot(y, n, ignored=ignored)
            row = [0.0 if k == ignored else w * y_k for k, (w, y_k) in enumerate(zip(by_class, chosen))]
            return [(weighted_cost(row, lambda k: GRAPH.neg(log_p[k])), reductions.sum(*row))]
        if ignored is not None and not is_sequence(y) and float(y) == ignored:
            return [(0.0, 0.0)]
        return [multinoulli_cost(y, n, lambda k: GRAPH.neg(log_p[k]), weight)]

    batch = is_batch(output)
    if batch and reduction is None and ignored is not None:
        summed = reduce_costs(terms, output, target, batch=True, reduction="sum")
        return arithmetic.div(summed, count_kept(target, ignored))  # 0/0 if all are ignored: nan
    return reduce_costs(terms, output, target, batch=batch, reduction=reduction)


@in_plain_words
def nll_of(log_density: Callable[[Any, Any], Any], *, batch: Callable[[Any], bool] = is_batch) -> Callable[..., Any]:
    """Return the cost L(ŷ, y) = −ln p(y | ŷ) of any density: the negative log-likelihood, for `fit` and `compile`.

    `log_density(output, target)` returns ln p of one example; it is given the whole output, a number or a list. The
    cost takes `(output, target, *, reduction=None)` as the other costs do. `batch(output)` says whether an output is a
    list of examples' outputs: by default, whether its first entry is a list or tuple. Raises `TypeError` where
    either is no function. (*Deep Learning*, 6.2.1.1.)

    >>> from microgradlib import log
    >>> exponential_nll = nll_of(lambda rate, y: log(rate[0]) - rate[0] * y)
    >>> exponential_nll([2.0], 0.5), exponential_nll([[1.0], [1.0]], [0.5, 1.5])
    (0.3068528194400547, 1.0)
    """
    functions: dict[str, Any] = {"log_density": log_density, "batch": batch}
    for name, function in functions.items():
        if not callable(function):
            message = f"{name} must be a function, got {shown(function)}"
            raise TypeError(message)

    @recorded(Function("negative log-likelihood", "−ln p(y | ŷ)"))
    def cost(output: Any, target: Any, *, reduction: str | None = None) -> Any:
        def terms(y_hat: Any, y: Any) -> list[tuple[Any, Any]]:
            density = call(log_density, "log_density(output, target)", y_hat, y)
            return [(-returned(log_density, [density], as_operand)[0], 1.0)]

        return reduce_costs(terms, output, target, batch=batch(output), reduction=reduction)

    cost.__doc__ = "Return −ln p(y | ŷ) of an example, or its mean over a batch."
    return cost


_count = Check("target", "but a count is a finite number >= 0", 0.0)
_probability = Check("target", "but a probability is a number >= 0; for its logarithm write log_target=True", 0.0)


@as_poisson_nll
@recorded(Function("Poisson cost", "λ − y ln λ", ("strong_mul", 0)))
def poisson_nll(
    output: Any,
    target: Any,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str | None = None,
) -> Any:
    """Return L = Σ_k exp(z_k) − y_k z_k: −ln of a Poisson distribution's probability of the counts y, up to ln y!.

    `output`: z, the logarithm of the rate, so that ∂L/∂z = rate − y; with `log_input=False` the rate λ itself, for
    L = Σ_k λ_k − y_k ln(λ_k + ε), ε = `eps` ≥ 0. `full` adds Stirling's y ln y − y + ½ ln 2πy for ln y! where y > 1.
    A count of 0 costs the rate alone, even where the logarithm is −inf. The arguments are those of PyTorch's
    `poisson_nll_loss`; output, target and `reduction` as in `squared_error`. Raises `LabelError` for a count that is
    negative, infinite or nan, naming the example.

    >>> poisson_nll(0.0, 3), poisson_nll(2.0, 0, log_input=False)
    (1.0, 2.0)
    """
    log_input, full = boolean(log_input, "log_input"), boolean(full, "full")
    eps = non_negative(eps, "eps", example=1e-8)

    def cost(z: Any, y: Any) -> Any:
        count = _count(y)
        if log_input:
            result = exponential.exp(z) - strong_mul(count, z)
        else:
            result = z - strong_mul(count, exponential.log(z + eps))
        if not full:
            return result
        stirling = exponential.xlogy(count, count) - count + 0.5 * exponential.log(2 * math.pi * count)
        return result + selection.where(count > 1, stirling, 0.0)

    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=reduction)


@as_kl_div
@recorded(Function("KL divergence", "Σ p (ln p − ln q)"))
def kl_div(output: Any, target: Any, *, log_target: bool = False, reduction: str | None = None) -> Any:
    """Return D(p‖q) = Σ_k p_k (ln p_k − ln q_k), the Kullback–Leibler divergence of distributions p and q.

    `output`: ln q, the log-probabilities, as `log_softmax` gives them; `target`: p, or ln p with `log_target=True`. A
    class with p_k = 0 costs nothing, even where ln q_k is −inf. Arguments as in PyTorch's `kl_div`; a list of lists is
    a batch, whose mean over examples, "batchmean", is the default; "sum", "mean" and "none" are over all entries.
    Neither q nor p is normalised. D ≥ 0, and 0 only for p = q; it differs by the entropy of p from the cross-entropy.
    Raises `LabelError` for a p_k that is negative, infinite or nan, naming the example.

    >>> from microgradlib import log_softmax
    >>> kl_div(log_softmax([0.0, 0.0]), [1.0, 0.0]), kl_div(log_softmax([0.0, 0.0]), [0.5, 0.5])
    (0.6931471805599453, 0.0)
    """
    log_target = boolean(log_target, "log_target")
    if reduction is not None:
        lookup(reduction, {**REDUCTIONS, "batchmean": None}, "reduction")
    over = None if reduction == "batchmean" else reduction

    def cost(log_q: Any, p: Any) -> Any:
        if log_target:
            p = as_operand(p)
            return strong_mul(exponential.exp(p), p - log_q)
        p = _probability(p)
        return exponential.xlogy(p, p) - strong_mul(p, log_q)

    return reduce_costs(per_component(cost), output, target, batch=is_batch(output), reduction=over)
