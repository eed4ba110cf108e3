"""How large programs and plans are, exactly: a change in a pass that makes them larger, or smaller, is seen here.

A change that is wanted goes into the table: `python tests/compiler/test_program_sizes.py` writes its lines.
"""

import math
import sys

import pytest

import microgradlib as mg
from microgradlib import costs, nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.planning import plan
from microgradlib.compiler.planning.fusion import chains_of, fusible
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value


def matrix(rows, columns):
    return [[0.5] * columns for _ in range(rows)]


def total(values):
    return mg.sum([mg.tanh(v) for v in values])


def flat(rows):
    return [v for row in rows for v in row]


def of(model, row, *more, last=lambda model, *rows: model(*rows)):
    return lambda *rows: last(model, *rows), model.parameters(), [row, *more]


def mlp():
    return of(nn.MLP(3, [8, 8, 1], rng=0), [0.5] * 3, 1.0, last=lambda model, x, y: (model(x) - y) ** 2)


def deep():
    return of(nn.MLP(4, [4] * 7 + [1], rng=0), [0.5] * 4)


def classifier():
    return of(nn.MLP(5, [6, 4], rng=0), [0.5] * 5, 1.0, last=lambda model, x, y: costs.cross_entropy(model(x), y))


def convolution():
    model = nn.Sequential(nn.Conv2d(2, 3, 3, activation="relu", rng=0), nn.AvgPool2d(2), nn.Flatten())
    return of(model, [matrix(6, 6)] * 2, last=lambda model, x: total(model(x)))


def maxima():
    model = nn.Sequential(nn.Conv2d(1, 2, 2, rng=0), nn.MaxPool2d(2), nn.Flatten(), nn.Layer(8, 3, "linear", rng=0))
    return of(model, [matrix(5, 5)], last=lambda model, x: mg.logsumexp(model(x)))


def recurrent(kind, steps):
    model, readout = kind(4, 6, rng=0), nn.Layer(6, 1, "linear", rng=0)

    def last(xs):
        states = model(xs)
        return readout((states[0] if isinstance(states, tuple) else states)[-1])

    return last, [*model.parameters(), *readout.parameters()], [matrix(steps, 4)]


def attention():
    return of(nn.CausalSelfAttention(8, heads=2, rng=0), matrix(6, 8), last=lambda model, xs: total(flat(model(xs))))


def norms():
    model = nn.Sequential(nn.Layer(4, 5, "linear", rng=0), nn.LayerNorm(5), nn.Layer(5, 2, "gelu", rng=0))
    return of(model, [0.5] * 4, last=lambda model, x: total(model(x)))


W = [Value(0.1 * k - 1.0) for k in range(24)]


def triangle():
    """Sums of all lengths, dots of all lengths, and maxima of two."""

    def function(x):
        sums = [mg.sum([mg.exp(v) for v in x[: k + 1]]) for k in range(5)]
        dots = [mg.dot(W[: k + 1], x[: k + 1]) for k in range(5)]
        return total([mg.maximum(a, b) for a, b in zip(sums, dots)])

    return function, W, [[0.5] * 5]


def shuffled():
    """What is in no order, read twice; and a parameter that nothing reads."""
    order = [5, 0, 3, 1, 7, 2]

    def function(x):
        y = [mg.sin(x[k] * W[k]) for k in order]
        return total([a * b for a, b in zip(y, y[::-1])]) + total([x[k] * W[k + 1] for k in order])

    return function, W, [[0.5] * 8]


def parameters_alone():
    """Numbers without a batch axis, before the batch and after it."""

    def function(x):
        u = [mg.exp(mg.tanh(w)) * w for w in W[:6]]
        return mg.dot(u[:3], x) + mg.sum([v * v for v in u]) * mg.sin(x[0])

    return function, W, [[0.5] * 3]


def scores():
    """Products of batched matrices, every pair, and pairs below a diagonal."""

    def function(x):
        q, k = [x[i : i + 4] for i in range(0, 20, 4)], [x[i : i + 4] for i in range(20, 40, 4)]
        return [mg.logsumexp([W[0] * mg.dot(a, b) for i, a in enumerate(q) for b in k[: i + 1]]), mg.dot(q[0], k[1])]

    return function, W[:1], [[0.5] * 40]


def chained():
    """Elementwise steps that write over what they read, and some that may not."""

    def function(x):
        y = [mg.relu(mg.dot(W[3 * i : 3 * i + 3], x[:3])) for i in range(4)]
        z = [1.0 - mg.exp(v * 0.5) for v in y]
        return total([a * b - c for a, b, c in zip(z, z[::-1], y)])

    return function, W, [[0.5] * 3]


