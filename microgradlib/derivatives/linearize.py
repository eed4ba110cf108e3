"""Run a function once on fresh input nodes, for the transforms to differentiate the recorded graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set as AbstractSet
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.calling import call, returned
from microgradlib._support.number import as_float, is_whole
from microgradlib._support.pytree import flatten, is_ndarray, unflatten, unflatten_matrix
from microgradlib._support.shown import shown
from microgradlib.core.arrays import node_array
from microgradlib.core.autodiff import grad_table, gradients, tangent_table, useful_derivatives
from microgradlib.core.changes import check_unchanged
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.lost_derivatives import differentiating, warn_of_reads
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.value import Value, as_node
from microgradlib.ops import ZERO, derivative_graph
from microgradlib.ops.guards import add, chain_product, unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Linearization", "argument_positions", "by_position", "check_argnums", "nested", "nested_matrix", "tangents"]

N = TypeVar("N", bound=Node)

nested = partial(unflatten, array=node_array)
nested_matrix = partial(unflatten_matrix, array=node_array)
"""As `unflatten` and `unflatten_matrix`; arrays of nodes compute by the ops of the table."""


def check_argnums(argnums: Any, *, several: bool = True) -> None:
    """Raise `TypeError` unless `argnums` is a whole number or, if there may be `several`, a list or tuple of them.

    >>> check_argnums("x", several=False)
    Traceback (most recent call last):
    TypeError: argnums must be the position of an argument, counted from 0, got 'x'; write argnums=0
    """
    unordered = (str, bytes, Mapping, AbstractSet)
    is_list = several and isinstance(argnums, Collection) and not isinstance(argnums, unordered)
    if not all(map(is_whole, argnums if is_list else [argnums])):
        what, example = "the position of an argument", "argnums=0"
        if several:
            what, example = f"{what} or a tuple of positions", f"{example} or argnums=(0, 1)"
        message = f"argnums must be {what}, counted from 0, got {shown(argnums)}; write {example}"
        raise TypeError(message)


def argument_positions(argnums: int | Sequence[int], count: int) -> list[int]:
    """Return `argnums` as positions from 0 in a call with `count` arguments; negative ones count from the end.

    Raises `ValueError` unless each is at least -count and less than count.

    >>> argument_positions((0, -1), 3)
    [0, 2]
    """
    given: Any = argnums
    positions: list[Any] = [given] if is_whole(given) else list(given)
    if all(-count <= int(i) < count for i in positions):
        return [int(i) % count for i in positions]
    if count == 0:
        raise TypeError("nothing to differentiate by: the function was called without an argument by position")
    message = (
        f"argnums must be positions of arguments, got {shown(argnums)} in a call with {count} "
        f"argument{'s' * (count != 1)}: write "
        + (f"integers from {-count} to {count - 1}" if count > 1 else "0, or leave it out")
    )
    raise ValueError(message)


def by_position(arguments: Sequence[Any], argnums: int | Sequence[int]) -> Any:
    """Return the structure of derivatives by `arguments`: that of the one argument for an int, else a tuple of all.

    >>> by_position([[1.0, 2.0]], 0), by_position([[1.0, 2.0]], (0,))
    ([1.0, 2.0], ([1.0, 2.0],))
    """
    return arguments[0] if is_whole(argnums) else tuple(arguments)


class Linearization:
    """A recorded call of f: its input and output nodes, and its derivatives by reverse and forward mode.

    Derivatives are numbers, or nodes (`as_graph`) if f was called inside another transformed function or on nodes.

    Args:
        f: the function.
        arguments: its positional arguments, nested structures of numbers and nodes.
        keywords: its keyword arguments, passed on unchanged.
        positions: the positions of the arguments to differentiate by; their numbers become new input nodes.

    Raises `ValueError` if f reaches a node among these arguments in another way than by its parameter.
    """

    def __init__(
        self, f: Callable[..., Any], arguments: Sequence[Any], keywords: dict[str, Any], positions: Sequence[int]
    ) -> None:
        self.arguments = [arguments[i] for i in positions]
        with recording():
            fresh = list(arguments)
            for i in positions:
                fresh[i] = nested(arguments[i], [_input(x) for x in flatten(arguments[i])])
            self.inputs: list[Any] = [x for i in positions for x in flatten(fresh[i])]
            with differentiating(self.inputs) as enclosing:
                self.output = _without_axes(call(f, "give as many as it takes", *fresh, **keywords))
                self.outputs = returned(f, flatten(self.output), _output)
                warn_of_reads(self.outputs)
        given = [x for x in flatten(self.arguments) if isinstance(x, Node)]
        self.as_graph = bool(enclosing or given)
        if given:
            self._check_reached_by_parameter(given, [x for inputs in enclosing for x in inputs])

    def _check_reached_by_parameter(self, given: Sequence[Node], enclosing: Sequence[Node]) -> None:
        """Raise `ValueError` if the outputs depend on a given node itself, unless an enclosing transform made it.

        The derivative has no part for what f computes from that node itself, as a network whose parameters are given
        does: it would be wrong without notice. In nested transforms that is what a partial derivative means.
        """
        used = set(topological_sort(*self.outputs, known=self.inputs)).intersection(given)
        if used:
            used -= descendants(topological_sort(*used), enclosing)
        if used:
            first = next(x for x in given if x in used)
            message = (
                f"f depends on {shown(first)}, a node of its argument, not only by its parameter but by itself, from "
                "outside; the derivative would leave that out: compute with the parameter of f alone (for a network, "
                "nn.functional_call(model, parameters, x)), or write gradients(f(…), inputs) or "
                "krylov.hessian_products(f(…), inputs), which differentiate by the nodes themselves"
            )
            raise ValueError(message)

    def result(self, outputs: Sequence[Any]) -> Any:
        """Return `outputs` in the structure of f's output: as nodes if `as_graph`, else as their numbers."""
        return nested(self.output, [y if self.as_graph else y.data for y in outputs])

    def gradients(self, output: Any) -> list[Any]:
        """Return ∂output/∂input for each input, by reverse mode."""
        if self.as_graph:
            return list(gradients(output, self.inputs))
        table = grad_table(output)
        return [float(table.get(x, 0.0)) for x in self.inputs]

    def tangents(self, outputs: Sequence[Any], direction: Sequence[Any]) -> list[Any]:
        """Return the derivative of each output along `direction`, one number for each input, by forward mode."""
        by_input = dict(zip(self.inputs, direction))
        if self.as_graph:
            return list(tangents(outputs, by_input))
        table = tangent_table(outputs, by_input)
        return [float(table[y]) for y in outputs]

    def single_output(self, transform: str) -> Any:
        """Return f's output; raise TypeError, naming the transform, if it is a list, tuple, dict or array."""
        if isinstance(self.output, (list, tuple, dict)) or is_ndarray(self.output):
            kind = f"array of shape {self.output.shape}" if is_ndarray(self.output) else type(self.output).__name__
            message = f"{transform} differentiates functions that return one number, not {kind}"
            raise TypeError(message + ": use jacobian, or return the sum")
        return self.outputs[0]


