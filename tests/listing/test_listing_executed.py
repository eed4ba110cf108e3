"""The printed program, run as it stands, both passes, is held to the eager engine: what it says is what is computed."""

import re
from dataclasses import replace

import numpy as np
import pytest
from eager_oracle import EagerOracle
from hypothesis import assume, given, settings, strategies as st
from printed_program import HOLE, Run

import microgradlib as mg
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value
from microgradlib.costs import cross_entropy
from microgradlib.listing import written
from microgradlib.nn import GRU, LSTM, MLP, RNN, Layer, Module
from microgradlib.ops import TABLE
from microgradlib.testing.graphs import graphs

UNCLEAR = re.compile(r"…|\b_, .*\b_[],]|\d each\)")
"""What the text leaves open: numbers picked one by one, of how many `_` stands, terms that are no rows of a matrix."""


def family_of(name):
    """The path of a parameter without the indices of its unit and of its place in it."""
    return re.sub(r"\.neurons\.\d+", "", re.sub(r"(\.\d+)+$", "", name))


def arrays(named, read):
    """What `read` gives for each parameter, as one array for each family: weights as a matrix."""
    members = {}
    for name, parameter in named:
        members.setdefault(family_of(name), []).append((name, read(parameter)))
    result = {}
    for family, group in members.items():
        rows = len({name.rsplit(".", 1)[0] for name, _ in group})
        numbers = np.array([number for _, number in group])
        result[family] = numbers.reshape(rows, -1) if family.endswith(("w", "u")) else numbers
    return result


def text_of(function, named, arguments):
    program = reverse(vectorize(canonicalize(trace(function, list(arguments.values()), [p for _, p in named]))))
    shapes = tuple([(name, np.shape(argument)) for name, argument in arguments.items()])
    return written(replace(program, parameter_names=tuple([name for name, _ in named]), arguments=shapes))


def check_printed_program(function, named, arguments):
    """Hold the printed program of `function` to the eager engine: its value and gradient for one example."""
    text = text_of(function, named, arguments)
    assert "…" not in text
    run = Run(text, arrays(named, lambda p: p.data), {name: np.array(x) for name, x in arguments.items()})
    parameters = [parameter for _, parameter in named]
    eager = EagerOracle(function, parameters, [[x] for x in arguments.values()])
    gradient = dict(zip(parameters, eager.gradients[0]))
    np.testing.assert_allclose(run.names["J"].array, eager.values[0], rtol=1e-12, atol=1e-14)
    for family, expected in arrays(named, gradient.__getitem__).items():
        np.testing.assert_allclose(run.gradients[family], expected, rtol=1e-9, atol=1e-12, err_msg=text)
    return text


class Last(Module):
    """The last hidden vector of a recurrent network, through a linear unit."""

    def __init__(self, network, hidden):
        self.network, self.out = network, Layer(hidden, 1, "linear", rng=3)

    def __call__(self, xs):
        return self.out(self.network(xs)[0][-1])


def squared(model):
    return lambda x, y: (model(x) - y) ** 2


MODELS = {
    "hinge": (MLP(2, [16, 16, 1], rng=0), lambda m: lambda x, y: mg.relu(1 - y * m(x)), 2),
    "cross-entropy": (
        MLP([4, 8, 3], activation="tanh", rng=1),
        lambda m: lambda x, y: cross_entropy(m(x), [1 - y, 0.5 * y, 0.5 * y]),
        4,
    ),
    "weight decay": (
        MLP(2, [3, 1], activation="sigmoid", rng=2),
        lambda m: lambda x, y: (m(x) - y) ** 2 + 0.01 * mg.sum([w * w for w in m.weights()]),
        2,
    ),
    "softplus, no bias": (MLP([3, 5, 1], activation="softplus", bias=False, rng=2), squared, 3),
    "one unit": (MLP([3, 1], output="sigmoid", rng=2), squared, 3),
    "the output itself": (MLP([3, 4, 1], activation="tanh", rng=2), lambda m: lambda x, y: m(x), 3),
    "softmax": (
        MLP([3, 4, 2], activation="tanh", output="softmax", rng=4),
        lambda m: lambda x, y: (m(x)[0] - y) ** 2,
        3,
    ),
    "RNN": (Last(RNN(2, 3, rng=1), 3), squared, (4, 2)),
    "LSTM": (Last(LSTM(2, 4, rng=1), 4), squared, (3, 2)),
    "GRU": (Last(GRU(2, 4, rng=1), 4), squared, (3, 2)),
}


