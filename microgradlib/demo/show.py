"""Run one demo: train, report, check the gradients, draw."""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from microgradlib._support.checks import whole_number
from microgradlib._support.lookup import lookup
from microgradlib.core.value import Value
from microgradlib.demo.gradient_check import largest_difference
from microgradlib.demo.problems import PROBLEMS
from microgradlib.nn import MLP
from microgradlib.optim import SGD, linear
from microgradlib.training import fit
from microgradlib.viz import draw, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from microgradlib.data import Dataset
    from microgradlib.demo.problems import Problem
    from microgradlib.nn import Neuron
    from microgradlib.training import History
    from microgradlib.viz import Drawing

__all__ = ["Outcome", "show"]

_PROGRESS_LINES = 5
"""Lines of progress if `stream` is not a terminal; on a terminal, one line is overwritten."""


@dataclass(frozen=True)
class Outcome:
    """The results of a demo.

    `losses` are the mean training losses of the epochs, in nats; `evaluation_loss` is the final one on the evaluation
    set, of whose `evaluated` examples `correct` are classified correctly. `largest_difference` is that of the gradient
    check. The two files are the drawings.
    """

    losses: tuple[float, ...]
    evaluation_loss: float
    correct: int
    evaluated: int
    largest_difference: float
    neuron_file: Path
    curve_file: Path


def show(
    name: str = "iris", *, out: Path, seed: int = 0, epochs: int | None = None, stream: TextIO | None = None
) -> Outcome:
    """Train the network of the problem `name`, report on `stream`, and write two drawings into the folder `out`.

    The drawings are the graph of the network's first neuron at one example, after `backward()`, and a chart of the loss
    by epoch. The same `seed` gives the same numbers.

    Args:
        name: `"iris"`, `"xor"` or `"moons"`.
        out: an existing folder.
        seed: determines the split, the initial weights and the order of the examples.
        epochs: the number of epochs; by default that of the problem.
        stream: the text stream for the report; by default standard output.

    Raises:
        TypeError: `epochs` is not a whole number.
        ValueError: an unknown name, or fewer than one epoch.
        OSError: a file cannot be written.

    """
    problem = lookup(name, PROBLEMS, "demo")
    epochs = whole_number(problem.epochs if epochs is None else epochs, "epochs")
    stream = sys.stdout if stream is None else stream
    rng = random.Random(seed)
    train, evaluation = problem.load(rng)
    model = MLP(problem.sizes, activation="tanh", rng=rng)
    count = len(model.parameters())
    print(
        f"{name}: {len(train)} examples, a network of {_joined(problem.sizes)} units, {count} parameters", file=stream
    )

    history = _train(problem, model, (train, evaluation), epochs, rng, stream)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    losses, evaluation_losses = history.loss, history.validation_loss
    evaluation_loss, correct = evaluation_losses[-1], round(history.validation_accuracy[-1] * len(evaluation))
    print(
        f"final loss: {losses[-1]:.4f} in training, {evaluation_loss:.4f} on {len(evaluation)} {problem.evaluated_on}",
        file=stream,
    )
    print(
        f"accuracy: {correct} of {len(evaluation)} {problem.evaluated_on} ({correct / len(evaluation):.1%})",
        file=stream,
    )

    difference = largest_difference(model, problem.cost, evaluation.inputs[0], evaluation.targets[0])
    print(
        f"gradient check: backward() and numeric derivatives of one loss differ by at most {difference:.1e}",
        file=stream,
    )

    neuron_file = _draw_neuron(model.layers[0].neurons[0], evaluation).save(out / f"{name}-neuron.svg")
    curves = {"training": losses} if evaluation == train else {"training": losses, "held out": evaluation_losses}
    chart = line_chart(curves, title=f"Learning {name}", x_label="epoch", y_label="mean loss (nats)")
    curve_file = chart.save(out / f"{name}-training.svg")
    print(f"wrote {neuron_file}: a neuron of the network, with its gradients", file=stream)
    print(f"wrote {curve_file}: the loss by epoch", file=stream)
    return Outcome(tuple(losses), evaluation_loss, correct, len(evaluation), difference, neuron_file, curve_file)


def _train(  # noqa: PLR0917  private, called once
    problem: Problem,
    model: MLP,
    sets: tuple[Dataset, Dataset],
    epochs: int,
    rng: random.Random,
    stream: TextIO,
) -> History:
    """Train the model on the first of two sets, validate it on the second, and report progress on `stream`."""
    train, evaluation = sets
    updates = epochs * math.ceil(len(train) / problem.batch_size)
    return fit(
        model,
        problem.cost,
        train.inputs,
        train.targets,
        epochs=epochs,
        batch_size=problem.batch_size,
        optimizer=SGD(model.parameters(), lr=linear(problem.learning_rate, 0.0, updates)),
        validation=(evaluation.inputs, evaluation.targets),
        callbacks=[lambda _, history: _progress(history.epochs, epochs, history.loss[-1], stream)],
        rng=rng,
        progress=False,
    )


def _joined(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def _progress(epoch: int, epochs: int, loss: float, stream: TextIO) -> None:
    line = f"epoch {epoch:{len(str(epochs))}} of {epochs}: loss {loss:.4f}"
    if stream.isatty():
        print(f"\r{line}", end="\n" if epoch == epochs else "", file=stream, flush=True)
    elif epoch * _PROGRESS_LINES // epochs > (epoch - 1) * _PROGRESS_LINES // epochs:
        print(line, file=stream)


def _draw_neuron(neuron: Neuron, dataset: Dataset) -> Drawing:
    """Draw the neuron, each product a node, at the example whose net input is nearest 0, where tanh′ is largest."""
    names = dataset.feature_names
    example = min(dataset.inputs, key=lambda x: abs(neuron.net_input(x).data))
    neuron.zero_grad()
    neuron.expand = True
    for w, name in zip(neuron.w, names, strict=True):
        w.label = f"weight of {name}"
    if neuron.b is not None:
        neuron.b.label = "bias"
    output = neuron([Value(number, label=name) for number, name in zip(example, names, strict=True)])
    output.label = "neuron"
    output.backward()
    return draw(output)
