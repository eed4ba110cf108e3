"""Labels and indices of a batch: what the eager engine refuses, a compiled function refuses, naming the example."""

import math

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.errors import LabelError

W = [Value(0.5), Value(-1.0), Value(0.25)]
NAN, INF = math.nan, math.inf
COSTS = {
    "cross_entropy": (lambda y: costs.cross_entropy(W, y), [0, 1, 2], [3, -1, 0.5, NAN, INF, -INF]),
    "smoothed": (lambda y: costs.cross_entropy(W, y, label_smoothing=0.1), [0, 2], [3, -0.5]),
    "ignored": (lambda y: costs.cross_entropy(W, y, ignore_index=-100), [0, 2, -100], [3, -99, NAN]),
    "ignored class": (lambda y: costs.cross_entropy(W, y, ignore_index=1), [0, 1, 2], [3]),
    "from_probabilities": (lambda y: costs.cross_entropy_from_probabilities(mg.softmax(W), y), [0, 1], [-1, 3]),
    "nll": (lambda y: costs.nll(mg.log_softmax(W), y), [0, 1], [-1, 3]),
    "nll, ignored": (lambda y: costs.nll(mg.log_softmax(W), y, ignore_index=7), [0, 7], [-1, 3]),
    "binary": (lambda y: costs.binary_cross_entropy_with_logits(W[0], y), [0, 1, 0.25], [-0.5, 1.5, NAN]),
    "binary, of probabilities": (lambda y: costs.binary_cross_entropy(mg.sigmoid(W[0]), y), [0, 1], [2]),
    "hinge": (lambda y: costs.hinge(W[0], y), [-1, 1], [0, 0.5, 3, NAN]),
    "hinge of 0 and 1": (lambda y: costs.hinge(W[0], 2 * y - 1), [0, 1], [-1, 0.5, 2]),
    "squared_error": (lambda y: costs.squared_error(W[0], y), [-1e300, 5], [NAN, INF, -INF]),
    "absolute_error": (lambda y: costs.absolute_error(W[0], y), [0.5], [NAN]),
    "poisson": (lambda y: costs.poisson_nll(W[0], y), [0, 3, 1e300], [-1, INF, NAN]),
    "embedding": (lambda y: costs.squared_error(nn.Embedding(4, 1, rng=0)(y), [0.0]), [0, 3], [4, -1, 1.5, NAN]),
}
CASES = [(name, bad) for name, (_, _, bads) in COSTS.items() for bad in bads]


@pytest.mark.parametrize(("name", "bad"), CASES)
def test_numbers_that_the_eager_engine_refuses(name, bad):
    cost, allowed, _ = COSTS[name]
    with pytest.raises(LabelError) as eager:
        cost(float(bad))
    fast = compiled(cost, W)
    column = [float(y) for y in [*allowed, bad, *allowed]]
    for call in (fast, fast.value_and_grad, fast.rows, fast.rows_and_grad, fast.jacobian, fast.hessian):
        with pytest.raises(LabelError) as error:
            call(column)
        assert str(error.value) == f"example {len(allowed)}: {eager.value}"


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_that_it_allows(name, dtype):
    cost, allowed, _ = COSTS[name]
    if dtype is np.float32:
        allowed = [y for y in allowed if abs(y) < 1e30]
    values = compiled(cost, W, dtype=dtype)(np.array(allowed, float))
    expected = [cost(float(y)) for y in allowed]
    assert values == pytest.approx([y.data if isinstance(y, Value) else y for y in expected], rel=1e-5)


def test_one_label_among_several_arguments_and_within_rows():
    letters = nn.Embedding(5, 2, rng=0)

    def loss(text, scale, target):
        hidden = [mg.sum(letters(k)) for k in text[:-1]]
        return costs.cross_entropy([*hidden, scale], target) + text[-1]

    fast = compiled(loss, letters.parameters())
    text = np.array([[0.0, 4.0, 9.0], [1.0, 2.0, -7.5]])  # the last of a text is no index
    assert fast(text, [0.5, 0.5], [2, 0]).shape == (2,)
    text[1, 1] = 5.0
    with pytest.raises(LabelError, match=r"example 1: the index is 5\.0, but the 5 rows are 0 to 4"):
        fast(text, [0.5, 0.5], [2, 0])
    text[1, 1] = 4.0
    with pytest.raises(LabelError, match=r"example 0: the label is 3\.0, but the 3 classes are 0 to 2"):
        fast(text, [0.5, 0.5], [3, 0])


def test_what_depends_on_parameters_is_no_label():
    fast = compiled(lambda x: costs.squared_error(x, W[0] / W[1]), W)
    array = np.array([1.0, 0.0, 1.0])
    fast.set_parameters(array)
    assert fast([1.0]).tolist() == [INF]


def test_a_function_that_catches_labels_of_its_own():
    """A check that belongs to a branch that the result does not use is none."""

    def loss(x, y):
        costs.squared_error(x, y)
        return x

    assert compiled(loss)([1.0], [NAN]).tolist() == [1.0]
