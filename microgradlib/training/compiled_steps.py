"""CompiledSteps: the evaluations and epochs of a training run by compiled programs, with data and parameters as arrays.

The parameters are one flat array, which the programs read and the optimizer changes. The Values get its numbers, and
their gradients, by `settle`: before others look at them, and at the end, also of a run that an exception ends.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import columns_of, compile  # noqa: A004  the name of the field
from microgradlib.compiler.checks import first_wrong
from microgradlib.compiler.reverse import depends_on_parameters
from microgradlib.core.modes import no_grad, recording
from microgradlib.core.value import Value
from microgradlib.errors import LabelError
from microgradlib.nn.module import evaluation_mode
from microgradlib.ops import reductions
from microgradlib.optim.clipping import clip_by_norm, clip_by_value
from microgradlib.optim.parameters import numpy
from microgradlib.training.blocks import Blocks
from microgradlib.training.diagnostics import SAMPLE_SIZE, relus_of
from microgradlib.training.flat_parameters import FlatParameters
from microgradlib.training.layer_norms import LayerNorms
from microgradlib.training.risk import warn_of_constant_loss
from microgradlib.training.tally import Tally
from microgradlib.training.task import Epoch, Task

if TYPE_CHECKING:
    from microgradlib.training.blocks import Block
    from microgradlib.training.examples import Examples

__all__ = ["CompiledSteps"]


class CompiledSteps:
    """The steps of a task by two compiled programs, one for training mode and one for evaluation mode.

    The constructor traces the model and its cost, and checks all examples. It raises any error of the tracing; the task
    can then only be done example by example.
    """

    def __init__(self, task: Task, backend: str = "numpy", devices: Any = None) -> None:
        self.task, self.backend, self.devices = task, backend, devices
        self.flat = FlatParameters(task.parameters, task.optimizer)
        self.norms = LayerNorms(task.layers, task.parameters)
        self.training = self._compiled(self._terms)
        self.evaluation = self._compiled(self._terms)
        self.evaluation.check_labels = True
        first = task.train.subset([0])
        with recording(), evaluation_mode(task.model):
            self.output, _ = task.risk.example(*next(first.rows()))
            self.data = {id(part): self._checked(part) for part in (task.train, task.validation) if part is not None}
            data, width = self.data[id(task.train)], 2 + len(flatten(self.output))
            self.blocks = Blocks(data.inputs, data.targets, batch_size=task.batch_size, width=width)
            self.evaluation.lower(first.inputs, first.targets)
            self._check_indices()
            self.rectifiers = self._compiled(lambda x: relus_of(task.model(x))) if relus_of(self.output) else None
            if self.rectifiers is not None:
                self.rectifiers.lower(first.inputs)
        self.training.lower(first.inputs, first.targets)
        depends = depends_on_parameters(self.training.program, output=1)
        if not depends and self.training.rows(first.inputs, first.targets)[0, 1]:
            warn_of_constant_loss()

    def _check_indices(self) -> None:
        """Raise `LabelError` for the first example with an index out of range: here once, and not again at each step.

        Indices are in the inputs, as those of an `Embedding`; of targets, what the program computes labels from.
        """
        checks = self.evaluation._latest().checks
        for examples in (self.task.train, self.task.validation):
            if examples is not None and checks:
                columns, _ = columns_of((examples.inputs, examples.targets), float)
                wrong = first_wrong(checks, columns)
                if wrong is not None:
                    message = f"example {examples.indices[wrong[0]]}: {wrong[1]}"
                    raise LabelError(message)
        checks.clear()

    def _compiled(self, function: Any) -> Any:
        program = compile(function, self.task.parameters, backend=self.backend, devices=self.devices)
        program.check_labels = False
        program.set_parameters(self.flat.array)
        return program

    def _terms(self, x: Any, y: Any) -> list[Any]:
        """Return L + Ω, then L alone, then the numbers of the output, for one example."""
        model, risk = self.task.model, self.task.risk
        output = model(x)
        cost = risk.loss(output, y)
        penalties = [penalty(model, x) for penalty in risk.penalties]
        regularisers = [regulariser(model) for regulariser in risk.regularisers]
        return [reductions.sum(cost, *penalties, *regularisers), cost, *flatten(output)]

    def _checked(self, examples: Examples) -> _Data:
        """Return examples as arrays; raise for different lengths, and for the first label that the cost rejects.

        Each label is checked here once, with the uncompiled cost, and not again at each step.
        """
        columns, shapes = columns_of((examples.inputs, examples.targets), float)
        inputs, targets = (
            numpy().ascontiguousarray(column).reshape(len(column), *shape) for column, shape in zip(columns, shapes)
        )
        output = unflatten(self.output, [Value(float(y)) for y in flatten(self.output)])
        seen = set()
        with no_grad():
            for i, y in examples.labels():
                key = tuple(flatten(y))
                if key in seen:
                    continue
                seen.add(key)
                try:
                    self.task.risk.loss(output, y)
                except LabelError as error:
                    message = f"example {i}: {error}"
                    raise LabelError(message) from None
        return _Data(inputs, targets, Tally(self.task.decision, self.output, examples, targets))

    @property
    def description(self) -> str:
        """The size of the training program, in one line."""
        count = len(self.training.program.instructions)
        return f"compiled: {count} instruction{'s' * (count != 1)} on vectors"

    def evaluate(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean cost and the accuracy, None if the cost does not classify, in evaluation mode."""
        data = self.data[id(examples)]
        values = self.evaluation.rows(data.inputs, data.targets)
        data.tally.reset()
        data.tally.add(values[:, 2:], numpy().arange(len(values)))
        return float(values[:, 1].mean()), data.tally.accuracy()

    def epoch(self) -> Epoch:
        """Make one step for each batch of the training examples, in a random order."""
        task, tally = self.task, self.data[id(self.task.train)].tally
        costs, norms = [], []
        tally.reset()
        self.flat.start()
        for block in self.blocks.shuffled(task.rng):
            for batch in block.batches(task.batch_size):
                cost, batch_norms = self._step(batch)
                costs.append(cost * len(batch.positions))
                norms.append(batch_norms)
            tally.add(block.values[:, 2:], block.positions)
        means = [math.fsum(column) / len(norms) for column in zip(*norms)]
        return Epoch(math.fsum(costs) / len(task.train), tally.accuracy(), dict(zip(task.layers, means)))

    def _step(self, batch: Block) -> tuple[float, list[float]]:
        """Make one update: differentiate, check, clip, step. Return the mean cost and the gradient's norms by layer."""
        task, inputs = self.task, batch.inputs
        if task.augment is not None:
            self.flat.show()  # an augmentation may look at the model
            inputs = task.batch(batch.positions.tolist()).inputs
        values, gradient = self.training.rows_and_grad(inputs, batch.targets, out=batch.values)
        cost = float(numpy().add.reduce(values[:, 1])) / len(values)
        norms = self.norms(gradient)
        task.check_finite(cost, norms, lambda: self._shown(inputs, batch.positions.tolist()))
        if task.clip_value is not None:
            gradient = clip_by_value(gradient, task.clip_value)
        if task.clip_norm is not None:
            gradient, _ = clip_by_norm(gradient, task.clip_norm)
        task.step(self.flat.step, gradient)
        return cost, norms

    def settle(self) -> None:
        """Give the Values the numbers that they have by now."""
        self.flat.settle()

    def _shown(self, inputs: Any, positions: list[int]) -> Examples:
        """Return a batch as it was used, with the Values as they were: for the eager engine to look at."""
        self.flat.show()
        batch = self.task.train.subset(positions)
        return batch if self.task.augment is None else replace(batch, inputs=inputs)

    def dead_relus(self) -> float | None:
        """Return the fraction of rectifiers that are 0 at the first training examples, None without any."""
        if self.rectifiers is None:
            return None
        values = self.rectifiers.rows(self.data[id(self.task.train)].inputs[:SAMPLE_SIZE])
        dead = ~(values > 0).any(0)
        return int(dead.sum()) / len(dead)


class _Data(NamedTuple):
    """Examples as arrays, and the count of those that are classified correctly."""

    inputs: Any
    targets: Any
    tally: Tally
