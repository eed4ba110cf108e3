"""summary: the rows of modules."""

import pytest

from microgradlib import Value
from microgradlib.nn import (
    MLP,
    RBF,
    AvgPool1d,
    AvgPool2d,
    CausalSelfAttention,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GaussianOutput,
    GRUCell,
    Layer,
    LayerNorm,
    LogSoftmax,
    LSTMCell,
    Maxout,
    MaxPool1d,
    MaxPool2d,
    Module,
    Neuron,
    PReLU,
    RMSNorm,
    RNNCell,
    Sequential,
    Softmax,
    Subsampling,
    Unfolded,
)


def test_output_units_without_parameters_have_rows():
    model = Sequential(Layer(2, 3, "tanh", rng=0), Softmax(), LogSoftmax())
    assert [tuple(row) for row in model.summary().rows] == [
        ("modules.0", "Layer", "2 → 3 tanh", 9),
        ("modules.1", "Softmax", "logits → probabilities", 0),
        ("modules.2", "LogSoftmax", "logits → log-probabilities", 0),
    ]
    assert "modules.1  Softmax     logits → probabilities               0" in repr(model.summary())


@pytest.mark.parametrize(
    ("output", "name"), [("softmax", "softmax"), (Softmax(), "Softmax"), (LogSoftmax(), "LogSoftmax")]
)
def test_an_output_unit_is_named_in_its_layers_row(output, name):
    rows = MLP([2, 4, 3], output=output, rng=0).summary().rows
    assert [row.shape for row in rows] == ["2 → 4 relu", f"4 → 3 {name}"]


@pytest.mark.parametrize(
    "module",
    [
        AvgPool1d(2), AvgPool2d(2), CausalSelfAttention(4), Conv1d(1, 1, 2), Conv2d(1, 1, 2), Dropout(),
        Embedding(3, 2), Flatten(), GaussianOutput(2, 1), GRUCell(1, 2), Layer(2, 3), LayerNorm(3), LogSoftmax(),
        LSTMCell(1, 2), Maxout(2, 1), MaxPool1d(2), MaxPool2d(2), Neuron(2), PReLU(), RBF(2, 1), RMSNorm(3),
        RNNCell(1, 2), Softmax(), Subsampling(1), Unfolded(RNNCell(1, 2)),
    ],
    ids=lambda module: type(module).__name__,
)  # fmt: skip
def test_every_layer_is_one_row(module):
    [row] = Sequential(module).summary().rows
    assert (row.layer, row.kind, row.parameters) == ("modules.0", type(module).__name__, len(module.parameters()))
    assert row.shape


def test_parameters_outside_of_layers_come_last():
    class Scaled(Module):
        def __init__(self):
            self.scale, self.layer = [Value(1.0), Value(2.0)], Layer(2, 1, "linear", rng=0)

    assert [tuple(row) for row in Scaled().summary().rows] == [
        ("layer", "Layer", "2 → 1 linear", 3), ("scale", "Value", "", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (PReLU(0.25), "PReLU(slope=0.25)"),
        (LSTMCell(2, 3, rng=0), "LSTMCell(2 → 3)"),
        (GRUCell(2, 3, rng=0), "GRUCell(2 → 3)"),
    ],
)
def test_modules_show_their_kind_and_size(module, text):
    assert repr(module) == text


def test_paths_of_any_text_are_printable_and_short():
    """A dict of modules has any keys: a control character would reach the terminal, a long key widen the table."""

    class Keyed(Module):
        def __init__(self):
            self.parts = {"\x1b[2J\ud800\n": Layer(2, 1, rng=0), "x" * 17_000: Layer(2, 1, rng=0)}

    lines = repr(Keyed().summary()).splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["parts.\ufffd[2J\ufffd", f"parts.{'x' * 24}…{'x' * 29}"]
    assert max(map(len, lines)) < 100
