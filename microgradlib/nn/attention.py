"""CausalSelfAttention: every position attends to itself and to the positions before it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.rng import Rng, as_random
from microgradlib._support.shown import shown
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.nested import nodes_in
from microgradlib.core.recorded_calls import note_inside
from microgradlib.core.scopes import Function, begin, name_number
from microgradlib.core.softmax import softmax
from microgradlib.core.value import Value, as_node
from microgradlib.nn.initialisers import Init
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer
from microgradlib.nn.sequences import check_length, is_sequence

if TYPE_CHECKING:
    from collections.abc import Collection

    from microgradlib.nn.vectors import Vector

__all__ = ["CausalSelfAttention", "KeyValueCache"]

KeyValueCache: TypeAlias = list[tuple[list[Value], list[Value]]]
"""The pair (key, value) of each position so far."""


class CausalSelfAttention(Module):
    """Attention(Q, K, V) = softmax(QKᵀ/√d)V in each of several heads, position t attending to positions 0 … t.

    Three linear layers compute a query q_t, a key k_t and a value v_t of each input vector x_t of length `width`. A
    head has d = width/heads entries of each, for which

        α_ts = softmax over s ≤ t of q_tᵀk_s/√d,   o_t = Σ_{s ≤ t} α_ts v_s

    and the concatenated o_t of all heads are the input of a fourth linear layer, the output layer. Dots and sums are
    n-ary nodes. `init` is by default N(0, 0.08²). Raises `ValueError` if `width` is not a multiple of `heads`,
    and when called with vectors of another length. (Vaswani et al., 2017.)

    >>> attention = CausalSelfAttention(4, heads=2, rng=0)
    >>> x = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]
    >>> len(attention(x)), len(attention(x)[0])
    (2, 4)

    A sequence may be given in several calls, as in sampling: `cache` stores the keys and values of earlier positions.

    >>> cache = []
    >>> [first], [second] = attention(x[:1], cache), attention(x[1:], cache)
    >>> second[0].data == attention(x)[1][0].data
    True
    """

    is_recorded = False  # it notes its calls itself, with the places of its inputs
    is_kept = True

    @in_plain_words
    def __init__(
        self,
        width: WholeNumber,
        heads: WholeNumber = 1,
        *,
        rng: Rng | None = None,
        bias: bool = False,
        init: Init = "small",
    ) -> None:
        width, heads = whole_number(width, "width"), whole_number(heads, "heads")
        if width % heads:
            message = f"width must be a multiple of heads, got width={width} and heads={heads}"
            raise ValueError(message)
        generator = None if rng is None else as_random(rng)  # one generator for all four layers
        self.q, self.k, self.v, self.o = (
            Layer(width, width, "linear", rng=generator, bias=bias, init=init) for _ in range(4)
        )
        size = width // heads
        self.heads = [slice(start, start + size) for start in range(0, width, size)]
        self.width = width
        self.summary_shape = f"{width} → {width}, {heads} head{'s' * (heads > 1)}"

    @in_plain_words
    def __call__(self, x: Collection[Vector], cache: KeyValueCache | None = None) -> list[list[Value]]:
        """Return one vector for each vector of x.

        With a `cache`, the positions of x follow those in the cache, and the (key, value) of each is appended to it.
        """
        if not is_sequence(x) or not all(map(is_sequence, x)):
            given = shown(x)
            if is_sequence(x):
                given = f"a list with {shown(next(x_t for x_t in x if not is_sequence(x_t)))} in it"
            message = (
                f"attention takes a list of vectors, one for each position, got {given}; write [x] for a single vector"
            )
            raise TypeError(message)
        for x_t in x:
            check_length(x_t, self.width, "each input vector of this attention")
        positions: KeyValueCache = [] if cache is None else cache
        self._check_cache(positions)
        began, places = begin(), nodes_in(positions)
        inputs = [_as_nodes(x_t) for x_t in x]  # one leaf for each plain number, in q, k and v
        count = len(positions)
        try:
            heads = [self._heads(x_t, positions) for x_t in inputs]
        except BaseException:
            del positions[count:]
            raise
        outputs = [self.o.outputs(concatenated) for concatenated in heads]
        if outputs:
            note_inside(began, self, (*inputs, places), heads, [y for y_t in outputs for y in y_t])
        return outputs

    def _check_cache(self, cache: Any) -> None:
        """Raise `TypeError` or `ValueError` unless the cache is a list of pairs of vectors as wide as this layer."""
        if not isinstance(cache, list):
            message = (
                f"cache must be a list, at first empty, to which the keys and values are added, got {shown(cache)}"
            )
            raise TypeError(message)
        for pair in cache:
            check_length(pair, 2, "each entry of the cache, a pair (key, value),")
            for vector in pair:
                check_length(vector, self.width, "each key and value in the cache")

    def _heads(self, x_t: list[Value], positions: KeyValueCache) -> list[Value]:
        """Add the key and value of x_t to `positions`, and return the concatenated outputs of the heads for x_t."""
        query = self.q.outputs(x_t)
        positions.append((self.k.outputs(x_t), self.v.outputs(x_t)))
        scale = name_number(Value(1 / math.sqrt(len(query) / len(self.heads))), "1/√d")
        concatenated: list[Any] = []
        for number, head in enumerate(self.heads):
            began = begin()
            q, keys, values = query[head], [key[head] for key, _ in positions], [value[head] for _, value in positions]
            weights = softmax([weighted_sum(q, key) * scale for key in keys])
            outputs = [weighted_sum(weights, v) for v in zip(*values)]
            note_inside(began, _head(number), [q, keys, values], [weights], [outputs[0], outputs[-1]])
            concatenated += outputs
        return concatenated

    def __repr__(self) -> str:
        return f"CausalSelfAttention({self.summary_shape})"


@lru_cache
def _head(number: int) -> Function:
    return Function(f"head {number}", "softmax(q k/√d) v")


def _as_nodes(x: Any) -> list[Value]:
    return x if x.__class__ is list and {Value}.issuperset(map(type, x)) else [as_node(number) for number in x]
