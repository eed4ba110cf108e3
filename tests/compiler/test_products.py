"""Products of whole layers, W X + b as [W b] [X; 1]: wherever their numbers lie, whatever they share."""

import random

import numpy as np
import pytest
from eager_oracle import SIZES, EagerOracle, assert_batches_match, random_columns
from hypothesis import assume, given, settings, strategies as st
from random_networks import Network

import microgradlib as mg
from microgradlib.core.value import Value

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 40).tolist()]
FEW = [3, 64]


def affine(weights, x, bias=None):
    if len(x) == 1:
        return weights[0] * x[0] if bias is None else weights[0] * x[0] + bias
    return mg.dot(weights, x) if bias is None else mg.dot(weights, x, bias)


def weighted(numbers):
    return mg.sum([mg.tanh(y) * (1.0 + 0.3 * i) for i, y in enumerate(numbers)])


BIASED = {
    "none": lambda i, t, x: None,
    "of each row": lambda i, t, x: W[20 + i],
    "one for all": lambda i, t, x: W[20],
    "of each column": lambda i, t, x: W[20 + t],
    "of each entry": lambda i, t, x: W[20 + 3 * i + t],
    "its first weight": lambda i, t, x: W[4 * i],
    "a weight of another row": lambda i, t, x: W[4 * ((i + 1) % 3) + 2],
    "of some rows": lambda i, t, x: W[20 + i] if i else None,
    "an input": lambda i, t, x: x[0][0],
    "an input of the column": lambda i, t, x: x[t][1],
    "a constant": lambda i, t, x: 0.5 + i,
    "a function of a parameter": lambda i, t, x: mg.exp(W[20 + i]),
}


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("terms", [1, 4])
@pytest.mark.parametrize("bias", BIASED)
def test_every_bias(bias, rows, columns, terms):
    def layer(x):
        x = [row[-terms:] if terms > 1 else row[:1] for row in x]
        return weighted([affine(W[4 * i : 4 * i + terms], row, BIASED[bias](i, t, [[*r, *r] for r in x]))
                         for t, row in enumerate(x) for i in range(rows)])  # fmt: skip

    assert_batches_match(layer, W, random_columns(terms, 3, (columns, 4)), FEW)


@pytest.mark.parametrize("bias", BIASED)
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3]])
def test_two_layers_of_the_same_weights_one_behind_the_other_and_both_on_the_inputs(bias, order):
    def layer(x):
        return [affine([W[4 * i + k] for k in order], [x[k] for k in order], BIASED[bias](i, 0, [x])) for i in range(4)]

    def layers(x):
        hidden = [mg.tanh(y) for y in layer(x)]
        return weighted([*layer(hidden), *layer(x), affine(W[16:20], hidden, W[20])])

    assert_batches_match(layers, W, random_columns(5, 3, (4,)), FEW)


@pytest.mark.parametrize("bias", [None, W[10]])
@pytest.mark.parametrize("length", [3, 6])
@pytest.mark.parametrize("stride", [1, 2])
def test_weights_shared_between_places(bias, length, stride):
    def convolution(x):
        y = [[mg.tanh(affine(W[3 * c : 3 * c + 2], x[s : s + 2], bias)) for s in range(0, length - 1, stride)]
             for c in range(3)]  # fmt: skip
        return weighted([affine(W[11:13], row[:2], W[14]) if len(row) > 1 else row[0] for row in y])

    assert_batches_match(convolution, W, random_columns(6, 3, (length,)), FEW)


@pytest.mark.parametrize(
    "take",
    [
        lambda x, h: [x[0], *h[:2]],
        lambda x, h: [h[2], x[1], h[0]],
        lambda x, h: [*h[1:], x[2]],
        lambda x, h: [x[2], x[0], x[1]],
        lambda x, h: [h[0], h[0], x[0]],
        lambda x, h: [h[0], W[30], x[0]],
        lambda x, h: [W[31], 2.0, x[0]],
    ],
)
def test_x_is_partly_input_and_partly_result(take):
    def function(x):
        hidden = [mg.tanh(affine(W[3 * i : 3 * i + 3], x, W[20 + i])) for i in range(3)]
        return weighted([affine(W[3 * i + 9 : 3 * i + 12], take(x, hidden), W[25 + i]) for i in range(3)])

    assert_batches_match(function, W, random_columns(7, 3, (3,)), FEW)


def test_the_same_numbers_are_the_x_of_products_of_other_shapes():
    """Six numbers, no ones below: one column of six, and two of three, each gathered for itself."""

    def function(x):
        return mg.sum([
            mg.tanh(affine(W[11:18], x, W[18])),
            mg.tanh(affine(W[:6], x[:6], W[6])),
            *[mg.tanh(affine(W[7:10], [x[k], x[2 + k], x[4 + k]], W[10])) * (3.0 + k) for k in range(2)],
        ])  # fmt: skip

    assert_batches_match(function, W, random_columns(8, 3, (7,)), FEW)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_networks_of_products(seed, size):
    network = Network(seed, ("linear", "linear", "linear", "conv", "shuffled", "turned", "part", "residual"))
    rows = random_columns(seed, 3, *network.shapes)
    assume(EagerOracle(network, network.parameters, rows).is_moderate())
    assert_batches_match(network, network.parameters, rows, [size])


class Picking:
    """Layers, each of which picks its X, of any shape, anyhow out of the inputs and all the results before it."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.inputs, self.layers, past = rng.randint(2, 7), [], []
        size = self.inputs
        for _ in range(rng.randint(1, 5)):
            terms, columns = rng.choice([(2, 3), (3, 2), (6, 1), (1, 2), (2, 1), (2, 2), (4, 1), (5, 1)])
            again = [numbers for numbers in past if len(numbers) == terms * columns]
            x = rng.choice(again) if again and rng.random() < 0.4 else self.slots(size, terms * columns)
            past.append(x)
            rows = rng.randint(1, 3)
            weights = [self.slots(len(W), terms) for _ in range(rows)]
            biases = self.slots(len(W), rows) if rng.random() < 0.8 else [None] * rows
            self.layers.append((weights, [x[c::columns] for c in range(columns)], biases))
            size += rows * columns

    def slots(self, size, n):
        """As often as not, n numbers in a row, of which there are views; or any, of which there are copies."""
        start, step = self.rng.randrange(size), self.rng.choice([1, 1, -1, 2])
        if self.rng.random() < 0.5:
            return [(start + step * i) % size for i in range(n)]
        return [self.rng.randrange(size) for _ in range(n)]

    def __call__(self, x):
        pool = list(x)
        for weights, columns, biases in self.layers:
            pool += [
                mg.tanh(affine([W[k] for k in w], [pool[place] for place in column], None if b is None else W[b]))
                for column in columns
                for w, b in zip(weights, biases)
            ]
        return weighted(pool)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_products_of_numbers_picked_anyhow(seed, size):
    picking = Picking(seed)
    assert_batches_match(picking, W, random_columns(seed, 3, (picking.inputs,)), [size])
