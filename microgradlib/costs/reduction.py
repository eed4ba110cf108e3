"""Reduce the costs of components to the cost of an example, and those of examples to the cost of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.checks import check_order
from microgradlib._support.lookup import lookup
from microgradlib._support.number import as_operand
from microgradlib._support.shown import shown
from microgradlib.errors import LabelError
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import arithmetic, reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


__all__ = ["REDUCTIONS", "is_batch", "per_component", "reduce_costs", "total"]

Terms: TypeAlias = "list[tuple[Any, Any]]"
"""The pairs (cost, weight) of the components of one example."""

REDUCTIONS = dict.fromkeys(["none", "sum", "mean"])
"""PyTorch's names of reductions."""


def is_batch(output: Any) -> bool:
    """Return whether an output is a list of examples' outputs rather than the components of one."""
    return is_sequence(output) and len(output) > 0 and is_sequence(next(iter(output)))


def total(costs: Sequence[Any]) -> Any:
    """Return Σ costs as one node; for a single cost, the cost itself."""
    return costs[0] if len(costs) == 1 else reductions.sum(*costs)


def per_component(
    cost: Callable[[Any, Any], Any], of_output: Callable[[Any], Any] = as_operand
) -> Callable[[Any, Any], Terms]:
    """Return the function (output, target) → terms of an example, given the cost of one component; weights are 1.

    `of_output` makes of an output's component what `cost` is given: a node or a float.
    """

    def terms(output: Any, target: Any) -> Terms:
        if not is_sequence(output):
            if is_sequence(target):
                message = f"the output is one number but the target has {len(target)} entries; give one target number"
                raise ValueError(message)
            return [(cost(of_output(output), target), 1.0)]
        if not is_sequence(target) or len(output) != len(target):
            given = f"{len(target)} entries" if is_sequence(target) else f"{shown(target)}"
            message = f"the output has {len(output)} components, so the target must have as many, got {given}"
            raise ValueError(message)
        if len(output) == 0:
            raise ValueError("the cost of no components is not defined: give at least one number")
        return [(cost(of_output(y_hat), y), 1.0) for y_hat, y in zip(output, target)]

    return terms


def reduce_costs(
    terms: Callable[[Any, Any], Terms], output: Any, target: Any, *, batch: bool, reduction: str | None
) -> Any:
    """Reduce the terms of one example or of a batch to one cost, or to a list of costs for "none".

    `batch`: whether `output` and `target` are lists of examples. `reduction` is None (sum over the components of an
    example, mean over examples), or PyTorch's name for a reduction over all terms at once: "sum", "mean" (Σ costs /
    Σ weights) or "none" (the list of costs). Raises `ValueError` for another name, for an empty batch, and where the
    numbers of outputs and targets differ; a `LabelError` names the example.
    """
    if reduction is not None:
        lookup(reduction, REDUCTIONS, "reduction")
    examples = _batch_terms(terms, output, target) if batch else [terms(output, target)]
    if reduction is None:
        costs = [total([cost for cost, _ in example]) for example in examples]
        return costs[0] if len(costs) == 1 else reductions.mean(*costs)
    pairs = [pair for example in examples for pair in example]
    costs = [cost for cost, _ in pairs]
    if reduction == "none":
        return costs
    if reduction == "sum":
        return total(costs)
    return arithmetic.div(total(costs), sum(weight for _, weight in pairs))  # 0/0 if all weights are 0: nan, as PyTorch


def _batch_terms(terms: Callable[[Any, Any], Terms], outputs: Any, targets: Any) -> list[Terms]:
    check_order(targets, "the targets of a batch", iterators=True)
    if not hasattr(targets, "__len__"):
        message = (
            f"the targets of a batch must be a list, one for each of {len(outputs)} examples, got {shown(targets)}"
        )
        raise TypeError(message)
    if len(outputs) != len(targets):
        message = f"{len(outputs)} outputs but {len(targets)} targets: give one target for each example"
        raise ValueError(message)
    if len(outputs) == 0:
        raise ValueError("the mean cost of no examples is not defined: give at least one")
    return [_example_terms(terms, i, *pair) for i, pair in enumerate(zip(outputs, targets))]


def _example_terms(terms: Callable[[Any, Any], Terms], i: int, output: Any, target: Any) -> Terms:
    try:
        return terms(output, target)
    except LabelError as error:
        message = f"example {i}: {error}"
        raise LabelError(message) from None
