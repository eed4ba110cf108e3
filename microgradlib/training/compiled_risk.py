"""The risk of a model on a batch, and its gradient, computed by compiled programs on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import columns_of, compile  # noqa: A004
from microgradlib.core.modes import no_grad, recording
from microgradlib.core.value import Value
from microgradlib.errors import LabelError
from microgradlib.ops import reductions
from microgradlib.optim.parameters import assign
from microgradlib.training.risk import Risk, evaluation_mode

if TYPE_CHECKING:
    from microgradlib.training.examples import Examples

__all__ = ["CompiledRisk"]


class CompiledRisk(Risk):
    """The same risk as `risk`, with two compiled programs, one for training mode and one for evaluation mode.

    The constructor traces the model and its cost, and checks all examples. It raises any error of the tracing; the risk
    can then only be computed by `risk` itself.
    """

    def __init__(self, risk: Risk, examples: Examples, validation: Examples | None, parameters: list[Value]) -> None:
        super().__init__(risk.model, risk.loss, risk.regularisers, risk.penalties)
        self._eager = risk
        self.parameters = parameters
        self.training_program = compile(self._terms, parameters)
        self.evaluation_program = compile(self._terms, parameters)
        first = examples.subset([0])
        with recording(), evaluation_mode(self.model):
            self.output, _ = self.example(*next(first.rows()))
            self._check(examples)
            if validation is not None:
                self._check(validation)
            self.evaluation_program(first.inputs, first.targets)
        self.training_program(first.inputs, first.targets)

    @property
    def eager(self) -> Risk:
        """The risk that computes example by example."""
        return self._eager

    def _terms(self, x: Any, y: Any) -> list[Any]:
        """Return L + Ω, then L alone, then the numbers of the output, for one example."""
        output = self.model(x)
        cost = self.loss(output, y)
        penalties = [penalty(self.model, x) for penalty in self.penalties]
        regularisers = [regulariser(self.model) for regulariser in self.regularisers]
        return [reductions.sum(cost, *penalties, *regularisers), cost, *flatten(output)]

    def _check(self, examples: Examples) -> None:
        """Raise for inputs or targets of different lengths, and for the first label that the cost rejects.

        A compiled program accepts any number as a label, so the labels are checked here with the uncompiled cost.
        """
        columns_of((examples.inputs, examples.targets), float)
        output = unflatten(self.output, [Value(float(y)) for y in flatten(self.output)])
        with no_grad():
            for i, y in zip(examples.indices, examples.targets):
                try:
                    self.loss(output, y)
                except LabelError as error:  # noqa: PERF203  the message names the example
                    message = f"example {i}: {error}"
                    raise LabelError(message) from None

    def description(self) -> str:
        """Return the size of the training program, in one line."""
        count = len(self.training_program.program.instructions)
        return f"compiled: {count} instruction{'s' * (count != 1)} on vectors"

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """Return the mean cost without any Ω, and the outputs, in evaluation mode."""
        values = self.evaluation_program(examples.inputs, examples.targets)
        return float(values[:, 1].mean()), self._outputs(values)

    def backward(self, examples: Examples) -> tuple[float, list[Any]]:
        """Set the parameters' `grad` to ∂R/∂p for a batch; return the mean cost and the outputs."""
        values, gradient = self.training_program.values_and_grad(examples.inputs, examples.targets)
        assign(self.parameters, "grad", gradient.tolist())
        return float(values[:, 1].mean()), self._outputs(values)

    def _outputs(self, values: Any) -> list[Any]:
        """Return the model's output for each row of an array whose rows are `_terms`."""
        return [unflatten(self.output, numbers) for numbers in values[:, 2:].tolist()]
