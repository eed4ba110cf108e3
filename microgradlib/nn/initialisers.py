"""Draw the initial weights of a layer, by a named distribution or a function."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, TypeAlias, cast

from microgradlib._support.calling import call
from microgradlib._support.lookup import lookup
from microgradlib._support.number import as_float
from microgradlib._support.rng import Rng, as_random

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["INITIALISERS", "Init", "Initialiser", "weight_drawer"]

Initialiser: TypeAlias = "Callable[[random.Random, int, int], float]"
"""A function (rng, nin, nout) → one weight, for a layer of `nin` inputs and `nout` outputs."""

Init: TypeAlias = "str | Initialiser"
"""How weights are drawn, by name or as a function."""


def _glorot(rng: random.Random, nin: int, nout: int) -> float:
    bound = math.sqrt(6 / (nin + nout))
    return rng.uniform(-bound, bound)


def _fan_in(rng: random.Random, nin: int, nout: int) -> float:
    bound = 1 / math.sqrt(nin)
    return rng.uniform(-bound, bound)


INITIALISERS: dict[str, Initialiser] = {
    "uniform": lambda rng, nin, nout: rng.uniform(-1, 1),
    "fan_in": _fan_in,
    "fan_out": lambda rng, nin, nout: _fan_in(rng, nout, nin),
    "glorot": _glorot,
    "he": lambda rng, nin, nout: rng.gauss(0.0, math.sqrt(2 / nin)),
    "small": lambda rng, nin, nout: rng.gauss(0.0, 0.08),
    "zeros": lambda rng, nin, nout: 0.0,
}
"""Functions that draw one weight, given a `random.Random` and the layer's numbers of inputs and outputs (nin, nout).

- `uniform`: U(−1, 1), micrograd's.
- `fan_in`: U(−k, k) with k = 1/√nin, PyTorch's for linear and convolutional layers.
- `fan_out`: U(−k, k) with k = 1/√nout, PyTorch's for recurrent layers.
- `glorot`: U(−k, k) with k = √(6/(nin + nout)), for tanh and sigmoid (Glorot and Bengio, 2010).
- `he`: N(0, 2/nin), for rectifiers (He et al., 2015).
- `small`: N(0, 0.08²), small random numbers, microgpt's.
- `zeros`: 0; units with equal weights get equal gradients and stay equal, which is why weights are drawn at random.
"""


def weight_drawer(init: Init, rng: Rng | None) -> Callable[[int, int], float]:
    """Return draw(nin, nout), which draws the next weight from `rng` by the initialiser `init`, a name or a function.

    `rng` is a seed or a `random.Random`; None is Python's global generator, which `random.seed` seeds. Raises
    `ValueError`, listing the known ones, for an unknown name. If a function raises, or returns no number, the generator
    gets the state back that it had when `weight_drawer` was called.

    >>> weight_drawer("zeros", rng=0)(2, 3)
    0.0
    """
    generator = cast("random.Random", random) if rng is None else as_random(rng)
    if not callable(init):
        initialiser = lookup(init, INITIALISERS, "initialiser")
        return lambda nin, nout: initialiser(generator, nin, nout)
    state = generator.getstate()

    def draw(nin: int, nout: int) -> float:
        try:
            return as_float(call(init, "init(rng, nin, nout)", generator, nin, nout))
        except BaseException:
            generator.setstate(state)
            raise

    return draw
