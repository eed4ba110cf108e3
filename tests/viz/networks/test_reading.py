"""Network pictures: which models have one, and that their numbers are those of the passes."""

import math

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, grad_table, nn, no_grad
from microgradlib.costs import cross_entropy
from microgradlib.viz.boxes.diagram import Diagram
from microgradlib.viz.networks.layers import layers_of
from microgradlib.viz.networks.layout import NetworkPicture
from microgradlib.viz.networks.modules import module_diagram, module_picture
from microgradlib.viz.networks.reading import network
from microgradlib.viz.networks.values import shape_after

IMAGE = [[[math.sin(3 * r + c) for c in range(6)] for r in range(6)]]


class Perceptron(nn.Module):
    """A neuron written by hand."""

    def __init__(self, nin=2):
        self.w = [Value(0.5 * (i + 1)) for i in range(nin)]
        self.b = Value(0.25)

    def __call__(self, x):
        return sum((w * x_i for w, x_i in zip(self.w, x, strict=True)), self.b).tanh()


class OwnLayer(nn.Module):
    """Neurons written by hand, in a list."""

    def __init__(self, nin, nout):
        self.neurons = [Perceptron(nin) for _ in range(nout)]

    def __call__(self, x):
        return [neuron(x) for neuron in self.neurons]


class OwnModel(nn.Module):
    """Layers as attributes, applied in this order."""

    def __init__(self):
        self.first, self.second = nn.Layer(2, 3, "tanh", rng=0), nn.Layer(3, 1, "linear", rng=1)

    def __call__(self, x):
        return self.second(self.first(x))


class Matrix(nn.Module):
    """A matrix and a vector of parameters."""

    def __init__(self):
        self.weight = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)], [Value(5.0), Value(6.0)]]
        self.bias = [Value(0.0), Value(1.0), Value(2.0)]


def shapes(model):
    layers = layers_of(model)
    return layers and [(layer.title, len(layer.units)) for layer in layers]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nn.MLP(2, [3, 1]), [("layers.0", 3), ("layers.1", 1)]),
        (nn.Neuron(2), [("neuron", 1)]),
        (nn.Layer(2, 3), [("layer", 3)]),
        (nn.MLP(2, [3, 1], activation="maxout"), [("layers.0", 6), ("layers.1", 1)]),
        (nn.MLP(2, [3, 2], activation="rbf", output="gaussian"), [("layers.0", 3), ("layers.1", 4)]),
        (nn.RNNCell(2, 3), [("rnncell", 3)]),
        (nn.RNN(2, 3), [("cell", 3)]),
        (nn.Unfolded(nn.RNNCell(2, 3)), [("cell", 3)]),
        (
            nn.Sequential(nn.MLP(2, [3, 2]), nn.Dropout(0.5), nn.Layer(2, 1)),
            [("modules.0.layers.0", 3), ("modules.0.layers.1", 2), ("modules.2", 1)],
        ),
        (Perceptron(), [("perceptron", 1)]),
        (OwnLayer(3, 2), [("ownlayer", 2)]),
        (nn.Sequential(OwnLayer(3, 2), Perceptron(2)), [("modules.0", 2), ("modules.1", 1)]),
        (OwnModel(), [("first", 3), ("second", 1)]),
        (Matrix(), [("matrix", 3)]),
    ],
)
def test_layers_are_found_in_order(model, expected):
    assert shapes(model) == expected


def with_extra(model):
    model.scale = Value(1.0)
    return model


def in_itself():
    model = OwnModel()
    model.first = model
    return model


@pytest.mark.parametrize(
    "model",
    [
        nn.LSTM(2, 3),
        nn.GRUCell(2, 3),
        nn.CausalSelfAttention(4),
        nn.Embedding(4, 3),
        nn.RNN(2, 3, num_layers=2),
        nn.Sequential(),
        nn.Sequential(nn.Dropout(0.5)),
        nn.Sequential(lambda x: x, nn.Layer(2, 1)),
        nn.Sequential(nn.Layer(2, 3), nn.Layer(2, 1)),  # these do not fit
        nn.Sequential(nn.Embedding(3, 2), nn.Layer(2, 1)),
        with_extra(OwnModel()),
        with_extra(Perceptron()),
        in_itself(),
    ],
)
def test_other_models_have_no_network_picture(model):
    assert network(model) is None
    assert isinstance(module_picture(model), Diagram)


class Residual(OwnModel):
    """Adds a layer's inputs to its outputs."""

    def __init__(self):
        self.first, self.second = nn.Layer(2, 2, "tanh", rng=0), nn.Layer(2, 1, "linear", rng=1)

    def __call__(self, x):
        return self.second([h + x_i for h, x_i in zip(self.first(x), x, strict=True)])


