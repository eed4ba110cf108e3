"""The text of programs: what it looks like, names that are hostile, refusals, and the command line."""

import ast

import numpy as np
import pytest
from emitted_source import load, results

import microgradlib as mg
from microgradlib import Value, compile, log_softmax, nn  # noqa: A004  the library's own
from microgradlib.cli import main
from microgradlib.costs import cross_entropy
from microgradlib.source.code import identifiers


def forward_of(fast, framework="torch"):
    """Return the lines of the function, without those that unpack parameters and without comments."""
    text = fast.program.to_source(framework)
    lines = text[text.index("def forward") :].splitlines()
    return [line.partition("  #")[0].rstrip() for line in lines if " = parameters[" not in line]


class Sequence(nn.Module):
    def __init__(self, network):
        self.network, self.readout = network(3, 4, rng=0), nn.Layer(4, 2, "linear", rng=1)

    def __call__(self, xs):
        return [self.readout(state) for state in self.network(xs)[0]]


def test_a_recurrent_network_is_a_loop():
    model = Sequence(nn.RNN)
    fast = compile(lambda x, y: cross_entropy(model(x), y), model.parameters())
    fast.lower(np.zeros((1, 20, 3)), np.zeros((1, 20, 2)))
    assert forward_of(fast) == [
        "def forward(parameters, x, y):",
        '    """Return (batch,). x: (batch, 20, 3), y: (batch, 20, 2)."""',
        "    h1 = cell_u.new_zeros(4)",
        "    c_all = []",
        "    for t in range(20):",
        "        h1 = torch.tanh(x[:, t] @ cell_u.T + h1 @ cell_w.T + cell_b)",
        "        a1 = h1 @ readout_w.T + readout_b",
        "        c1 = -(y[:, t] * torch.log_softmax(a1, -1)).sum(-1)",
        "        c_all.append(c1)",
        "    return sum(c_all) / 20",
    ]


def test_the_first_step_of_a_gru_is_in_the_loop():
    model = Sequence(nn.GRU)
    fast = compile(lambda x, y: cross_entropy(model(x), y), model.parameters())
    fast.lower(np.zeros((1, 20, 3)), np.zeros((1, 20, 2)))
    assert forward_of(fast)[2:-4] == [
        "    d1 = reset_gate_u.new_zeros(4)",
        "    a1 = x @ candidate_u.T + candidate_b",
        "    c_all = []",
        "    for t in range(20):",
        "        h1 = torch.sigmoid(x[:, t] @ update_gate_u.T + d1 @ update_gate_w.T + update_gate_b)",
        "        h2 = torch.sigmoid(x[:, t] @ reset_gate_u.T + d1 @ reset_gate_w.T + reset_gate_b)",
        "        a2 = d1 @ candidate_w.T + candidate_c",
        "        d1 = d1 * h1 + (1 - h1) * torch.tanh(a1[:, t] + h2 * a2)",
    ]


def test_attention_is_one_product_with_all_values():
    model = nn.CausalSelfAttention(6, 2, rng=0)
    fast = compile(lambda x: mg.sum([v * v for row in model(x) for v in row]), model.parameters())
    fast.lower(np.zeros((1, 4, 6)))
    assert forward_of(fast)[-3:] == [
        "    a5 = p2 @ a1.reshape(-1, 4, 2, 3).swapaxes(1, 2)",
        "    a6 = a5.swapaxes(1, 2).reshape(-1, 4, 6) @ o_w.T",
        "    return (a6**2).sum((1, 2))",
    ]


def test_numbers_for_repeated_parameters_are_refused():
    w, b = Value(0.5, label="w"), Value(7.0, label="b")
    fast = compile(lambda x: w * x + b, [w, w, b])
    fast([1.0])
    names = load(fast.program.to_source("numpy"))
    with pytest.raises(ValueError, match="give 2 numbers, that of each parameter once, got 3"):
        names["named"](np.array([p.data for p in fast.parameters]))
    assert names["forward"](names["named"](np.array([0.5, 7.0])), np.array([1.0])) == [7.5]


def test_a_long_sum_has_a_line_for_each_term():
    model = nn.MLP(2, [3, 3, 3, 1], rng=0)
    fast = compile(lambda x: model(x) + 0.1 * mg.sum([p * p for p in model.parameters()]), model.parameters())
    fast.lower(np.zeros((1, 2)))
    lines = forward_of(fast)
    start = lines.index("    d1 = (")
    assert lines[start + 1 : start + 3] == ["        (layers_0_w**2).sum((0, 1))", "        + (layers_0_b**2).sum(-1)"]