@pytest.mark.parametrize("name", MODELS)
def test_networks(name):
    model, loss, shape = MODELS[name]
    x = np.random.default_rng(5).normal(size=shape)
    check_printed_program(loss(model), model.named_parameters(), {"x": x.tolist(), "y": 0.75})


def test_an_image_in_rows():
    """Positions are columns: the transpose of the rows of x, whose numbers are the channels."""
    layer = Layer(2, 4, "tanh", rng=0)
    named = [(f"layer.{name}", parameter) for name, parameter in layer.named_parameters()]
    x = np.random.default_rng(1).normal(size=(3, 2)).tolist()
    text = check_printed_program(
        lambda x, y: y * mg.sum([h for row in x for h in layer(row)]), named, {"x": x, "y": 0.5}
    )
    assert "tanh(layer.w @ x.T + layer.b)" in text


def test_what_is_added_to_products_is_computed_before_them():
    """The program computes x · x first, then the squares' weighted sum, which is added to it."""

    def function(x, y):
        squares = [mg.tanh(a * b) for b in y for a in y]
        return mg.sum([*[(1 + 0.3 * i) * t for i, t in enumerate(squares)], x[0] * x[0], x[1] * x[1]])

    check_printed_program(function, [], {"x": [0.5, -1.0], "y": [0.3, 0.7]})


def test_numbers_in_one_list():
    """A matrix made of a flat list of parameters, and of a flat list of inputs."""
    w = [Value(0.1 * i - 0.3) for i in range(8)]
    named = [(f"p.{i}", parameter) for i, parameter in enumerate(w)]

    def function(x):
        return mg.sum([mg.tanh(mg.dot(w[i : i + 2], x[j : j + 2])) for i in (0, 2, 4) for j in (0, 2)]) * w[7]

    text = check_printed_program(function, named, {"x": [0.5, -1.0, 0.25, 2.0]})
    assert "p[0:6].reshape(3, 2) @ x.reshape(2, 2).T" in text


def halves(w, x):
    """A mean, which gives half of its cotangent to a tanh and to what another tanh of the same line is read in."""
    return mg.mean([mg.tanh(-w), mg.gamma(1.75 + 1.25 * mg.tanh(mg.lgamma(w))) + x * w])


def square_of_halves(w, x):
    return mg.square(halves(w, x))


def halves_twice(w, x):
    m = halves(w, x)
    return m * m


def halves_and_more(w, x):
    m = halves(w, x)
    return mg.tanh(m * w) + m * x


def halves_of_a_constant(w, x):
    return halves(w, x) + w


def thirds(w, x):
    """The share is the first, the second and the third in lists."""
    t = mg.tanh(-w), mg.tanh(mg.exp(0.3 * w)), mg.tanh(mg.lgamma(w))
    return mg.square(mg.mean([t[0], mg.exp(t[1]) * x, mg.sin(t[2]) + w, t[0] * w]))


def shares_of_two_means(w, x):
    m = mg.mean([w, x, mg.exp(-w), mg.tanh(w)])
    n = mg.mean([mg.exp(w), m, mg.square(m)])
    return mg.tanh(n) * n


def halves_of_a_sum(w, x):
    s = mg.sum([mg.tanh(-w), mg.gamma(1.75 + 1.25 * mg.tanh(mg.lgamma(w))) + x * w])
    return mg.square(0.5 * s) + mg.square(mg.sum([s, mg.tanh(w), w]))


def means_of_means(w, x):
    m = mg.mean([w, x, mg.exp(w), mg.tanh(x * w)])
    n = mg.mean([m, w, x, m * w])
    return mg.square(mg.mean([m, n, mg.tanh(m), mg.tanh(n)]))


SHARES = (
    halves, square_of_halves, halves_twice, halves_and_more, halves_of_a_constant, thirds, shares_of_two_means,
    halves_of_a_sum, means_of_means,
)  # fmt: skip


@pytest.mark.parametrize("function", SHARES)
@pytest.mark.parametrize("count", [1, 2])
def test_shares_that_stand_in_lists_of_cotangents(function, count):
    """A share is written where it is read, if that is in full and alone; in a list with others it has a name.

    For one example, and for what all examples share.
    """
    named = [(f"θ.{i}", Value(0.7 + 0.1 * i)) for i in range(count)]
    for whole in (mg.sum, mg.mean, lambda cells: mg.mean([cell * cell for cell in cells])):
        for f in (
            lambda x, whole=whole: whole([function(v, x) for _, v in named]),
            lambda _, whole=whole: whole([function(v, v) for _, v in named]),
            lambda _, whole=whole: whole([function(v, 0.5) for _, v in named]),
        ):
            text = text_of(f, named, {"x": 0.5})
            assert not HOLE.search(text), text
            if not UNCLEAR.search(text):
                check_printed_program(f, named, {"x": 0.5})


