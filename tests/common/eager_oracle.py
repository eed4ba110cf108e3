"""The eager engine as the one reference that compiled functions are compared with, example by example."""

import math
import random
from functools import cached_property

import numpy as np

import microgradlib as mg
from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import compile as compiled
from microgradlib.core.autodiff import grad_table
from microgradlib.core.value import Value, as_node

RELATIVE, ABSOLUTE = 1e-12, 1e-14
SIZES = (1, 2, 15, 16, 17, 48, 64, 70)
"""Batch sizes on both sides of every threshold at which the compiled engine changes its method."""


class EagerOracle:
    """The eager engine's results for each of some examples, or for one call of a function without arguments.

    `columns` holds one list for each argument of `function`, with one entry an example. `leaf` converts the numbers of
    an example for the eager engine: Value, or float for labels. Derivatives are computed when they are first read.
    """

    def __init__(self, function, parameters, columns, leaf=Value):
        count = len(columns[0]) if columns else 1
        rows = [[unflatten(column[i], map(leaf, flatten(column[i]))) for column in columns] for i in range(count)]
        self.parameters = parameters
        self.inputs = [flatten(row) for row in rows]
        self.outputs = [[as_node(y) for y in flatten(function(*row))] for row in rows]
        self.values = [[y.data for y in output] for output in self.outputs]

    @cached_property
    def gradients(self):
        """For each example, the gradient of its first output by the parameters."""
        tables = [grad_table(output[0]) for output in self.outputs]
        return [[table.get(p, 0.0) for p in self.parameters] for table in tables]

    @cached_property
    def jacobian(self):
        """For each example, its outputs' derivatives by its inputs, which must be Values."""
        return [
            [[table.get(x, 0.0) for x in inputs] for table in map(grad_table, outputs)]
            for inputs, outputs in zip(self.inputs, self.outputs)
        ]

    def is_moderate(self, limit=1e4):
        """Whether all numbers are finite and below `limit`, so that rounding errors are small."""
        parts = (self.values, self.gradients, self.jacobian)
        return all(np.isfinite(part).all() and np.abs(part).max(initial=0.0) < limit for part in map(np.array, parts))


def largest(numbers):
    return max((abs(x) for x in numbers if math.isfinite(x)), default=1.0)


def assert_within(got, expected, bound):
    """Fail unless all numbers agree to `bound`, a number or an array of them; inf to inf and nan to nan exactly."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = ~(same | (np.isfinite(expected) & (np.abs(got - expected) <= bound)))
    places = [tuple(place) for place in np.argwhere(wrong)[:5].tolist()]
    assert not places, f"(place, compiled, eager): {[(place, got[place], expected[place]) for place in places]}"


def assert_close(got, expected, scale=1.0, times=1):
    """Fail unless each number agrees to 1e-12 of itself or 1e-14 of `scale`; `times` widens both."""
    with np.errstate(over="ignore"):
        bound = times * (RELATIVE * np.abs(np.asarray(expected, float)) + ABSOLUTE * max(scale, 1.0))
    assert_within(got, expected, bound)


def assert_near(got, expected, within):
    """Fail unless all numbers agree to `within` of the largest of them, or of 1."""
    expected = np.asarray(expected, float)
    assert_within(got, expected, within * max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))


def flat(result):
    """Results of a batch, however nested, as (batch, outputs)."""
    return np.concatenate([np.reshape(part, (len(part), -1)) for part in flatten(result)], axis=1)


def assert_matches_eager(function, parameters, *columns, leaf=Value, fast=None, times=1):
    """Compare a compiled function with the eager engine on a batch; return it. `times` widens the tolerance.

    Each example's values are compared, and of a function of one output the mean and its gradient. The tolerance
    follows the largest number, and the largest gradient, of the eager graph: a sum in another order errs by so much.
    """
    fast = fast or compiled(function, parameters)
    eager = EagerOracle(function, parameters, columns, leaf)
    one_output = len(eager.outputs[0]) == 1
    if one_output:
        mean = mg.mean([y for [y] in eager.outputs])
        table = grad_table(mean)
        scale = largest(node.data for node in table)
    else:
        scale = largest(y for values in eager.values for y in values)
    for row, values in zip(flat(fast(*columns)), eager.values, strict=True):
        assert_close(row, values, scale, times)
    if one_output:
        summands = (gradient * d for node, gradient in table.items() for d in node.local_derivatives)
        compiled_mean, gradient = fast.value_and_grad(*columns)
        assert_close([compiled_mean], [mean.data], scale, times)
        expected = [table.get(p, 0.0) for p in parameters]
        assert_close(gradient, expected, max(scale, largest(summands)), times)
    return fast


def assert_jacobian_matches_eager(function, parameters, rows, times=1):
    """Compare a compiled Jacobian with the eager engine's, each row to the largest gradient that led to it."""
    eager = EagerOracle(function, parameters, [rows])
    result = compiled(function, parameters).jacobian(rows)
    for matrix, expected, outputs in zip(result, eager.jacobian, eager.outputs, strict=True):
        for slopes, row, y in zip(matrix, expected, outputs, strict=True):
            assert_close(slopes, row, max(map(abs, grad_table(y).values())), times)


def repeated(columns, size):
    """Return a batch of `size` examples drawn from the columns with replacement, and their indices."""
    indices = random.Random(size).choices(range(len(columns[0])), k=size)
    return [np.array([column[i] for i in indices]) for column in columns], indices


def assert_batch_matches(fast, eager, columns, size, within=1e-10):
    """Compare every result for a batch with the eager engine, twice, since the second call reuses the buffers."""
    batch, indices = repeated(columns, size)
    values, jacobian = np.array(eager.values)[indices], np.array(eager.jacobian)[indices]
    with np.errstate(invalid="ignore"):  # inf − inf
        gradient = np.array([eager.gradients[i] for i in indices]).sum(axis=0) / size
    for _ in range(2):
        found, got = fast.values_and_grad(*batch)
        assert_near(flat(found), values, within)
        assert_near(got, gradient, within)
        assert_near(flat(fast(*batch)), values, within)
        assert_near(fast.jacobian(*batch), jacobian, within)


def assert_batches_match(function, parameters, columns, sizes=SIZES, *, fast=None, within=1e-10):
    """Compare a compiled function with the eager engine on batches of several sizes; return it.

    `columns` holds few examples, which the batches repeat, so that the eager engine runs each of them once. Of several
    sizes the first comes again at the end, when the buffers hold what other sizes left.
    """
    fast = fast or compiled(function, parameters)
    eager = EagerOracle(function, parameters, columns)
    for size in [*sizes, *([sizes[0]] if len(sizes) > 1 else [])]:
        assert_batch_matches(fast, eager, columns, size, within)
    return fast


def random_columns(seed, count, *shapes):
    """Return `count` examples for each argument, of these shapes, with numbers between −1 and 1."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (count, *shape)).tolist() for shape in shapes]
