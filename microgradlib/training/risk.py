"""The risk of a model on a batch, and its gradient, computed example by example on Values."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import call
from microgradlib._support.number import as_float
from microgradlib._support.pytree import flatten, unflatten
from microgradlib._support.shown import shown
from microgradlib._support.source_lines import PACKAGE, is_raised_within
from microgradlib.core.graph import topological_sort
from microgradlib.core.lost_derivatives import looking_for_conversions, warn
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.errors import LabelError
from microgradlib.nn import Module
from microgradlib.nn.module import evaluation_mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.training.examples import Examples
    from microgradlib.training.types import Loss

__all__ = ["Risk", "check_model_and_loss", "warn_of_constant_loss"]


class Risk:
    """R(θ) = 1/n Σ_i [L(ŷ_i, y_i) + Ω(x_i)] + Ω(θ): the structural risk; without the Ω, the empirical risk.

    `loss`: L(output, target), for one example. `regularisers`: functions of the model, Ω(θ). `penalties`: functions of
    the model and one input, Ω(x). (*Deep Learning*, 7 and 8.1.1.)
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        regularisers: Sequence[Callable[[Any], Any]] = (),
        penalties: Sequence[Callable[[Any, Any], Any]] = (),
    ) -> None:
        self.model, self.loss = model, loss
        self.regularisers, self.penalties = tuple(regularisers), tuple(penalties)
        self._is_known_to_depend = self._is_looked_through = False

    def example(self, i: int, x: Any, y: Any) -> tuple[Any, Node | float]:
        """Return the model's output at x and its cost L. Errors of this package in them name the example, i."""
        try:
            output = self.model(x)
            return output, _checked_cost(
                call(self.loss, "loss(output, target)", output, y), "the loss of one example", "loss(output, target)"
            )
        except (LabelError, ValueError, TypeError) as error:
            if type(error) not in (LabelError, ValueError, TypeError) or not is_raised_within(error, PACKAGE):
                raise
            message = f"example {i}: {error}"
            raise type(error)(message) from error

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """Return the mean cost without any Ω, and the outputs, in evaluation mode.

        Each example's graph is recorded although nothing is differentiated: costs of probabilities depend on the op
        that computed their input.
        """
        costs, outputs = [], []
        with evaluation_mode(self.model), recording():
            for row in examples.rows():
                output, cost = self.example(*row)
                costs.append(_float(cost))
                outputs.append(_detached(output))
        return math.fsum(costs) / len(costs), outputs

    def backward(self, examples: Examples) -> tuple[float, list[Any]]:
        """Add ∂R/∂p to each parameter's `grad` for a batch; return the mean cost and the outputs.

        Only one example's graph is in memory at a time. Warns of costs that are all constants, but not all 0, as those
        of labels that are left out; and, at the first example, of numbers that model, loss and penalties take out of
        Values, by `float(v)` for instance, whose part of the derivative is lost.
        """
        weight = 1 / len(examples)
        costs, outputs = [], []
        is_constant = True
        with recording():
            for row in examples.rows():
                with self._looking_once():
                    output, cost = self.example(*row)
                    terms = self._penalties(row[1])
                is_constant = is_constant and not self._depends(cost)
                costs.append(_float(cost))
                outputs.append(_detached(output))
                for term in (cost, *terms):
                    if isinstance(term, Node):
                        term.backward(weight)  # type: ignore[attr-defined]  # a Value: no Symbols occur here
            for regulariser in self.regularisers:
                term = _checked_cost(
                    call(regulariser, "regulariser(model)", self.model), "a regulariser", "regulariser(model)"
                )
                if isinstance(term, Node):
                    term.backward()  # type: ignore[attr-defined]
        if is_constant and any(costs):
            warn_of_constant_loss()
        return math.fsum(costs) / len(costs), outputs

    def _penalties(self, x: Any) -> list[Node | float]:
        penalties = [call(penalty, "penalty(model, x)", self.model, x) for penalty in self.penalties]
        return [_checked_cost(term, "a penalty", "penalty(model, x)") for term in penalties]

    def _looking_once(self) -> AbstractContextManager[None]:
        """Return a block that warns of numbers which the model takes out of Values: of the first example alone."""
        if self._is_looked_through:
            return nullcontext()
        self._is_looked_through = True
        return looking_for_conversions(self.model.parameters())

    def _depends(self, cost: Node | float) -> bool:
        """Return whether a cost depends on a parameter. The graph is looked through until one does."""
        if not (isinstance(cost, Node) and cost.parents):
            return False
        if not self._is_known_to_depend:
            self._is_known_to_depend = not set(self.model.parameters()).isdisjoint(topological_sort(cost))
        return self._is_known_to_depend


_ORDER = "the arguments are model, loss, X, y, in this order"


def warn_of_constant_loss() -> None:
    """Warn that the loss of each example depends on no parameter."""
    warn(
        "the loss of each example of a batch is a constant, so nothing is learnt from it: compute it from the "
        "output's Values, without float(output), output.data and output.detach()"
    )


def check_model_and_loss(model: Any, loss: Any) -> None:
    """Raise `TypeError` unless `model` is a Module and `loss` a function."""
    if not isinstance(model, Module):
        advice = "make one of it first" if isinstance(model, type) else "derive its class from Module"
        message = f"model must be a Module of microgradlib.nn, got {shown(model)}: {advice}; {_ORDER}"
        raise TypeError(message)
    if not callable(loss):
        message = (
            f"loss must be a function (output, target) → cost, such as costs.cross_entropy, got {shown(loss)}; {_ORDER}"
        )
        raise TypeError(message)


def _checked_cost(cost: Any, what: str, call: str) -> Node | float:
    """Return a term of the cost, a node or a number. Raises `TypeError` for anything else."""
    if isinstance(cost, Node):
        return cost
    with suppress(TypeError):
        if not isinstance(cost, bool):  # a comparison, of which nothing can be learnt
            return as_float(cost)
    message = f"{what} must be one number, but {call} returned {shown(cost)}"
    raise TypeError(message)


def _detached(output: Any) -> Any:
    """Return an output with numbers in place of its nodes, so that its graph can be freed."""
    return unflatten(output, [y.data if isinstance(y, Node) else y for y in flatten(output)])


def _float(cost: Node | float) -> float:
    return cost.data if isinstance(cost, Node) else cost
