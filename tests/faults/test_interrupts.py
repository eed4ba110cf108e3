"""Ctrl-C at drawn moments of whatever takes time: the session goes on, and numbers, modes and files are whole.

`MICROGRADLIB_MOMENTS=200 pytest tests/faults/test_interrupts.py` tries so many moments of each piece of work.
"""

import json
import os
import random
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from engine_checks import engines
from interrupted import interrupted, leftovers, moments_of

import microgradlib as mg
from microgradlib import costs, nn, optim
from microgradlib.training import fit, random_order

MOMENTS = int(os.environ.get("MICROGRADLIB_MOMENTS", "6"))
X = [[0.1 * k, (0.3 * k) % 1.0] for k in range(10)]
Y = [float(k % 2) for k in range(10)]
BATCH, EPOCHS = 4, 2
loss = costs.binary_cross_entropy_with_logits
ENGINES = engines("numpy", "native")
on_arrays = pytest.mark.parametrize("backend", ENGINES)
SLOW_NATIVE = [*ENGINES[1].marks, pytest.mark.slow]
BY_HAND = pytest.mark.skipif(MOMENTS < 50, reason="takes a minute: by hand, with MICROGRADLIB_MOMENTS=200")
pytestmark = [
    pytest.mark.usefixtures("keyboard"),
    # a file that is opened and interrupted before its `with` block
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "native"


def attack(make, work, count, whole, summary=lambda thing, result: result):
    """Interrupt work(make()) at drawn moments; return the faults, of `whole(thing, raised, result)` and the session."""
    work(make())  # what is imported and compiled at first use is there now
    first = make()
    total, result = moments_of(lambda: work(first))
    expected, faults = summary(first, result), []
    for moment in random.Random(count).sample(range(1, total + 1), min(count, total)):
        thing = make()
        place, raised, result = interrupted(lambda thing=thing: work(thing), moment)
        found = [*whole(thing, raised, result), *leftovers()]
        again = make()
        if summary(again, work(again)) != expected:
            found.append("the next time another result")
        faults += [f"{fault} (moment {moment} of {total}, {place})" for fault in found]
    return faults


def must_raise(thing, raised, result):
    return [] if raised or result is not None else ["Ctrl-C is lost"]


# fit


def model():
    return nn.MLP([2, 3, 1], activation="tanh", rng=0)


def learner():
    m = model()
    return m, optim.Adam(m.parameters(), lr=0.05), []


def state_of(learner):
    m, optimizer, _ = learner
    return json.dumps([list(m.state_dict().values()), optimizer.state_dict()])


def states_by_hand(backend):
    """Return the number of steps by the state after them: of the model's parameters and the optimizer together."""
    pair = m, optimizer, _ = learner()
    states, rng = {state_of(pair): 0}, random.Random(0)
    if backend is None:
        steps = optimizer.step
        optimizer.step = lambda: steps() or states.update({state_of(pair): optimizer.steps})
        learn({"compiled": False}, pair)
        return states
    fast = mg.compile(lambda x, y: loss(m(x), y), m.parameters(), backend=backend)
    for _ in range(EPOCHS):
        order = random_order(len(X), rng)
        for start in range(0, len(X), BATCH):
            places = order[start : start + BATCH]
            optimizer.step(fast.value_and_grad(np.array(X)[places], np.array(Y)[places])[1])
            states[state_of(pair)] = optimizer.steps
    return states


def learn(settings, learner):
    m, optimizer, seen = learner
    callbacks = [lambda m, history: seen.append(history.loss[-1])]
    return fit(
        m, loss, X, Y, epochs=EPOCHS, batch_size=BATCH, optimizer=optimizer, callbacks=callbacks, progress=False,
        validation=(X[:3], Y[:3]), **settings,
    )  # fmt: skip


def summary_of(learner, history):
    return state_of(learner), repr(history), learner[2]


def faults_of_fit(backend, count):
    settings = {"compiled": False} if backend is None else {"compiled": True, "backend": backend}
    states = states_by_hand(backend)

    def whole(learner, raised, history):
        if raised:  # while the arguments are checked: nothing has begun
            return [] if states.get(state_of(learner)) == 0 and learner[0].training else ["Ctrl-C came out of fit"]
        steps = states.get(state_of(learner), -1)
        series = history.loss, history.accuracy, history.validation_loss, *history.gradient_norms.values()
        faults = {
            "half a step": steps < 0,
            "another count of steps": history.steps != steps,
            "half an epoch in the history": len(set(map(len, filter(None, series)))) > 1,
            "Ctrl-C is lost": history.stopped != "interrupted",
            "training mode": learner[0].training,
        }
        return [fault for fault, is_so in faults.items() if is_so]

    return attack(learner, partial(learn, settings), count, whole, summary_of)


@pytest.mark.parametrize("backend", [None, "numpy"])
def test_fit_ends_between_two_steps(backend):
    assert faults_of_fit(backend, MOMENTS) == []


@pytest.mark.slow
def test_a_native_fit_ends_between_two_steps():
    pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
    assert faults_of_fit("native", 2 * MOMENTS) == []


def test_the_attack_finds_half_a_step(monkeypatch):
    """A step whose count comes after it, with Python code between them, is seen."""

    def step(self, update, *gradient):
        update(*gradient)
        self.history.steps += len([abs(k) for k in range(5000)]) // 5000

    monkeypatch.setattr("microgradlib.training.task.Task.step", step)
    assert any("another count of steps" in fault for fault in faults_of_fit(None, 30))


def test_the_best_parameters_are_kept_after_an_interrupt():
    """Early stopping restores them whole, wherever Ctrl-C comes."""

    def work(m, **settings):
        return fit(
            m, loss, X, Y, epochs=4, batch_size=BATCH, optimizer=partial(optim.SGD, lr=3.0), early_stopping=9,
            progress=False, compiled=True, backend="numpy", **settings,
        )  # fmt: skip

    states = []
    work(model(), callbacks=lambda m, history: states.append(m.state_dict()))

    def whole(m, raised, history):
        before = raised or history.best_epoch < 0
        return [] if before or m.state_dict() == states[history.best_epoch] else ["not the best parameters"]

    assert attack(model, work, MOMENTS, whole, lambda m, history: (m.state_dict(), repr(history))) == []


# Steps, derivatives and checks


def graph():
    x = mg.Value(0.3, label="x")
    y = x
    for _ in range(4):
        y = mg.tanh(y * 1.1 + x)
    return x, y


def stepped():
    m, optimizer, _ = pair = learner()
    for k, p in enumerate(m.parameters()):
        p.grad = 0.1 * k
    optimizer.step()
    return pair


def is_one_of(state_of, make, *changes):
    """Return a check that the state is the one before, or the one after each of the changes."""
    states = []
    for change in [lambda _: None, *changes]:
        thing = make()
        change(thing)
        states.append(state_of(thing))
    return lambda thing, raised, result: [] if state_of(thing) in states else ["half done"]


OTHER = nn.MLP([2, 3, 1], rng=5).state_dict()


def numbers_of(values):
    return [value.data for value in values]


def rosenbrock():
    return mg.Value(-1.2), mg.Value(1.0)


def minimized(pair):
    x, y = pair
    optim.minimize(lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2, pair, method="BFGS")
    return numbers_of(pair)


def blocks(_):
    kept = []
    for _ in range(3):
        with mg.no_grad(), mg.scope("a"), mg.detect_anomaly():
            kept.append(mg.Value(1.0) * 2)
        kept.append(mg.Value(1.0) * 2)
    return [len(node.parents) for node in kept]


PIECES = {
    "optimizer.step": (
        stepped, lambda pair: pair[1].step() or state_of(pair),
        is_one_of(state_of, stepped, lambda pair: pair[1].step()),
    ),
    "load_state_dict": (
        model, lambda m: m.load_state_dict(OTHER) and m.state_dict(),
        is_one_of(nn.Module.state_dict, model, lambda m: m.load_state_dict(OTHER)),
    ),
    "functional_call": (
        model, lambda m: nn.functional_call(m, OTHER, X[1]).data, is_one_of(nn.Module.state_dict, model)
    ),
    "minimize": (rosenbrock, minimized, is_one_of(numbers_of, rosenbrock, minimized)),
    "backward": (graph, lambda pair: pair[1].backward() or pair[0].grad, is_one_of(numbers_of, graph)),
    "gradients": (graph, lambda pair: mg.gradients(pair[1], [pair[0]])[0].data, must_raise),
    "hessian": (graph, lambda _: mg.hessian(lambda v: mg.sin(v[0]) * v[1] ** 2)([0.3, 0.4]), must_raise),
    "gradcheck": (graph, lambda _: str(mg.gradcheck(lambda x: mg.sin(x * x), [0.3])), must_raise),
    "explain_gradient": (graph, lambda pair: str(mg.explain_gradient(pair[1], pair[0])), must_raise),
    "blocks": (graph, blocks, must_raise),
}  # fmt: skip


@pytest.mark.parametrize("name", PIECES)
def test_pieces_of_work(name):
    if name == "minimize":
        pytest.importorskip("scipy", reason="minimize is SciPy's")
    make, work, whole = PIECES[name]
    assert attack(make, work, MOMENTS, whole) == []


# Compiled programs


@on_arrays
@pytest.mark.parametrize("kept", ["cold", "warm"])
def test_compile(backend, kept, cache):
    def work(m):
        for file in cache.glob("*") if kept == "cold" else ():
            file.unlink()
        fast = mg.compile(lambda x, y: loss(m(x), y), m.parameters(), backend=backend)
        mean, gradient = fast.value_and_grad(X, Y)
        return mean, gradient.tobytes(), str(fast.program)

    def whole(m, raised, result):
        files = list(cache.iterdir()) if cache.exists() else []
        drafts = [f"draft {file.name}" for file in files if file.suffix != ".native" or file.name[0] == "."]
        return [*must_raise(m, raised, result), *is_one_of(nn.Module.state_dict, model)(m, raised, result), *drafts]

    assert attack(model, work, MOMENTS if backend == "numpy" or kept == "warm" else MOMENTS // 2, whole) == []


# Files


def saved_model(path):
    nn.save(model(), path)


def saved_program(path):
    m = model()
    fast = mg.compile(lambda x: m(x), m.parameters(), backend="numpy")
    fast(X)
    fast.save(path)


def saved_drawing(path):
    _, y = graph()
    y.backward()
    mg.draw(y).save(path)


def saved_explanation(path):
    mg.explain(graph()[1]).save(path)


def faults_of_saving(save, target, count):
    save(target)
    new = target.read_bytes()

    def make():
        target.write_bytes(b"old")
        return target

    def whole(_, raised, result):
        drafts = [path for path in target.parent.iterdir() if path != target]
        for path in drafts:
            path.unlink()
        torn = [] if target.read_bytes() in (b"old", new) else ["a torn file"]
        return [*torn, *[f"draft {path.name}" for path in drafts]]

    return attack(make, lambda path: save(path) or path.read_bytes(), count, whole)


@pytest.mark.parametrize(
    ("save", "suffix"),
    [(saved_model, ".json"), (saved_program, ".json"), (saved_drawing, ".svg"), (saved_explanation, ".html")],
)
def test_files_are_the_old_or_the_new_one(save, suffix, tmp_path):
    assert faults_of_saving(save, tmp_path / f"file{suffix}", MOMENTS) == []


def test_the_attack_finds_a_torn_file(tmp_path):
    def torn(path):
        path.touch()
        os.truncate(path, 1)
        os.truncate(path, 0)

    assert any("a torn file" in fault for fault in faults_of_saving(torn, tmp_path / "file.txt", 40))


# Imports, and Ctrl-C by the clock: in other processes


RUN = """
import os, random, signal, sys
from microgradlib import costs, data, nn, training

points = data.moons(20, noise=0.1, rng=1)

def learn(epochs=2):
    model = nn.MLP([2, 4, 1], rng=0)
    cost = costs.binary_cross_entropy_with_logits
    history = training.fit(
        model, cost, points.inputs, points.targets, epochs=epochs, compiled=True, backend=sys.argv[1]
    )
    return history, list(model.state_dict().values())
"""
FIRST = """
count, moment = 0, int(sys.argv[2])

def press(frame, event, called):
    global count
    if event == "call" or event == "c_return":
        count += 1
        if count == moment:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

sys.setprofile(press)
try:
    stopped = learn()[0].stopped
except KeyboardInterrupt:
    stopped = "interrupted"
sys.setprofile(None)
history, numbers = learn()
print(count, stopped or "-", history.engine.split(":")[0], *numbers)
"""


def run(script, *arguments):
    command = [sys.executable, "-c", RUN + script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("backend", "parts"),
    [("numpy", max(1, MOMENTS // 10)), pytest.param("native", max(1, MOMENTS // 10), marks=SLOW_NATIVE)],
)
def test_the_first_import_of_numpy_is_not_interrupted(backend, parts):
    """Half an import cannot be repeated: later compiled runs would be broken."""
    count, stopped, *expected = run(FIRST, backend, -1)
    assert (stopped, expected[0]) == ("-", "compiled")
    rng = random.Random(parts)
    for part in range(parts):
        moment = int((part + rng.random()) / parts * int(count))
        _, stopped, *found = run(FIRST, backend, moment)
        assert (stopped, found) == ("interrupted", expected), f"moment {moment} of {count}"


CLOCK = """
import time
_, expected = learn()
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
rng, end, kept = random.Random(0), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, 0.03))
        history, _ = learn(1000)
        assert history.stopped == "interrupted", history.stopped
        kept += 1
    except KeyboardInterrupt:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
print(kept > 5, learn()[1] == expected)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
@pytest.mark.parametrize("backend", [pytest.param("numpy", marks=BY_HAND), pytest.param("native", marks=SLOW_NATIVE)])
def test_interrupts_by_the_clock(backend):
    assert run(CLOCK, backend, 1.5 if MOMENTS < 50 else 60.0) == ["True", "True"]
