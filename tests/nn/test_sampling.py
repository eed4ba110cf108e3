"""Sampling: probabilities, temperature, top-k, one number drawn at a time, errors."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, softmax
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.nn import sample, sample_from_logits

logits = st.lists(st.floats(-50, 50), min_size=1, max_size=6)


class Fixed(random.Random):
    """A generator whose next number is known."""

    def __init__(self, number):
        super().__init__(0)
        self.number, self.count = number, 0

    def random(self):
        self.count += 1
        return self.number


@settings(max_examples=30)
@given(logits, st.floats(0, 1, exclude_max=True))
def test_the_class_is_found_by_the_distribution_function(z, u):
    p = softmax(z)
    k = sample(p, Fixed(u))
    below, total = math.fsum(p[:k]), math.fsum(p)
    assert below / total <= u + 1e-12
    assert u <= (below + p[k]) / total + 1e-12
    assert p[k] > 0


@settings(max_examples=30)
@given(logits, st.integers(0, 99), st.floats(0.05, 20), st.integers(1, 7))
def test_probabilities_logits_and_values_agree(z, seed, temperature, top_k):
    options = {"temperature": temperature, "top_k": top_k}
    k = sample_from_logits(z, seed, **options)
    assert k == sample_from_logits([Value(x) for x in z], seed, **options)
    assert k in sorted(range(len(z)), key=lambda i: -z[i])[:top_k]
    rng, other = random.Random(seed), random.Random(seed)
    scaled = softmax([x / temperature for x in z])
    if top_k >= len(z):
        assert sample_from_logits(z, rng, temperature=temperature) == sample(scaled, other)
    assert sample(softmax(z), seed, temperature=0) == max(range(len(z)), key=softmax(z).__getitem__)


def test_frequencies():
    rng = random.Random(0)
    p, n = [0.1, 0.6, 0.0, 0.3], 4000
    counts = Counter(sample(p, rng) for _ in range(n))
    squares = sum((counts[k] - n * p_k) ** 2 / (n * p_k) for k, p_k in enumerate(p) if p_k)
    assert squares < 13.8  # χ² with 2 degrees of freedom: exceeded once in 1,000
    assert counts[2] == 0
    cold = Counter(sample(p, rng, temperature=0.5) for _ in range(n))
    assert cold[1] / n == pytest.approx(0.36 / 0.46, abs=0.03)
    kept = Counter(sample(p, rng, top_k=2) for _ in range(n))
    assert set(kept) == {1, 3}
    assert kept[1] / n == pytest.approx(2 / 3, abs=0.03)


def test_one_number_is_drawn_and_none_at_temperature_0():
    rng = Fixed(0.99)
    assert (sample([0.5, 0.5], rng), rng.count) == (1, 1)
    assert (sample([0.5, 0.5], rng, temperature=0), rng.count) == (0, 1)
    assert mg.sample is sample


def test_equal_probabilities_are_cut_in_order():
    assert {sample([0.25] * 4, seed, top_k=2) for seed in range(30)} == {0, 1}


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: sample([0.5, 0.6], 0), ValueError, "they sum to 1.1"),
        (lambda: sample([1.5, -0.5], 0), ValueError, "the smallest is -0.5"),
        (lambda: sample([math.nan, 1.0], 0), ValueError, "must be >= 0"),
        (lambda: sample([], 0), ValueError, "at least one"),
        (lambda: sample(0.5, 0), TypeError, "must be a list"),
        (lambda: sample([1.0], 0, temperature=-1), ValueError, "temperature must be"),
        (lambda: sample([1.0], 0, top_k=0), ValueError, "top_k must be a whole number >= 1"),
        (lambda: sample([1.0], None), TypeError, "rng must be a seed"),
        (lambda: sample_from_logits([math.nan], 0), ValueError, "not nan"),
        (lambda: sample_from_logits([math.inf, 0.0], 0), ValueError, "below inf"),
        (lambda: sample_from_logits([-math.inf], 0), ValueError, "not all -inf"),
        (lambda: sample([Symbol("p")], 0), SymbolHasNoValueError, "has no number yet"),
    ],
)
def test_errors(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