class Backwards(Residual):
    """Applies its layers in another order than that of its attributes."""

    def __init__(self):
        self.first, self.second = nn.Layer(2, 2, "tanh", rng=0), nn.Layer(2, 2, "linear", rng=1)

    def __call__(self, x):
        return self.first(self.second(x))


@pytest.mark.parametrize("model", [Residual(), Backwards()])
def test_layers_in_another_order_are_seen_in_the_graph(model):
    x = [Value(0.5), Value(-1.0)]
    y = model(x)
    assert network(model) is None
    assert network(OwnModel(), inputs=[0.5, -1.0]) is not None
    assert y


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    activation=st.sampled_from(["tanh", "relu", "sigmoid", "prelu", "gelu"]),
    output=st.sampled_from(["linear", "softmax", "sigmoid"]),
    expand=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_and_deltas_are_those_of_the_passes(sizes, activation, output, expand, seed):
    model = nn.MLP(sizes, activation=activation, output=output, rng=seed, expand=expand)
    x = [0.5 * (-1) ** i + 0.1 * i for i in range(sizes[0])]
    y = model(x)
    outputs = y if isinstance(y, list) else [y]
    loss = outputs[0] * outputs[0] + 0.3 * outputs[-1]
    loss.backward()
    table = grad_table(loss)
    found = network(model)
    assert [unit.value for unit in found.columns[0].units] == x
    assert [unit.value for unit in found.columns[-1].units] == [node.data for node in outputs]
    shown = [unit.delta for column in found.columns[1:] for unit in column.units]
    # A δ is the gradient of a bias: each is added to one net input.
    expected = [neuron.b.grad for layer in model.layers for neuron in layer.neurons]
    assert [delta or 0.0 for delta in shown] == pytest.approx(expected, rel=1e-12)
    assert len(table) > 0
    for column, layer in zip(found.columns[1:], model.layers, strict=True):
        for unit, neuron in zip(column.units, layer.neurons, strict=True):
            assert unit.weights == tuple(w.data for w in neuron.w)
            assert unit.bias == neuron.b.data
    again = network(model, inputs=x)
    assert [unit.value for unit in again.columns[-1].units] == [node.data for node in outputs]
    assert all(unit.delta is None for column in again.columns for unit in column.units)


def test_units_written_by_hand_have_values_and_deltas():
    model = Perceptron()
    x = [Value(1.0, "x_1"), Value(-2.0)]
    y = model(x)
    y.backward()
    inputs, column = network(model).columns
    assert [(unit.name, unit.value) for unit in inputs.units] == [("x_1", 1.0), ("x[1]", -2.0)]
    assert column.units[0].value == y.data
    assert column.units[0].delta == model.b.grad


NET_INPUTS = {
    "products and sums": lambda w, b, x: w[0] * x[0] + w[1] * x[1] + b,
    "the bias first, inputs before weights": lambda w, b, x: b + x[0] * w[0] + x[1] * w[1],
    "a sum of all": lambda w, b, x: mg.sum([p * q for p, q in zip(w, x, strict=True)] + [b]),
    "a sum, and the bias": lambda w, b, x: mg.sum([p * q for p, q in zip(w, x, strict=True)]) + b,
    "a dot": lambda w, b, x: mg.dot(w, x) + b,
    "a dot, inputs first": lambda w, b, x: b + mg.dot(x, w),
    "the bias as a weight of 1": lambda w, b, x: mg.dot([*w, b], [*x, 1.0]),
    "the bias as a weight of 1, inputs first": lambda w, b, x: mg.dot([*x, 1.0], [*w, b]),
}


class Written(Perceptron):
    """A neuron whose net input is written in a way of its own."""

    def __init__(self, net_input):
        super().__init__()
        self.net_input = net_input

    def __call__(self, x):
        return self.net_input(self.w, self.b, x).tanh()


@pytest.mark.parametrize("way", NET_INPUTS)
def test_a_net_input_may_be_written_in_many_ways(way):
    model, x = Written(NET_INPUTS[way]), [Value(2.0), Value(-3.0)]
    y = model(x)
    y.backward()
    inputs, column = network(model, outputs=y).columns
    [unit] = column.units
    assert [each.value for each in inputs.units] == [2.0, -3.0]
    assert (unit.value, unit.delta) == (y.data, model.b.grad)


