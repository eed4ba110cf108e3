"""Inputs that are no lists: without an order of their own, read once, or with numbers missing. Never silently wrong."""

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import costs, metrics, nn
from microgradlib._support.checks import check_order

NO_LISTS = {
    "dict": {0: 1.0, 1: 2.0},
    "set": {1.0, 2.0},
    "frozenset": frozenset({1.0, 2.0}),
    "text": "12",
    "bytes": b"12",
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
}
MODULES = {
    "MLP": lambda: nn.MLP(2, [3, 1], rng=0),
    "GaussianOutput": lambda: nn.MLP(2, [3, 1], output="gaussian", rng=0),
    "Maxout": lambda: nn.MLP(2, [3, 1], activation="maxout", rng=0),
    "RBF": lambda: nn.MLP(2, [3, 1], activation="rbf", rng=0),
    "Layer": lambda: nn.Layer(2, 2, rng=0),
    "Neuron": lambda: nn.Neuron(2, rng=0),
    "LayerNorm": lambda: nn.LayerNorm(2),
    "RMSNorm": lambda: nn.RMSNorm(2),
    "RNNCell": lambda: nn.RNNCell(2, 2, rng=0),
    "LSTMCell": lambda: nn.LSTMCell(2, 2, rng=0),
    "GRUCell": lambda: nn.GRUCell(2, 2, rng=0),
    "Conv1d": lambda: nn.Conv1d(1, 1, 2, rng=0),
}
FUNCTIONS = {
    "softmax": mg.softmax,
    "log_softmax": mg.log_softmax,
    "sum": mg.sum,
    "dot": lambda x: mg.dot(x, [1.0, 1.0]),
    "matvec": lambda x: mg.matvec([[1.0, 2.0]], x),
    "squared_error": lambda x: costs.squared_error(x, [1.0, 1.0]),
    "squared_error to": lambda x: costs.squared_error([1.0, 1.0], x),
    "cross_entropy": lambda x: costs.cross_entropy(x, 1),
    "accuracy": lambda x: metrics.accuracy(x, [1, 0]),
    "accuracy on": lambda x: metrics.accuracy([1, 0], x),
}


@pytest.mark.parametrize("given", NO_LISTS.values(), ids=NO_LISTS)
@pytest.mark.parametrize("call", [*[make() for make in MODULES.values()], *FUNCTIONS.values()], ids=MODULES | FUNCTIONS)
def test_what_is_no_list_is_refused(call, given):
    with pytest.raises((TypeError, ValueError)):
        call(given)


def test_tuples_arrays_and_ranges_are_lists():
    model = nn.MLP(2, [3, 1], rng=0)
    expected = model([1, 2]).data
    assert [model(x).data for x in ((1.0, 2.0), np.array([1.0, 2.0]), range(1, 3))] == [expected] * 3
    assert mg.softmax(x for x in [0.0, 0.0]) == [0.5, 0.5]


def test_what_is_read_once_is_named():
    with pytest.raises(TypeError, match=r"xs must be a list, tuple or array of numbers, got a generator"):
        check_order((x for x in [1.0]), "xs")
    check_order((x for x in [1.0]), "xs", iterators=True)
    check_order([1.0], "xs")
