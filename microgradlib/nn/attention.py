"""Causal self-attention: every position reads from itself and from those before it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.list_functions import softmax
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value
from microgradlib.nn.labels import is_many
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer
from microgradlib.nn.sizes import check_length, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["CausalSelfAttention"]

Vector: TypeAlias = "list[Any]"


class CausalSelfAttention(Module):
    """Attention(Q, K, V) = softmax(QKᵀ/√d)V in each of several heads, position t attending to positions 0 … t.

    Of each input vector x_t of length `width`, four linear layers make a query q_t, a key k_t, a value v_t and, of what
    was read, the output. A head has d = width/heads entries of each; for its entries,

        α_ts = softmax over s ≤ t of q_tᵀk_s/√d,   o_t = Σ_{s ≤ t} α_ts v_s

    and the heads' o_t side by side are the input of the output layer. Dots and sums are n-ary nodes. `init` is by
    default N(0, 0.08²). Raises `ValueError` if heads do not divide the width, and when called with vectors of another
    length. (Vaswani et al., 2017.)

    >>> attention = CausalSelfAttention(4, heads=2, rng=0)
    >>> x = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]
    >>> len(attention(x)), len(attention(x)[0])
    (2, 4)

    Positions may be given a few at a time, as sampling does: `cache` keeps the keys and values of those before.

    >>> cache = []
    >>> [first], [second] = attention(x[:1], cache), attention(x[1:], cache)
    >>> second[0].data == attention(x)[1][0].data
    True
    """

    def __init__(
        self,
        width: int,
        heads: int = 1,
        *,
        rng: Rng | None = None,
        bias: bool = False,
        init: str | Callable[..., float] = "small",
    ) -> None:
        if count(width, "width") % count(heads, "heads"):
            message = f"the heads share the width equally: {width} is no multiple of {heads}"
            raise ValueError(message)
        generator = None if rng is None else as_random(rng)
        self.q, self.k, self.v, self.o = (
            Layer(width, width, "linear", rng=generator, bias=bias, init=init) for _ in range(4)
        )
        size = width // heads
        self.heads = [slice(start, start + size) for start in range(0, width, size)]
        self.width = width
        self.summary_shape = f"{width} → {width}, {heads} head{'s' * (heads > 1)}"

    def __call__(self, x: Sequence[Any], cache: list[tuple[Vector, Vector]] | None = None) -> list[Vector]:
        """Return one vector for each vector of x.

        The (key, value) of each is added to `cache`, and x follows on the positions there.
        """
        if not is_many(x) or any(not is_many(x_t) for x_t in x):
            given = f"a list with {next(x_t for x_t in x if not is_many(x_t))!r} in it" if is_many(x) else repr(x)
            message = (
                f"attention takes a list of vectors, one for each position, got {given}; write [x] for a single one"
            )
            raise TypeError(message)
        for x_t in x:
            check_length(x_t, self.width, "each vector that this attention takes")
        past = [] if cache is None else cache
        return [self._next(x_t, past) for x_t in x]

    def _next(self, x_t: Sequence[Any], past: list[tuple[Vector, Vector]]) -> Vector:
        query = self.q.outputs(x_t)
        past.append((self.k.outputs(x_t), self.v.outputs(x_t)))
        scale = Value(1 / math.sqrt(len(query) / len(self.heads)))
        read: Vector = []
        for head in self.heads:
            scores = [weighted_sum(query[head], key[head]) * scale for key, _ in past]
            shares = softmax(scores)
            read += [weighted_sum(shares, entries) for entries in zip(*[value[head] for _, value in past])]
        return self.o.outputs(read)

    def __repr__(self) -> str:
        return f"CausalSelfAttention({self.summary_shape})"