def _output(x: Any) -> Any:
    """Return an entry of the result of a function as a node. Raises `TypeError` for the result of a comparison."""
    if isinstance(x, Node):
        return x
    if isinstance(x, bool) or getattr(getattr(x, "dtype", None), "kind", "") == "b":
        message = (
            f"{x}, as a comparison gives, changes by steps, so all its derivatives are 0: return the number that is "
            "compared, or where(x > 1, 1.0, 0.0) if 0 is meant"
        )
        raise TypeError(message)
    return as_node(x)


def _input(x: Any) -> Node:
    """Return an input node that no other call shares: a leaf for a number, the identity of a node."""
    return derivative_graph.identity(x) if isinstance(x, Node) else Value(x)


def _without_axes(output: Any) -> Any:
    """Return an array without axes as the number or node in it, anything else unchanged."""
    return output.item() if is_ndarray(output) and output.shape == () else output


def tangents(outputs: Sequence[N], directions: Mapping[Any, Any]) -> list[N]:
    """Return Σ ∂output/∂x · directions[x] over the x of `directions`, for each output, as new nodes.

    What `gradients` does in reverse mode, in forward mode: `tangent_table`, with nodes instead of numbers.

    >>> from microgradlib import Symbol, evaluate
    >>> x, v = Symbol("x"), Symbol("v")
    >>> evaluate(tangents([x * x, x + 1], {x: v}), {x: 3.0, v: 2.0})
    [12.0, 2.0]
    """
    order = topological_sort(*outputs)
    check_unchanged(order)
    useful = descendants(order, directions)
    table: dict[Any, Any] = {x: v if isinstance(v, Node) else as_float(v) or ZERO for x, v in directions.items()}
    for node in order:
        if node in useful and node not in table:
            terms = [chain_product(d, table[parent]) for parent, d in useful_derivatives(node, useful)]
            table[node] = reduce(add, terms)
    return [output.constant(unguarded(table.get(output, ZERO))) for output in outputs]
