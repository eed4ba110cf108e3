"""Causal self-attention: the formula in NumPy, causality, the cache, errors."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table, topological_sort
from microgradlib.nn.attention import CausalSelfAttention


def numbers(vectors):
    return [[y.data for y in vector] for vector in vectors]


def by_formula(model, x):
    """Return softmax(QKᵀ/√d)V for each head, with −∞ for later positions."""
    q, k, v, o = (
        np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        for layer in (model.q, model.k, model.v, model.o)
    )
    read = []
    for head in np.split(np.arange(model.width), len(model.heads)):
        scores = (x @ q[head].T) @ (x @ k[head].T).T / np.sqrt(len(head))
        scores[np.triu_indices(len(x), 1)] = -np.inf
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        read.append(powers / powers.sum(axis=1, keepdims=True) @ (x @ v[head].T))
    return np.hstack(read) @ o.T


def inputs(seed, length, width):
    return np.random.default_rng(seed).normal(size=(length, width))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([(1, 1), (4, 1), (4, 2), (6, 3), (4, 4)]), st.integers(1, 5), st.integers(0, 99))
def test_the_formula(sizes, length, seed):
    model = CausalSelfAttention(*sizes, rng=seed, init="uniform")
    x = inputs(seed, length, sizes[0])
    assert np.array(numbers(model(x.tolist()))) == pytest.approx(by_formula(model, x), rel=1e-12, abs=1e-12)


def test_attention_is_causal():
    model = CausalSelfAttention(4, 2, rng=0, init="uniform")
    x = [[Value(n) for n in vector] for vector in inputs(1, 4, 4)]
    for t, y_t in enumerate(model(x)):
        table = grad_table(mg.sum(y_t))
        reached = [all(table.get(n) for n in x_s) for x_s in x]
        assert reached == [s <= t for s in range(4)]
        assert not any(table.get(n) for x_s in x[t + 1 :] for n in x_s)


def test_the_first_position_attends_to_itself():
    model = CausalSelfAttention(4, 2, rng=0, init="uniform")
    x = inputs(2, 1, 4).tolist()
    assert numbers(model(x)) == [[y.data for y in model.o.outputs(model.v.outputs(x[0]))]]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 99))
def test_a_cache_continues_the_sequence(lengths, seed):
    model = CausalSelfAttention(4, 2, rng=seed, init="uniform")
    x = inputs(seed, sum(lengths), 4).tolist()
    cache, pieces, begin = [], [], 0
    for length in lengths:
        pieces += numbers(model(x[begin : begin + length], cache))
        begin += length
    assert pieces == numbers(model(x))
    assert len(cache) == len(x)


def test_calls_without_cache_are_independent():
    model = CausalSelfAttention(2, rng=0)
    assert numbers(model([[1.0, 2.0]])) == numbers(model([[1.0, 2.0]]))
    assert model([]) == []


def test_biases_and_weights():
    model, with_bias = CausalSelfAttention(6, 2, rng=0), CausalSelfAttention(6, 2, rng=0, bias=True)
    assert len(model.parameters()) == len(model.weights()) == len(with_bias.weights()) == 4 * 36
    assert len(with_bias.parameters()) == 4 * (36 + 6)
    assert model.named_parameters()[0][0] == "q.neurons.0.w.0"
    assert with_bias.o.neurons[0].b in topological_sort(with_bias([[1.0] * 6])[0][0])
    assert model.state_dict() == CausalSelfAttention(6, 2, rng=0).state_dict()


def test_description():
    assert repr(CausalSelfAttention(16, 4)) == "CausalSelfAttention(16 → 16, 4 heads)"
    assert [row.shape for row in CausalSelfAttention(4).summary().rows] == ["4 → 4, 1 head"]


def test_invalid_arguments_raise():
    with pytest.raises(ValueError, match="width must be a multiple of heads, got width=16 and heads=3"):
        CausalSelfAttention(16, 3)
    with pytest.raises(ValueError, match="heads must be a whole number >= 1"):
        CausalSelfAttention(16, 0)
    model, cache = CausalSelfAttention(2, rng=0), []
    with pytest.raises(TypeError, match=r"a list of vectors, one for each position, .*; write \[x\]"):
        model([1.0, 2.0], cache)
    with pytest.raises(TypeError, match="a list of vectors"):
        model(1.0)
    with pytest.raises(ValueError, match="each input vector of this attention must have 2 entries, got 3"):
        model([[1.0, 2.0], [1.0, 2.0, 3.0]], cache)
    assert cache == []
