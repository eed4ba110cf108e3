"""From the costs of components to the cost of an example, and from examples to the risk of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.lookup import lookup
from microgradlib.errors import LabelError
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import arithmetic, reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Terms = Callable[[Any, Any], list[tuple[Any, Any]]]

__all__ = ["by_component", "is_batch", "reduced", "total"]

REDUCTIONS = {"none": "each", "sum": "their sum", "mean": "their mean"}


def is_batch(output: Any) -> bool:
    """Say whether an output is a list of examples' outputs, rather than the components of one."""
    return is_sequence(output) and len(output) > 0 and is_sequence(output[0])


def total(terms: Sequence[Any]) -> Any:
    """Return Σ terms as one node; of a single term, the term itself."""
    return terms[0] if len(terms) == 1 else reductions.sum(*terms)


def by_component(cost: Callable[[Any, Any], Any]) -> Terms:
    """Return the terms of an example, (cost, weight 1) for each component, from the cost of one component."""

    def terms(output: Any, target: Any) -> list[tuple[Any, Any]]:
        if not is_sequence(output):
            if is_sequence(target):
                message = f"the output is one number but the target has {len(target)} entries; give one for one"
                raise ValueError(message)
            return [(cost(output, target), 1.0)]
        if not is_sequence(target) or len(output) != len(target):
            given = f"{len(target)} entries" if is_sequence(target) else f"{target!r}"
            message = f"the output has {len(output)} components, so the target has as many, got {given}"
            raise ValueError(message)
        return [(cost(y_hat, y), 1.0) for y_hat, y in zip(output, target)]

    return terms


def reduced(terms: Terms, output: Any, target: Any, *, batch: bool, reduction: str | None) -> Any:
    """Reduce the terms, (cost, weight) of each component, of one example or of a batch.

    `batch` says whether `output` and `target` are lists of examples. `reduction` is None (sum over the components of an
    example, mean over examples), or PyTorch's word over all terms at once: "sum", "mean" (Σ costs / Σ weights) or
    "none" (the list of costs). Raises `ValueError` for another word, for no examples, and for as many targets as do
    not fit; a `LabelError` says which example it was.
    """
    if reduction is not None:
        lookup(reduction, REDUCTIONS, "reduction")
    examples = _examples(terms, output, target) if batch else [terms(output, target)]
    if reduction is None:
        costs = [total([cost for cost, _ in example]) for example in examples]
        return costs[0] if len(costs) == 1 else reductions.mean(*costs)
    pairs = [pair for example in examples for pair in example]
    costs = [cost for cost, _ in pairs]
    if reduction == "none":
        return costs
    if reduction == "sum":
        return total(costs)
    return arithmetic.div(total(costs), sum(weight for _, weight in pairs))  # weights of 0 only: 0/0, nan as in PyTorch


def _examples(terms: Terms, outputs: Any, targets: Any) -> list[list[tuple[Any, Any]]]:
    if not hasattr(targets, "__len__"):
        message = f"the targets of a batch are a list, one for each of {len(outputs)} examples, got {targets!r}"
        raise TypeError(message)
    if len(outputs) != len(targets):
        message = f"{len(outputs)} outputs but {len(targets)} targets: give one target for each example"
        raise ValueError(message)
    if len(outputs) == 0:
        raise ValueError("the mean cost of no examples is not defined: give at least one")
    return [_example(terms, i, *pair) for i, pair in enumerate(zip(outputs, targets))]


def _example(terms: Terms, i: int, output: Any, target: Any) -> list[tuple[Any, Any]]:
    try:
        return terms(output, target)
    except LabelError as error:
        message = f"example {i}: {error}"
        raise LabelError(message) from None
