"""Random number generators: from a seed, and with their states restored if what draws from them raises."""

import operator
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex, TypeGuard

from microgradlib._support.number import is_whole
from microgradlib._support.shown import shown

Rng = int | SupportsIndex | random.Random


def as_random(rng: Rng) -> random.Random:
    """Return `rng` itself if it is a `random.Random`, otherwise a new generator seeded with it.

    The same seed gives the same numbers; a `random.Random` continues from its current state.

    Raises:
        TypeError: `rng` is neither a whole number nor a `random.Random`, or a `SystemRandom`, which has no state.

    >>> as_random(7).random() == as_random(7).random()
    True
    """
    if isinstance(rng, random.Random) and is_generator(rng):
        return rng
    if not isinstance(rng, random.Random) and is_whole(rng):
        return random.Random(operator.index(rng))
    message = f"rng must be a seed (a whole number) or a random.Random, got {shown(rng)}; write rng=0"
    raise TypeError(message)


def is_generator(rng: object) -> TypeGuard[random.Random]:
    """Return whether this is a generator whose draws can be repeated: `random.SystemRandom` has no state."""
    return isinstance(rng, random.Random) and not isinstance(rng, random.SystemRandom)


@contextmanager
def restored_on_error(*rngs: Rng | None) -> Iterator[None]:
    """Run a block that draws from these generators; if it raises, restore their states. Seeds have none.

    None is Python's global generator. Wrong arguments that show themselves only after the first numbers have been
    drawn, such as the size of the last layer, then leave the generator where it was.

    >>> generator = random.Random(0)
    >>> try:
    ...     with restored_on_error(generator):
    ...         print(generator.random(), 1 / 0)
    ... except ZeroDivisionError:
    ...     print(generator.random() == random.Random(0).random())
    True
    """
    sources = [random if rng is None else rng for rng in rngs]
    states = [(rng, rng.getstate()) for rng in sources if rng is random or is_generator(rng)]
    try:
        yield
    except BaseException:
        for rng, state in states:
            rng.setstate(state)
        raise
