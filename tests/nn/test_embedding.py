"""Embeddings: rows by index, one-hot vector and Symbol; errors."""

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib.nn.embedding import Embedding


def numbers(row):
    return [y.data for y in row]


@given(st.integers(0, 4))
def test_indices_one_hot_vectors_and_symbols_select_rows(k):
    model = Embedding(5, 3, rng=1)
    row = numbers(model.w[k])
    one_hot = [float(i == k) for i in range(5)]
    index = Symbol("k")
    symbols = [Symbol(f"x{i}") for i in range(5)]
    assert model(k) == model.w[k]
    assert model(float(k)) == model(Value(k)) == model.w[k]
    assert numbers(model(one_hot)) == row
    assert numbers(model([Value(x) for x in one_hot])) == row
    assert evaluate(model(index), {index: float(k)}) == row
    assert evaluate(model(symbols), dict(zip(symbols, one_hot))) == row


def test_a_mixture_of_rows():
    model = Embedding(2, 2, init="zeros")
    for w, number in zip(model.parameters(), (1.0, 2.0, 3.0, 4.0)):
        w.data = number
    assert numbers(model([0.25, 0.75])) == [2.5, 3.5]


def test_gradients_accumulate_in_selected_rows_only():
    model = Embedding(3, 2, rng=0)
    table = grad_table(mg.dot([1.0, 10.0], model(1)) + mg.dot([100.0, 1000.0], model(1)))
    assert [table.get(w) for w in model.parameters()] == [None, None, 101.0, 1010.0, None, None]
    index = Symbol("k")
    slopes = mg.gradients(mg.dot([1.0, 10.0], model(index)), model.parameters())
    assert evaluate(slopes, {index: 1.0}) == [0.0, 0.0, 1.0, 10.0, 0.0, 0.0]


def test_the_returned_row_is_a_copy():
    model = Embedding(2, 2, rng=0)
    model(0).append(Value(1.0))
    assert len(model(0)) == 2


def test_repr_and_initial_weights():
    model = Embedding(27, 16, rng=3)
    assert repr(model) == "Embedding(27 rows of 16)"
    assert len(model.weights()) == 27 * 16
    assert 0.07 < (sum(w.data**2 for w in model.weights()) / len(model.weights())) ** 0.5 < 0.09
    assert model.state_dict() == Embedding(27, 16, rng=3).state_dict()


@pytest.mark.parametrize("index", [-1, 5, 0.5, float("nan"), Value(7.0)])
def test_invalid_rows_raise(index):
    with pytest.raises(ValueError, match=r"the index is .*, but the 5 rows are 0 to 4"):
        Embedding(5, 2, rng=0)(index)


def test_more_invalid_arguments_raise():
    with pytest.raises(ValueError, match="one-hot list for this embedding must have 5 entries, got 2"):
        Embedding(5, 2, rng=0)([1, 2])
    with pytest.raises(TypeError, match="real number"):
        Embedding(5, 2, rng=0)("a")
    with pytest.raises(ValueError, match="count must be a whole number >= 1"):
        Embedding(0, 2)
    with pytest.raises(TypeError, match="width must be a whole number"):
        Embedding(2, 2.0)
