"""Results that take the slots of what they are computed from: numbers and gradients of both are their own."""

import random

import numpy as np
import pytest
from eager_oracle import assert_batches_match, random_columns
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.core.value import Value

SIZES = [1, 16, 17, 64]
W = [Value(x) for x in np.random.default_rng(0).uniform(0.3, 1.0, 56).tolist()]
CUTS = [slice(3 * i, 3 * i + 3) for i in range(4)] + [slice(12 + 4 * i, 16 + 4 * i) for i in range(4)]
"""Eight parts of 28 numbers, of three and of four: large batches reduce them in two pieces."""

MAKERS = {
    "sum": lambda h: [mg.sum(h[cut]) for cut in CUTS],
    "mean": lambda h: [mg.mean(h[cut]) for cut in CUTS],
    "dot": lambda h: [mg.dot(h[cut], h[::-1][cut]) for cut in CUTS],
    "layer": lambda h: [mg.dot(W[4 * i : 4 * i + 4], h[:4], W[40 + i]) for i in range(8)],
    "layer of columns": lambda h: [mg.dot(W[4 * i : 4 * i + 4], h[4 * j : 4 * j + 4], W[40 + i])
                                   for j in range(4) for i in range(2)],
    "mul": lambda h: [a * b for a, b in zip(h[:8], h[8:16])],
    "add": lambda h: [a + b for a, b in zip(h[:8], h[8:16])],
    "sub": lambda h: [a - b for a, b in zip(h[:8], h[15:7:-1])],
    "neg": lambda h: [-a for a in h[:8]],
}  # fmt: skip
TAKERS = {
    "a − s": lambda a, s: a - s,
    "s − a": lambda a, s: s - a,
    "a + s": lambda a, s: a + s,
    "s + a": lambda a, s: s + a,
    "relu": lambda a, s: mg.relu(s),
    "exp": lambda a, s: mg.exp(0.3 * s),
    "exp alone": lambda a, s: mg.exp(s),
    "root": lambda a, s: mg.sqrt(s * s + 1.0),
    "neg": lambda a, s: -s,
    "doubled": lambda a, s: 2.0 * s,
    "relu of −(a − s)": lambda a, s: mg.relu(-(a - s)),
    "exp(s − a) − s": lambda a, s: mg.exp(0.3 * (s - a)) - s,
    "s + s": lambda a, s: s + s,
    "a s": lambda a, s: a * s,
}


def outputs(maker, taker, x, *, first):
    """Eight results, of numbers made before or after those whose slots they may take."""
    h = [mg.tanh(w * a) for w, a in zip(W, x)]
    beside = [mg.exp(h[i] * h[i + 1]) for i in range(8)]
    made = MAKERS[maker](h)
    beside = beside if first else [b * mg.tanh(h[0]) * 0.5 for b in beside]
    return [TAKERS[taker](a, s) for a, s in zip(beside, made)]


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("maker", MAKERS)
def test_outputs_in_the_slots_of_their_operands(maker, taker):
    """Their gradients are filled in where they lie, lent from there to others, and must not be written to by these."""
    rows = random_columns(1, 2, (28,))
    assert_batches_match(lambda x: outputs(maker, taker, x, first=True), W, rows, [3, 64])


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("maker", MAKERS)
def test_a_layer_reads_what_lies_in_the_slots_of_others(maker, taker):
    def function(x):
        y = outputs(maker, taker, x, first=True)
        z = [mg.relu(mg.dot(W[i : i + 8], y, W[30 + i])) for i in range(3)]
        return mg.dot(W[:3], z, W[50]) + mg.tanh(mg.dot(W[20:26], y[:6], W[26]))

    assert_batches_match(function, W, random_columns(2, 2, (28,)), [64])


@pytest.mark.parametrize("odd", [float("inf"), float("nan")])
@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("maker", ["sum", "layer", "mul"])
def test_beside_an_example_that_is_not_finite(maker, taker, odd):
    """Then all is computed by the table's own rules, which may want what is no longer there."""
    rows = random_columns(3, 2, (28,))
    rows[0][1][2] = odd
    assert_batches_match(lambda x: outputs(maker, taker, x, first=True), W, rows, [8])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_chains_of_takers(seed, size):
    """Some ops one after another on one set of slots, beside which others still hold gradients."""
    rng = random.Random(seed)
    maker, takers, first = rng.choice([*MAKERS]), rng.choices([*TAKERS], k=rng.randint(1, 4)), rng.random() < 0.5
    pick, several, squashed = rng.sample(range(8), rng.randint(1, 8)), rng.random() < 0.5, rng.random() < 0.5

    def function(x):
        s = outputs(maker, takers[0], x, first=first)
        beside = [mg.tanh(x[k] * w) for k, w in enumerate(W[:8])]
        for taker in takers[1:]:
            s = [TAKERS[taker](a, mg.tanh(b) if squashed else b * 0.25) for a, b in zip(beside, s)]
        return [s[k] for k in pick] if several else mg.sum([mg.tanh(y) * (1.0 + 0.1 * k) for k, y in enumerate(s)])

    assert_batches_match(function, W, random_columns(seed, 2, (28,)), [size])
