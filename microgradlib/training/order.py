"""The random order of the examples in an epoch, by sorting random keys, with NumPy or without."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import whole_number
from microgradlib._support.rng import Rng, as_random
from microgradlib.optim.parameters import numpy

if TYPE_CHECKING:
    import random

    from microgradlib._support.checks import WholeNumber

__all__ = ["random_order", "random_order_array"]


def random_order(n: WholeNumber, rng: Rng) -> list[int]:
    """Return the numbers 0 to n − 1 in a random order, that in which `fit` takes n examples in an epoch.

    Number i gets a random key of 32 bits, the i-th four bytes of `rng.randbytes(4 * n)`, lowest first, and the numbers
    are sorted by their keys. Two keys are equal with probability 2⁻³²; the smaller number then comes first. `rng` is a
    seed, or a `random.Random`, which gives another order at each call.

    Raises `TypeError` unless n is a whole number, `ValueError` if it is below 1.

    >>> import random
    >>> generator = random.Random(0)
    >>> random_order(5, generator), random_order(5, generator)
    ([1, 4, 2, 0, 3], [0, 1, 4, 3, 2])
    """
    count = whole_number(n, "n", reason="the number of examples", example=10)
    keys = struct.unpack(f"<{count}I", as_random(rng).randbytes(4 * count))
    return sorted(range(count), key=keys.__getitem__)


def random_order_array(n: int, rng: random.Random) -> Any:
    """Return the same order as an array.

    It is sorted by the lower halves of the keys, then by the upper ones: for 16 bits NumPy's stable sort is a radix
    sort, which takes a time proportional to n.
    """
    halves = numpy().frombuffer(rng.randbytes(4 * n), "<u2").reshape(n, 2)
    order = halves[:, 0].argsort(kind="stable")
    return order.take(halves[:, 1].take(order).argsort(kind="stable"))
