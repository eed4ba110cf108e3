"""The GPT of notebooks/networks/microgpt.py: its numbers by NumPy, its gradients, its sampling."""

import math
from itertools import pairwise

import numpy as np
import pytest
from module_files import load_module

import microgradlib as mg
from microgradlib import Symbol, evaluate, grad_table

GPT = load_module("notebooks/networks", "microgpt").GPT
EDGE = 26
NAME = [EDGE, *[ord(letter) - ord("a") for letter in "matilda"], EDGE]


def matrix(layer):
    return np.array([[w.data for w in neuron.w] for neuron in layer.neurons])


def rms_normalised(x):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)


def scores_by_formula(model, tokens, heads):
    """The whole network in matrices, from the parameters' numbers alone."""
    tables = [np.array([[w.data for w in row] for row in table.w]) for table in (model.token, model.position)]
    x = rms_normalised(tables[0][tokens] + tables[1][: len(tokens)])
    ahead = np.triu(np.full((len(tokens), len(tokens)), -np.inf), 1)
    for block in model.blocks:
        attention = block.attention
        q, k, v = (rms_normalised(x) @ matrix(layer).T for layer in (attention.q, attention.k, attention.v))
        read = []
        for part in np.split(np.arange(x.shape[1]), heads):
            powers = np.exp(q[:, part] @ k[:, part].T / math.sqrt(len(part)) + ahead)
            read.append(powers / powers.sum(axis=1, keepdims=True) @ v[:, part])
        x = x + np.hstack(read) @ matrix(attention.o).T
        hidden = np.maximum(rms_normalised(x) @ matrix(block.widen).T, 0)
        x = x + hidden @ matrix(block.narrow).T
    return x @ matrix(model.scores).T


@pytest.mark.parametrize(("heads", "blocks"), [(4, 1), (2, 2)])
def test_scores_by_formula(heads, blocks):
    model = GPT(heads=heads, blocks=blocks, rng=1)
    scores = [[y.data for y in row] for row in model(NAME[:-1])]
    assert np.array(scores) == pytest.approx(scores_by_formula(model, NAME[:-1], heads), rel=1e-12, abs=1e-12)


def test_the_loss_of_a_name():
    model = GPT()
    assert len(model.parameters()) == 4192
    scores = scores_by_formula(model, NAME[:-1], 4)
    surprise = np.log(np.exp(scores).sum(axis=1)) - scores[range(len(scores)), NAME[1:]]
    loss = model.loss(NAME).data
    assert loss == pytest.approx(surprise.mean(), rel=1e-12)
    assert loss == pytest.approx(math.log(27), abs=0.3)


def test_gradients():
    model = GPT(width=8, heads=2, rng=2)
    named = dict(model.named_parameters())
    tokens = NAME[:5]
    table = grad_table(model.loss(tokens))
    assert all(table.get(w) for w in model.token.w[EDGE])
    assert not any(table.get(w) for w in model.token.w[25])
    for name in (
        "token.w.0.3", "position.w.2.1", "blocks.0.attention.q.neurons.1.w.2", "blocks.0.attention.k.neurons.5.w.0",
        "blocks.0.attention.v.neurons.0.w.7", "blocks.0.attention.o.neurons.3.w.3", "blocks.0.widen.neurons.9.w.4",
        "blocks.0.narrow.neurons.2.w.9", "scores.neurons.12.w.1",
    ):  # fmt: skip
        parameter = named[name]

        def loss(number, parameter=parameter):
            parameter.data = number
            return model.loss(tokens)

        start = parameter.data
        [slope] = mg.numeric_gradient(loss, [start])
        parameter.data = start
        assert table[parameter] == pytest.approx(slope, rel=1e-6, abs=1e-9), name


def test_symbols_as_letters():
    model = GPT(letters=5, width=4, heads=2, rng=0)
    letters = [Symbol("first"), Symbol("second")]
    nodes = [y for row in model(letters) for y in row]
    expected = [y.data for row in model([3, 1]) for y in row]
    assert evaluate(nodes, dict(zip(letters, [3.0, 1.0]))) == pytest.approx(expected, rel=1e-13, abs=1e-15)


def test_sampling_one_letter_at_a_time_gives_the_scores_of_the_whole():
    model = GPT(width=8, heads=2, blocks=2, rng=3)
    caches = [[], []]
    with mg.no_grad():
        steps = [[y.data for y in model([token], caches)[0]] for token in NAME[:-1]]
    assert steps == [[y.data for y in row] for row in model(NAME[:-1])]


def test_training_lowers_the_loss():
    model = GPT(letters=27, width=8, heads=2, rng=0)
    losses = []
    for _ in range(8):
        loss = model.loss(NAME)
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.5 * parameter.grad
        losses.append(loss.data)
    assert losses[-1] < 0.9 * losses[0]
    assert all(after < before for before, after in pairwise(losses))
