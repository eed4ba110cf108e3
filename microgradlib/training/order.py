"""The random order of the examples in an epoch: the permutation of `random.shuffle`, drawn in a third of its time."""

from __future__ import annotations

import random

__all__ = ["shuffled"]


def shuffled(n: int, rng: random.Random) -> list[int]:
    """Return the numbers 0 to n − 1 in the order that `rng.shuffle` gives them; `rng` draws the same bits for it.

    Fisher and Yates: for i = n − 1, …, 1 number i changes places with number j, drawn uniformly from 0 to i. As
    `random.Random` does, j is drawn again until it is at most i, from as many bits as i + 1 has.

    >>> order, rng = list(range(10)), random.Random(3)
    >>> rng.shuffle(order)
    >>> shuffled(10, random.Random(3)) == order
    True
    """
    order = list(range(n))
    if type(rng) is not random.Random:  # a subclass may draw in another way
        rng.shuffle(order)
        return order
    draw, last = rng.getrandbits, n - 1
    while last > 0:
        bits = (last + 1).bit_length()
        first = max(2 ** (bits - 1) - 1, 1)
        for i in range(last, first - 1, -1):
            j = draw(bits)
            while j > i:
                j = draw(bits)
            order[i], order[j] = order[j], order[i]
        last = first - 1
    return order
