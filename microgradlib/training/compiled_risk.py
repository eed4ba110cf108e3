"""The risk of a model on a batch, and its gradient, by a compiled program: what `Risk` computes, on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.compiler import columns_of, compile  # noqa: A004
from microgradlib.core.modes import no_grad, recording
from microgradlib.core.value import Value
from microgradlib.errors import LabelError
from microgradlib.ops import reductions
from microgradlib.optim.parameters import assign
from microgradlib.training.risk import Risk, evaluating

if TYPE_CHECKING:
    from microgradlib.training.examples import Examples

__all__ = ["CompiledRisk"]


class CompiledRisk(Risk):
    """A `Risk` whose costs and gradients a compiled program computes; made from one that works example by example.

    Raises whatever tracing the model and its cost raises, so that the caller may stay with the other.
    """

    def __init__(self, risk: Risk, examples: Examples, held_out: Examples | None, parameters: list[Value]) -> None:
        super().__init__(risk.model, risk.loss, risk.regularisers, risk.penalties)
        self.plain = risk
        self.parameters = parameters
        self.training = compile(self._terms, parameters)
        self.evaluation = compile(self._terms, parameters)
        first = examples.chosen([0])
        with recording(), evaluating(self.model):
            self.output, _ = self.example(*next(first.rows()))
            for part in (examples, held_out):
                if part is not None:
                    self._check(part)
            self.evaluation(first.inputs, first.targets)
        self.training(first.inputs, first.targets)

    def _terms(self, x: Any, y: Any) -> list[Any]:
        """Return L + Ω, then L alone, then the numbers of the output, for one example."""
        output = self.model(x)  # type: ignore[operator]  # what is called is a subclass
        cost = self.loss(output, y)
        penalties = [penalty(self.model, x) for penalty in self.penalties]
        regularisers = [regulariser(self.model) for regulariser in self.regularisers]
        return [reductions.sum(cost, *penalties, *regularisers), cost, *flatten(output)]

    def _check(self, examples: Examples) -> None:
        """Raise for rows of different lengths, and for the first label that the cost cannot take.

        A program computes with any number, whether or not it names a class.
        """
        columns_of((examples.inputs, examples.targets), float)
        numbers = unflatten(self.output, [Value(float(y)) for y in flatten(self.output)])
        with no_grad():
            for i, y in zip(examples.indices, examples.targets):
                try:
                    self.loss(numbers, y)
                except LabelError as error:  # noqa: PERF203  the message names the example
                    message = f"example {i}: {error}"
                    raise LabelError(message) from None

    def described(self) -> str:
        """Return in a line what the program is."""
        count = len(self.training.program.instructions)
        return f"compiled: {count} instruction{'s' * (count != 1)} on vectors"

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """Return the mean cost without any Ω, and the outputs, in evaluation mode."""
        values = self.evaluation(examples.inputs, examples.targets)
        return float(values[:, 1].mean()), self._outputs(values)

    def backward(self, examples: Examples) -> tuple[float, list[Any]]:
        """Set the parameters' `grad` to ∂R/∂p for a batch; return the mean cost and the outputs."""
        values, gradient = self.training.values_and_grad(examples.inputs, examples.targets)
        assign(self.parameters, "grad", gradient.tolist())
        return float(values[:, 1].mean()), self._outputs(values)

    def _outputs(self, values: Any) -> list[Any]:
        return [unflatten(self.output, numbers) for numbers in values[:, 2:].tolist()]
