"""Turn a seed into a random number generator."""

import operator
import random
from typing import SupportsIndex

from microgradlib._support.number import is_whole
from microgradlib._support.shown import shown

Rng = int | SupportsIndex | random.Random


def as_random(rng: Rng) -> random.Random:
    """Return `rng` itself if it is a `random.Random`, otherwise a new generator seeded with it.

    The same seed gives the same numbers; a `random.Random` continues from its current state.

    Raises:
        TypeError: `rng` is neither a whole number nor a `random.Random`.

    >>> as_random(7).random() == as_random(7).random()
    True
    """
    if isinstance(rng, random.Random):
        return rng
    if is_whole(rng):
        return random.Random(operator.index(rng))
    message = f"rng must be a seed (a whole number) or a random.Random, got {shown(rng)}; write rng=0"
    raise TypeError(message)
