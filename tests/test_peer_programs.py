"""Programs written for micrograd and microgpt run with only the import changed, with the same numbers."""

import math
import random
from typing import Any

import pytest
from module_files import load_module

from microgradlib import Value, nn

POINTS = [(0.1, 0.9), (0.8, -0.4), (-0.7, 0.6), (1.2, 0.3), (-0.2, -1.1), (0.5, 0.5), (-1.3, 0.2), (0.9, 1.4)]
LABELS = [1, -1, 1, -1, -1, 1, 1, -1]


# micrograd's README


def readme_expression(value: Any) -> tuple[Any, Any, Any]:
    """Return g, a and b of the expression in micrograd's README, after g.backward()."""
    a, b = value(-4.0), value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g, a, b


def test_readme_expression_prints_what_the_readme_says() -> None:
    g, a, b = readme_expression(Value)
    assert [f"{g.data:.4f}", f"{a.grad:.4f}", f"{b.grad:.4f}"] == ["24.7041", "138.8338", "645.5773"]


def test_readme_expression_agrees_with_micrograd_to_the_last_digits() -> None:
    engine = pytest.importorskip("micrograd.engine")
    ours, theirs = readme_expression(Value), readme_expression(engine.Value)
    assert [(v.data, v.grad) for v in ours] == [pytest.approx((v.data, v.grad), rel=1e-13) for v in theirs]


# micrograd's training demo


def training_losses(value: Any, network: Any, seed: int, steps: int = 20) -> list[float]:
    """Train as micrograd's demo does: hinge loss and L2 penalty, sums from 0, NumPy numbers among the Values."""
    np = pytest.importorskip("numpy")
    points, labels = np.array(POINTS), np.array(LABELS)
    random.seed(seed)
    model = network(2, [5, 4, 1])
    losses = []
    for k in range(steps):
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        hinges = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
        data_loss = sum(hinges) * (1.0 / len(hinges))
        penalty = 1e-4 * sum(p * p for p in model.parameters())
        total = data_loss + penalty
        model.zero_grad()
        total.backward()
        rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= rate * p.grad
        accuracy = [(label > 0) == (score.data > 0) for label, score in zip(labels, scores)]
        assert 0 <= sum(accuracy) / len(accuracy) <= 1
        losses.append(total.data)
    return losses


@pytest.mark.parametrize("seed", [1337, 0, 42])
def test_training_takes_the_same_steps_as_micrograd(seed: int) -> None:
    pytest.importorskip("micrograd")
    from micrograd.engine import Value as TheirValue  # noqa: PLC0415 - optional
    from micrograd.nn import MLP as TheirMLP  # noqa: PLC0415, N811 - optional

    theirs = training_losses(TheirValue, TheirMLP, seed)
    assert theirs[-1] < theirs[0]
    assert training_losses(Value, nn.MLP, seed) == pytest.approx(theirs, abs=1e-9)


def expanded_mlp(*sizes: Any) -> nn.MLP:
    return nn.MLP(*sizes, expand=True)


def test_an_expanded_network_has_the_same_training_losses() -> None:
    fused = training_losses(Value, nn.MLP, 3)
    assert fused[-1] < fused[0]
    assert training_losses(Value, expanded_mlp, 3) == pytest.approx(fused, abs=1e-9)


def test_weights_are_drawn_as_micrograd_draws_them() -> None:
    random.seed(5)
    expected = [random.uniform(-1, 1) for _ in range(2 * 3 + 3 * 1)]
    random.seed(5)
    numbers = [p.data for p in nn.MLP(2, [3, 1]).parameters()]
    first, second = numbers[: 3 * 3], numbers[3 * 3 :]
    biases = [first.pop(2), first.pop(4), first.pop(6), second.pop()]
    assert first + second == expected
    assert biases == [0.0] * 4


def test_models_are_printed_as_in_micrograd() -> None:
    model = nn.MLP(2, [3, 1])
    assert str(model) == ("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]")
    network = pytest.importorskip("micrograd.nn")
    assert str(model) == str(network.MLP(2, [3, 1]))


