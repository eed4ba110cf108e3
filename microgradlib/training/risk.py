"""The risk of a model on a batch, and its gradient, computed example by example on Values."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib._support.pytree import flatten, unflatten
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from microgradlib.nn import Module
    from microgradlib.training.examples import Examples

__all__ = ["Risk", "evaluating"]


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
        self.plain: Risk = self

    def example(self, i: int, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the model's output at x and its cost L. Errors of the model or the cost name the example, i."""
        try:
            output = self.model(x)  # type: ignore[operator]  # what is called is a subclass
            cost = self.loss(output, y)
            return output, cost if isinstance(cost, Node) else _plain(cost)
        except (LabelError, ValueError, TypeError) as error:
            if type(error) not in (LabelError, ValueError, TypeError):
                raise
            message = f"example {i}: {error}"
            raise type(error)(message) from error

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """Return the mean cost without any Ω, and the outputs, in evaluation mode.

        It is recorded, one example at a time, as costs of probabilities ask how these were made.
        """
        costs, outputs = [], []
        with evaluating(self.model), recording():
            for row in examples.rows():
                output, cost = self.example(*row)
                costs.append(_number(cost))
                outputs.append(_numbers(output))
        return math.fsum(costs) / len(costs), outputs

    def backward(self, examples: Examples) -> tuple[float, list[Any]]:
        """Add ∂R/∂p to each parameter's `grad` for a batch; return the mean cost and the outputs.

        Each example's graph is run backward and let go before the next is built.
        """
        share = 1 / len(examples)
        costs, outputs = [], []
        with recording():
            for i, x, y in examples.rows():
                output, cost = self.example(i, x, y)
                costs.append(_number(cost))
                outputs.append(_numbers(output))
                for term in (cost, *[penalty(self.model, x) for penalty in self.penalties]):
                    if isinstance(term, Node):
                        term.backward(share)  # type: ignore[attr-defined]  # Values: nothing here is a Symbol
            for regulariser in self.regularisers:
                term = regulariser(self.model)
                if isinstance(term, Node):
                    term.backward()  # type: ignore[attr-defined]
        return math.fsum(costs) / len(costs), outputs


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Put the model into evaluation mode for the block; afterwards each module is in the mode it was in."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _plain(cost: Any) -> float:
    try:
        return as_float(cost)
    except TypeError:
        message = f"the loss of one example is one number, but loss(output, target) returned {type(cost).__name__}"
        raise TypeError(message) from None


def _numbers(output: Any) -> Any:
    """Return an output with numbers for its nodes, so that the graph can go."""
    return unflatten(output, [y.data if isinstance(y, Node) else y for y in flatten(output)])


def _number(cost: Any) -> float:
    return cost.data if isinstance(cost, Node) else float(cost)
