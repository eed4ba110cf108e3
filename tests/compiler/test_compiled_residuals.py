"""Residuals: results and cotangents that are read again after something else may have been written over them."""

import random

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_batches_match, flat, random_columns
from hypothesis import example, given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value

SIZES = [1, 16, 70]
W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 40).tolist()]


STEPS = {
    "layer": lambda h, early, x: [mg.dot(W[i : i + len(h)], h, W[i]) for i in range(8)],
    "half": lambda h, early, x: [v * 0.5 for v in h],
    "neg": lambda h, early, x: [-v for v in h],
    "from": lambda h, early, x: [0.7 - v for v in h],
    "more": lambda h, early, x: [v + 0.2 for v in h],
    "relu": lambda h, early, x: [mg.relu(v) for v in h],
    "exp": lambda h, early, x: [mg.exp(-v * v) for v in h],
    "exp in place": lambda h, early, x: [mg.exp(0.1 * v) for v in h],
    "root": lambda h, early, x: [mg.sqrt(v * v + 0.5) for v in h],
    "tanh": lambda h, early, x: [mg.tanh(v) for v in h],
    "scaled": lambda h, early, x: [v * W[8] for v in h],
    "times": lambda h, early, x: [v * w for v, w in zip(h, x)],
    "residual": lambda h, early, x: [v + w for v, w in zip(h, early)],
    "early less": lambda h, early, x: [w - v for v, w in zip(h, early)],
    "less early": lambda h, early, x: [v - w for v, w in zip(h, early)],
    "sums": lambda h, early, x: [mg.sum([*h[: 3 + i // 4], early[i]]) * 0.3 for i in range(8)],
    "one less": lambda h, early, x: [v - h[0] for v in h],
}


def chain(names, seed, x):
    """Eight numbers through these steps, some of which go back to an earlier one, read at the end in two parts."""
    rng, past = random.Random(seed), [x]
    for name in names:
        past.append(STEPS[name](past[-1], rng.choice(past), x))
    h = past[-1]
    return [mg.sum([mg.tanh(v) for v in h[:3]] + [mg.sin(v) for v in h[3:]]), h[0], mg.mean(h)]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=7), st.integers(0, 99))
@example(["layer", "half", "from", "relu", "exp in place"], 0)
@example(["layer", "relu", "layer", "relu", "residual"], 1)
@example(["tanh", "times", "early less", "neg", "less early"], 2)
def test_chains_with_residuals_are_the_eager_engine_s(names, seed):
    assert_batches_match(lambda x: chain(names, seed, x), W, random_columns(seed, 3, (8,)), SIZES, within=1e-9)


@pytest.mark.parametrize(
    "names", [["layer", "half", "from", "relu"], ["times", "from", "relu"], ["layer", "neg", "residual"]]
)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 1e200])
def test_what_is_not_finite_is_computed_anew_as_the_eager_engine_does(names, size, number):
    rows = random_columns(3, 2, (8,))
    rows[0][0][2] = rows[0][1][5] = number
    eager, fast = EagerOracle(lambda x: chain(names, 0, x), W, rows), compiled(lambda x: chain(names, 0, x), W)
    places = [i % 2 for i in range(size)]
    values, gradient = fast.values_and_grad([rows[0][i] for i in places])
    with np.errstate(all="ignore"):
        expected = np.array(eager.gradients)[places].sum(axis=0) / size
    np.testing.assert_allclose(flat(values), np.array(eager.values)[places], rtol=1e-11)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)
    jacobian = fast.jacobian([rows[0][i] for i in places])
    np.testing.assert_allclose(jacobian, np.array(eager.jacobian)[places], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("size", [48, 70])
def test_cotangents_of_a_difference_from_sums_of_two_lengths(size):
    """Of what is passed on unchanged, one share is written over while the other is read still."""

    def function(x):
        y = [mg.tanh(v) for v in x[:8]]
        sums = [
            mg.sum(x[s : s + n]) for s, n in ((8, 3), (11, 3), (14, 3), (17, 3), (20, 4), (24, 4), (28, 4), (32, 4))
        ]
        z = [a - b for a, b in zip(y, sums)]
        return mg.sum([mg.tanh(v) for v in z[:4]] + [mg.sin(v) for v in z[4:]])

    assert_batches_match(function, W, random_columns(0, 3, (36,)), [size])


@pytest.mark.parametrize("size", [1, 48, 70])
def test_cotangents_passed_on_by_several_sums(size):
    """As above, passed on once more."""

    def function(x):
        y, u = ([mg.tanh(v) for v in x[8 * i : 8 * i + 8]] for i in range(2))
        sums = [mg.sum(x[16 + 3 * i : 19 + 3 * i]) for i in range(4)] + [
            mg.sum(x[28 + 4 * i : 32 + 4 * i]) for i in range(4)
        ]
        z = [p + (q - s) for p, q, s in zip(y, u, sums)]
        return mg.sum([mg.tanh(v) for v in z[:4]] + [mg.sin(v) for v in z[4:]])

    rows = np.random.default_rng(0).uniform(-1, 1, (size, 44))
    values = compiled(function).jacobian(rows)[:, 0]
    for row, found in zip(rows[:3], values):
        np.testing.assert_allclose(found, mg.grad(function)(row.tolist()), rtol=1e-11, atol=1e-13)