def test_neurons_and_layers_accept_micrograds_arguments() -> None:
    assert str(nn.Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    layer = nn.Layer(2, 2, nonlin=True)
    assert len(layer.parameters()) == 6
    assert [neuron.w[0] for neuron in layer.neurons] == [layer.parameters()[0], layer.parameters()[3]]


def test_zero_grad_and_step_in_place() -> None:
    model = nn.MLP(1, [1])
    weight, bias = model.parameters()
    model([3.0]).backward()
    assert (weight.grad, bias.grad) == (3.0, 1.0)
    before = weight.data
    for p in model.parameters():
        p.data -= 0.5 * p.grad
    assert (weight.data, bias.data) == (before - 1.5, -0.5)
    model.zero_grad()
    assert (weight.grad, bias.grad) == (0, 0)


# NumPy numbers beside Values, on both sides of each operator


@pytest.mark.parametrize("kind", ["int64", "int32", "float64", "float32"])
def test_numpy_scalars_as_left_and_right_operands(kind: str) -> None:
    np = pytest.importorskip("numpy")
    number = getattr(np, kind)(2)
    x = Value(8.0)
    results = {
        "x + n": (x + number, 10.0, 1.0), "n + x": (number + x, 10.0, 1.0),
        "x - n": (x - number, 6.0, 1.0), "n - x": (number - x, -6.0, -1.0),
        "x * n": (x * number, 16.0, 2.0), "n * x": (number * x, 16.0, 2.0),
        "x / n": (x / number, 4.0, 0.5), "n / x": (number / x, 0.25, -2 / 64),
        "x ** n": (x**number, 64.0, 16.0), "n ** x": (number**x, 256.0, 256 * math.log(2)),
    }  # fmt: skip
    for name, (result, expected, derivative) in results.items():
        assert type(result) is Value, name
        assert type(result.data) is float, name
        assert result.data == expected, name
        x.grad = 0.0
        result.backward()
        assert x.grad == pytest.approx(derivative, rel=1e-15), name


@pytest.mark.parametrize("label", [1, -1])
def test_numpy_labels_as_in_the_hinge_loss(label: int) -> None:
    np = pytest.importorskip("numpy")
    score = Value(0.25)
    margin = 1 + -np.int64(label) * score
    assert margin.data == 1 - label * 0.25
    margin.relu().backward()
    assert score.grad == -label


def test_rows_of_arrays_become_values() -> None:
    np = pytest.importorskip("numpy")
    row = list(map(Value, np.array([0.1, -2.0])))
    assert [(type(v.data), v.data) for v in row] == [(float, 0.1), (float, -2.0)]


def test_pythons_sum_starts_from_zero() -> None:
    xs = [Value(1.5), Value(2.5), Value(-1.0)]
    total: Any = sum(xs)
    total.backward()
    assert total.data == 3.0
    assert [x.grad for x in xs] == [1.0, 1.0, 1.0]


# micrograd's graph-tracing notebook


def traced(root: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Return nodes and edges as the notebook collects them, by `_prev`."""
    nodes: set[Any] = set()
    edges: set[tuple[Any, Any]] = set()

    def build(v: Any) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return list(nodes), list(edges)


def test_graph_tracing_finds_nodes_edges_and_ops() -> None:
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    product = a * b
    root = (product + c) ** 2
    nodes, edges = traced(root)
    assert sorted(node._op for node in nodes) == ["", "", "", "*", "**2", "+"]
    total = root._prev[0]
    assert set(edges) == {(a, product), (b, product), (product, total), (c, total), (total, root)}


def test_graph_tracing_gives_the_same_as_in_micrograd() -> None:
    engine = pytest.importorskip("micrograd.engine")

    def facts(value: Any) -> tuple[list[tuple[str, float]], list[tuple[float, float]]]:
        a, b, c = value(2.0), value(-3.0), value(10.0)
        nodes, edges = traced((a * b + c) ** 2 + a * 7.0)
        return sorted((n._op, n.data) for n in nodes), sorted((n.data, m.data) for n, m in edges)

    assert facts(Value) == facts(engine.Value)


# microgpt


def test_gpt_over_scalars_has_the_same_losses_on_a_minimal_engine() -> None:
    gpt, rival = load_module("tests/benchmarks", "gpt_over_scalars"), load_module("tests/benchmarks", "tuple_engine")
    ours, theirs = gpt.Training(Value), gpt.Training(rival.TupleValue)
    losses = [(ours.step(), theirs.step()) for _ in range(3)]
    assert [f"{loss:.10f}" for loss, _ in losses] == [f"{loss:.10f}" for _, loss in losses]
    assert losses[0][0] == pytest.approx(math.log(27), abs=0.3)
    assert losses[2][0] < losses[0][0]
