"""Random networks of few parameters in products of many shapes: as matrices, transposed, flat, with themselves."""

import random

from random_networks import Network

import microgradlib as mg

__all__ = ["SharedWeights"]

MOST = 12
"""So many parameters at most."""


class SharedWeights(Network):
    """A `Network` whose weights of all shapes are the same numbers, row by row or column by column, with penalties."""

    def parameter(self, *key):
        """Return one of the parameters: for entry (i, j) of a matrix the one of that place in the matrix laid flat."""
        if len(key) == 5 and all(isinstance(k, int) for k in key[1:]):
            _, rows, width, i, j = key
            is_turned = random.Random(f"{self.seed} {rows} {width}").random() < 0.4
            place = j * rows + i if is_turned else i * width + j
        else:
            place = random.Random(f"{self.seed} {key}").randrange(MOST)
        return super().parameter("shared", place % MOST)

    def __call__(self, *arguments):
        """Return the network's number and some products of its parameters with one another and with the arguments."""
        total, rng = super().__call__(*arguments), random.Random(self.seed + 1)
        weights, numbers = (
            [self.parameter("", MOST, 1, i, 0) for i in range(MOST)],
            [v for r in arguments[0] for v in r],
        )
        rng.shuffle(weights) if rng.random() < 0.3 else None
        width = min(len(numbers), rng.choice([1, 2, 3, 4]))
        rows = [weights[i : i + width] for i in range(0, MOST - MOST % width, width)]
        columns = [list(column) for column in zip(*rows)]
        x = numbers[:width]
        products = [
            lambda: [mg.sum([p * p for p in weights])],
            lambda: [mg.dot(weights, weights)],
            lambda: [mg.dot(row, x) if width > 1 else row[0] * x[0] for row in rows],
            lambda: [mg.dot(row, x, weights[0]) for row in rows],
            lambda: [mg.dot(a, b) for a in rows for b in rows],
            lambda: [mg.dot(a, b) for a in columns for b in columns],
            lambda: [mg.dot(column, [mg.tanh(w) for w in weights[: len(column)]]) for column in columns],
            lambda: [mg.dot(weights[: len(numbers)], numbers[:MOST])],
            lambda: [mg.dot(row, [mg.dot(c, rows[0]) for c in rows[:width]]) for row in rows if len(rows) >= width],
        ]  # fmt: skip
        extra = [v for f in rng.sample(products, rng.randint(1, 4)) for v in f()]
        return total + 0.1 * mg.sum([mg.tanh(v) for v in extra])
