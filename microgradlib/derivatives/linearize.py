"""Run a function once on fresh input nodes, for the transforms to differentiate the recorded graph."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.core.autodiff import grad_table, gradients, tangent_table, tangents
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.ops import derivative_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Linearization", "argument_positions"]

_depth: ContextVar[int] = ContextVar("microgradlib_transform_depth", default=0)
"""The number of transformed functions that are running, one inside another."""


def argument_positions(argnums: int | Sequence[int], count: int) -> list[int]:
    """Return `argnums` as positions from 0 in a call with `count` arguments; negative ones count from the end.

    Raises `ValueError` unless each is an integer, at least -count and less than count.

    >>> argument_positions((0, -1), 3)
    [0, 2]
    """
    positions: list[Any] = [argnums] if isinstance(argnums, (int, Integral)) else list(argnums)
    for i in positions:
        if not isinstance(i, Integral) or not -count <= int(i) < count:
            message = (
                f"argnums must be positions of arguments, got {argnums!r} in a call with {count} positional arguments: "
                f"write integers >= {-count} and < {count}"
            )
            raise ValueError(message)
    return [int(i) % count for i in positions]


class Linearization:
    """A recorded call of f: its input and output nodes, and its derivatives by reverse and forward mode.

    Derivatives are numbers, or nodes (`as_graph`) if f was called inside another transformed function or on nodes.

    Args:
        f: the function.
        arguments: its positional arguments, nested structures of numbers and nodes.
        keywords: its keyword arguments, passed on unchanged.
        positions: the positions of the arguments to differentiate by; their numbers become new input nodes.
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
        """Return `outputs` in the structure of f's output: as nodes if `as_graph`, else as their numbers."""
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