def test_a_maximum_of_arrays_has_no_note():
    fast = compile(lambda x: mg.maximum(*x))
    fast.lower(np.zeros((1, 3)))
    assert "differ" not in fast.program.to_source("torch")
    fast = compile(lambda x: mg.maximum(x, 2.0))
    fast.lower([0.0])
    assert "maximum: 1 where x is equal to a number" in fast.program.to_source("torch")


def test_attention_is_a_masked_softmax():
    model = nn.CausalSelfAttention(4, 2, rng=0)
    fast = compile(model, model.parameters())
    fast.lower(np.zeros((1, 3, 4)))
    lines = forward_of(fast)
    assert "    mask = torch.ones(3, 3, dtype=torch.bool, device=q_w.device).tril()" in lines
    assert any("= torch.softmax(torch.where(mask, " in line for line in lines)
    assert "I1" not in fast.program.to_source("torch")


@pytest.mark.parametrize("classes", [3, 10])
def test_log_softmax_is_one_function(classes):
    model = nn.Layer(2, classes, "linear", rng=0)
    fast = compile(lambda x: log_softmax(model(x)), model.parameters())
    fast.lower(np.zeros((1, 2)))
    assert forward_of(fast, "jax")[-1] == "    return jax.nn.log_softmax(a1, -1)"


PADDED = {"size": 2, "padding": 1, "activation": "relu", "rng": 0}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"stride": 2, "dilation": 2}])
def test_corners_with_no_common_term_are_windows(options, channels):
    model = nn.Sequential(nn.Conv2d(channels, 2, **PADDED, **options), nn.MaxPool2d(2))
    fast = compile(model, model.parameters())
    fast.lower(np.zeros((1, channels, 7, 7)))
    text = fast.program.to_source("torch")
    assert "F.pad" in text
    assert "I1" not in text


@pytest.mark.parametrize("padding", [0, 1])
def test_convolutions_are_windows_without_tables(padding):
    model = nn.Sequential(nn.Conv2d(1, 2, 3, activation="relu", rng=0, padding=padding), nn.AvgPool2d(2))
    fast = compile(model, model.parameters())
    fast.lower(np.zeros((1, 1, 6, 6)))
    text = fast.program.to_source("torch")
    assert ".unfold(1, 3, 1).unfold(2, 3, 1)" in text
    assert ".mean((2, 4))" in text
    assert "I1" not in text


HOSTILE = [
    'x"]; import os; y["',
    "a\nimport os",
    "'''",
    '"""',
    "lambda",
    "\\",
    "torch",
    "forward",
    "sum",
    "h1",
    "é",
    "§1§",
    "x",
]


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
def test_names_are_text_and_never_code(framework):
    fast = compile(lambda x, h1: sum(value * x for value in values) * h1, [])
    values = [Value(float(i)) for i in range(1, 1 + len(HOSTILE))]
    fast = compile(lambda x, h1: sum(value * x for value in values) * h1, values, backend="numpy")
    fast([2.0], [3.0])
    text = type(fast.program).of(fast.program, parameter_names=tuple(HOSTILE)).to_source(framework)
    tree = ast.parse(text)
    imported = [
        alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names
    ]
    assert set(imported) <= {"numpy", "jax", "jax.numpy", "torch"}
    keys = [
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    ]
    assert set(HOSTILE) <= set(keys)
    np.testing.assert_allclose(results(fast, framework, [2.0], [3.0]), fast([2.0], [3.0]))
    if framework == "numpy":
        names = load(text)
        parameters = {name: np.array(value.data) for name, value in zip(HOSTILE, values)}
        np.testing.assert_allclose(names["forward"](parameters, np.array([2.0]), np.array([3.0])), fast([2.0], [3.0]))


def test_arguments_may_have_the_names_of_anything():
    def function(torch, lambda_, parameters, numbers, forward, relu, h1):  # noqa: PLR0917  all the names
        return (torch + lambda_ * parameters * numbers - forward).relu() * relu * h1

    fast = compile(function, backend="numpy")
    rows = [[float(i), 2.0] for i in range(2, 9)]
    np.testing.assert_allclose(results(fast, "numpy", *rows), fast(*rows))


@pytest.mark.parametrize("name", ["", "a b", "lambda", "np", "numbers", "named", "relu", "print", None, 3])
def test_names_of_functions_that_are_refused(name):
    fast = compile(lambda x: x.tanh())
    fast([1.0])
    with pytest.raises(ValueError, match="name is that of the function"):
        fast.program.to_source("numpy", name=name)


