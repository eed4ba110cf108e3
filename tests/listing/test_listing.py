"""The printed program: the text of an MLP as in Algorithms 6.3 and 6.4, and what holds for any program's text."""

import random
import re
from dataclasses import replace

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import costs
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.listing import written
from microgradlib.listing.drawing import diagram_of
from microgradlib.nn import LSTM, MLP, Conv2d, Layer, MaxPool2d, Module
from microgradlib.nn.embedding import Embedding
from microgradlib.nn.normalisation import RMSNorm
from microgradlib.nn.pooling import Flatten
from microgradlib.ops import TABLE

HINGE = """\
# forward, for each example (x: 2, y: 1)
h1 = relu(layers.0.w @ x + layers.0.b)   # 16
h2 = relu(layers.1.w @ h1 + layers.1.b)  # 16
a3 = layers.2.w @ h2 + layers.2.b        # 1
J = relu(1 - y * a3)                     # 1

# backward: g_v is ∂J/∂v, and each ∇ its mean over the batch
# a1, a2 are what relu takes in the lines of h1, h2
g_a3 = -relu'(1 - y * a3) * y            # 1
∇layers.2.b = g_a3                       # 1
∇layers.2.w = g_a3 @ h2.T                # 1 × 16
g_h2 = layers.2.w.T @ g_a3               # 16
g_a2 = g_h2 * relu'(a2)                  # 16
∇layers.1.b = g_a2                       # 16
∇layers.1.w = g_a2 @ h1.T                # 16 × 16
g_h1 = layers.1.w.T @ g_a2               # 16
g_a1 = g_h1 * relu'(a1)                  # 16
∇layers.0.b = g_a1                       # 16
∇layers.0.w = g_a1 @ x.T                 # 16 × 2"""

CROSS_ENTROPY = """\
# forward, for each example (x: 4, y: 3)
h1 = tanh(layers.0.w @ x + layers.0.b)  # 8
a2 = layers.1.w @ h1 + layers.1.b       # 3
J = cross_entropy(y, a2)                # 1

# backward: g_v is ∂J/∂v, and each ∇ its mean over the batch
# a1 is what tanh takes in the line of h1
g_a2 = sum(y) * softmax(a2) - y         # 3
∇layers.1.b = g_a2                      # 3
∇layers.1.w = g_a2 @ h1.T               # 3 × 8
g_h1 = layers.1.w.T @ g_a2              # 8
g_a1 = g_h1 * tanh'(a1)                 # 8
∇layers.0.b = g_a1                      # 8
∇layers.0.w = g_a1 @ x.T                # 8 × 4"""


def joint_of(function, model, *, names=True, **shapes):
    named = model.named_parameters()
    rows = [np.zeros(shape).tolist() for shape in shapes.values()]
    program = reverse(vectorize(canonicalize(trace(function, rows, [p for _, p in named]))))
    return replace(
        program, parameter_names=tuple([name for name, _ in named if names]), arguments=tuple(shapes.items())
    )


def text_of(function, model, **shapes):
    return written(joint_of(function, model, **shapes))


def hinge(model):
    return lambda x, y: mg.relu(1 - y * model(x))


def cross_entropy(model):
    return lambda x, y: costs.cross_entropy(model(x), y)


def test_an_mlp_with_hinge_loss():
    model = MLP(2, [16, 16, 1], rng=0)
    assert text_of(hinge(model), model, x=(2,), y=()) == HINGE


def test_an_mlp_with_cross_entropy():
    model = MLP([4, 8, 3], activation="tanh", rng=0)
    assert text_of(cross_entropy(model), model, x=(4,), y=(3,)) == CROSS_ENTROPY


def test_without_names_parameters_are_the_matrices_of_the_book():
    model = MLP(2, [16, 16, 1], rng=0)
    text = text_of(hinge(model), model, names=False, x=(2,), y=())
    for k in (1, 2, 3):
        assert f"W{k}" in text
    short = re.sub(r"layers\.(\d)\.w", lambda m: f"W{int(m[1]) + 1}", HINGE)
    short = re.sub(r"layers\.(\d)\.b", lambda m: f"b{int(m[1]) + 1}", short)
    assert [line.split() for line in text.splitlines()] == [line.split() for line in short.splitlines()]


def test_weight_decay():
    model = MLP(2, [3, 1], activation="sigmoid", rng=0)
    decay = lambda: 0.01 * mg.sum([w * w for w in model.weights()])  # noqa: E731
    text = text_of(lambda x, y: (model(x) - y) ** 2 + decay(), model, x=(2,), y=())
    assert "W1 = layers.{0; 1}.w " in text
    assert "J = (a2 - y)**2 + 0.01 * (W1 @ W1) " in text
    assert "∇W1 += 0.02 * W1 " in text
    assert "∇layers.0.w += g_a1 @ x.T " in text


class CNN(Module):
    def __init__(self):
        rng = random.Random(0)
        self.conv, self.pool, self.flat = Conv2d(1, 4, 3, activation="relu", rng=rng), MaxPool2d(2), Flatten()
        self.out = Layer(36, 3, "linear", rng=rng)

    def __call__(self, x):
        return self.out(self.flat(self.pool(self.conv(x))))


class Recurrent(Module):
    def __init__(self):
        rng = random.Random(0)
        self.lstm, self.out = LSTM(2, 4, rng=rng), Layer(4, 1, "linear", rng=rng)

    def __call__(self, xs):
        return self.out(self.lstm(xs)[0][-1])