PROGRAMS = {
    "mlp": mlp, "deep": deep, "classifier": classifier, "convolution": convolution, "maxima": maxima,
    "lstm": lambda: recurrent(nn.LSTM, 6), "gru": lambda: recurrent(nn.GRU, 5), "rnn": lambda: recurrent(nn.RNN, 7),
    "attention": attention, "norms": norms, "triangle": triangle, "shuffled": shuffled,
    "parameters alone": parameters_alone, "scores": scores, "chained": chained,
}  # fmt: skip


def size_of(program):
    """Return the numbers of a program and its plan: see `COLUMNS`."""
    found = plan(program)
    gathers = [step for step in found.steps if step.kind == "gather"]
    copied = sum(math.prod(step.results.sizes) for step in gathers)
    runs = [found.steps[start:end] for start, end in fusible(found).items()]
    chains = sum(len(list(chains_of(run))) for run in runs)
    repeated = sum(run.length * run.times for run in found.repeats)
    return len(program.instructions), len(gathers), copied, *found.rows, chains, repeated


def sizes_of(name):
    function, parameters, rows = PROGRAMS[name]()
    program = vectorize(canonicalize(trace(function, rows, list(parameters))))
    joint = reverse(program)
    made = program, joint, reverse(program, wrt="inputs"), reverse(joint)
    return " | ".join(" ".join(map(str, size_of(each))) for each in made)


COLUMNS = "instructions, gathers, numbers copied, unbatched rows, batched rows, chains, repeated steps"
"""Of each program: forward, with its gradient, with its Jacobian, with H v."""
SIZES = """
mlp: 7 0 0 114 24 3 0 | 15 0 0 227 35 5 0 | 14 0 0 115 39 5 0 | 39 0 0 486 59 12 0
deep: 15 0 0 146 41 7 14 | 37 0 0 291 47 14 32 | 30 0 0 146 47 14 28 | 106 0 0 572 99 34 95
classifier: 7 2 10 74 25 6 0 | 12 2 10 138 41 7 0 | 11 2 10 74 29 7 0 | 75 14 78 255 114 42 0
convolution: 5 1 304 58 441 3 0 | 9 1 304 116 538 5 0 | 10 2 592 59 787 6 0 | 16 1 304 174 586 8 0
maxima: 4 1 80 38 163 1 0 | 9 1 80 75 211 1 0 | 9 2 144 38 227 2 0 | 55 11 113 165 257 26 3
lstm: 38 8 96 273 232 26 35 | 103 10 132 808 590 56 79 | 92 10 132 273 548 61 80 | 375 18 492 1630 1184 152 265
gru: 44 9 169 298 270 26 27 | 125 13 271 720 442 60 75 | 105 11 211 329 681 62 75 | 383 27 655 1332 910 158 191
rnn: 16 7 77 75 61 15 21 | 44 7 77 214 164 22 45 | 31 7 77 75 109 22 33 | 135 8 143 424 290 42 114
attention: 13 5 246 258 391 7 0 | 27 8 402 514 746 11 0 | 26 8 402 258 746 11 0 | 82 21 1014 836 1454 32 0
norms: 14 0 0 50 14 5 0 | 35 0 0 100 32 12 0 | 31 0 0 53 30 11 0 | 120 0 0 174 84 26 0
triangle: 11 2 22 25 42 6 0 | 23 2 22 40 43 8 0 | 28 5 44 25 45 14 3 | 38 2 22 166 57 13 0
shuffled: 6 2 24 37 33 5 0 | 15 3 36 61 58 11 0 | 14 2 24 37 58 11 0 | 37 4 48 85 97 22 3
parameters alone: 6 2 8 48 9 5 0 | 16 2 8 67 10 5 0 | 9 2 8 48 11 6 0 | 36 2 8 139 10 9 0
scores: 3 1 15 2 81 1 0 | 7 1 15 18 97 2 0 | 7 2 40 2 125 3 0 | 80 51 260 22 183 55 48
chained: 9 0 0 27 16 2 0 | 20 0 0 40 30 5 0 | 20 0 0 28 30 5 0 | 44 0 0 65 54 15 3
"""


def lines_of(text):
    return dict(line.split(": ") for line in text.strip().splitlines())


@pytest.mark.parametrize("name", PROGRAMS)
def test_sizes(name):
    assert sizes_of(name) == lines_of(SIZES)[name], COLUMNS


if __name__ == "__main__":
    for name in PROGRAMS:
        sys.stdout.write(f"{name}: {sizes_of(name)}\n")