def test_another_framework_and_name():
    w = Value(2.0, label="w")
    fast = compile(lambda x: w * x, [w], backend="numpy")
    fast([1.0])
    with pytest.raises(ValueError, match="no framework 'tensorflow'; known: numpy, jax, torch"):
        fast.program.to_source("tensorflow")
    assert results(fast, "numpy", [3.0], name="loss").tolist() == [6.0]


def test_the_command_line_writes_expressions(capsys, tmp_path):
    assert main(["source", "tanh(w*x + b)", "w=0.5", "b=-1", "-f", "numpy"]) == 0
    names = load(capsys.readouterr().out)
    parameters = names["named"](np.array([0.5, -1.0]))
    assert names["forward"](parameters, np.array([2.0])).tolist() == [0.0]
    target = tmp_path / "line.py"
    assert main(["source", "-x**2 + y", "--framework", "numpy", "--name", "loss", "-o", str(target)]) == 0
    assert capsys.readouterr().out == f"wrote {target}\n"
    assert load(target.read_text(encoding="utf-8"))["loss"](np.array([3.0]), np.array([1.0])).tolist() == [-8.0]


def test_the_command_line_writes_saved_programs(capsys, tmp_path):
    model = nn.MLP(2, [3, 1], rng=0)
    fast = compile(model, model.parameters())
    rows = np.array([[0.5, -1.0]])
    expected = fast(rows)
    assert main(["source", str(fast.save(tmp_path / "model.json")), "--framework", "numpy"]) == 0
    names = load(capsys.readouterr().out)
    parameters = names["named"](np.array([p.data for p in fast.parameters]))
    np.testing.assert_allclose(names["forward"](parameters, rows), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["w*x", "w=1", "x=2"], "has no argument: leave out the number of a name"),
        (["x", "w=1"], "'x' does not use w; leave w=... out"),
        (["x +"], "x +"),
        (["missing.json"], "missing.json"),
        (["missing.json", "w=1"], "is a program with numbers of its own; leave w=1 out"),
        (["x", "--name", "a b"], "name is that of the function"),
    ],
)
def test_wrong_use_of_the_command_line(words, message, capsys):
    assert main(["source", *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "key", ['""" + __import__("os").abort() + """', "\\" * 300, "\x00é" * 80, '"' * 9, "'\"\\N{x}"]
)
def test_no_key_of_a_result_ends_the_docstring(key):
    text = compile(lambda x: {key: 2 * x, "b": x}, []).lower([1.0]).to_source("numpy")
    [function] = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert isinstance(function.body[0].value, ast.Constant)  # the whole docstring
    assert load(text)["forward"](np.array([1.0, 3.0]))[key].tolist() == [2.0, 6.0]


def test_keys_that_are_numbers_or_nothing_keep_their_class():
    keys = [float("inf"), 2.5, 7, True, None]
    text = compile(lambda x: {key: x * i for i, key in enumerate(keys)}, []).lower([1.0]).to_source("numpy")
    assert list(load(text)["forward"](np.array([1.0]))) == keys


@pytest.mark.parametrize("labels", [("ｘ", "x"), ("ｎｐ", "ｆｏｒｗａｒｄ"), ("ｙ", "ｉｆ"), ("ſ", "s")])
def test_names_that_python_takes_for_others_are_told_apart(labels):
    a, b = (Value(number, label=label) for number, label in zip((2.0, 3.0), labels))
    fast = compile(lambda y: mg.tanh(a * y) - b, [a, b])
    expected = fast([0.5])
    written = load(fast.program.to_source("numpy"))
    found = written["forward"](written["named"](np.array([2.0, 3.0])), np.array([0.5]))
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="an identifier that nothing else in the text has"):
        fast.program.to_source("numpy", name="ｎｐ")


@pytest.mark.parametrize("label", [0, 2.5, None, ["x"]])
def test_a_label_that_is_no_text_is_no_name(label):
    weight = Value(2.0)
    weight.label = label
    assert compile(lambda x: weight * x, [weight])([3.0]).tolist() == [6.0]


def test_names_that_differ_in_none_of_their_last_parts_are_whole_paths():
    path = ".".join("a" * 9_000)
    assert identifiers([path, f"b.{path}", "b.c.w"], set()) == [
        "_".join("a" * 9_000),
        "b_" + "_".join("a" * 9_000),
        "c_w",
    ]