def one_hot(letter, count):
    return [TABLE["less"](mg.abs(letter - k), 0.5) for k in range(count)]


class Letters(Module):
    """A letter model: embedded, normalised, mixed by softmax over the letters so far, and scored."""

    def __init__(self):
        self.token, self.norm = Embedding(5, 4, rng=0), RMSNorm(4, gain=False)
        self.q, self.k = (Layer(4, 4, "linear", bias=False, rng=i) for i in (1, 2))
        self.scores = Layer(4, 5, "linear", bias=False, rng=3)

    def __call__(self, tokens):
        xs = [self.norm(self.token(t)) for t in tokens[:-1]]
        costs = []
        for i, (x, following) in enumerate(zip(xs, tokens[1:])):
            query, keys = self.q(x), [self.k(z) for z in xs[: i + 1]]
            weights = mg.softmax([mg.dot(query, key) for key in keys])
            read = [mg.dot(weights, column) for column in zip(*xs[: i + 1])]
            scores = mg.log_softmax(self.scores(read))
            costs.append(-mg.dot(one_hot(following, 5), scores))
        return mg.mean(costs)


def cases():
    cnn, lstm, letters = CNN(), Recurrent(), Letters()
    mlp = MLP(2, [16, 16, 1], rng=0)
    return {
        "MLP": (mlp, hinge(mlp), {"x": (2,), "y": ()}),
        "CNN": (cnn, cross_entropy(cnn), {"x": (1, 8, 8), "y": (3,)}),
        "LSTM": (lstm, lambda x, y: (lstm(x) - y) ** 2, {"x": (5, 2), "y": ()}),
        "letters": (letters, letters, {"tokens": (6,)}),
    }


CASES = cases()
each_case = pytest.mark.parametrize("name", CASES)


def code(text):
    """The lines that compute, as (target, formula)."""
    lines = [line.partition("  # ")[0].rstrip() for line in text.splitlines() if line and not line.startswith("#")]
    return [re.fullmatch(r"(.+?) \+?= (.+)", line).groups() for line in lines]


@each_case
def test_the_text(name):
    model, function, shapes = CASES[name]
    text = text_of(function, model, **shapes)
    lines = code(text)
    assert len(lines) <= len(joint_of(function, model, **shapes).instructions) + 2
    assert max(map(len, text.splitlines())) <= 120
    assert text == text_of(function, model, **shapes)
    families = {re.sub(r"\.neurons\.\d+", "", re.sub(r"(\.\d+)+$", "", path)) for path, _ in model.named_parameters()}
    for family in families:
        assert family in expanded(text)
        assert f"∇{family}" in expanded(text)
    defined = set(shapes) | set(re.findall(r"\b[ah]\d+\b", text.partition("# backward")[2].splitlines()[1]))
    for target, formula in lines:
        results = set(re.findall(r"(?<![\w.{])(?:g_)?(?:[a-z]\d+|J)\b(?![(.']\w)", formula))
        assert results <= defined, (target, results - defined)
        defined |= set(re.findall(r"(?:g_)?\b[a-zJ]\d*\b|g_\w+", target))


def expanded(text):
    """The text with paths in braces written out, and ∇W1 as the ∇ of all of them."""
    stacks = {}
    for name, path in re.findall(r"^(\w+) = ([\w.]*\{.*?) +#", text, re.MULTILINE):
        parts = [re.split("[,;] ", part.strip("{}")) for part in re.findall(r"\{[^}]*\}|[^{}]+", path)]
        members = [""]
        for part in parts:
            members = [member + choice for member in members for choice in part]
        stacks[name] = members
    more = [f"{mark}{member}" for name, members in stacks.items() for member in members for mark in ("", "∇")]
    assert all(f"∇{name}" in text for name in stacks)
    return "\n".join([text, *more])


def test_gates_side_by_side():
    model, function, shapes = CASES["LSTM"]
    text = text_of(function, model, **shapes)
    gates = "lstm.cell.{input_gate; forget_gate; candidate; output_gate}"
    assert re.search(rf"^W1 = {re.escape(gates)}\.{{u, w}} +# 16 × 6$", text, re.MULTILINE)
    assert re.search(rf"^b1 = {re.escape(gates)}\.b +# 16$", text, re.MULTILINE)
    for t in range(2, 6):
        assert f"a{t} = W1 @ [x[{t - 1}], p{t - 1}] + b1 " in text
        assert f"d{t} = s{t}[0:4] * t{t} + s{t}[4:8] * d{t - 1} " in text  # c = i ∘ g + f ∘ c
        assert f"p{t} = s{t}[8:12] * tanh(d{t}) " in text  # h = o ∘ tanh(c)


def test_maps_of_an_image_are_columns():
    model, function, shapes = CASES["CNN"]
    text = text_of(function, model, **shapes)
    assert re.search(r"^h1 = relu\(conv.w @ x\[…\] \+ conv.b\) +# 4 × 36$", text, re.MULTILINE)
    assert re.search(r"^m1 = max\(h1\[…\], 4 each\) +# 36$", text, re.MULTILINE)
    assert re.search(r"^∇conv.b = sum\(g_a1, each row\) +# 4$", text, re.MULTILINE)
    assert text.endswith("# […]: numbers of these, picked one by one")


@each_case
def test_drawings(name):
    model, function, shapes = CASES[name]
    boxes = diagram_of(joint_of(function, model, **shapes), max_nodes=200).boxes
    assert [box.title for box in boxes if box.kind == "output"] == [boxes[-1].title] == ["J"]
