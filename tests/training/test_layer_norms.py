"""Norms of a flat gradient by layer against math.hypot, at all scales."""

import math

import numpy as np
from hypothesis import given, settings, strategies as st

from microgradlib import Value
from microgradlib.training.layer_norms import LayerNorms

slopes = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-10, 10)


@settings(max_examples=40)
@given(st.lists(st.lists(slopes, max_size=4), max_size=4), st.randoms(use_true_random=False), st.integers(0, 2))
def test_norms_are_those_of_hypot(layers, rng, others):
    parts = {str(i): [Value(x) for x in numbers] for i, numbers in enumerate(layers)}
    parameters = [p for values in parts.values() for p in values] + [Value(7.0) for _ in range(others)]
    rng.shuffle(parameters)
    norms = LayerNorms(parts, parameters)(np.array([p.data for p in parameters]))
    for norm, numbers in zip(norms, layers, strict=True):
        expected = math.hypot(*numbers)
        assert norm == expected or abs(norm - expected) <= 1e-15 * expected


def test_not_finite_and_not_trained():
    w, b = Value(1.0), Value(1.0)
    norms = LayerNorms({"first": [w], "last": [b], "frozen": [Value(1.0)]}, [w, b])
    assert norms(np.array([math.inf, 1.0])) == [math.inf, 1.0, 0.0]
    assert math.isnan(norms(np.array([1.0, math.nan]))[1])
