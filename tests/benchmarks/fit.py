"""A training step of `fit` against its parts: `python tests/benchmarks/fit.py [--json] [--only NAME]`.

The parts are one call of the compiled loss's `value_and_grad` on a batch, parameters flat, and one step of the
optimiser on the flat array. `fit` does more: it draws the order, gathers each batch, checks and clips the gradient,
counts correct classes, records norms by layer, and writes the parameters back after each epoch. The bar is 1.5.

The parts are timed in a callback of the run itself, between its epochs, so that both see the same machine. Seconds are
CPU time of the one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

# NumPy reads its number of threads when it is imported: nothing that imports it may be imported before `one_thread`.
# ruff: noqa: PLC0415

BAR = 1.5


def one_thread() -> None:
    """Let BLAS compute on one thread."""
    for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM"):
        os.environ[f"{name}_NUM_THREADS"] = "1"


@dataclass
class Problem:
    """A model with its cost, data, optimiser, and the options of `fit`."""

    name: str
    model: Any
    loss: Any
    inputs: list[Any]
    targets: list[Any]
    batch: int
    optimiser: Any
    options: dict[str, Any] = field(default_factory=dict)


def mlp(batch: int, optimiser: Any, **options: Any) -> Problem:
    """MLP(2, [16, 16, 1]) that tells two classes of points."""
    from microgradlib.costs import binary_cross_entropy_with_logits
    from microgradlib.nn import MLP

    draw = random.Random(0)
    points = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(examples(batch))]
    model = MLP([2, 16, 16, 1], activation="tanh", rng=0)
    classes = [int(a * b > 0) for a, b in points]
    return Problem("MLP 2-16-16-1", model, binary_cross_entropy_with_logits, points, classes, batch, optimiser, options)


def wide_mlp(batch: int, optimiser: Any, **options: Any) -> Problem:
    """MLP(64, [32, 10]) with rectifiers, the size of the digits."""
    from microgradlib.costs import cross_entropy
    from microgradlib.nn import MLP

    draw = random.Random(0)
    images = [[draw.random() for _ in range(64)] for _ in range(examples(batch))]
    classes = [draw.randrange(10) for _ in images]
    model = MLP([64, 32, 10], init="he", rng=0)
    return Problem("MLP 64-32-10", model, cross_entropy, images, classes, batch, optimiser, options)


def lstm(batch: int, optimiser: Any, **options: Any) -> Problem:
    """LSTM of 16 units over 20 steps, whose last state is classified."""
    from microgradlib.costs import cross_entropy
    from microgradlib.nn import LSTM, Layer, Module

    class Classifier(Module):
        def __init__(self) -> None:
            self.network, self.readout = LSTM(8, 16, rng=0), Layer(16, 3, "linear", rng=1)

        def __call__(self, x: Any) -> Any:
            hidden, _ = self.network(x)
            return self.readout(hidden[-1])

    draw = random.Random(0)
    sequences = [[[draw.gauss(0, 1) for _ in range(8)] for _ in range(20)] for _ in range(examples(batch))]
    classes = [draw.randrange(3) for _ in sequences]
    return Problem("LSTM 8-16, 20 steps", Classifier(), cross_entropy, sequences, classes, batch, optimiser, options)


def gpt(batch: int, optimiser: Any, **options: Any) -> Problem:
    """The GPT over scalars of the networks' scripts: 16 letters, width 16, 4 heads."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "notebooks" / "networks"))
    from microgpt import GPT

    from microgradlib.costs import cross_entropy

    draw = random.Random(0)
    texts = [[draw.randrange(27) for _ in range(16)] for _ in range(min(examples(batch), 32 + 8 * batch))]
    rows = [[[float(k == letter) for k in range(27)] for letter in text] for text in texts]
    targets = [[draw.randrange(27) for _ in range(16)] for _ in texts]
    return Problem(
        "GPT, width 16", GPT(27, 16, width=16, heads=4), cross_entropy, rows, targets, batch, optimiser, options
    )


