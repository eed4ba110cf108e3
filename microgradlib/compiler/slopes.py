"""What the derivative rule of an op needs: a number alone, or some of the op's output and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.ops import Op
from microgradlib.ops.guards import unguarded

__all__ = ["Slope", "rule_arguments", "slope_of"]

BY_OUTPUT = {"relu"}
"""Ops with f′(x) = f′(f(x)): the derivative is read off the output, and the input's row is free for it."""
QUICKER_BY_OUTPUT = {"pow"}
"""Ops bound to a setting whose derivative is quicker with the output, p xᵖ/x; that of the square is 2 x."""


class Slope(NamedTuple):
    """The derivative of an op by one input: `constant` if it is one number whatever the inputs, else None.

    `reads`: which of (output, input 0, input 1 …) it is computed from.
    """

    constant: float | None
    reads: tuple[int, ...]


@lru_cache(maxsize=4096)
def slope_of(op: Op, wrt: int) -> Slope:
    """Return what ∂op/∂(input `wrt`) is computed from, found by running the op's rule on Symbols.

    >>> from microgradlib.ops import TABLE
    >>> slope_of(TABLE["sub"], 1), slope_of(TABLE["mul"], 0), slope_of(TABLE["exp"], 0)
    (Slope(constant=-1.0, reads=()), Slope(constant=None, reads=(2,)), Slope(constant=None, reads=(0,)))
    """
    if op.name in BY_OUTPUT:
        return Slope(None, (0,))
    symbols = [Symbol(f"v{place}") for place in range(1 + (op.arity or 0))]
    with recording():
        derivative = unguarded(op.partial_derivative(wrt, *symbols))
    if not isinstance(derivative, Node):
        return Slope(float(derivative), ())
    used = set(topological_sort(derivative))
    reads = {place for place, symbol in enumerate(symbols) if symbol in used}
    if op.name in QUICKER_BY_OUTPUT and op.settings not in {(), (2.0,)}:
        reads |= {0, 1}
    return Slope(None, tuple(sorted(reads)))


def rule_arguments(op: Op, reads: Sequence[int], given: Sequence[Any]) -> list[Any]:
    """Return (output, *inputs) for a derivative rule from those in `reads`; others are None, of `BY_OUTPUT` the output.

    >>> from microgradlib.ops import TABLE
    >>> rule_arguments(TABLE["relu"], (0,), ["z"]), rule_arguments(TABLE["mul"], (2,), ["y"])
    (['z', 'z'], [None, None, 'y'])
    """
    arguments: list[Any] = [None] * (1 + (op.arity or 0))
    for place, argument in zip(reads, given):
        arguments[place] = argument
    if op.name in BY_OUTPUT:
        arguments = [arguments[0]] * len(arguments)
    return arguments
