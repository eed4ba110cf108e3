"""Every module of nn, compiled on Symbols for inputs: outputs and gradients are the eager engine's."""

import random

import pytest
from eager_oracle import assert_matches_eager

from microgradlib import nn
from microgradlib._support.pytree import flatten
from microgradlib.core.value import Value

VECTORS = [[0.5, -0.25, 2.0], [-1.0, 0.0, 0.75], [0.1, 0.2, -3.0], [1.5, -0.5, 0.3]]
SCORES = [[1.0, -2.0, 0.5, 3.0], [0.0, 0.0, 0.0, 0.0], [-30.0, 30.0, 0.1, 2.0]]


def numbers(seed, *sizes):
    rng = random.Random(seed)

    def nested(sizes):
        return [nested(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.uniform(-1.5, 1.5)

    return nested(sizes)


def loss_of(module):
    """Return a function whose gradient looks at every output of the module, each with a weight of its own."""

    def loss(*arguments):
        outputs = flatten(module(*arguments))
        return sum([y * y * 0.5 + y * (0.3 + 0.2 * k) for k, y in enumerate(outputs)])

    return loss


def check_module(module, *columns, **how):
    """Hold the outputs, and a loss of them, to the eager engine; the parameters drawn apart from their first values."""
    rng = random.Random(2)
    for p in module.parameters():
        p.data += rng.uniform(-0.2, 0.2)
    assert_matches_eager(module, module.parameters(), *columns, **how)
    return assert_matches_eager(loss_of(module), module.parameters(), *columns, **how)


@pytest.mark.parametrize("activation", [*nn.ACTIVATIONS, "prelu"])
@pytest.mark.parametrize("written", [{}, {"expand": True}, {"bias": False}])
def test_mlps_of_every_activation(activation, written) -> None:
    check_module(nn.MLP([3, 4, 2], activation=activation, rng=0, **written), VECTORS)


def test_units_of_different_kinds() -> None:
    check_module(
        nn.MLP([3, 4, 3], activation=[["tanh", "relu", "tanh", "prelu"]], output=["linear", "sigmoid", "tanh"], rng=1),
        VECTORS,
    )


@pytest.mark.parametrize("output", ["linear", "sigmoid", "softmax", "log_softmax", "gaussian"])
@pytest.mark.parametrize("width", [2, 3])
def test_output_units(output, width) -> None:
    check_module(nn.MLP([3, 5, width], activation="tanh", output=output, rng=1), VECTORS)


def test_networks_of_one_input_and_one_output() -> None:
    model = nn.MLP([1, 6, 6, 1], activation="softplus", rng=3)
    check_module(model, [[0.5], [-2.0]])
    assert_matches_eager(model, model.parameters(), [0.5, -2.0])


@pytest.mark.parametrize(
    "module",
    [
        nn.Neuron(3, "tanh", rng=0),
        nn.Layer(3, 1, "relu", rng=0),
        nn.Layer(3, 4, "softmax", rng=0),
        nn.Layer(3, 7, lambda z: z**3 - z, rng=0),
        nn.Maxout(3, 2, pieces=3, rng=0),
        nn.Maxout(3, 1, pieces=1, rng=0),
        nn.RBF(3, 4, rng=0),
        nn.RBF(3, 1, rng=0),
        nn.GaussianOutput(3, 2, rng=0),
        nn.Softmax(),
        nn.LogSoftmax(),
        nn.LayerNorm(3),
        nn.RMSNorm(3),
        nn.RMSNorm(3, gain=False),
        nn.Dropout(0.5).eval(),
        nn.Layer(3, 2, "prelu", rng=0),
        nn.Sequential(nn.Layer(3, 4, "tanh", rng=0), nn.LayerNorm(4), nn.Layer(4, 1, "linear", rng=1)),
    ],
    ids=str,
)
def test_modules_of_vectors(module) -> None:
    check_module(module, VECTORS)


@pytest.mark.parametrize("module", [nn.Softmax(), nn.LogSoftmax()], ids=str)
def test_softmax_of_scores_alike_and_far_apart(module) -> None:
    check_module(module, SCORES)


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv1d(2, 3, 3, rng=0),
        nn.Conv1d(2, 2, 3, stride=2, padding=1, activation="relu", rng=0),
        nn.Conv1d(2, 2, 2, bias=False, activation="prelu", rng=0),
        nn.MaxPool1d(2),
        nn.MaxPool1d(3, stride=1),
        nn.AvgPool1d(2),
        nn.AvgPool1d(3, stride=2),
        nn.Conv1d(2, 2, 3, padding="same", dilation=2, padding_mode="circular", rng=0),
        nn.Conv1d(2, 2, 2, padding=6, dilation=6, rng=0),
        nn.MaxPool1d(3, stride=2, padding=1, dilation=2),
        nn.AvgPool1d(3, stride=1, padding=1, dilation=2),
        nn.Flatten(),
    ],
    ids=str,
)
def test_modules_of_signals(module) -> None:
    check_module(module, numbers(1, 3, 2, 7))


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(2, 3, 3, rng=0),
        nn.Conv2d(2, 2, (2, 3), stride=(1, 2), padding=(1, 2), activation="tanh", rng=0),
        nn.Conv2d(2, 1, 1, rng=0),
        nn.Conv2d(2, 2, 3, stride=2, padding=1, bias=False, rng=0),
        nn.MaxPool2d(2),
        nn.MaxPool2d(2, stride=1),
        nn.AvgPool2d((1, 2)),
        nn.Conv2d(2, 2, 2, stride=(1, 2), padding=2, dilation=(2, 3), rng=0),
        nn.Conv2d(2, 1, 3, padding=2, padding_mode="reflect", rng=0),
        nn.MaxPool2d(2, 1, padding=1, dilation=(1, 2)),
        nn.AvgPool2d(3, 2, padding=1),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.Subsampling(2, 2),
        nn.Flatten(),
    ],
    ids=str,
)
def test_modules_of_images(module) -> None:
    check_module(module, numbers(2, 3, 2, 4, 5))


