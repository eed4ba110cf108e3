"""Every cost and regulariser, compiled: labels are inputs, penalties depend on the parameters alone."""

from functools import partial

import pytest
from eager_oracle import assert_matches_eager

import microgradlib as mg
from microgradlib import costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.regularisers import L1, L2, TangentPropagation

X = [[0.5, -0.25], [-1.0, 0.75], [0.1, -3.0], [2.0, 2.0], [0.0, 0.0]]
CLASSES = [0, 2, 1, 2, 0]
ONE_HOT = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]]
SOFT = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5], [0.0, 0.5, 0.5], [0.1, 0.8, 0.1]]


def mlp(nout, output="linear"):
    return nn.MLP([2, 4, nout], activation="tanh", output=output, rng=0)


def check_cost(cost, model, targets, penalty=None, **how):
    """Hold the cost of the model on X to the eager engine, labels being numbers there and Symbols when compiled."""

    def loss(x, y):
        value = cost(model(x), y)
        return value if penalty is None else value + penalty(model)

    assert_matches_eager(loss, model.parameters(), X, targets, leaf=float)


@pytest.mark.parametrize("targets", [CLASSES, ONE_HOT, SOFT], ids=["classes", "one-hot", "soft"])
@pytest.mark.parametrize("weight", [None, [0.5, 1.0, 2.0]])
def test_cross_entropy(targets, weight) -> None:
    check_cost(partial(costs.cross_entropy, weight=weight), mlp(3), targets)
    check_cost(partial(costs.cross_entropy_from_probabilities, weight=weight), mlp(3, "softmax"), targets)


@pytest.mark.parametrize("targets", [[0, 1, 1, 0, 1], [0.2, 1.0, 0.0, 0.5, 0.9]], ids=["labels", "probabilities"])
def test_binary_cross_entropy(targets) -> None:
    check_cost(costs.binary_cross_entropy, mlp(1, "sigmoid"), targets)
    check_cost(costs.binary_cross_entropy_with_logits, mlp(1), targets)
    check_cost(partial(costs.binary_cross_entropy_with_logits, pos_weight=3.0), mlp(1), targets)


def test_binary_cross_entropy_of_several_components() -> None:
    targets = [[0, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]]
    check_cost(costs.binary_cross_entropy, mlp(3, "sigmoid"), targets)


@pytest.mark.parametrize("cost", [costs.squared_error, costs.absolute_error, costs.hinge], ids=lambda f: f.__name__)
def test_costs_of_one_output_and_of_several(cost) -> None:
    check_cost(cost, mlp(1), [1, -1, -1, 1, 1])
    check_cost(cost, mlp(3), [[1, -1, 1], [-1, -1, -1], [1, 1, 1], [1, -1, -1], [-1, 1, 1]])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_reductions_of_pytorch(reduction) -> None:
    check_cost(partial(costs.squared_error, reduction=reduction), mlp(3), SOFT)


def test_one_cost_for_each_component_is_an_output_of_several_numbers() -> None:
    check_cost(partial(costs.squared_error, reduction="none"), mlp(3), SOFT)


def test_gaussian_nll() -> None:
    check_cost(costs.gaussian_nll, mlp(1, "gaussian"), [0.5, -1.0, 3.0, 0.0, 0.25])
    check_cost(costs.gaussian_nll, mlp(2, "gaussian"), [[0.5, 1.0], [-1.0, 0.0], [3.0, 1.0], [0.0, 0.0], [1.0, 2.0]])


@pytest.mark.parametrize("penalty", [L2(0.1), L1(0.1), L2(0.1, biases=True), L2({"layers.0": 0.1, "layers.1": 0.01})])
def test_penalties_on_the_parameters(penalty) -> None:
    check_cost(costs.cross_entropy, mlp(3), CLASSES, penalty)


def test_a_loss_that_is_a_penalty_alone() -> None:
    model = mlp(3)
    assert_matches_eager(lambda x: L2(0.5)(model), model.parameters(), X)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "relu"])
def test_tangent_propagation_inside_the_loss(activation) -> None:
    model = nn.MLP([2, 4, 2], activation=activation, rng=0)
    slope = TangentPropagation([1.0, -0.5], coefficient=0.3)
    assert_matches_eager(lambda x, y: costs.squared_error(model(x), y) + slope(model, x), model.parameters(), X, X)


def test_tangents_that_depend_on_the_input() -> None:
    model = mlp(2)
    turn = TangentPropagation(lambda x: [-x[1], x[0]], coefficient=0.3)
    assert_matches_eager(lambda x: turn(model, x), model.parameters(), X)


def test_the_whole_of_a_small_batch_as_one_example() -> None:
    """A mean over examples written in the function itself: five examples of two rows each."""
    model = mlp(3)
    pairs = [[x, [x[1], x[0]]] for x in X]

    def loss(rows, labels):
        return mg.mean([costs.cross_entropy(model(x), y) for x, y in zip(rows, labels)]) + L2(0.1)(model)

    assert_matches_eager(loss, model.parameters(), pairs, [[k, 2 - k] for k in CLASSES], leaf=float)


def test_labels_whose_other_class_is_impossible() -> None:
    """0 · ∞ is 0 in a cost: with the label 1 and ŷ = 1, −(1 − y) ln(1 − ŷ) adds nothing."""
    p = Value(1.0)
    assert_matches_eager(lambda y: costs.binary_cross_entropy(p, y), [p], [1.0, 1.0], leaf=float)
    shares = [Value(1.0), Value(0.0)]
    assert_matches_eager(lambda y: costs.cross_entropy_from_probabilities(shares, y), shares, [0, 0], leaf=float)


def test_saturated_outputs() -> None:
    w = Value(1.0)
    assert_matches_eager(
        lambda x, y: costs.binary_cross_entropy(mg.sigmoid(w * x), y), [w], [1000.0, -1000.0, 30.0], [0, 1, 1]
    )
    assert_matches_eager(
        lambda x, y: costs.cross_entropy([w * x, -w], y), [w], [1000.0, -1000.0, 30.0], [1, 0, 0], leaf=float
    )
    assert_matches_eager(
        lambda x, y: costs.cross_entropy_from_probabilities(mg.softmax([w * x, -w]), y),
        [w],
        [1000.0, -1000.0, 30.0],
        [1, 0, 0],
        leaf=float,
    )


def test_dropout_while_training_is_refused() -> None:
    model = nn.Sequential(nn.Layer(2, 3, rng=0), nn.Dropout(0.5, rng=0))
    fast = compiled(lambda x: mg.sum(model(x)), model.parameters())
    with pytest.raises(SymbolHasNoValueError, match="eval"):
        fast(X)


@pytest.mark.parametrize("outputs", [2, 3, 5])
def test_a_penalty_on_all_weights_beside_the_only_layer(outputs):
    """The weights are one row of a sum of squares, and the rows of a matrix with as many numbers."""

    def penalty(model):
        return 0.1 * mg.sum([w * w for w in model.parameters()])

    targets = [[float(k == i % outputs) for k in range(outputs)] for i in range(len(X))]
    check_cost(costs.cross_entropy, nn.Layer(2, outputs, "linear", rng=0), targets, penalty)
