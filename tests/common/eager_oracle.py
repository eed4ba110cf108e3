"""The eager engine as the reference for compiled functions, example by example."""

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
"""Batch sizes on both sides of every threshold at which the compiled engine changes its algorithm."""


class EagerOracle:
    """The eager engine's results for each example of a batch, or for one call of a function without arguments.

    `columns` has one list for each argument of `function`, with one entry per example. `leaf` converts the numbers of
    an example for the eager engine: Value, or float for labels. Derivatives are computed at their first use.
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
        """Return whether all numbers are finite and below `limit`, so that rounding errors are small."""
        results = (self.values, self.gradients, self.jacobian)
        return all(np.isfinite(x).all() and np.abs(x).max(initial=0.0) < limit for x in map(np.array, results))


def largest(numbers):
    """Return the largest |x| of the finite numbers, 1.0 if there is none."""
    return max((abs(x) for x in numbers if math.isfinite(x)), default=1.0)


def assert_within(got, expected, bound):
    """Fail unless all numbers agree to `bound`, a number or an array of them; inf to inf and nan to nan exactly."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = ~(same | (np.isfinite(expected) & (np.abs(got - expected) <= bound)))
    indices = [tuple(index) for index in np.argwhere(wrong)[:5].tolist()]
    assert not indices, f"(index, compiled, eager): {[(index, got[index], expected[index]) for index in indices]}"


def assert_close(got, expected, scale=1.0, times=1):
    """Fail unless each number agrees to 1e-12 of itself or 1e-14 of `scale`; `times` multiplies both tolerances."""
    with np.errstate(over="ignore"):
        bound = times * (RELATIVE * np.abs(np.asarray(expected, float)) + ABSOLUTE * max(scale, 1.0))
    assert_within(got, expected, bound)


def assert_near(got, expected, within):
    """Fail unless all numbers agree to `within` times the largest of them, or times 1 if that is smaller."""
    expected = np.asarray(expected, float)
    assert_within(got, expected, within * max(1.0, np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))


def arrays_of(result):
    """Return the arrays in nested results, in order."""
    if isinstance(result, dict):
        result = list(result.values())
    return [array for part in result for array in arrays_of(part)] if isinstance(result, (list, tuple)) else [result]


def flat(result):
    """Return nested results of a batch as one array of shape (batch, outputs)."""
    return np.concatenate([np.reshape(output, (len(output), -1)) for output in arrays_of(result)], axis=1)


def assert_matches_eager(function, parameters, *columns, leaf=Value, fast=None, times=1):
    """Compare a compiled function with the eager engine on a batch, and return it.

    The values of each example are compared and, for a function of one output, the mean and its gradient. The tolerance
    is relative to the largest number, and the largest gradient, in the eager graph, since sums in another order have
    rounding errors of that size; `times` multiplies it.
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
    """Compare a compiled Jacobian with the eager engine's, each row relative to the largest gradient in its graph."""
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

    `columns` has few examples, which the batches repeat, so that the eager engine runs each of them once. The first of
    several sizes is repeated at the end, to detect stale contents of reused buffers.
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