def test_a_small_convolutional_network() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, activation="relu", rng=0),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 2, 2, activation="tanh", rng=1),
        nn.Flatten(),
        nn.Layer(8, 3, "log_softmax", rng=2),
    )
    check_module(model, numbers(3, 2, 1, 6, 6))


def test_max_pooling_with_ties() -> None:
    check_module(nn.Sequential(nn.Conv1d(1, 2, 1, rng=0), nn.MaxPool1d(3)), [[[1.0, 1.0, 0.0]], [[2.0] * 3]])


def test_embedding_of_an_index_and_of_one_hot_rows() -> None:
    table = nn.Embedding(4, 3, rng=0)
    check_module(table, [2, 0, 3, 3], leaf=float)
    check_module(table, [[0, 0, 1, 0], [0.5, 0.25, 0.0, 0.25]])


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_attention(heads, bias) -> None:
    check_module(nn.CausalSelfAttention(4, heads=heads, bias=bias, rng=0, init="fan_in"), numbers(4, 3, 3, 4))


@pytest.mark.parametrize("activation", ["tanh", "relu", "prelu"])
def test_recurrent_networks(activation) -> None:
    check_module(nn.RNN(2, 3, activation, rng=0), numbers(5, 4, 5, 2))


@pytest.mark.parametrize("network", [nn.LSTM(2, 3, rng=0, forget_bias=1.0), nn.GRU(2, 3, rng=0)], ids=str)
def test_gated_networks(network) -> None:
    check_module(network, numbers(6, 3, 4, 2))


@pytest.mark.parametrize(
    "network",
    [
        nn.RNN(2, 3, bidirectional=True, rng=0),
        nn.LSTM(2, 2, num_layers=2, bidirectional=True, rng=0),
        nn.GRU(2, 3, num_layers=3, dropout=0.5, rng=0).eval(),
    ],
    ids=str,
)
def test_recurrent_networks_of_several_cells(network) -> None:
    check_module(network, numbers(6, 3, 4, 2))


@pytest.mark.parametrize("cell", [nn.RNNCell(2, 3, rng=0), nn.GRUCell(2, 3, rng=0)], ids=str)
def test_cells_with_their_state_as_an_input(cell) -> None:
    check_module(cell, numbers(7, 4, 2), numbers(8, 4, 3))


def test_an_lstm_cell_with_its_state_as_an_input() -> None:
    cell = nn.LSTMCell(2, 3, rng=0)
    assert_matches_eager(
        lambda x, h, c: cell(x, (h, c)), cell.parameters(), numbers(7, 4, 2), numbers(8, 4, 3), numbers(9, 4, 3)
    )


def test_modules_one_into_the_other_over_time() -> None:
    first, second, readout = nn.GRU(2, 3, rng=0), nn.RNN(3, 2, rng=1), nn.Layer(2, 2, "softmax", rng=2)
    parameters = [p for module in (first, second, readout) for p in module.parameters()]

    def outputs(xs):
        states, _ = second(first(xs)[0])
        return [readout(s) for s in states]

    assert_matches_eager(outputs, parameters, numbers(10, 3, 4, 2))
    assert_matches_eager(loss_of(outputs), parameters, numbers(10, 3, 4, 2))


def test_a_small_transformer_over_indices() -> None:
    letters, places = nn.Embedding(5, 4, rng=0), nn.Embedding(3, 4, rng=1)
    norm, attention = nn.RMSNorm(4), nn.CausalSelfAttention(4, heads=2, rng=2, init="fan_in")
    hidden, readout = nn.Layer(4, 8, "relu", rng=3), nn.Layer(8, 5, "linear", rng=4)
    parameters = [p for m in (letters, places, norm, attention, hidden, readout) for p in m.parameters()]

    def scores(indices):
        x = [[a + b for a, b in zip(letters(k), places(t))] for t, k in enumerate(indices)]
        x = [[a + b for a, b in zip(row, read)] for row, read in zip(x, attention([norm(row) for row in x]))]
        return [readout(hidden(row)) for row in x]

    assert_matches_eager(scores, parameters, [[0, 4, 2], [1, 1, 1]], leaf=float)
    assert_matches_eager(loss_of(scores), parameters, [[0, 4, 2], [1, 1, 1]], leaf=float)


def test_part_of_the_parameters() -> None:
    model = nn.MLP([3, 4, 4, 2], activation="tanh", rng=0)
    assert_matches_eager(loss_of(model), model.layers[1].parameters(), VECTORS)
    assert_matches_eager(
        loss_of(model), [model.layers[0].neurons[0].w[1], Value(3.0), model.layers[2].neurons[1].b], VECTORS
    )
