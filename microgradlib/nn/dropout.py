"""Dropout: set units to 0 at random in training mode."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any, TypeVar, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import fraction
from microgradlib._support.number import as_operand
from microgradlib._support.pytree import flatten, unflatten
from microgradlib._support.rng import Rng, as_random
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import nested_lists

__all__ = ["Dropout"]

T = TypeVar("T")
N = TypeVar("N", Value, Symbol, float)


class Dropout(Module):
    """yᵢ = μᵢ xᵢ/(1 − p), with μᵢ = 0 with probability p, else 1, drawn at each call; after `eval()`, y = x.

    Each step trains a different part of the network, so that no unit can rely on the presence of another. Dividing by
    1 − p in training mode ("inverted" dropout) keeps the mean of y at x, so that nothing is scaled in evaluation mode.
    x is a number or a list, nested or not; the μᵢ are drawn in its order from `rng`, a seed or a `random.Random`, by
    default Python's global generator. Raises `ValueError` for p outside 0 ≤ p < 1; and, when called with Symbols in
    training mode, `SymbolHasNoValueError`, as the graph would contain the μᵢ of a single draw. (*Deep Learning*, 7.12.)

    >>> dropout = Dropout(0.5, rng=1)
    >>> dropout([1.0, 1.0, 1.0, 1.0])
    [0.0, 2.0, 2.0, 0.0]
    >>> dropout.eval()([1.0, 1.0, 1.0, 1.0])
    [1.0, 1.0, 1.0, 1.0]
    """

    @in_plain_words
    def __init__(self, p: float = 0.5, rng: Rng | None = None) -> None:
        self.p = fraction(p, "p", reason="the probability of dropping a unit", example=0.5)
        self.rng = None if rng is None else as_random(rng)
        self.summary_shape = f"p = {self.p:g}"

    @overload
    def __call__(self, x: N) -> N: ...
    @overload
    def __call__(self, x: list[T]) -> list[T]: ...
    @overload
    def __call__(self, x: Collection[Any]) -> Any: ...
    def __call__(self, x: Any) -> Any:
        """Return y, a number or lists nested as x is; in evaluation mode x itself."""
        if not self.training or not self.p:
            return x
        nested = nested_lists(x)
        numbers = flatten(nested)
        kinds = set(map(type, numbers))
        if any(issubclass(kind, Symbol) for kind in kinds):
            message = (
                "dropout draws new random numbers at each call, and a graph of Symbols would contain one draw: "
                "call model.eval() first, or leave Dropout out of what is compiled"
            )
            raise SymbolHasNoValueError(message)
        if not all(issubclass(kind, (Node, float)) for kind in kinds):
            numbers = [as_operand(number) for number in numbers]  # or raises
        draw, scale = (self.rng or random).random, 1 / (1 - self.p)
        return unflatten(nested, [number * (scale if draw() >= self.p else 0.0) for number in numbers])

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
