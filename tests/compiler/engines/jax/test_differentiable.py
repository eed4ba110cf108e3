"""Each op as a function of JAX: values and derivatives, forward and reverse, are the table's, at edges too."""

import itertools
import math
import random
from functools import partial

import numpy as np
import pytest

from microgradlib.ops import TABLE

jax = pytest.importorskip("jax", reason="the JAX engine")

from microgradlib.compiler.engines.jax import float64_enabled  # noqa: E402
from microgradlib.compiler.engines.jax.differentiable import differentiable, with_derivatives  # noqa: E402

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 0.3, 40.0, -40.0, 800.0, -800.0, 1e200, -1e200, 1e-200]
SPECIAL += [math.inf, -math.inf, math.nan]
QUICK = {"relu", "abs", "sigmoid", "softplus", "clip", "where", "maximum", "log", "pow", "xlogy", "hypot", "logsumexp"}
REWRITTEN = {"share", "var", "dot"}
"""Ops of which XLA rewrites the rule, a/b/c as a/(b c), a b + c with one rounding: seen where products overflow."""
NUMBERS_ONLY = {"polygamma": (1.0,)}
each_op = pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in TABLE]
)


def points_of(op, count):
    """Return points where an op is well conditioned, then special ones."""
    rng = random.Random(op.name)
    special = [
        x for x in SPECIAL if op.name not in REWRITTEN or (not 0 < abs(x) < 1e-9 and not 1e9 < abs(x) < math.inf)
    ]
    intervals = [op.sample[min(i, len(op.sample) - 1)] for i in range(count)]
    samples = [[rng.uniform(*interval) for interval in intervals] for _ in range(10)]
    if count < 3:
        return samples, [list(point) for point in itertools.product(special, repeat=count)]
    return samples, [rng.choices(special, k=count) for _ in range(200)]


def assert_same(found, expected, within):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected) <= within * np.maximum(1.0, np.abs(expected))
    wrong = ~(near | (found == expected) | (np.isnan(found) & np.isnan(expected)))
    assert not wrong.any(), (np.flatnonzero(wrong)[:5], found[wrong][:5], expected[wrong][:5])


def along(function, xs, place, x):
    """Return the function at xs with another x at one place."""
    return jax.jit(function)(*xs[:place], x, *xs[place + 1 :])


@each_op
def test_values_and_derivatives_are_those_of_the_table(name):
    op = TABLE[name].bind(*NUMBERS_ONLY[name]) if name in NUMBERS_ONLY else TABLE[name]
    count = op.arity or (4 if name in {"dot", "cross_entropy"} else 3)
    for points, within in zip(points_of(op, count), (1e-12, 1e-9)):
        values = [op.compute(*point) for point in points]
        slopes = np.array([op.local_derivatives(z, *point) for z, point in zip(values, points)])
        with float64_enabled():
            xs = [jax.numpy.array(column) for column in zip(*points)]
            found, pull = jax.vjp(jax.jit(differentiable(op)), *xs)
            assert_same(found, values, within)
            for i, cotangent in enumerate(pull(jax.numpy.ones_like(found))):
                assert_same(cotangent, slopes[:, i], within)
                tangent = jax.jvp(partial(along, differentiable(op), xs, i), [xs[i]], [jax.numpy.ones_like(xs[i])])[1]
                assert_same(tangent, slopes[:, i], within)


def test_second_derivatives_are_those_of_the_rules():
    with float64_enabled():
        second = [
            jax.jacfwd(jax.jacfwd(differentiable(TABLE[name])))(x).item()
            for name, x in (("relu", 0.0), ("tanh", 30.0), ("log", -1.0), ("sigmoid", 0.0), ("abs", 0.0))
        ]
    assert second[0] == 0.0
    assert second[1] == pytest.approx(-8 * math.exp(-60), rel=1e-12)  # −2 tanh x (1 − tanh² x), with its digits
    assert math.isnan(second[2])
    assert second[3:] == [0.0, 0.0]


def test_the_comparison_catches_a_wrong_derivative():
    wrong = with_derivatives(jax.numpy.square, lambda z, x: [2.001 * x])
    assert jax.grad(wrong)(3.0) == pytest.approx(6.003)
    with pytest.raises(AssertionError):
        assert_same([6.003], [6.0], 1e-9)
