"""Random programs and batches of every size on every engine: values and derivatives are the eager engine's."""

import random

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_batches_match, assert_near, random_columns
from engine_checks import engines, has_native_code
from random_networks import Network
from shared_weights import SharedWeights

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.errors import LabelError

SLOW = pytest.mark.slow
SIZES = (1, 2, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 300, 1025)
"""Batches on both sides of whole vectors, blocks, and what a thread takes."""
WITHIN = {"float64": 1e-10, "float32": 3e-4}

others = engines("numpy", "native", "jax", marks=[SLOW])


def check_gradients(backend, dtype, seed, kind=Network):
    """Hold a random network's values and gradient to the eager engine, on a small and a larger batch."""
    network, rng = kind(seed), random.Random(seed)
    columns = random_columns(seed, 3, *network.shapes)
    eager = EagerOracle(network, network.parameters, columns)
    fast = compiled(network, network.parameters, backend=backend, dtype=dtype)
    for size in (rng.choice([1, 2, 3]), rng.choice([5, 8, 9, 16, 31, 64, 65, 130])):
        rows = np.arange(size) % 3
        values, gradient = fast.rows_and_grad(*[np.array(column)[rows] for column in columns])
        assert_near(values, np.array(eager.values)[rows], WITHIN[dtype])
        assert_near(gradient, np.array(eager.gradients)[rows].mean(0), WITHIN[dtype])
    assert backend != "native" or has_native_code(fast._latest().engine)


@pytest.mark.parametrize("backend", others)
@pytest.mark.parametrize("seed", range(100, 102))
def test_random_networks(backend, seed):
    check_gradients(backend, "float64", seed)
    check_gradients(backend, "float32", seed)


@SLOW
@pytest.mark.parametrize("backend", engines("numpy", "native"))
@pytest.mark.parametrize("block", range(40))
def test_a_thousand_random_networks(backend, block):
    for seed in range(25 * block, 25 * (block + 1)):
        check_gradients(backend, "float32" if block % 4 == 3 else "float64", seed)


@pytest.mark.parametrize("backend", others)
@pytest.mark.parametrize("seed", [31, 47, 92])
def test_weights_in_products_of_several_shapes(backend, seed):
    """The first had a wrong value, of the others no program could be made."""
    check_gradients(backend, "float64", seed, SharedWeights)


@SLOW
@pytest.mark.parametrize("backend", engines("numpy", "native"))
@pytest.mark.parametrize("block", range(20))
def test_a_thousand_networks_of_shared_weights(backend, block):
    for seed in range(50 * block, 50 * (block + 1)):
        if backend == "numpy" or seed % 5 == 0:
            check_gradients(backend, "float32" if block % 4 == 3 else "float64", seed, SharedWeights)


@SLOW
@pytest.mark.parametrize("backend", engines("jax"))
@pytest.mark.parametrize("seed", range(200, 230))
def test_random_networks_by_jax(backend, seed):
    check_gradients(backend, "float32" if seed % 4 == 3 else "float64", seed)


@pytest.mark.parametrize("backend", others)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batches_of_every_size(backend, dtype):
    network = Network(3)
    columns = random_columns(0, 3, *network.shapes)
    fast = compiled(network, network.parameters, backend=backend, dtype=dtype)
    sizes = SIZES if backend != "jax" else (1, 3, 9, 65)
    assert_batches_match(network, network.parameters, columns, sizes, fast=fast, within=WITHIN[dtype])


@SLOW
@pytest.mark.parametrize("backend", engines("numpy", "native"))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", range(300, 320))
def test_batches_of_every_size_of_many_networks(backend, dtype, seed):
    network = Network(seed)
    columns = random_columns(seed, 3, *network.shapes)
    fast = compiled(network, network.parameters, backend=backend, dtype=dtype)
    assert_batches_match(network, network.parameters, columns, (1, 3, 8, 13, 70), fast=fast, within=WITHIN[dtype])


class Everything:
    """A function of a vector and a label with captured Values, settings, results of all kinds."""

    def __init__(self):
        self.model = nn.MLP([3, 3, 4], activation="tanh", rng=0)
        self.table, self.captured, self.unused = nn.Embedding(4, 3, rng=1), Value(0.75), Value(3.0)
        own = [*self.model.parameters(), *self.table.parameters(), self.unused]
        random.Random(0).shuffle(own)
        self.parameters = [own[3], *own, own[0], own[3]]

    def __call__(self, x, k):
        scores = self.model([a + b for a, b in zip(x, self.table(k))])
        weight = self.parameters[1]
        penalty = mg.sum([p * p for p in self.parameters[:4]]) * self.captured
        return {
            "loss": costs.cross_entropy(scores, k) + penalty,
            "scores": mg.softmax(scores),
            "unbatched": [penalty, weight**3, mg.clip(weight * self.captured, -0.25, 0.5)],
            "plain": (2.0, x[0], self.captured),
        }


@pytest.mark.parametrize("backend", others)
@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=SLOW)])
def test_everything_in_one_function(backend, dtype):
    """Parameters in an odd order, some repeated; results without a batch axis; numbers that change between calls."""
    function = Everything()
    fast, exact = (compiled(function, function.parameters, backend=b, dtype=dtype) for b in (backend, "reference"))
    rng, vector = np.random.default_rng(0), np.linspace(-1.0, 1.0, len(function.parameters))
    for size in (1, 5):
        batch = rng.normal(size=(size, 3)), np.arange(size) % 4
        function.captured.data += 0.25
        function.parameters[2].data *= 1.5
        found, wanted = (
            [f.rows(*batch), *f.rows_and_grad(*batch), f.hvp(*batch, vector=vector), f.jacobian(*batch)]
            for f in (fast, exact)
        )
        for ours, theirs in zip(found, wanted):
            assert_near(ours, theirs, WITHIN[dtype])
    numbers = np.linspace(-0.5, 0.5, len(function.parameters))
    for f in (fast, exact):
        f.set_parameters(numbers)
    assert_near(fast.rows_and_grad(*batch)[1], exact.rows_and_grad(*batch)[1], WITHIN[dtype])
    with pytest.raises(LabelError, match="4"):
        fast(batch[0], np.full(len(batch[0]), 4))


def test_the_comparison_finds_a_wrong_gradient():
    network = Network(3)
    columns = random_columns(0, 3, *network.shapes)
    fast = compiled(lambda *x: network(*x) + 1e-8 * network.parameters[0], network.parameters)
    with pytest.raises(AssertionError):
        assert_batches_match(network, network.parameters, columns, (3,), fast=fast)
