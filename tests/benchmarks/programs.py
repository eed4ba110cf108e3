"""What eager.py times, a program per process: `python programs.py NAME STEPS` prints losses and seconds as JSON."""

from __future__ import annotations

import copy
import json
import math
import pickle
import random
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Engines are imported inside their programs: a process then holds the code and the garbage of one engine alone.
# ruff: noqa: PLC0415


def two_moons(count: int = 100) -> tuple[list[tuple[float, float]], list[int]]:
    """Return points on two interleaved half circles, a little off them, and their labels ±1."""
    draw = random.Random(1337)
    points, labels = [], []
    for i in range(count):
        label, angle = (1, -1)[i % 2], math.pi * draw.random()
        x, y = math.cos(angle), math.sin(angle)
        x, y = (x, y) if label == 1 else (1 - x, 0.5 - y)
        points.append((x + draw.gauss(0, 0.1), y + draw.gauss(0, 0.1)))
        labels.append(label)
    return points, labels


def mlp_step(value: Any, model: Any) -> Callable[[], float]:
    """Return one training step of micrograd's demo: hinge loss over all points, L2 penalty, gradient descent."""
    points, labels = two_moons()
    parameters = model.parameters()

    def step() -> float:
        scores = [model([value(x) for x in point]) for point in points]
        margins = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
        loss = sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in parameters)
        model.zero_grad()
        loss.backward()
        for p in parameters:
            p.data -= 0.5 * p.grad
        number: float = loss.data
        return number

    return step


def mlp_of_micrograd() -> Callable[[], float]:
    """MLP(2, [16, 16, 1]) by micrograd."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1]))


def mlp_of_microgradlib() -> Callable[[], float]:
    """The same by microgradlib, each neuron's net input one node."""
    from microgradlib import Value
    from microgradlib.nn import MLP

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1]))


def mlp_of_microgradlib_expanded() -> Callable[[], float]:
    """The same by microgradlib, each product and each sum a node, as micrograd has them."""
    from microgradlib import Value
    from microgradlib.nn import MLP

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1], expand=True))


def gpt_of_tuple_engine() -> Callable[[], float]:
    """The GPT by the minimal engine."""
    from gpt_over_scalars import Training
    from tuple_engine import TupleValue

    return Training(TupleValue).step


def gpt_of_microgradlib() -> Callable[[], float]:
    """The GPT by microgradlib, the program unchanged."""
    from gpt_over_scalars import Training

    from microgradlib import Value

    return Training(Value).step


PROGRAMS = {
    "mlp-micrograd": mlp_of_micrograd,
    "mlp-microgradlib": mlp_of_microgradlib,
    "mlp-microgradlib-expanded": mlp_of_microgradlib_expanded,
    "gpt-tuple-engine": gpt_of_tuple_engine,
    "gpt-microgradlib": gpt_of_microgradlib,
}


def run(name: str, steps: int) -> dict[str, Any]:
    """Train for `steps` steps and return each step's loss and seconds; what a step frees is freed in its own time."""
    step = PROGRAMS[name]()
    losses, seconds = [], []
    for _ in range(steps):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    return {"losses": losses, "seconds": seconds}


def chain(length: int) -> dict[str, float]:
    """Return the seconds each operation takes on a chain of `length` nodes."""
    from microgradlib import Value, topological_sort

    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        seconds[name] = time.perf_counter() - start
        return result

    def built() -> Any:
        node = Value(1.0)
        for _ in range(length // 2):
            node = node * 1.0000001
        return node

    output = timed("build", built)
    timed("sort", partial(topological_sort, output))
    timed("backward", output.backward)
    text = timed("pickle", partial(pickle.dumps, output))
    timed("unpickle", partial(pickle.loads, text))
    timed("deepcopy", partial(copy.deepcopy, output))
    start = time.perf_counter()
    del output
    seconds["free"] = time.perf_counter() - start
    return seconds


if __name__ == "__main__":
    program, count = sys.argv[1], int(sys.argv[2])
    json.dump(chain(count) if program == "chain" else run(program, count), sys.stdout)
