"""The graphs that to_onnx writes: readable, named for parameters and ops, and broken by no text."""

from collections import Counter

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled

onnx = pytest.importorskip("onnx", reason="to_onnx needs the package onnx")

RNG = np.random.default_rng(0)


def kinds(model):
    return Counter(node.op_type for node in model.graph.node if node.op_type != "Constant")


def test_the_graph_of_a_network_is_its_formula(exported):
    model = nn.MLP([3, 8, 5, 4], activation=["relu", "tanh"], output="softmax", rng=0)
    fast = compiled(model, model.parameters(), backend="numpy")
    fast(np.ones((2, 3)))
    graph = exported(fast, np.ones((2, 3)))[1].graph
    assert [node.op_type for node in graph.node] == ["Gemm", "Relu", "Gemm", "Tanh", "Gemm", "Softmax", "Identity"]
    assert [x.name for x in graph.input] == ["x"]
    assert [x.name for x in graph.output] == ["output"]
    axes = [(d.dim_param or d.dim_value) for d in graph.input[0].type.tensor_type.shape.dim]
    assert axes == ["batch", 3]
    arrays = {array.name: onnx.numpy_helper.to_array(array) for array in graph.initializer}
    assert list(arrays) == [f"layers.{k}.{part}" for k in range(3) for part in "wb"]
    assert arrays["layers.0.w"].tolist() == [[w.data for w in neuron.w] for neuron in model.layers[0].neurons]
    assert arrays["layers.2.b"].tolist() == [neuron.b.data for neuron in model.layers[2].neurons]


def test_the_graph_of_an_lstm_has_its_gates_in_one_product_a_step(check):
    cell = nn.LSTM(2, 3, rng=0)
    model = check(lambda x: cell(x)[0], cell.parameters(), RNG.normal(size=(4, 3, 2)))
    assert {kind: count for kind, count in kinds(model).items() if kind not in {"Slice", "Concat", "Reshape"}} == {
        "Gemm": 3, "sigmoid": 3, "Tanh": 6, "Mul": 9, "Add": 3, "Gather": 1, "Shape": 1, "Expand": 1, "Identity": 1,
    }  # fmt: skip


def test_what_repeats_along_an_axis_is_broadcast(check):
    norm = nn.RMSNorm(4)
    model = check(lambda x: [norm(row) for row in x], norm.parameters(), RNG.normal(size=(4, 3, 4)))
    assert "Gather" not in kinds(model)


def test_softmax_of_several_rows(check):
    model = check(lambda x: [mg.softmax(row) for row in x], [], 100 * RNG.normal(size=(4, 3, 5)))
    assert kinds(model) == {"Softmax": 1, "Identity": 1}
    model = check(lambda x: [mg.exp(a - mg.maximum(*x)) / mg.sum([mg.exp(b - x[0]) for b in x]) for a in x], [],
                  RNG.normal(size=(4, 5)))  # fmt: skip
    assert "Softmax" not in kinds(model)


def test_ops_without_a_node_are_functions_named_for_them(check):
    w = Value(0.5)
    model = check(lambda x: mg.gelu(w * mg.sigmoid(x)) + mg.gelu(x), [w], [0.3, -2.0])
    assert {"sigmoid", "gelu", "Mul"} <= kinds(model).keys()
    assert {f.name for f in model.functions} == {"sigmoid", "gelu", "ndtr"}


def test_settings_make_functions_of_their_own(check):
    def function(x):
        return mg.sum([mg.leaky_relu(x, 0.1), mg.leaky_relu(x, 0.2), x**3, x**-2, mg.clip(x, -1, 1)])

    model = check(function, [], [-2.0, 0.5, 3.0])
    assert {"leaky_relu", "leaky_relu_2", "pow", "pow_2", "clip"} <= {f.name for f in model.functions}


NAMES = ['"', "a b", "{x}", "x", "\n", "9", "θ", "../../etc", "", "x", "output", "constant", "<script>", "'; DROP"]


def test_no_text_breaks_the_file(exported):
    parameters = [Value(0.1 * k, label=name) for k, name in enumerate(NAMES)]
    space = {"parameters": parameters}
    exec("def function(output, θ, constant): return sum(p * output for p in parameters) + θ * constant", space)  # noqa: S102
    fast = compiled(space["function"], parameters, backend="numpy")
    batch = np.array([1.0, 2.0])
    expected = fast(batch, batch, batch)
    outputs, model = exported(fast, *[batch] * 3)
    assert outputs[0] == pytest.approx(expected, abs=1e-14)
    names = [x.name for x in (*model.graph.input, *model.graph.initializer, *model.graph.output)]
    assert len(set(names)) == len(names)
    assert all(name.replace(".", "_").isidentifier() and name.isascii() for name in names)
