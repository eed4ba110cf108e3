"""to_onnx: models in onnxruntime give what the compiled function gives; their graphs are readable, in any text."""

from collections import Counter

import numpy as np
import pytest
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.costs import binary_cross_entropy, cross_entropy
from microgradlib.interop import to_onnx

onnx = pytest.importorskip("onnx", reason="to_onnx needs the package onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="models are run by onnxruntime")

RNG = np.random.default_rng(0)
ROOM = {np.float64: 1e-12, np.float32: 3e-5}
PRECISIONS = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@pytest.fixture
def exported(tmp_path):
    """Return a function that writes a compiled function to a file, and runs it: its outputs, and the model."""

    def run(fast, *columns):
        path = to_onnx(fast, tmp_path / "model.onnx")
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        given = {x.name: np.asarray(column, fast.dtype) for x, column in zip(session.get_inputs(), columns)}
        return session.run(None, given), onnx.load(path)

    return run


@pytest.fixture
def check(exported):
    """Return a function that holds a model to the compiled function, for its batch and for another batch size."""

    def compare(function, parameters, *columns, dtype=np.float64):
        columns = [np.asarray(column, float) for column in columns]
        fast = compiled(function, parameters, dtype=dtype, backend="numpy")
        expected = fast(*columns)
        outputs, model = exported(fast, *columns)
        if isinstance(expected, np.ndarray):
            assert [y.shape for y in outputs] == [expected.shape]
        assert {y.dtype for y in outputs} == {np.dtype(dtype)}
        got, wanted = np.concatenate([y.reshape(len(y), -1) for y in outputs], 1), fast.rows(*columns)
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).max() <= ROOM[dtype] * max(1.0, np.abs(wanted).max())
        single = exported(fast, *[column[-1:] for column in columns])[0]
        assert all(np.abs(s - y[-1:]).max() <= 1e-4 for s, y in zip(single, outputs))
        return model

    return compare


def kinds(model):
    return Counter(node.op_type for node in model.graph.node if node.op_type != "Constant")


@PRECISIONS
@pytest.mark.parametrize("seed", range(20))
def test_random_networks(check, seed, dtype):
    network, rng = Network(seed), np.random.default_rng(seed)
    columns = [rng.uniform(-1, 1, (5, *shape)) for shape in network.shapes]
    check(network, network.parameters, *columns, dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 300))
def test_more_random_networks(check, seed):
    network, rng = Network(seed), np.random.default_rng(seed)
    check(network, network.parameters, *[rng.uniform(-1, 1, (3, *shape)) for shape in network.shapes])


MODULES = {
    **{f"MLP {a}": (nn.MLP([3, 4, 2], activation=a, rng=0), (3,)) for a in [*nn.ACTIVATIONS, "prelu"]},
    **{
        f"output {output}": (nn.MLP([3, 5, width], activation="tanh", output=output, rng=1), (3,))
        for output in ["linear", "sigmoid", "softmax", "log_softmax", "gaussian"]
        for width in (2, 3)
    },
    "one output": (nn.MLP([1, 6, 1], rng=3), (1,)),
    "many classes": (nn.MLP([3, 12], output="log_softmax", rng=0), (3,)),
    "cubes": (nn.Layer(3, 7, lambda z: z**3 - z, rng=0), (3,)),
    "maxout": (nn.Maxout(3, 2, pieces=3, rng=0), (3,)),
    "RBF": (nn.RBF(3, 4, rng=0), (3,)),
    "LayerNorm": (nn.LayerNorm(3), (3,)),
    "RMSNorm": (nn.RMSNorm(3), (3,)),
    "Conv1d": (nn.Conv1d(2, 2, 3, stride=2, padding=1, activation="relu", rng=0), (2, 7)),
    "circular": (nn.Conv1d(2, 2, 3, padding="same", dilation=2, padding_mode="circular", rng=0), (2, 7)),
    "MaxPool1d": (nn.MaxPool1d(3, stride=2, padding=1, dilation=2), (2, 7)),
    "AvgPool1d": (nn.AvgPool1d(3, stride=2), (2, 7)),
    "Conv2d": (nn.Conv2d(2, 2, (2, 3), stride=(1, 2), padding=(1, 2), activation="tanh", rng=0), (2, 4, 5)),
    "reflect": (nn.Conv2d(2, 1, 3, padding=2, padding_mode="reflect", rng=0), (2, 4, 5)),
    "AvgPool2d": (nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), (2, 4, 5)),
    "Subsampling": (nn.Subsampling(2, 2), (2, 4, 6)),
    "convolutions": (nn.Sequential(nn.Conv2d(1, 2, 2, rng=0), nn.MaxPool2d(2), nn.Flatten()), (1, 5, 5)),
    "RNN": (nn.RNN(2, 3, rng=0), (4, 2)),
    "GRU": (nn.GRU(2, 3, rng=0), (4, 2)),
    "LSTM": (nn.LSTM(2, 3, rng=0), (4, 2)),
    "attention": (nn.CausalSelfAttention(4, 2, rng=0), (3, 4)),
    "Flatten": (nn.Flatten(), (2, 3)),
    "identity": (lambda x: x, (3,)),
}


@PRECISIONS
@pytest.mark.parametrize("name", MODULES)
def test_modules(check, name, dtype):
    module, shape = MODULES[name]
    parameters = module.parameters() if isinstance(module, nn.Module) else []
    check(module, parameters, RNG.normal(size=(4, *shape)), dtype=dtype)


