"""Random functions full of branches, kinks and infinities, at numbers at which these matter."""

import math
import random

import numpy as np

import microgradlib as mg
from microgradlib import Value
from microgradlib.ops import TABLE

__all__ = ["NUMBERS", "Walls"]

INF, NAN = math.inf, math.nan
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 4.0, INF, -INF, NAN)
"""Of these are the examples' numbers."""

UNARY = (
    mg.log, mg.sqrt, mg.exp, mg.relu, mg.tanh, abs, mg.sigmoid, mg.step, mg.softplus, lambda v: v * v, lambda v: -v,
    lambda v: 1 / v, lambda v: mg.clip(v, -0.75, 1.5), lambda v: v**1.5, lambda v: v**3, lambda v: v**0,
    lambda v: mg.exp(300 * v), TABLE["detach"], mg.sign, lambda v: v / v,
)  # fmt: skip
BINARY = (
    lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a / b, mg.maximum, mg.minimum,
    lambda a, b: mg.where(a > 0, b, a), lambda a, b: mg.where(a < 1, 0, b), lambda a, b: mg.hypot(a, b),
    lambda a, b: a * b,
)  # fmt: skip


class Walls:
    """A function of three numbers and four `parameters` that returns some numbers, each of another depth.

    >>> first, second = (str(Walls(0)([1.0, 2.0, 3.0])) for _ in range(2))
    >>> first == second
    True
    """

    def __init__(self, seed, nodes=12):
        rng = random.Random(seed)
        self.seed, self.nodes = rng.randrange(1 << 30), rng.randint(4, nodes)
        self.parameters = [Value(x) for x in (0.75, -1.25, 2.0, 0.0)]

    def __call__(self, row):
        rng = random.Random(self.seed)
        known, conditions = [*row, *self.parameters], [x > c for x in row for c in (-0.75, 0, 1.5)]
        wide = rng.random() < 0.4
        for _ in range(self.nodes):
            kind = rng.random()
            if wide and kind < 0.5:  # several alike at once: packs
                f, parts = rng.choice(UNARY), rng.sample(known, 3)
                known += map(f, parts)
            elif kind < 0.35:
                known.append(rng.choice(UNARY)(rng.choice(known)))
            elif kind < 0.55:
                known.append(mg.where(rng.choice(conditions), *rng.sample(known, 2)))
            elif kind < 0.65:
                known.append(mg.where(rng.choice(conditions), rng.choice(known), 0))
            elif kind < 0.72:
                known.append(rng.choice((mg.sum, mg.maximum, mg.mean, mg.logsumexp))(*[rng.sample(known, 3)]))
            elif kind < 0.78:
                known.append(mg.dot(rng.sample(known, 3), rng.sample(known, 3)))
            else:
                known.append(rng.choice(BINARY)(*rng.sample(known, 2)))
        return [mg.sum(known[-5:]), *known[-3:]]

    def rows(self, count):
        """Return so many examples, of which about half are ordinary."""
        rng = np.random.default_rng(self.seed)
        odd = rng.choice(NUMBERS, (count, 3))
        return np.where(rng.random((count, 3)) < 0.5, odd, rng.uniform(-2, 2, (count, 3)))
