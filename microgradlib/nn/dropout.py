"""Dropout: units left out at random while training."""

from __future__ import annotations

import random
from typing import Any

from microgradlib._support.number import as_float
from microgradlib._support.pytree import flatten, unflatten
from microgradlib._support.rng import Rng, as_random
from microgradlib.core.symbol import Symbol
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.nn.grids import nested_lists
from microgradlib.nn.module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """yᵢ = μᵢ xᵢ/(1 − p), with μᵢ = 0 with probability p, else 1, drawn anew at each call; after `eval()`, y = x.

    Units cannot rely on one another, as a new part of the network is trained each time. Dividing by 1 − p while
    training ("inverted" dropout) keeps the mean of y at x, so that nothing need be scaled afterwards. x is a number or
    a list, nested or not; the μᵢ are drawn in its order from `rng`, a seed or `random.Random`, without which Python's
    own generator draws. Raises `ValueError` for p outside 0 ≤ p < 1; and, called with Symbols while training,
    `SymbolHasNoValueError`, as one draw would be fixed into the graph. (*Deep Learning*, 7.12.)

    >>> dropout = Dropout(0.5, rng=1)
    >>> dropout([1.0, 1.0, 1.0, 1.0])
    [0.0, 2.0, 2.0, 0.0]
    >>> dropout.eval()([1.0, 1.0, 1.0, 1.0])
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, rng: Rng | None = None) -> None:
        self.p = as_float(p)
        if not 0 <= self.p < 1:
            message = f"p is the probability of leaving a unit out, 0 ≤ p < 1, got {p!r}"
            raise ValueError(message)
        self.rng = None if rng is None else as_random(rng)
        self.summary_shape = f"p = {self.p:g}"

    def __call__(self, x: Any) -> Any:
        """Return y, nested as x is."""
        if not self.training or not self.p:
            return x
        nested = nested_lists(x)
        numbers = flatten(nested)
        if any(isinstance(number, Symbol) for number in numbers):
            message = (
                "dropout draws at each call, and a graph of Symbols would keep one draw for ever: "
                "call model.eval() first, or leave Dropout out of what is compiled"
            )
            raise SymbolHasNoValueError(message)
        draw, kept = (self.rng or random).random, 1 / (1 - self.p)
        return unflatten(nested, [number * (kept if draw() >= self.p else 0.0) for number in numbers])

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"
