"""The eager engine as the reference that compiled functions are held to, example by example."""

import math

import numpy as np
import pytest

import microgradlib as mg
from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import compile as compiled
from microgradlib.core.autodiff import grad_table
from microgradlib.core.value import Value, as_node

RELATIVE, ABSOLUTE = 1e-12, 1e-14


class Reference:
    """What the eager engine gives for a batch: each example's values, and of a single output its mean and gradient.

    `scale` is the largest number on the way, `gradient_scale` the largest gradient: sums in another order err by so
    much more than their result says.
    """

    def __init__(self, function, parameters, columns, leaf):
        rows = [
            [unflatten(column[i], map(leaf, flatten(column[i]))) for column in columns] for i in range(len(columns[0]))
        ]
        outputs = [[as_node(y) for y in flatten(function(*row))] for row in rows]
        self.values = [[y.data for y in output] for output in outputs]
        if len(outputs[0]) > 1:
            self.scale = _largest(y for values in self.values for y in values)
            return
        mean = mg.mean([y for [y] in outputs])
        table = grad_table(mean)
        self.mean, self.gradient = mean.data, [table.get(p, 0.0) for p in parameters]
        self.scale = _largest(node.data for node in table)
        passed_on = (gradient * d for node, gradient in table.items() for d in node.local_derivatives)
        self.gradient_scale = max(self.scale, _largest(passed_on))


def _largest(numbers):
    return max((abs(x) for x in numbers if math.isfinite(x)), default=1.0)


def _close(got, expected, scale, times):
    if not math.isfinite(expected):
        return got == expected or (math.isnan(got) and math.isnan(expected))
    return abs(got - expected) <= times * (RELATIVE * abs(expected) + ABSOLUTE * max(scale, 1.0))


def assert_close(got, expected, scale=1.0, times=1):
    """Fail unless the numbers agree to 1e-12 of themselves or 1e-14 of the scale; nan to nan, inf to inf."""
    pairs = list(zip(got, expected, strict=True))
    wrong = [(i, g, e) for i, (g, e) in enumerate(pairs) if not _close(g, e, scale, times)]
    assert not wrong, f"(place, compiled, eager): {wrong[:5]}"


def _rows(result):
    parts = [np.reshape(part, (len(part), -1)) for part in flatten(result)]
    return np.concatenate(parts, axis=1).tolist()


def hold_to_eager(function, parameters, *columns, leaf=Value, fast=None, times=1):
    """Hold a compiled function to the eager engine on a batch; return it. `times` widens the tolerance.

    `leaf` is what the numbers of a row are made into for the eager engine: Value, or float for labels.
    """
    fast = fast or compiled(function, parameters)
    expected = Reference(function, parameters, columns, leaf)
    for row, values in zip(_rows(fast(*columns)), expected.values, strict=True):
        assert_close(row, values, expected.scale, times)
    if hasattr(expected, "mean"):
        mean, gradient = fast.value_and_grad(*columns)
        assert_close([mean], [expected.mean], expected.scale, times)
        assert_close(gradient.tolist(), expected.gradient, expected.gradient_scale, times)
    return fast


@pytest.fixture(scope="session")
def hold():
    return hold_to_eager


@pytest.fixture(scope="session")
def close():
    return assert_close
