"""One call of a function, recorded on fresh input nodes: what every transform of functions starts from."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.core.autodiff import grad_table, gradients, tangent_table, tangents
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.ops import arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Linearization"]

_depth: ContextVar[int] = ContextVar("microgradlib_transform_depth", default=0)


class Linearization:
    """One run of f: its input nodes, its output, and whether the derivatives are to be graph or numbers."""

    def __init__(
        self, f: Callable[..., Any], arguments: Sequence[Any], keywords: dict[str, Any], wanted: Sequence[int]
    ) -> None:
        with _one_deeper() as outer:
            fresh = list(arguments)
            for i in wanted:
                fresh[i] = unflatten(arguments[i], [_input(x) for x in flatten(arguments[i])])
            self.output = f(*fresh, **keywords)
        self.arguments = [arguments[i] for i in wanted]
        self.inputs: list[Any] = [x for i in wanted for x in flatten(fresh[i])]
        self.outputs = [as_node(y) for y in flatten(self.output)]
        self.as_graph = bool(outer) or any(isinstance(x, Node) for x in flatten(self.arguments))

    def result(self, numbers: Sequence[Any]) -> Any:
        """Return numbers or nodes in the shape of f's output."""
        return unflatten(self.output, [y if self.as_graph else y.data for y in numbers])

    def gradients(self, output: Any) -> list[Any]:
        """Return ∂output/∂input for each input: reverse mode."""
        if self.as_graph:
            return list(gradients(output, self.inputs))
        table = grad_table(output)
        return [table.get(x, 0.0) for x in self.inputs]

    def tangents(self, outputs: Sequence[Any], direction: Sequence[Any]) -> list[Any]:
        """Return the derivative of each output along `direction`, one number for each input: forward mode."""
        along = dict(zip(self.inputs, direction))
        if self.as_graph:
            return list(tangents(outputs, along))
        table = tangent_table(outputs, along)
        return [table[y] for y in outputs]

    def one_output(self, name: str) -> Any:
        """Return f's output, which has to be one number."""
        if isinstance(self.output, (list, tuple, dict)):
            message = f"{name} differentiates functions that return one number, got a {type(self.output).__name__}: "
            raise TypeError(message + "use jacobian, or return the sum")
        return self.outputs[0]


@contextmanager
def _one_deeper() -> Iterator[int]:
    outer = _depth.get()
    token = _depth.set(outer + 1)
    try:
        with recording():  # even inside no_grad(): the record is ours
            yield outer
    finally:
        _depth.reset(token)


def _input(x: Any) -> Node:
    """Return a node for one input: a leaf for a number; for a node, its identity, which no other call shares."""
    return arithmetic.identity(x) if isinstance(x, Node) else Value(x)
