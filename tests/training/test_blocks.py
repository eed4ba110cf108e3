"""Blocks: all examples once, in the order of random_order, in whole batches, in buffers that are reused."""

import random

import numpy as np
from hypothesis import given, settings, strategies as st

from microgradlib.costs import binary_cross_entropy_with_logits as cost
from microgradlib.data import moons
from microgradlib.nn import MLP
from microgradlib.training import blocks as module, fit, random_order
from microgradlib.training.blocks import Blocks


@settings(max_examples=30)
@given(
    n=st.integers(1, 40), batch=st.integers(1, 50), numbers=st.sampled_from([1, 30, 100, 1 << 17]),
    shape=st.sampled_from([(), (2,), (2, 3)]), seed=st.integers(0, 99),
)  # fmt: skip
def test_batches_are_those_of_the_order(n, batch, numbers, shape, seed):
    draw, width = np.random.default_rng(seed), 3
    inputs, targets = draw.normal(size=(n, *shape)), draw.normal(size=(n,))
    before, module.NUMBERS = module.NUMBERS, numbers
    try:
        blocks = Blocks(inputs, targets, batch_size=batch, width=width)
    finally:
        module.NUMBERS = before
    assert len(blocks.values) == n or len(blocks.values) % batch == 0
    assert len(blocks.values) <= max(batch, numbers / (2 + width))
    generator = random.Random(seed)
    order = random_order(n, random.Random(seed))
    found = []
    for block in blocks.shuffled(generator):
        assert np.shares_memory(block.inputs, blocks.buffers[0])
        for part in block.batches(batch):
            places = part.positions.tolist()
            assert np.array_equal(part.inputs, inputs[places])
            assert np.array_equal(part.targets, targets[places])
            assert part.values.shape == (len(places), width)
            assert np.shares_memory(part.values, block.values)
            found.append(places)
    assert found == [order[start : start + batch] for start in range(0, n, batch)]


def test_arrays_of_any_layout_give_the_same_run():
    points = moons(20, noise=0.1, rng=0)
    inputs, labels = np.array(points.inputs), np.array(points.targets)
    apart = np.zeros((40, 5))
    apart[::2, 1:5:3] = inputs
    runs = []
    for x, y in ((inputs, labels), (np.asfortranarray(inputs), labels.astype("int8")), (apart[::2, 1:5:3], labels)):
        model = MLP([2, 3, 1], rng=0)
        fit(model, cost, x, y, epochs=2, batch_size=7, compiled=True)
        runs.append([p.data for p in model.parameters()])
    assert runs[0] == runs[1] == runs[2]
