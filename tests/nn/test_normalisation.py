"""LayerNorm and RMSNorm: formulas, invariances, errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.nn.normalisation import LayerNorm, RMSNorm

vectors = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


def numbers(row):
    return [y.data for y in row]


@given(vectors, st.floats(1e-6, 1), st.integers(0, 99))
def test_layer_norm(x, eps, seed):
    rng = np.random.default_rng(seed)
    model, gain, bias = LayerNorm(len(x), eps), rng.normal(size=len(x)), rng.normal(size=len(x))
    for g, b, to_g, to_b in zip(model.gain, model.bias, gain, bias):
        g.data, b.data = to_g, to_b
    expected = gain * (x - np.mean(x)) / np.sqrt(np.var(x) + eps) + bias
    assert numbers(model(x)) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@given(vectors, st.floats(1e-6, 1))
def test_rms_norm(x, eps):
    expected = x / np.sqrt(np.mean(np.square(x)) + eps)
    model = RMSNorm(len(x), eps)
    assert numbers(model(x)) == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert numbers(RMSNorm(len(x), eps, gain=False)(x)) == numbers(model(x))
    model.gain[0].data = -3.0
    assert model(x)[0].data == pytest.approx(-3 * expected[0], rel=1e-12, abs=1e-300)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=3), st.floats(-10, 10))
def test_layer_norm_is_invariant_to_a_shift(x, shift):
    expected = numbers(LayerNorm(3, eps=0.1)(x))
    assert numbers(LayerNorm(3, eps=0.1)([x_i + shift for x_i in x])) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_equal_numbers_stay_finite():
    assert numbers(LayerNorm(3)([2.0, 2.0, 2.0])) == [0.0, 0.0, 0.0]
    assert numbers(RMSNorm(3)([0.0, 0.0, 0.0])) == [0.0, 0.0, 0.0]


def test_gains_and_biases_are_not_weights():
    assert len(LayerNorm(3).parameters()) == 6
    assert len(RMSNorm(3).parameters()) == 3
    assert RMSNorm(3, gain=False).parameters() == []
    assert LayerNorm(3).weights() == RMSNorm(3).weights() == []


def test_descriptions():
    assert repr(LayerNorm(4)) == "LayerNorm(4)"
    assert [repr(RMSNorm(4)), repr(RMSNorm(4, gain=False))] == ["RMSNorm(4)", "RMSNorm(4, gain=False)"]
    assert LayerNorm(4).summary_shape == RMSNorm(4).summary_shape == "4 → 4"


@pytest.mark.parametrize("norm", [LayerNorm, RMSNorm])
def test_invalid_arguments_raise(norm):
    with pytest.raises(ValueError, match="must have 3 entries, got 2"):
        norm(3)([1.0, 2.0])
    with pytest.raises(TypeError, match="must be a list of 3 entries, got 1"):
        norm(3)(1.0)
    with pytest.raises(ValueError, match="width must be a whole number >= 1"):
        norm(0)
    for eps in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="eps must be a finite number > 0, so that the root is not 0"):
            norm(2, eps)
    with pytest.raises(TypeError, match="eps must be a finite number > 0"):
        norm(2, "1e-5")
