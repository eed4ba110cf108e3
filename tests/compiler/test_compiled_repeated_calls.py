"""Calls one after the other: inputs in an order of their own, and buffers used again for other numbers and sizes."""

import random

import numpy as np
import pytest
from eager_oracle import SIZES, EagerOracle, assert_batches_match, assert_near, random_columns
from hypothesis import given, settings, strategies as st
from random_networks import Network

import microgradlib as mg
from microgradlib._support.pytree import flatten
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 16).tolist()]
SHAPES = [(), (1,), (2,), (3,), (2, 2), (3, 1), (2, 1, 2)]


class Reader:
    """Layers that read the numbers of several arguments in any order, some of them twice, some never."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.shapes = rng.choices(SHAPES, k=rng.randint(1, 4))
        numbers = range(sum(int(np.prod(shape)) for shape in self.shapes))
        used = [i for i in numbers if rng.random() < 0.85] or [0]
        kinds = rng.choices(["layer", "layer", "places", "map", "scaled", "sum"], k=rng.randint(1, 4))
        self.parts = [
            (kind, rng.sample(used, rng.randint(1, len(used))), rng.randint(1, 3), rng.random() < 0.7) for kind in kinds
        ]

    def __call__(self, *arguments):
        numbers = [number for argument in arguments for number in flatten(argument)]
        return [y for part in self.parts for y in self.part(numbers, *part)]

    def part(self, numbers, kind, places, rows, biased):
        x = [numbers[place] for place in places]
        if kind == "layer" and len(x) > 1:
            weights = [[W[(i + 3 * j) % 16] for j in range(len(x))] for i in range(rows)]
            return [mg.tanh(mg.dot(w, x, W[i]) if biased else mg.dot(w, x)) for i, w in enumerate(weights)]
        if kind == "places" and len(x) > 1:
            return [mg.tanh(mg.dot(W[:2], two, W[2])) for two in zip(x, [*x[1:], x[0]])]
        return {"map": [mg.exp(0.3 * a) for a in x], "scaled": [w * a for w, a in zip(W, x)]}.get(kind, [mg.sum(x)])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_arguments_whose_numbers_are_read_in_any_order(seed, size):
    reader = Reader(seed)
    assert_batches_match(reader, W, random_columns(seed, 3, *reader.shapes), [size])


LAYOUTS = {
    "rows": lambda a: a,
    "columns": np.asfortranarray,
    "backwards": lambda a: a[::-1].copy()[::-1],
    "with gaps": lambda a: np.repeat(np.repeat(a, 2, axis=0), 3, axis=1)[::2, ::3],
    "part of another": lambda a: np.concatenate([a, a], axis=1)[:, : a.shape[1]],
    "lists": lambda a: a.tolist(),
    "read only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("one", LAYOUTS)
@pytest.mark.parametrize("other", LAYOUTS)
def test_arrays_that_lie_in_memory_in_any_way(one, other):
    """How the first call's numbers lay says nothing about those of the next."""

    def function(x, y):
        return mg.dot(W[:4], [x[3], y[0], x[1], y[2]], W[4]) * mg.tanh(mg.dot(W[5:8], [y[1], x[0], x[2]]))

    fast = compiled(function, W)
    x, y = (np.random.default_rng(k).normal(size=(6, n)) for k, n in enumerate((4, 3)))
    expected = compiled(function, W).jacobian(x, y)
    assert_near(expected, EagerOracle(function, W, [x.tolist(), y.tolist()]).jacobian, 1e-10)
    for layouts in ((one, one), (one, other), (other, one), (other, other)):
        arrays = [LAYOUTS[layout](a) for layout, a in zip(layouts, (x, y))]
        assert fast.jacobian(*arrays).tolist() == expected.tolist()
        assert fast(*arrays).tolist() == compiled(function, W)(x, y).tolist()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from([1, 2, 3, 16, 17, 64]), min_size=4, max_size=9))
def test_other_numbers_other_sizes_other_parameters(seed, sizes):
    """Whatever was computed before, a call says what one of a function compiled for it alone does."""
    network = Network(seed)
    fast, rng = compiled(network, network.parameters), random.Random(seed)
    for k, size in enumerate(sizes):
        columns = random_columns(seed + k, size, *network.shapes)
        alone = compiled(network, network.parameters)
        if rng.random() < 0.4:
            array = np.random.default_rng(k).uniform(-1, 1, len(network.parameters))
            fast.set_parameters(array)
            if rng.random() < 0.5:
                fast.set_parameters(None)
            else:
                for p, number in zip(network.parameters, array.tolist()):
                    p.data = number
        for call in rng.choices(["values", "gradient", "jacobian"], k=3):
            name = {"values": "__call__", "gradient": "value_and_grad", "jacobian": "jacobian"}[call]
            with np.errstate(all="ignore"):
                one, other = getattr(fast, name)(*columns), getattr(alone, name)(*columns)
            for a, b in zip(*map(list, (one, other) if call == "gradient" else ([one], [other]))):
                assert np.array_equal(a, b, equal_nan=True)
        fast.set_parameters(None)


def test_calls_like_the_one_before_check_as_much():
    """A call on arrays of the same shapes looks at less: whatever else is given is seen."""
    fast = compiled(lambda x, y: mg.dot(W[:2], x) * y, W[:2])
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    expected = fast(x, y).tolist()
    same = [
        (x, y), (x.tolist(), y), (x.astype(int), y), (x.astype(np.float32), y), (x, y.astype(">f8")),
        (np.asfortranarray(x), y[::-1][::-1]), (x, y),
    ]  # fmt: skip
    assert [fast(*arguments).tolist() for arguments in same] == [expected] * len(same)
    refused = [
        ((x,), TypeError), ((x, y, y), TypeError), ((), TypeError), ((x, y[:1]), ValueError),
        ((x[:0], y[:0]), ValueError),
        ((x, np.ma.masked_array(y, [True, False])), TypeError), ((x, y.astype(complex)), TypeError),
        ((x, y.astype(object)), TypeError), ((x, 1.0), ValueError), ((None, y), TypeError),
    ]  # fmt: skip
    for arguments, error in refused:
        assert fast(x, y).tolist() == expected
        with pytest.raises(error):
            fast(*arguments)
    assert fast(x[:1], y[:1]).tolist() == expected[:1]
    assert fast(x, y).tolist() == expected


def test_rows_of_other_shapes_between_two_calls():
    fast = compiled(lambda x: mg.dot(W[: len(x)], x), W)
    two, three = np.ones((4, 2)), np.ones((4, 3))
    for x in (two, two, three, two, three, three):
        assert fast(x).tolist() == compiled(fast.__wrapped__, W)(x).tolist()
        assert fast.program.inputs == x.shape[1]
    fast.lower(two)
    assert fast.program.inputs == 2
    fast(three)
    assert fast.program.inputs == 3


def test_matrices_in_calls_like_the_one_before():
    fast = compiled(lambda m: mg.dot(m[0], m[1]))
    m = np.arange(12.0).reshape(3, 2, 2)
    assert [fast(a).tolist() for a in (m, m, m[::-1], m)] == [[3.0, 59.0, 179.0]] * 2 + [[179.0, 59.0, 3.0]] + [
        [3.0, 59.0, 179.0]
    ]
