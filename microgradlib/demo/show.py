"""Run one demo from start to end: train, report, check the gradients, draw."""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

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
    from microgradlib.nn import Neuron
    from microgradlib.viz import Drawing

__all__ = ["Outcome", "show"]

LINES = 5
"""How many lines of progress a log file gets; a terminal has one that changes."""


@dataclass(frozen=True)
class Outcome:
    """What came of a demo: losses in nats, hits among the examples checked, the gradient check, the files."""

    losses: tuple[float, ...]
    checked_loss: float
    correct: int
    checked: int
    largest_difference: float
    neuron_file: Path
    curve_file: Path


def show(
    name: str = "iris", *, out: Path, seed: int = 0, epochs: int | None = None, stream: TextIO | None = None
) -> Outcome:
    """Train the network of the problem `name`, tell how it went on `stream`, and draw two files into the folder `out`.

    The files are the graph of the network's first neuron at one example, after `backward()`, and the
    loss by epoch. The same `seed` gives the same numbers.

    Args:
        name: `"iris"`, `"xor"` or `"moons"`.
        out: an existing folder.
        seed: decides the parts, the first weights and the order of examples.
        epochs: how long to train; the problem's own number if left out.
        stream: where to write; standard output if left out.

    Raises:
        ValueError: an unknown name, or fewer than one epoch.
        OSError: a file cannot be written.

    """
    if name not in PROBLEMS:
        message = f"no demo {name!r}; known: {', '.join(PROBLEMS)}"
        raise ValueError(message)
    problem = PROBLEMS[name]
    epochs = problem.epochs if epochs is None else epochs
    if epochs < 1:
        message = f"epochs must be 1 or more, got {epochs}"
        raise ValueError(message)
    stream = sys.stdout if stream is None else stream
    rng = random.Random(seed)
    train, checked = problem.parts(rng)
    model = MLP(problem.sizes, activation="tanh", rng=rng)
    count = len(model.parameters())
    print(f"{name}: {len(train)} examples, a network of {_chain(problem.sizes)} units, {count} parameters", file=stream)

    updates = epochs * math.ceil(len(train) / problem.batch)
    history = fit(
        model,
        problem.cost,
        train.inputs,
        train.targets,
        epochs=epochs,
        batch_size=problem.batch,
        optimizer=SGD(model.parameters(), lr=linear(problem.rate, 0.0, updates)),
        validation=(checked.inputs, checked.targets),
        callbacks=[lambda _, history: _progress(history.epochs, epochs, history.loss[-1], stream)],
        rng=rng,
        progress=False,
    )
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    losses, checked_losses = history.loss, history.validation_loss
    checked_loss, hits = checked_losses[-1], round(history.validation_accuracy[-1] * len(checked))
    print(
        f"final loss: {losses[-1]:.4f} in training, {checked_loss:.4f} on {len(checked)} {problem.checked_on}",
        file=stream,
    )
    print(f"accuracy: {hits} of {len(checked)} {problem.checked_on} ({hits / len(checked):.1%})", file=stream)

    difference = largest_difference(model, problem.cost, checked.inputs[0], checked.targets[0])
    print(
        f"gradient check: backward() and numeric derivatives of one loss differ by at most {difference:.1e}",
        file=stream,
    )

    neuron_file = _neuron(model.layers[0].neurons[0], checked).save(out / f"{name}-neuron.svg")
    curves = {"training": losses} if checked == train else {"training": losses, "held out": checked_losses}
    chart = line_chart(curves, title=f"Learning {name}", x_label="epoch", y_label="mean loss (nats)")
    curve_file = chart.save(out / f"{name}-training.svg")
    print(f"wrote {neuron_file}: a neuron of the network, with its gradients", file=stream)
    print(f"wrote {curve_file}: the loss by epoch", file=stream)
    return Outcome(tuple(losses), checked_loss, hits, len(checked), difference, neuron_file, curve_file)


def _chain(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def _progress(epoch: int, epochs: int, loss: float, stream: TextIO) -> None:
    line = f"epoch {epoch:{len(str(epochs))}} of {epochs}: loss {loss:.4f}"
    if stream.isatty():
        print(f"\r{line}", end="\n" if epoch == epochs else "", file=stream, flush=True)
    elif epoch * LINES // epochs > (epoch - 1) * LINES // epochs:
        print(line, file=stream)


def _neuron(neuron: Neuron, dataset: Dataset) -> Drawing:
    """Draw the neuron, every product a node, at the example where its net input is nearest 0: there its slope shows."""
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