@pytest.mark.parametrize(
    "net_input",
    [
        lambda w, b, x: w[0] * x[0] - w[1] * x[1] + b,  # of no sum of products
        lambda w, b, x: w[0] * x[0] + b,  # a weight is not read
        lambda w, b, x: mg.dot(w[::-1], x) + b,  # in another order
        lambda w, b, x: mg.maximum(w[0] * x[0], w[1] * x[1], b),
    ],
)
def test_what_is_no_sum_of_products_has_no_inputs(net_input):
    model, x = Written(net_input), [Value(2.0), Value(-3.0)]
    y = model(x)
    y.backward()
    inputs, column = network(model, outputs=y).columns
    assert [each.value for each in inputs.units] == [None, None]
    assert [(unit.value, unit.delta) for unit in column.units] == [(y.data, None)]


def test_a_lone_layer_is_found_by_the_users_variables():
    layer = nn.Layer(2, 3, "tanh", rng=0)
    assert "no forward pass is known" in network(layer).note
    y = layer([1.0, 2.0])
    found = network(layer)
    assert [unit.value for unit in found.columns[1].units] == [node.data for node in y]
    assert not found.note


def test_numbers_older_than_the_weights_are_called_so():
    model = nn.MLP(2, [2, 1], activation="tanh", rng=0)
    y = model([1.0, 2.0])
    model.layers[0].neurons[0].w[0].data = 3.0
    found = network(model)
    assert found.note == "values and δ are those from before the last change of the parameters"
    assert found.columns[1].units[0].weights[0] == 3.0
    assert found.columns[-1].units[0].value == y.data


def test_of_several_examples_the_last_is_shown():
    model = nn.MLP(1, [2, 1], activation="tanh", rng=0)
    loss = sum(model([x]) for x in (0.5, 1.0, -1.0))
    loss.backward()
    found = network(model, outputs=loss)
    assert found.columns[0].units[0].value == -1.0
    assert found.note == "of 3 uses of the same weights, the last one is shown"


def test_a_recurrent_cell_reads_its_input_and_the_state_before():
    cell = nn.RNNCell(2, 3, rng=0)
    state = cell([0.5, -1.0], [Value(0.1, "h"), 0.2, 0.3])
    inputs, column = network(cell, outputs=state).columns
    assert [unit.value for unit in inputs.units] == [0.5, -1.0, 0.1, 0.2, 0.3]
    assert inputs.units[2].name == "h"
    assert [unit.value for unit in column.units] == [node.data for node in state]
    assert column.caption == "3 tanh: the state after"


def test_maxout_has_pieces_and_their_maximum():
    model = nn.Maxout(2, 2, pieces=3, rng=0)
    y = model([1.0, -1.0])
    inputs, pieces, maxima = network(model).columns
    assert len(pieces.units) == 6
    assert [unit.value for unit in maxima.units] == [node.data for node in y]
    assert [unit.reads for unit in maxima.units] == [(0, 1, 2), (3, 4, 5)]
    assert inputs.kind == "input"


def test_what_follows_a_layer_is_in_its_caption_and_its_values():
    model = nn.Sequential(nn.Layer(2, 4, "linear", rng=0), nn.LayerNorm(4), nn.Layer(4, 1, "linear", rng=0))
    y = model([1.0, 2.0])
    normalised = nn.LayerNorm(4)(model.modules[0]([1.0, 2.0]))
    hidden = network(model, outputs=y).columns[1]
    assert hidden.caption == "4 linear, LayerNorm(4)"
    assert [unit.value for unit in hidden.units] == pytest.approx([node.data for node in normalised])


CNN = nn.Sequential(
    nn.Conv2d(1, 2, 3, activation="relu", rng=0), nn.MaxPool2d(2), nn.Flatten(), nn.Layer(8, 3, "linear", rng=1)
)


@pytest.mark.parametrize("known", [True, False])
def test_feature_maps_are_those_of_the_layers(known):
    loss = cross_entropy(CNN(IMAGE), 0)
    loss.backward()
    image, maps, pooled, last = network(CNN, **({"inputs": IMAGE} if known else {})).columns
    expected = CNN.modules[0](IMAGE)
    assert image.maps[0].values == tuple(map(tuple, IMAGE[0]))
    assert [found.values for found in maps.maps] == [
        tuple(tuple(x.data for x in row) for row in plane) for plane in expected
    ]
    assert maps.maps[1].kernels[0] == tuple(tuple(w.data for w in row) for row in CNN.modules[0].w[1][0])
    assert maps.maps[0].bias == 0.0
    assert len(pooled.maps) == 2
    assert len(pooled.maps[0].values) == 2
    assert [unit.value for unit in last.units] == [node.data for node in CNN(IMAGE)]
    assert all((unit.delta is None) == known for unit in last.units)