def examples(batch: int) -> int:
    """Return the number of examples: 24 batches and some more, 8 if they are large; at least 64."""
    return max((24 if batch <= 256 else 8) * batch + batch // 3, 64)


def problems(only: str) -> list[Problem]:
    """Return the problems whose names start with `only`."""
    from microgradlib.optim import SGD, Adam, RMSprop, linear
    from microgradlib.regularisers import L2

    sgd, momentum, adam = partial(SGD, lr=0.05), partial(SGD, lr=0.05, momentum=0.9), partial(Adam, lr=0.01)
    made = [partial(mlp, batch, adam) for batch in (1, 8, 32, 100, 256, 1000)]
    made += [partial(mlp, 32, sgd), partial(mlp, 32, momentum), partial(mlp, 32, partial(RMSprop, lr=0.001))]
    made += [
        partial(mlp, 32, partial(SGD, lr=linear(0.1, 0.0, 5000)), clip_norm=1.0),
        partial(mlp, 32, adam, clip_value=0.5, regulariser=L2(0.001)),
        partial(mlp, 32, adam, validation=0.1),
    ]
    made += [partial(wide_mlp, batch, adam) for batch in (1, 32, 256, 1000)]
    made += [partial(lstm, batch, adam) for batch in (1, 16, 64)]
    made += [partial(gpt, batch, adam) for batch in (1, 16)]
    return [problem for problem in (make() for make in made) if problem.name.startswith(only)]


def measured(problem: Problem, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of a step of `fit`, and of its parts, one number for each epoch."""
    import numpy as np

    from microgradlib.compiler import compile  # noqa: A004
    from microgradlib.training import fit

    model, loss = problem.model, problem.loss
    regulariser = problem.options.get("regulariser", lambda model: 0.0)
    fast = compile(lambda x, y: loss(model(x), y) + regulariser(model), model.parameters())
    flat = np.array([p.data for p in model.parameters()])
    fast.set_parameters(flat)
    optimiser = problem.optimiser(flat)
    rows, labels = np.array(problem.inputs, float), np.array(problem.targets, float)
    held_out = round(len(rows) * problem.options.get("validation", 0.0))
    count = -(-(len(rows) - held_out) // problem.batch)
    seconds: dict[str, list[float]] = {"fit": [], "parts": []}
    last = [0.0]

    def between_epochs(model: Any, history: Any) -> None:
        now = time.process_time()
        if history.epochs > 1:  # the first epoch binds the programs to the sizes of its batches
            seconds["fit"].append((now - last[0]) / count)
        start = time.process_time()
        for k in range(count):
            batch = slice(k * problem.batch, min((k + 1) * problem.batch, len(rows) - held_out))
            _, gradient = fast.value_and_grad(rows[batch], labels[batch])
            optimiser.step(gradient)
        if history.epochs > 1:
            seconds["parts"].append((time.process_time() - start) / count)
        last[0] = time.process_time()

    history = fit(
        model, loss, problem.inputs, problem.targets, epochs=rounds + 1, batch_size=problem.batch,
        optimizer=problem.optimiser, callbacks=between_epochs, compiled=True, backend="auto", progress=False,
        **problem.options,
    )  # fmt: skip
    return {**seconds, "losses": [history.loss[0], history.loss[-1]]}


def title(problem: Problem) -> str:
    """Return a problem's name, batch, optimiser and options in one line."""
    optimiser = problem.optimiser.func.__name__
    settings = [name for name in problem.optimiser.keywords if name != "lr"]
    parts = [problem.name, f"batch {problem.batch}", " ".join([optimiser, *settings]), *problem.options]
    return ", ".join(parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=40, help="epochs of each run (40)")
    parser.add_argument("--only", default="", help="problems whose names begin so: MLP 2, MLP 64, LSTM, GPT")
    options = parser.parse_args()
    one_thread()
    results = []
    if not options.json:
        print(f"{'µs per step, medians; float64, one thread':<58}{'parts':>9}{'fit':>9}{'ratio':>8}{'quartiles':>14}")
    for problem in problems(options.only):
        times = measured(problem, options.rounds)
        ratios = [a / b for a, b in zip(times["fit"], times["parts"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        results.append({"problem": title(problem), "batch": problem.batch, **times, "ratio": middle, "bar": BAR})
        if not options.json:
            parts, whole = (1e6 * statistics.median(times[name]) for name in ("parts", "fit"))
            verdict = "" if middle <= BAR else "  ABOVE THE BAR"
            print(
                f"{title(problem):<58}{parts:>9.0f}{whole:>9.0f}{middle:>8.2f}{low:>7.2f}{high:>7.2f}{verdict}",
                flush=True,
            )
    if options.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