def test_a_share_in_a_list_has_a_line():
    w = Value(1.0)
    text = text_of(lambda _: halves_twice(w, 1.0), [("w", w)], {"x": 0.5})
    assert re.search(r"^g = 0\.5 \* g_m1 ", text, re.MULTILINE)
    assert re.search(r"^\[g_l1, g_d1\] = \[g_t1\[1\], g\] \* tanh'\(\[l1, d1\]\) ", text, re.MULTILINE)


def test_a_vector_that_is_added_to_a_row():
    """What 1 is multiplied by in the product of a row and a column is the transpose of a vector, and turned once."""
    named = [("θ.0", Value(0.5)), ("θ.1", Value(-0.25))]
    text = check_printed_program(lambda x: mg.sum([v * mg.tanh(v) for _, v in named]) + x, named, {"x": 0.5})
    assert "∇θ = tanh(θ) + θ * tanh'(θ) " in text


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_the_slope_of_a_slope_has_two_marks(name):
    slope = TABLE[f"{name}_slope"]
    w = Value(0.3)
    text = check_printed_program(lambda x: slope(w * x) * slope(slope(x)), [("w", w)], {"x": 0.5})
    assert f"{name}''(" in text


@settings(deadline=None, max_examples=30)
@given(graphs(), st.integers(1, 2))
def test_any_graph(graph, count):
    count = min(count, len(graph.names))
    parameters = [(f"θ.{i}", Value(number)) for i, number in enumerate(graph.inputs[:count])]
    arguments = dict(zip(graph.names[count:], graph.inputs[count:]))

    def function(*xs):
        return graph(*[p for _, p in parameters], *xs)

    text = text_of(function, parameters, arguments)
    assert text == text_of(function, parameters, arguments)
    assume(not UNCLEAR.search(text))
    check_printed_program(function, parameters, arguments)


def test_a_wrong_text_is_seen():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    named = model.named_parameters()
    text = text_of(squared(model), named, {"x": [0.0, 0.0], "y": 0.0})
    families = arrays(named, lambda p: p.data)
    arguments = {"x": np.array([0.5, -1.0]), "y": np.array(2.0)}
    right = Run(text, families, arguments).gradients["layers.0.w"]
    wrong = Run(text.replace("* tanh'(a1)", "* tanh(a1)"), families, arguments).gradients["layers.0.w"]
    assert not np.allclose(right, wrong)


def test_a_matrix_in_a_dot_product_is_flat():
    named = [("θ.0", Value(0.5)), ("θ.1", Value(-0.25))]
    text = check_printed_program(
        lambda x, y: mg.sum(
            [mg.tanh(x[j]) * mg.dot([mg.exp(v)], [v], mg.square(y[j])) for j in range(3) for _, v in named]
        ),
        named, {"x": [0.5, -1.0, 2.0], "y": [0.3, 0.7, -0.2]},
    )  # fmt: skip
    assert ".flat " in text


FEW_OPS = [TABLE[name] for name in ("tanh", "mean", "sum", "neg", "add", "mul", "square", "exp", "dot")]
"""Ops of which many are computed together, so that lines write lists."""


@settings(deadline=None, max_examples=30)
@given(graphs() | graphs(FEW_OPS, max_nodes=16), st.integers(1, 3), st.integers(1, 4), st.integers(0, 1))
def test_any_graph_many_times(graph, rows, columns, shared):
    """One graph for each pair of a parameter and an input, which makes matrices of its steps."""
    first, *others = graph.inputs
    parameters = [(f"θ.{i}", Value(first + 0.01 * i)) for i in range(rows)]
    arguments = {f"x{k}": [number + 0.01 * j for j in range(columns)] for k, number in enumerate(others)}

    def function(*xs):
        cells = [graph(w, *[x[shared * j] for x in xs]) for j in range(columns) for _, w in parameters]
        return mg.sum(cells) if shared else mg.mean([cell * cell for cell in cells])

    text = text_of(function, parameters, arguments)
    assert not HOLE.search(text)
    assume(not UNCLEAR.search(text))
    check_printed_program(function, parameters, arguments)
