"""Dropout: masks, scaling, the mean, modes, errors."""

import copy
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib import Symbol, Value, grad_table
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.nn import Layer, Sequential
from microgradlib.nn.dropout import Dropout


@given(st.floats(0, 0.99), st.integers(0, 99))
def test_each_number_is_dropped_or_scaled_by_its_own_draw(p, seed):
    rng = random.Random(seed)
    x = [[1.0, -2.0], [3.0], []]
    expected = [[0.0 * x_i if rng.random() < p else x_i * (1 / (1 - p)) for x_i in row] for row in x] if p else x
    assert Dropout(p, rng=seed)(x) == expected


def test_draws_continue_between_calls():
    once, twice = Dropout(0.5, rng=3), Dropout(0.5, rng=3)
    assert once([1.0] * 20) == twice([1.0] * 8) + twice([1.0] * 12)


def test_the_mean_is_kept():
    y = Dropout(0.3, rng=0)([1.0] * 20000)
    assert sum(y) / 20000 == pytest.approx(1.0, abs=0.02)
    assert y.count(0.0) / 20000 == pytest.approx(0.3, abs=0.02)


def test_gradients_flow_through_kept_numbers_only():
    x = [Value(1.0), Value(2.0), Value(3.0)]
    y = Dropout(0.5, rng=1)(x)
    table = grad_table(y[0] + y[1] + y[2])
    assert [table[x_i] for x_i in x] == [y_i.data / x_i.data for x_i, y_i in zip(x, y)] == [0.0, 2.0, 2.0]


def test_modes():
    model = Sequential(Layer(3, 4, "tanh", rng=0), Dropout(0.5, rng=0))
    x = [1.0, 2.0, 3.0]
    plain = [y.data for y in model.modules[0](x)]
    assert [y.data for y in model.eval()(x)] == plain
    assert [y.data for y in model.train()(x)] != plain
    assert Dropout(0.0)(x) is x


def test_numbers_arrays_and_nested_lists():
    assert Dropout(0.5, rng=2)(3.0) in (0.0, 6.0)
    y = Dropout(0.5, rng=0)(np.ones((2, 3)))
    assert y == Dropout(0.5, rng=0)([[1.0] * 3] * 2) == Dropout(0.5, rng=0)([np.ones(3)] * 2)


def test_without_rng_the_global_generator_is_used():
    random.seed(5)
    first = Dropout()([1.0] * 30)
    random.seed(5)
    assert Dropout()([1.0] * 30) == first
    assert copy.deepcopy(Dropout()).p == 0.5


def test_symbols():
    x = Symbol("x")
    with pytest.raises(SymbolHasNoValueError, match=r"call model\.eval\(\) first"):
        Dropout(0.5, rng=0)([[x], [1.0]])
    dropout = Dropout(0.5, rng=0)
    with pytest.raises(SymbolHasNoValueError):
        dropout([1.0, x])
    assert dropout([1.0] * 9) == Dropout(0.5, rng=0)([1.0] * 9)
    assert dropout.eval()([x]) == [x]
    assert Dropout(0.0)([x]) == [x]


@pytest.mark.parametrize("p", [-0.1, 1.0, 1, 2.0, float("nan")])
def test_probabilities_out_of_range(p):
    with pytest.raises(ValueError, match=r"p must be a number >= 0 and < 1, .*, got"):
        Dropout(p)


def test_more_invalid_arguments_raise():
    with pytest.raises(TypeError, match="p must be a number >= 0 and < 1"):
        Dropout("0.5")
    with pytest.raises(TypeError, match=r"seed.*random\.Random"):
        Dropout(0.5, rng="0")


def test_description():
    assert repr(Dropout(0.25)) == "Dropout(0.25)"
    assert Dropout().summary_shape == "p = 0.5"
