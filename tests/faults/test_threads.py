"""Eight threads at once, each with all that a lesson does, and several on one compiled function: the bits of one alone.

`MICROGRADLIB_TURNS=100 pytest tests/faults/test_threads.py` gives each thread so many turns.
"""

import json
import os
import random
import threading
import time
from functools import partial

import numpy as np
import pytest
from engine_checks import engines

import microgradlib as mg
from microgradlib import costs, nn, optim
from microgradlib.compiler import load_program
from microgradlib.ops import TABLE
from microgradlib.symbolic.parser import build as parsed
from microgradlib.training import fit

UNARY = [TABLE[name] for name in ("tanh", "exp", "sin", "log1p", "erf", "gelu", "softplus", "lgamma", "cbrt", "abs")]
THREADS, TURNS = 8, int(os.environ.get("MICROGRADLIB_TURNS", "3"))


pytestmark = pytest.mark.usefixtures("restless")


def points(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(20, 2))
    return x.tolist(), (x[:, 0] > x[:, 1]).astype(float).tolist()


def graph(seed):
    rng = random.Random(seed)
    xs = [mg.Value(rng.uniform(0.1, 1.0), label=f"x{k}") for k in range(3)]
    y = mg.sum(xs)
    for k in range(12):
        a, b = rng.choice(xs), rng.uniform(0.5, 1.5)
        y = rng.choice([mg.tanh, mg.sin, mg.sigmoid, mg.softplus])(y * a + a**b) + mg.maximum(a, y, float(k))
    return xs, y


def build(seed, _):
    xs, y = graph(seed)
    y.backward()
    again = mg.gradients(y, xs)
    table = mg.grad_table(y)
    return y.data, [x.grad for x in xs], [g.data for g in again], [table[x] for x in xs], len(mg.topological_sort(y))


def transform(seed, _):
    at = [0.1 * seed + 0.3, 0.4, 1.1]

    def function(v):
        return mg.sin(v[0] * v[1]) ** (2.5 + seed) + mg.exp(v[2] * v[0])

    checked = str(mg.gradcheck(lambda *xs: function(xs), at))
    return mg.grad(function)(at), mg.hessian(function)(at), mg.jacobian(lambda v: [function(v), v[1]])(at), checked


def modes(seed, _):
    with mg.no_grad():
        (_, silent), (xs, loud) = graph(seed), ([], None)
        assert silent.parents == ()
    with mg.scope(f"thread {seed}"), mg.detect_anomaly():
        xs, loud = graph(seed)
    array = np.array(xs) * 2.0 + np.array([1.0, 2.0, 3.0])
    return silent.data, loud.data, len(loud.parents), [type(array).__name__, *[float(v.data) for v in array]]


def words(seed, _):
    xs, y = graph(seed)
    expression = parsed(f"x**2 * sin(x) + {seed + 1} * exp(-x)", {"x": xs[1]})
    return mg.to_text(y), mg.to_latex(y), str(mg.explain_gradient(y, xs[0])), mg.to_text(expression), expression.data


def pictures(seed, folder):
    _, y = graph(seed)
    y.backward()
    drawing, page = folder / f"{seed}.svg", folder / f"{seed}.html"
    mg.draw(y).save(drawing)
    mg.explain(graph(seed)[1]).save(page)
    model = nn.MLP([2, 3, 1], rng=seed)
    return drawing.read_bytes(), len(page.read_bytes()), mg.draw(model([0.5, seed])).svg, repr(model.summary())


def files(seed, folder):
    path, program = folder / f"{seed}.json", folder / f"{seed} program.json"
    model, other = nn.MLP([2, 4, 1], rng=seed), nn.MLP([2, 4, 1], rng=99)
    nn.save(model, path)
    nn.load(other, path)
    fast = mg.compile(lambda x: other(x), other.parameters(), backend="numpy")
    values = fast(points(seed)[0])
    loaded = load_program(fast.save(program), backend="numpy")
    return path.read_bytes(), values.tobytes(), loaded(points(seed)[0]).tobytes()


def programs(seed, _):
    results = []
    for backend in ("numpy", *[each.values[0] for each in engines("native") if not each.marks[0].args[0]]):
        model = nn.MLP([2, 3 + seed % 2, 1], activation="tanh", rng=seed)
        fast = mg.compile(lambda x, y, model=model: (model(x) - y) ** (2 + seed), model.parameters(), backend=backend)
        mean, gradient = fast.value_and_grad(*points(seed))
        results += [mean, gradient.tobytes(), str(fast.program), fast.program.to_source("numpy")]
    return results


