"""Numeric derivatives beside gradients: each with its error, and the two sides where they differ, at a kink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.modes import no_grad
from microgradlib.errors import MissingRuleError
from microgradlib.numeric import numeric_derivative

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["BUDGET", "Check", "affordable", "check"]

BUDGET: Final = 6000
"""So many leaves times nodes and edges are checked unasked: each check computes the graph some hundred times."""

FEWER: Final = 4
"""Where not all leaves can be, a fraction of them is: the page checks the others when they are looked at."""


def _function(live: Sequence[Any], leaf: int) -> Callable[[float], float]:
    """Return the output as a function of the number of one leaf, by computing only what depends on it."""
    places = {node: i for i, node in enumerate(live)}
    numbers = [node.data for node in live]
    moving = {leaf}
    steps: list[tuple[int, Callable[..., float], list[int]]] = []
    for i, node in enumerate(live):
        parents = [places[parent] for parent in node.parents]
        if not moving.isdisjoint(parents):
            moving.add(i)
            steps.append((i, node.op.compute, parents))

    def output(x: float) -> float:
        numbers[leaf] = x
        for i, compute, parents in steps:
            numbers[i] = compute(*[numbers[p] for p in parents])
        return float(numbers[-1])

    return output


class Check(NamedTuple):
    """A derivative by differences: its value and estimated error, and the derivatives to the left and to the right.

    They differ at a kink; there the value is their mean.
    """

    value: float
    error: float
    left: float
    right: float
    kink: bool


def check(live: Sequence[Any], leaf: int) -> Check:
    """Return the derivative of the last node by a leaf, by differences.

    Raises:
        MissingRuleError: a node in between was made by hand, so the output cannot be computed anew.

    >>> from microgradlib import Value, topological_sort
    >>> x = Value(0.0)
    >>> found = check(topological_sort(abs(x)), 0)
    >>> found.left, found.right, found.kink
    (-1.0, 1.0, True)
    """
    f, x = _function(live, leaf), live[leaf].data
    with no_grad():
        found = numeric_derivative(f, x)
    half = found.gap / 2
    return Check(found.value, found.error, found.value - half, found.value + half, bool(found.gap))


def affordable(live: Sequence[Any], leaves: Iterable[int], budget: int = BUDGET) -> dict[int, Check]:
    """Return the checks of all leaves or of the first, as the budget allows; none if a node was made by hand."""
    size = sum(1 + len(node.parents) for node in live)
    wanted, most = list(leaves), budget // max(size, 1)
    try:
        return {leaf: check(live, leaf) for leaf in wanted[: most if most >= len(wanted) else most // FEWER]}
    except MissingRuleError:
        return {}
