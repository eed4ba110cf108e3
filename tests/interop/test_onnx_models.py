"""to_onnx: models in onnxruntime give what the compiled function gives."""

import numpy as np
import pytest
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.costs import binary_cross_entropy, cross_entropy
from microgradlib.interop import to_onnx

onnx = pytest.importorskip("onnx", reason="to_onnx needs the package onnx")

RNG = np.random.default_rng(0)
PRECISIONS = pytest.mark.parametrize("dtype", [np.float64, np.float32])


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
