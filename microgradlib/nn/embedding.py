"""Embedding: a learned vector for each of a number of things."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value, as_node
from microgradlib.nn import sizes
from microgradlib.nn.initialisers import initialiser_named
from microgradlib.nn.labels import class_index, is_many, one_hot
from microgradlib.nn.module import Module

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Embedding"]


class Embedding(Module):
    """e(k) = row k of a table w of `count` rows and `width` columns; equally wᵀx for x one-hot, x_k = 1.

    A letter, a word or a position is an index k; its row is learned like any other weight. A lookup costs nothing and
    only the rows looked up get a gradient. Instead of an index, `count` numbers x may be given: one-hot, or the
    probabilities of a mixture. A Symbol as index is turned into comparisons with every k, its one-hot form.

    Raises `LabelError`, a `ValueError`, for an index that is not a whole number from 0 to count − 1, and `ValueError`
    for a list of another length. `init` is by default N(0, 0.08²). (*Deep Learning*, 12.4.2.)

    >>> letters = Embedding(26, 4, rng=0)
    >>> len(letters(2)), letters(2)[0] is letters.w[2][0]
    (4, True)
    """

    def __init__(
        self, count: int, width: int, *, rng: Rng | None = None, init: str | Callable[..., float] = "small"
    ) -> None:
        generator: Any = random if rng is None else as_random(rng)
        draw = initialiser_named(init)
        sizes.count(count, "count")
        sizes.count(width, "width")
        self.w = [[Value(draw(generator, count, width), label=f"w{k}_{j}") for j in range(width)] for k in range(count)]
        self.summary_shape = f"{count} rows of {width}"

    def __call__(self, index: Any) -> list[Any]:
        """Return row `index` as a list; for a Symbol or a list of numbers, wᵀx."""
        rows = len(self.w)
        if isinstance(index, Symbol):
            x = one_hot(index, rows)
        elif is_many(index):
            sizes.check_length(index, rows, "in place of one index, a one-hot list for this embedding")
            _check_shares(index)
            x = [as_node(number) for number in index]
        else:
            return list(self.w[class_index(index, rows, "index")])
        return [weighted_sum(column, x) for column in zip(*self.w)]

    def __repr__(self) -> str:
        return f"Embedding({self.summary_shape})"


def _check_shares(x: Any) -> None:
    """Refuse plain numbers that are no shares of the rows; all 0, for no row, are allowed as padding."""
    if not any(isinstance(number, Node) for number in x) and not (min(x) >= 0 and sum(x) <= 1 + 1e-6):
        message = (
            f"a list is one row, one-hot or shares that sum to 1, got {list(x)}; look several indices up one by one"
        )
        raise ValueError(message)
