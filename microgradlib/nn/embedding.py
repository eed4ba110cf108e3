"""Embedding: a learned vector for each index, such as a letter, a word or a position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.rng import Rng
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.labels import class_index, one_hot
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import is_sequence, nodes_of_length

if TYPE_CHECKING:
    from microgradlib.nn.vectors import Number, Vector

__all__ = ["Embedding"]


class Embedding(Module):
    """e(k) = row k of a table w of `count` rows and `width` columns, which is wᵀx for the one-hot x with x_k = 1.

    The index k stands for a letter, a word or a position; its row is learned like any other weight. A lookup creates no
    node, and only the rows looked up get a gradient. Instead of an index, `count` numbers x may be given: one-hot, or
    the probabilities of a mixture. A Symbol as index is compared with every k, which gives its one-hot form.

    Raises `LabelError`, a `ValueError`, for an index that is not a whole number from 0 to count − 1, and `ValueError`
    for a list of another length. `init` is by default N(0, 0.08²). (*Deep Learning*, 12.4.2.)

    >>> letters = Embedding(26, 4, rng=0)
    >>> len(letters(2)), letters(2)[0] is letters.w[2][0]
    (4, True)
    """

    is_kept = True

    @in_plain_words
    def __init__(self, count: WholeNumber, width: WholeNumber, *, rng: Rng | None = None, init: Init = "small") -> None:
        count, width = whole_number(count, "count"), whole_number(width, "width")
        draw = weight_drawer(init, rng)
        self.w = [[Value(draw(count, width), label=f"w{k}_{j}") for j in range(width)] for k in range(count)]
        self.summary_shape = f"{count} rows of {width}"

    def __call__(self, index: Number | Vector) -> list[Value]:
        """Return row `index` as a list of parameters; for a Symbol or a list x of `count` numbers, wᵀx."""
        rows = len(self.w)
        if isinstance(index, Symbol):
            x = one_hot(index, rows, "index")
        elif is_sequence(index):
            x = nodes_of_length(index, rows, "the one-hot list for this embedding")
            _check_mixture(index)
        else:
            return list(self.w[class_index(cast("Number", index), rows, "index")])
        return [weighted_sum(column, x) for column in zip(*self.w)]

    def __repr__(self) -> str:
        return f"Embedding({self.summary_shape})"


def _check_mixture(x: Any) -> None:
    """Raise `ValueError` for plain numbers that are negative or whose sum is above 1; all 0 is allowed, as padding."""
    if not any(isinstance(number, Node) for number in x) and not (min(x) >= 0 and sum(x) <= 1 + 1e-6):
        message = (
            f"a list given to an embedding must be one-hot or probabilities that sum to 1, got {list(x)}; "
            "to look up several indices, call the embedding once for each"
        )
        raise ValueError(message)
