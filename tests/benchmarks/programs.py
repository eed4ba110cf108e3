"""The programs that eager.py times, one per process: `python programs.py NAME COUNT [MICROGPT]` prints JSON.

COUNT is a number of training steps, or of nodes for NAME `chain`. MICROGPT is the path of microgpt's own file, for the
programs that run it. Seconds are CPU time: the programs have one thread, and time that the machine gives to other
processes is not theirs.
"""

from __future__ import annotations

import ast
import copy
import json
import math
import os
import pickle
import random
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import process_time as clock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Engines are imported inside the programs: a process then holds the code and the garbage of one engine alone.
# ruff: noqa: PLC0415

ROOT = Path(__file__).resolve().parents[2]
NAMES_FILE = ROOT / "microgradlib" / "data" / "names.txt"
"""Read by its path: a process that times another engine must not import microgradlib."""


def two_moons(count: int = 100) -> tuple[list[tuple[float, float]], list[int]]:
    """Return points on two interleaved half circles with Gaussian noise, and their labels ±1."""
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


def micrograd_mlp() -> Callable[[], float]:
    """MLP(2, [16, 16, 1]) by micrograd."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1]))


def micrograd_nn_over_microgradlib() -> Callable[[], float]:
    """The same by micrograd's nn with micrograd's Value replaced by microgradlib's."""
    import micrograd.engine

    from microgradlib import Value

    micrograd.engine.Value = Value
    from micrograd.nn import MLP  # after the replacement: the module imports Value by name

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1]))


def microgradlib_mlp(*, expand: bool) -> Callable[[], float]:
    """The same by microgradlib: a neuron's net input is one node, or with `expand` a node per product and sum."""
    from microgradlib import Value
    from microgradlib.nn import MLP

    random.seed(7)
    return mlp_step(Value, MLP(2, [16, 16, 1], expand=expand))


def tuple_engine_gpt() -> Callable[[], float]:
    """The GPT of gpt_over_scalars.py by the minimal engine."""
    from gpt_over_scalars import Training
    from tuple_engine import TupleValue

    return Training(TupleValue).step


def microgradlib_gpt() -> Callable[[], float]:
    """The same by microgradlib, the program unchanged."""
    from gpt_over_scalars import Training

    from microgradlib import Value

    return Training(Value).step


TRAINING: dict[str, Callable[[], Callable[[], float]]] = {
    "mlp-micrograd": micrograd_mlp,
    "mlp-micrograd-nn-over-microgradlib": micrograd_nn_over_microgradlib,
    "mlp-microgradlib": partial(microgradlib_mlp, expand=False),
    "mlp-microgradlib-expanded": partial(microgradlib_mlp, expand=True),
    "gpt-tuple-engine": tuple_engine_gpt,
    "gpt-microgradlib": microgradlib_gpt,
}


def train(name: str, steps: int) -> dict[str, list[float]]:
    """Return the loss and the seconds of each training step; freeing the graph of a step is part of its time."""
    step = TRAINING[name]()
    losses, seconds = [], []
    for _ in range(steps):
        start = clock()
        losses.append(step())
        seconds.append(clock() - start)
    return {"losses": losses, "seconds": seconds}


def microgpt(steps: int, path: str, value: Any = None) -> dict[str, list[float]]:
    """Run microgpt's own file for `steps` training steps and return the loss and the seconds of each.

    The source is executed as it is, at module level, but for three changes to its syntax tree: with `value`, the
    definition of its class Value is left out; the training loop takes its step numbers from a generator that reads the
    clock; what follows that loop, the inference, is left out. Its data file `input.txt` is our names.txt.
    """
    tree = ast.parse(Path(path).read_text(encoding="utf-8"), path)
    loops = [i for i, node in enumerate(tree.body) if isinstance(node, ast.For) and ast.unparse(node.target) == "step"]
    if len(loops) != 1 or not any(_defines_value(node) for node in tree.body):
        message = f"{path} is not microgpt.py: expected `class Value` and one loop `for step in …` at module level"
        raise ValueError(message)
    del tree.body[loops[0] + 1 :]
    loop: Any = tree.body[-1]
    loop.iter = ast.parse("timed_steps()", mode="eval").body
    if value is not None:
        tree.body = [node for node in tree.body if not _defines_value(node)]

    namespace: dict[str, Any] = {"__name__": "microgpt", "print": lambda *_, **__: None}
    losses: list[float] = []
    seconds: list[float] = []

    def timed_steps() -> Iterator[int]:
        for step in range(steps):
            start = clock()
            yield step
            seconds.append(clock() - start)
            losses.append(namespace["loss"].data)

    namespace["timed_steps"] = timed_steps
    if value is not None:
        namespace["Value"] = value
    code = compile(tree, path, "exec")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "input.txt").write_text(NAMES_FILE.read_text(encoding="ascii"), encoding="ascii")
        before = Path.cwd()
        os.chdir(folder)
        try:
            exec(code, namespace)  # noqa: S102  a file that the user of the benchmark named
        finally:
            os.chdir(before)
    return {"losses": losses, "seconds": seconds}


def _defines_value(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == "Value"


def microgpt_over_microgradlib(steps: int, path: str) -> dict[str, list[float]]:
    """Return the same with microgradlib's Value in the place of the file's own."""
    from microgradlib import Value

    return microgpt(steps, path, Value)


def chain(length: int) -> dict[str, float]:
    """Return the seconds of each operation on a chain of `length` nodes, every second one a constant.

    Short chains come first: the interpreter specialises code in its first runs, and a single long run of new code is
    slower by up to a third.
    """
    for _ in range(20):
        time_operations(200)
    return time_operations(length)


def time_operations(length: int) -> dict[str, float]:
    """Build a chain and return the seconds of each operation on it."""
    from microgradlib import Value, topological_sort

    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = clock()
        result = work()
        seconds[name] = clock() - start
        return result

    def build() -> Any:
        node = Value(1.0)
        for _ in range(length // 2):
            node = node * 1.0000001
        return node

    output = timed("build", build)
    timed("sort", partial(topological_sort, output))
    timed("backward", output.backward)
    pickled = timed("pickle", partial(pickle.dumps, output))
    timed("unpickle", partial(pickle.loads, pickled))
    timed("deepcopy", partial(copy.deepcopy, output))
    start = clock()
    del output
    seconds["free"] = clock() - start
    return seconds


def first_calls() -> dict[str, float]:
    """Return the seconds of a compiled function's first value and gradient, of an MLP and of a GPT: medians of five."""
    from gpt_comparison import comparison as gpt
    from mlp_comparison import comparison as mlp

    os.environ["MICROGRADLIB_CACHE_DIR"] = "off"
    seconds = {}
    for name, comparison in (("compile MLP", mlp(100)), ("compile GPT", gpt(1))):
        for _ in range(5):
            comparison.ours()
        seconds[name] = statistics.median(comparison.first_calls)
    return seconds


def main(name: str, *arguments: str) -> dict[str, Any]:
    """Run the program of this name."""
    if name == "first-calls":
        return first_calls()
    if name == "chain":
        return chain(int(arguments[0]))
    if name == "microgpt":
        return microgpt(int(arguments[0]), arguments[1])
    if name == "microgpt-over-microgradlib":
        return microgpt_over_microgradlib(int(arguments[0]), arguments[1])
    return train(name, int(arguments[0]))


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
