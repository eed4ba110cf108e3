"""Batches of a few rows over and over: the eager engine runs each row once, and is the reference for any batch size."""

import random

import numpy as np

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import compile as compiled
from microgradlib.core.autodiff import grad_table
from microgradlib.core.value import Value, as_node

SIZES = (1, 2, 15, 16, 17, 48, 64, 70)
"""On both sides of every size from which on something is computed in another way."""


class Eager:
    """What the eager engine makes of each of some rows: the outputs, the gradient of the first, and the Jacobian."""

    def __init__(self, function, parameters, rows):
        self.values, self.gradients, self.jacobian = [], [], []
        for i in range(len(rows[0])):
            row = [unflatten(column[i], map(Value, flatten(column[i]))) for column in rows]
            inputs, outputs = flatten(row), [as_node(y) for y in flatten(function(*row))]
            tables = [grad_table(y) for y in outputs]
            self.values.append([y.data for y in outputs])
            self.gradients.append([tables[0].get(p, 0.0) for p in parameters])
            self.jacobian.append([[table.get(x, 0.0) for x in inputs] for table in tables])

    def tame(self, limit=1e4):
        """Whether all numbers are finite and so small that rounding is."""
        parts = (self.values, self.gradients, self.jacobian)
        return all(np.isfinite(part).all() and np.abs(part).max(initial=0.0) < limit for part in map(np.array, parts))


def flat(result):
    """Results of a batch, however nested, as (batch, outputs)."""
    return np.concatenate([np.reshape(part, (len(part), -1)) for part in flatten(result)], axis=1)


def picked(rows, size):
    """A batch of this size of the rows, some of them many times, and which they are."""
    places = random.Random(size).choices(range(len(rows[0])), k=size)
    return [np.array([column[i] for i in places]) for column in rows], places


def assert_near(got, expected, within):
    """Fail unless all numbers agree to `within` of the largest, or of 1; inf to inf, nan to nan where it is 0."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    bound = within * max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        wrong = ~(same | (np.abs(got - expected) <= bound))
    places = [tuple(place) for place in np.argwhere(wrong)[:5].tolist()]
    assert not places, [(place, got[place], expected[place]) for place in places]


def hold_batch(fast, eager, rows, size, within=1e-10):
    """Hold all that a compiled function says of a batch to the eager engine, twice, since buffers are used again."""
    columns, places = picked(rows, size)
    values, jacobian = np.array(eager.values)[places], np.array(eager.jacobian)[places]
    with np.errstate(invalid="ignore"):  # inf − inf
        gradient = np.array([eager.gradients[i] for i in places]).sum(axis=0) / size
    for _ in range(2):
        seen, got = fast.values_and_grad(*columns)
        assert_near(flat(seen), values, within)
        assert_near(got, gradient, within)
        assert_near(flat(fast(*columns)), values, within)
        assert_near(fast.jacobian(*columns), jacobian, within)


def hold_batches(function, parameters, rows, sizes=SIZES, *, fast=None, within=1e-10):
    """Hold a function to the eager engine on batches of these sizes, and of the first once more; return it compiled.

    `rows` are some rows, three or four, for each argument.
    """
    fast = fast or compiled(function, parameters)
    eager = Eager(function, parameters, rows)
    for size in (*sizes, sizes[0]):
        hold_batch(fast, eager, rows, size, within)
    return fast


def drawn_rows(seed, count, *shapes):
    """This many rows for each argument, of these shapes, between −1 and 1."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (count, *shape)).tolist() for shape in shapes]