@PRECISIONS
def test_costs_of_labels_and_of_captured_values(check, dtype):
    model, scale = nn.MLP([3, 8, 4], rng=0), Value(1.5)
    check(lambda x, y: cross_entropy(model(x), y), model.parameters(), RNG.normal(size=(6, 3)), [0, 1, 2, 3, 0, 1],
          dtype=dtype)  # fmt: skip
    one = nn.MLP([3, 4, 1], output="sigmoid", rng=0)
    columns = 40 * RNG.normal(size=(6, 3)), [0, 1, 1, 0, 1, 0]
    check(lambda x, y: scale * binary_cross_entropy(one(x), y), one.parameters(), *columns, dtype=dtype)


def test_results_of_every_shape(check):
    w, v = Value(2.0), Value(3.0)
    x = [[1.0, 2.0], [3.0, 4.0]]
    check(lambda x: [[x[0], w], [x[1], w * v]], [w, v], x)
    check(lambda x: w * v + 0 * x[0], [w, v], x)
    check(lambda x: w * v, [w, v], x)
    check(lambda x: 2.0, [], x)
    check(lambda x: [w, 5.0, 5.0], [w], x)
    model = check(lambda x: (x[0], [x[1], w]), [w], x)
    assert [y.name for y in model.graph.output] == ["output_0", "output_1"]
    model = check(lambda x: {"a": x[0], "b": [[x[1] * w, x[0]], (x[1], 2.0)], "c": (x[0], [w])}, [w], x)
    shapes = [[d.dim_value for d in y.type.tensor_type.shape.dim][1:] for y in model.graph.output]
    assert shapes == [[], [2, 2], [], [1]]
    check(lambda x, y: x * y + w, [w], [1.0, 2.0], [3.0, 4.0])
    check(lambda x: x, [], [1.0, 2.0])
    check(lambda x: x, [], RNG.normal(size=(2, 2, 3, 2)))
    check(lambda x, unused: mg.sum([w * a for a in x]), [w], x, [1.0, 2.0])


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


@PRECISIONS
def test_an_op_of_the_users_own(check, temporary_op, dtype):
    swish = temporary_op(
        "swish_for_a_test",
        value=lambda xp, x: x * xp.sigmoid(x) + xp.where(x > 0, 1.0, xp.erfc(x)),
        derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
        formula="x σ(x)",
    )
    farthest = temporary_op(
        "farthest",
        value=lambda xp, *xs: xp.maximum(*[xp.abs(x) for x in xs]),
        derivatives=lambda xp, z, *xs: (0.0,) * len(xs),
        formula="max |x|",
    )
    w = Value(0.7)
    model = check(lambda x: swish(w * x[0]) + farthest(*x), [w], [[-2.0, 1.0, 0.5], [3.0, 0.0, -4.0]], dtype=dtype)
    assert {f.name for f in model.functions} >= {"swish_for_a_test", "farthest"}


def test_a_rule_that_branches_in_python(temporary_op, exported):
    branching = temporary_op(
        "branching_for_a_test",
        value=lambda xp, x: x if x.__class__.__name__ == "Tensor" and x > 0 else xp.exp(x),
        derivatives=[lambda xp, z, x: z],
        formula="x or eˣ",
    )
    fast = compiled(lambda x: branching(x), [], backend="numpy")
    fast([1.0])
    with pytest.raises(TypeError, match=r"write xp\.where"):
        exported(fast, [1.0])


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


def test_the_precision_and_numbers_beyond_it(check):
    w = Value(1e300)
    model = check(lambda x: mg.where(x > 0, x * 1e-300, mg.minimum(w, 1e39)), [w], [1.0, 2.0], dtype=np.float32)
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_set_parameters_and_loaded_programs(exported, tmp_path):
    w = Value(2.0, label="w")
    fast = compiled(lambda x: mg.tanh(w * x), [w], backend="numpy")
    fast.set_parameters([0.5])
    expected = fast([1.0, 2.0])
    assert exported(fast, [1.0, 2.0])[0][0] == pytest.approx(expected, abs=1e-15)
    loaded = load_program(fast.save(tmp_path / "program.json"))
    assert exported(loaded, [1.0, 2.0])[0][0] == pytest.approx(expected, abs=1e-15)


def test_errors(tmp_path):
    fast = compiled(lambda x: x + 1)
    with pytest.raises(ValueError, match="nothing has been compiled yet"):
        to_onnx(fast, tmp_path / "model.onnx")
    fast([1.0])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        to_onnx(fast, tmp_path / "nowhere" / "model.onnx")
    with pytest.raises(TypeError, match="give a compiled function"):
        to_onnx(abs, tmp_path / "model.onnx")
    polygamma = mg.ops.TABLE["polygamma"]
    fast = compiled(lambda x: polygamma(x[0], x[1]))
    fast([[2.0, 1.0]])
    with pytest.raises(NotImplementedError, match="polygamma has an ONNX graph for an order that is a fixed whole"):
        to_onnx(fast, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_is_replaced_as_a_whole(exported, tmp_path, monkeypatch):
    fast = compiled(lambda x: x + 1, backend="numpy")
    fast([1.0])
    path = to_onnx(fast, str(tmp_path / "model.onnx"))
    before = path.read_bytes()
    assert to_onnx(fast, path).read_bytes() == before  # the same program, the same bytes
