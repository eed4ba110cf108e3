"""How weights are drawn before training, by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.lookup import lookup

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Initialiser = Callable[[random.Random, int, int], float]

__all__ = ["INITIALISERS", "initialiser_named"]


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
"""Each draws one weight, given a `random.Random` and how many inputs and outputs the layer has (nin, nout).

- `uniform`: U(−1, 1), micrograd's.
- `fan_in`: U(−k, k) with k = 1/√nin, PyTorch's for linear and convolutional layers.
- `fan_out`: U(−k, k) with k = 1/√nout, PyTorch's for recurrent layers.
- `glorot`: U(−k, k) with k = √(6/(nin + nout)), for tanh and sigmoid (Glorot and Bengio, 2010).
- `he`: N(0, 2/nin), for rectifiers (He et al., 2015).
- `small`: N(0, 0.08²), small random numbers, microgpt's.
- `zeros`: 0; units that start alike stay alike, to show why weights are drawn at random.
"""


def initialiser_named(init: str | Initialiser) -> Any:
    """Return the initialiser `init`, a name or itself a function (rng, nin, nout) → weight.

    Raises `ValueError`, listing the known ones, for an unknown name.

    >>> import random
    >>> initialiser_named("zeros")(random.Random(0), 2, 3)
    0.0
    """
    return init if callable(init) else lookup(init, INITIALISERS, "initialiser")