@pytest.mark.parametrize(
    ("layer", "given"),
    [
        (nn.Conv2d(1, 2, 2, stride=2, padding=1), IMAGE),
        (nn.Conv2d(1, 1, (2, 3), dilation=2), IMAGE),
        (nn.Conv2d(1, 1, 3, padding="same", padding_mode="circular"), IMAGE),
        (nn.AvgPool2d(3, 1), IMAGE),
        (nn.MaxPool2d(2, padding=1), IMAGE),
        (nn.Conv1d(1, 3, 4), [[0.5 * k for k in range(9)]]),
    ],
)
def test_shapes_of_maps_are_those_of_the_layers(layer, given):
    result = layer(given)
    planes = [[plane] if not isinstance(plane[0], list) else plane for plane in result]
    found = network(nn.Sequential(layer), inputs=given)
    assert [len(column.maps) for column in found.columns] == [1, len(planes)]
    for shown, plane in zip(found.columns[1].maps, planes, strict=True):
        assert shown.values == tuple(tuple(x.data for x in row) for row in plane)
    assert shape_after(nn.Conv2d(1, 1, 9), (4, 4)) is None


def test_inputs_or_outputs_not_both():
    model = nn.Neuron(1)
    with pytest.raises(ValueError, match=r"inputs=… for a new forward pass, or outputs=… .*, not both"):
        network(model, inputs=[1.0], outputs=model([1.0]))
    with pytest.raises(TypeError, match=r"outputs are Values computed by the model, .* got 3"):
        network(model, outputs=3)
    with no_grad():
        assert network(model, inputs=[1.0]).note == "no graph of this pass was recorded (no_grad)"
    assert not network(nn.Sequential(nn.Conv2d(1, 1, 2)), inputs=IMAGE).note
    assert network(model, outputs=Value(1.0) * 2).note == "these outputs do not depend on the model's weights"
    with pytest.raises(ValueError, match="takes a list of 1 input"):
        network(model, inputs=[1.0, 2.0])


def test_a_network_in_words():
    model = nn.MLP(30, [20, 2], activation="tanh", rng=0)
    found = network(model, inputs=[0.1] * 30)
    assert found.summary == (
        "Network picture of MLP: 30 inputs, then 20 tanh (layers.0), then 2 linear (layers.1). 662 parameters."
    )
    lines = found.text.splitlines()
    assert lines[0] == "<Network picture of MLP: 662 parameters>"
    assert "  … 18 more" in lines
    assert max(map(len, lines)) < 200


def test_modules_without_a_network_picture_are_drawn_as_graph_or_parts():
    model = nn.CausalSelfAttention(2, rng=0)
    assert [box.title for box in module_diagram(model).boxes] == ["q", "k", "v", "o"]
    assert [box.title for box in module_diagram(nn.Softmax()).boxes] == ["Softmax"]
    y = model([[0.1, 0.2]])
    assert module_picture(model) == y[0]
    assert len(module_picture(model, inputs=[[0.1, 0.2], [0.3, 0.4]])) == 4
    assert module_picture(model, outputs=y[0][0] + 1) != []
    assert isinstance(module_picture(nn.Neuron(1)), NetworkPicture)


@pytest.mark.parametrize(("cell", "op"), [(nn.LSTMCell(2, 3), "o ∘ tanh(c)"), (nn.GRU(2, 3), "(1 − z) ∘ n + z ∘ h")])
def test_gated_cells_are_drawn_as_their_equations(cell, op):
    diagram = module_diagram(cell)
    order = {box.id: k for k, box in enumerate(diagram.boxes)}
    assert diagram.boxes[-1].op == op
    assert all(order[arrow.tail] < order[arrow.head] for arrow in diagram.arrows)
    assert {arrow.tail for arrow in diagram.arrows} | {arrow.head for arrow in diagram.arrows} == set(order)


def test_what_has_no_layers_is_one_box():
    class Empty(nn.Module):
        """Without parameters."""

    for model in (Empty(), nn.Sequential(), nn.Dropout(0.5)):
        assert len(module_diagram(model).boxes) == 1
    assert [box.title for box in module_diagram(nn.GRU(2, 3, num_layers=2)).boxes] == ["cell", "cell_l1"]


def test_gated_networks_with_inputs_are_drawn_as_graphs():
    cell = nn.LSTMCell(1, 2, rng=0)
    h, c = cell([0.5])
    assert isinstance(module_picture(cell), Diagram)
    assert module_picture(cell, outputs=[h, c]) == [*h, *c]
    assert len(module_picture(cell, inputs=[0.5])) == 4
