"""Run a function once on fresh input nodes, for the transforms to differentiate the recorded graph."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.core.autodiff import grad_table, gradients, tangent_table, tangents
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.ops import derivative_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Linearization"]

_depth: ContextVar[int] = ContextVar("microgradlib_transform_depth", default=0)
"""How many transformed functions are running, one inside another."""


class Linearization:
    """One call of f, recorded: its input and output nodes, and its derivatives in both modes.

    Derivatives are numbers, or nodes (`as_graph`) if f was called inside another transformed function or on nodes.

    Args:
        f: the function.
        arguments: its positional arguments, nested structures of numbers and nodes.
        keywords: its keyword arguments, passed on unchanged.
        positions: which of `arguments` are differentiated by; their numbers become fresh input nodes.
    """

    def __init__(
        self, f: Callable[..., Any], arguments: Sequence[Any], keywords: dict[str, Any], positions: Sequence[int]
    ) -> None:
        with _nested() as outer_depth:
            fresh = list(arguments)
            for i in positions:
                fresh[i] = unflatten(arguments[i], [_input(x) for x in flatten(arguments[i])])
            self.output = f(*fresh, **keywords)
        self.arguments = [arguments[i] for i in positions]
        self.inputs: list[Any] = [x for i in positions for x in flatten(fresh[i])]
        self.outputs = [as_node(y) for y in flatten(self.output)]
        self.as_graph = outer_depth > 0 or any(isinstance(x, Node) for x in flatten(self.arguments))

    def result(self, outputs: Sequence[Any]) -> Any:
        """Return nodes, or their numbers, in the structure of f's output."""
        return unflatten(self.output, [y if self.as_graph else y.data for y in outputs])

    def gradients(self, output: Any) -> list[Any]:
        """Return ∂output/∂input for each input, by reverse mode."""
        if self.as_graph:
            return list(gradients(output, self.inputs))
        table = grad_table(output)
        return [table.get(x, 0.0) for x in self.inputs]

    def tangents(self, outputs: Sequence[Any], direction: Sequence[Any]) -> list[Any]:
        """Return the derivative of each output along `direction`, one number for each input, by forward mode."""
        by_input = dict(zip(self.inputs, direction))
        if self.as_graph:
            return list(tangents(outputs, by_input))
        table = tangent_table(outputs, by_input)
        return [table[y] for y in outputs]

    def single_output(self, transform: str) -> Any:
        """Return f's output; raise TypeError, naming the transform, if it is a list, tuple or dict."""
        if isinstance(self.output, (list, tuple, dict)):
            message = f"{transform} differentiates functions that return one number, got a {type(self.output).__name__}"
            raise TypeError(message + ": use jacobian, or return the sum")
        return self.outputs[0]


@contextmanager
def _nested() -> Iterator[int]:
    """Record even inside no_grad(), and yield how many transformed functions were running before."""
    outer_depth = _depth.get()
    token = _depth.set(outer_depth + 1)
    try:
        with recording():
            yield outer_depth
    finally:
        _depth.reset(token)


def _input(x: Any) -> Node:
    """Return an input node that no other call shares: a leaf for a number, the identity of a node."""
    return derivative_graph.identity(x) if isinstance(x, Node) else Value(x)
