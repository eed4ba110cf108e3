"""The risk of a model on a batch, and its gradient, computed example by example on Values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib.errors import LabelError
from microgradlib.modes import no_grad
from microgradlib.number import as_float
from microgradlib.scalar import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.nn import Module
    from microgradlib.training.examples import Examples

__all__ = ["Risk"]


class Risk:
    """R(θ) = 1/n Σ_i [L(ŷ_i, y_i) + Ω(x_i)] + Ω(θ): the structural risk; without the Ω, the empirical risk.

    `loss`: L(output, target), for one example. `regularisers`: functions of the model, Ω(θ). `penalties`: functions of
    the model and one input, Ω(x). (*Deep Learning*, 7 and 8.1.1.)
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[[Any, Any], Any],
        regularisers: Sequence[Callable[[Module], Any]] = (),
        penalties: Sequence[Callable[[Module, Any], Any]] = (),
    ) -> None:
        self.model, self.loss = model, loss
        self.regularisers, self.penalties = tuple(regularisers), tuple(penalties)

    def example(self, i: int, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the model's output at x and its cost L. Errors of the model or the cost name the example, i."""
        try:
            output = self.model(x)  # type: ignore[operator]  # what is called is a subclass
            return output, self.loss(output, y)
        except (LabelError, ValueError, TypeError) as error:
            if type(error) not in (LabelError, ValueError, TypeError):
                raise
            message = f"example {i}: {error}"
            raise type(error)(message) from error

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """Return the mean cost without any Ω, and the outputs, recording nothing and in evaluation mode."""
        self.model.eval()
        try:
            with no_grad():
                pairs = [self.example(*example) for example in examples.rows()]
        finally:
            self.model.train()
        return math.fsum(_number(cost) for _, cost in pairs) / len(pairs), [output for output, _ in pairs]

    def backward(self, examples: Examples) -> tuple[float, list[Any]]:
        """Add ∂R/∂p to each parameter's `grad` for a batch; return the mean cost and the outputs.

        Each example's graph is run backward and let go before the next is built.
        """
        share = 1 / len(examples)
        costs, outputs = [], []
        for i, x, y in examples.rows():
            output, cost = self.example(i, x, y)
            costs.append(_number(cost))
            outputs.append(output)
            for term in (cost, *[penalty(self.model, x) for penalty in self.penalties]):
                if isinstance(term, Scalar):
                    term.backward(share)  # type: ignore[attr-defined]  # Values: nothing here is a Symbol
        for regulariser in self.regularisers:
            term = regulariser(self.model)
            if isinstance(term, Scalar):
                term.backward()  # type: ignore[attr-defined]
        return math.fsum(costs) / len(costs), outputs


def _number(cost: Any) -> float:
    return cost.data if isinstance(cost, Scalar) else as_float(cost)
