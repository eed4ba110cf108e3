"""The first call of a compiled GPT's loss, pass by pass: written with n-ary dots, and with + and * one at a time.

`python tests/benchmarks/expanded_gpt.py [--places 4 8 16 32]`
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from microgradlib import logsumexp, maximum
from microgradlib._support.garbage import without_collection
from microgradlib.compiler import compile  # noqa: A004
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.engines.executable import Executable
from microgradlib.compiler.planning import plan
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.costs import cross_entropy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.instructions import ProgramData

    Vector = list[Any]

LETTERS, WIDTH, HEADS = 27, 16, 4
TOLERANCE = 1e-9
PASSES = ("trace", "canonicalize", "vectorize", "free", "reverse", "plan", "run")


def gpt(places: int) -> Any:
    """Return microgpt's model for texts of so many letters."""
    sys.path.append(str(Path(__file__).resolve().parents[2] / "notebooks" / "networks"))
    from microgpt import GPT  # noqa: PLC0415

    return GPT(LETTERS, places, width=WIDTH, heads=HEADS)


def weighted(weights: Sequence[Any], x: Sequence[Any]) -> Any:
    """Return Σ wᵢ xᵢ, every product and every sum a node of its own."""
    return sum(w * x_i for w, x_i in zip(weights, x, strict=True))


def linear(layer: Any, x: Vector) -> Vector:
    """Return W x for a layer without biases."""
    return [weighted(neuron.w, x) for neuron in layer.neurons]


def normalised(x: Vector, eps: float) -> Vector:
    """Return x divided by its root mean square."""
    factor = (weighted(x, x) / len(x) + eps) ** -0.5
    return [x_i * factor for x_i in x]


def softmax(scores: Vector) -> Vector:
    """Return the softmax of the scores; the largest is subtracted as a constant."""
    shift = maximum(*scores).detach()
    powers = [(score - shift).exp() for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def attention(module: Any, xs: list[Vector]) -> list[Vector]:
    """Return the output of causal attention for each position."""
    queries, keys, values = ([linear(layer, x) for x in xs] for layer in (module.q, module.k, module.v))
    scale = 1 / math.sqrt(WIDTH // HEADS)
    outputs = []
    for t, query in enumerate(queries):
        read: Vector = []
        for head in module.heads:
            shares = softmax([weighted(query[head], key[head]) * scale for key in keys[: t + 1]])
            read += [weighted(shares, entries) for entries in zip(*[value[head] for value in values[: t + 1]])]
        outputs.append(linear(module.o, read))
    return outputs


def scores(model: Any, letters: list[Vector]) -> list[Vector]:
    """Return the model's outputs in expanded form: for each one-hot letter the logits of the next."""
    [block], eps = model.blocks, model.norm.eps
    embedded = [[weighted(column, letter) for column in zip(*model.token.w)] for letter in letters]
    xs = [
        normalised([a + b for a, b in zip(x, place)], eps) for x, place in zip(embedded, model.position.w, strict=True)
    ]
    read = attention(block.attention, [normalised(x, eps) for x in xs])
    xs = [[a + b for a, b in zip(x, y)] for x, y in zip(xs, read)]
    made = [linear(block.narrow, [z.relu() for z in linear(block.widen, normalised(x, eps))]) for x in xs]
    return [linear(model.scores, [a + b for a, b in zip(x, y)]) for x, y in zip(xs, made)]


def expanded_loss(model: Any, letters: list[Vector], targets: list[Vector]) -> Any:
    """Return the cross-entropy of one-hot targets, Σ_k y_k (ln Σ_j exp z_j − z_k), averaged over the positions."""
    losses = []
    for z, y in zip(scores(model, letters), targets, strict=True):
        total = logsumexp(z)
        losses.append(weighted(y, [total - z_k for z_k in z]))
    return sum(losses) / len(losses)


def losses(model: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """Return the loss in n-ary and in expanded form."""
    return {
        "n-ary dots": lambda x, y: cross_entropy(model(x), y),
        "one by one": lambda x, y: expanded_loss(model, x, y),
    }


def passes(loss: Callable[..., Any], model: Any, data: Sequence[Any]) -> tuple[int, ProgramData, dict[str, float]]:
    """Make a first call pass by pass; return how many nodes were traced, the program, and the seconds of each."""
    parameters, marks = model.parameters(), [time.perf_counter()]
    numbers, columns = np.array([p.data for p in parameters]), [array.reshape(1, -1) for array in data]
    with without_collection():
        found = trace(loss, [array.tolist() for array in data], parameters)
        marks.append(time.perf_counter())
        form = canonicalize(found)
        marks.append(time.perf_counter())
        program, nodes = vectorize(form), len(found.nodes)
        marks.append(time.perf_counter())
        del found, form
        marks.append(time.perf_counter())
    joint = reverse(program)
    marks.append(time.perf_counter())
    executable = Executable(plan(joint), 1, np.dtype(float))
    marks.append(time.perf_counter())
    executable.run(numbers, columns, (1.0,))
    marks.append(time.perf_counter())
    seconds = [after - before for before, after in pairwise(marks)]
    return nodes, program, dict(zip(PASSES, seconds, strict=True))


def first_call(loss: Callable[..., Any], model: Any, data: Sequence[Any]) -> tuple[float, float, Any]:
    """Return the seconds of the first call of a compiled loss, its value and its gradient."""
    start = time.perf_counter()
    value, gradient = compile(loss, model.parameters()).value_and_grad(*[array[None] for array in data])
    return time.perf_counter() - start, value, gradient


def check(answers: Sequence[tuple[float, Any]]) -> None:
    """Raise `ValueError` unless all values and gradients agree to 1e-9."""
    (value, gradient), *others = answers
    for other, its_gradient in others:
        difference = max(abs(other - value), float(np.abs(its_gradient - gradient).max()))
        if not difference <= TOLERANCE:
            message = f"the two ways to write the loss differ by {difference}"
            raise ValueError(message)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, nargs="+", default=[4, 8, 16, 32], help="numbers of letters of a text")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is compiled; the least times count (5)")
    options = parser.parse_args()
    titles = ("places", "written", "nodes", "instructions", *PASSES, "first call", "µs a node")
    print("milliseconds; trace runs the function twice, free gives the memory of the trace back")
    print("".join(f"{title:>13}" for title in titles))
    for places in options.places:
        model, draw = gpt(places), random.Random(0)
        data = [np.eye(LETTERS)[[draw.randrange(LETTERS) for _ in range(places)]] for _ in range(2)]
        answers = []
        for name, loss in losses(model).items():
            best = dict.fromkeys([*PASSES, "first call"], math.inf)
            for _ in range(options.rounds):
                nodes, program, seconds = passes(loss, model, data)
                seconds["first call"], *answer = first_call(loss, model, data)
                best = {key: min(best[key], seconds[key]) for key in best}
                gc.collect()
            answers.append(answer)
            columns = [places, name, nodes, len(program.instructions), *[f"{1e3 * best[key]:.1f}" for key in best]]
            print("".join(f"{column:>13}" for column in [*columns, f"{1e6 * best['first call'] / nodes:.1f}"]))
        check(answers)


if __name__ == "__main__":
    main()