def learning(seed, _):
    results = []
    for compiled in (True, False):
        model = nn.MLP([2, 3, 1], activation="tanh", rng=seed)
        history = fit(
            model, costs.binary_cross_entropy_with_logits, *points(seed), epochs=3, batch_size=8, rng=seed,
            compiled=compiled, backend="numpy", optimizer=partial(optim.Adam, lr=0.05 + 0.01 * seed), progress=False,
        )  # fmt: skip
        results += [history.loss, history.engine, json.dumps(model.state_dict())]
    return results


LESSON = [build, transform, modes, words, pictures, files, programs, learning]


def together(works):
    """Run works[k]() in a thread for each k, which start together; return what they give, errors as text."""
    found, start = [None] * len(works), threading.Barrier(len(works))

    def run(k):
        start.wait()
        try:
            found[k] = works[k]()
        except Exception as error:  # noqa: BLE001  whatever it is, the test shall show it
            found[k] = f"thread {k}: {error!r}"

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize(
    ("threads", "turns"), [(3, 1), pytest.param(THREADS, max(1, TURNS // 3), marks=pytest.mark.slow)]
)
def test_a_lesson_in_each_thread(threads, turns, tmp_path):
    def lesson(k, folder):
        order = LESSON[k % len(LESSON) :] + LESSON[: k % len(LESSON)]  # each begins with something else
        return {work.__name__: work(k, folder) for work in order}

    for turn in range(turns):
        folders = [tmp_path / f"{turn} {name}" for name in ("together", "alone")]
        for folder in folders:
            folder.mkdir()
        found = together([partial(lesson, k, folders[0]) for k in range(threads)])
        for k in range(threads):
            alone = lesson(k, folders[1])
            assert isinstance(found[k], dict), found[k]
            assert [name for name in alone if found[k][name] != alone[name]] == [], f"thread {k}, turn {turn}"
        assert {path.name for path in folders[0].iterdir()} == {path.name for path in folders[1].iterdir()}


@pytest.mark.parametrize(
    "backend",
    ["numpy", *[pytest.param(*each.values, marks=[*each.marks, pytest.mark.slow]) for each in engines("native")]],
)
def test_one_compiled_function_for_all(backend):
    """Batches of several sizes and rows of several shapes, all results of a program, and its text."""
    w = [mg.Value(0.3 * k - 1) for k in range(4)]
    fast, other = (
        mg.compile(lambda x: mg.tanh(mg.sum(x) * w[0] + w[1]) * w[2] + w[3], w, backend=backend) for _ in range(2)
    )

    def work(function, k):
        results = []
        for turn in range(6 * TURNS):
            rows = np.random.default_rng(k + turn).normal(size=(1 + (k * turn) % 9, 1 + (k + turn) % 3))
            mean, gradient = function.value_and_grad(rows)
            vector = np.linspace(-1, 1, 4)
            results += [mean, gradient.tobytes(), function(rows).tobytes(), function.jacobian(rows).tobytes()]
            results += [function.hvp(rows, vector=vector).tobytes(), function.program.inputs, rows.shape[1]]
        return results

    found = together([partial(work, fast, k) for k in range(THREADS)])
    for k in range(THREADS):
        assert found[k] == work(other, k), f"thread {k}"


def test_random_graphs_in_all_threads():
    """Random graphs give each thread the numbers and derivatives that they give one alone."""

    def work(k):
        results = []
        for turn in range(4 * TURNS):
            rng = random.Random(1000 * k + turn)
            xs = [mg.Value(rng.uniform(-2, 2)) for _ in range(3)]
            nodes = list(xs)
            for _ in range(20):
                nodes.append(rng.choice(UNARY)(rng.choice(nodes)) * rng.choice(nodes))
            table = mg.grad_table(mg.sum(nodes))
            results.append(repr([[node.data for node in nodes], [table.get(x) for x in xs]]))
        return results

    found = together([partial(work, k) for k in range(THREADS)])
    for k in range(THREADS):
        assert found[k] == work(k), f"thread {k}"


def test_a_wrong_number_of_a_thread_is_seen():
    """A function that keeps its argument in a place that all threads share is found."""
    place = {}

    def work(k):
        results = []
        for _ in range(300):
            place["number"] = k
            time.sleep(1e-4)  # others' turn
            results.append(place["number"])
        return results

    found = together([partial(work, k) for k in range(THREADS)])
    assert any(set(found[k]) != {k} for k in range(THREADS))
