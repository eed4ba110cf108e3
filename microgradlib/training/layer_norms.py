"""LayerNorms: the Euclidean norm of each layer's part of a flat gradient."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from microgradlib.core.value import Value
from microgradlib.optim.parameters import numpy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = ["LayerNorms"]

SMALLEST, LARGEST = 1e-280, 1e300
"""Between these a sum of squares has lost no digits by underflow or overflow of its terms that would matter."""


class LayerNorms:
    """A function of a gradient, flat in the order of `parameters`: a list of ‖∂R/∂(a layer's parameters)‖.

    Parameters of a layer that are not among `parameters` count 0; the others belong to no layer.

    >>> w, b, scale = Value(1.0), Value(1.0), Value(1.0)
    >>> LayerNorms({"neuron": [b, w]}, [w, b, scale])(numpy().array([3.0, 4.0, 9.0]))
    [5.0]
    """

    def __init__(self, layers: Mapping[str, Sequence[Value]], parameters: Sequence[Value]) -> None:
        np = numpy()
        position = {p: i for i, p in enumerate(parameters)}
        places = [[position[p] for p in values if p in position] for values in layers.values()]
        self._empty = [not some for some in places]
        lengths = [len(some) for some in places if some]
        self._starts = np.array([0, *accumulate(lengths)][: len(lengths)], dtype=np.intp)
        order = [i for some in places for i in some]
        self._order = None if order == list(range(len(parameters))) else np.array(order, dtype=np.intp)

    def __call__(self, gradient: Any) -> list[float]:
        """Return the norms, without overflow or underflow of the squares."""
        np = numpy()
        g = gradient if self._order is None else gradient[self._order]
        if not len(g):
            return [0.0] * len(self._empty)
        with np.errstate(all="ignore"):
            squares = np.add.reduceat(g * g, self._starts).tolist()
        if all(SMALLEST < square < LARGEST for square in squares):
            norms = list(map(math.sqrt, squares))
        else:
            norms = [math.hypot(*part.tolist()) for part in np.split(g, self._starts[1:])]
        if any(self._empty):
            rest = iter(norms)
            norms = [0.0 if empty else next(rest) for empty in self._empty]
        return norms
