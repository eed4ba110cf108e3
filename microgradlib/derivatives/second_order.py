"""Transforms of functions to second order: hessian and hvp, by forward mode over reverse mode."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.pytree import flatten, same_shape
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import gradients
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.derivatives.linearize import (
    Linearization,
    argument_positions,
    by_position,
    check_argnums,
    nested,
    nested_matrix,
    tangents,
)
from microgradlib.ops import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.derivatives.signatures import FloatList, Hessian

__all__ = ["hessian", "hvp"]

P = ParamSpec("P")
N = TypeVar("N", bound=Node)
X = TypeVar("X")


@overload
def hessian(f: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = ...) -> Hessian[P]: ...
@overload
def hessian(f: Callable[..., Any], argnums: int | Sequence[int]) -> Callable[..., Any]: ...
@in_plain_words
def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Any:
    """Return the Hessian of f as a function: for each entry of the input, ∂²f/∂xᵢ∂xⱼ in the structure of the input.

    An array of shape s has a Hessian of shape s + s. For several `argnums` it is a tuple of tuples, as in JAX: entry
    [i][j] by arguments i and j. By the parameters of a network: `nn.functional_call`.

    Forward over reverse: the gradient is built as a graph and differentiated by one forward pass for each input, which
    visits only the nodes that depend on that input. Raises as `value_and_grad`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    >>> hessian(lambda x, y: x * y**2, argnums=(0, 1))(2.0, 3.0)
    ((0.0, 6.0), (6.0, 4.0))
    """
    check_function(f)
    check_argnums(argnums)

    @wraps(f)
    def matrix(*arguments: Any, **keywords: Any) -> Any:
        call = Linearization(f, arguments, keywords, argument_positions(argnums, len(arguments)))
        with recording():
            slopes = gradients(call.single_output("hessian"), call.inputs)
            if call.as_graph:
                columns: list[Any] = [tangents(slopes, {x: 1.0}) for x in call.inputs]
            else:
                columns = _columns(slopes, call.inputs)
        shape = by_position(call.arguments, argnums)
        return nested_matrix(shape, shape, zip(*columns))

    return matrix


def _columns(slopes: Sequence[Any], inputs: Sequence[Any]) -> list[list[float]]:
    """Return for each x of `inputs` the list of ∂slope/∂x, by a forward pass over the nodes that depend on x."""
    order = topological_sort(*slopes)
    position = {node: i for i, node in enumerate(order)}
    consumers: dict[Any, list[Any]] = {}
    for node in order:
        for parent in dict.fromkeys(node.parents):
            consumers.setdefault(parent, []).append(node)
    columns = []
    for x in inputs:
        stack, table = [x], {x: 1.0}
        dependent: dict[Any, None] = {}
        while stack:
            for consumer in consumers.get(stack.pop(), ()):
                if consumer not in dependent:
                    dependent[consumer] = None
                    stack.append(consumer)
        for node in sorted(dependent, key=position.__getitem__):
            tangent: float = ZERO
            for parent, local_derivative in zip(node.parents, node.local_derivatives):
                if local_derivative is not ZERO and table.get(parent, ZERO) is not ZERO:
                    tangent += local_derivative * table[parent]
            table[node] = tangent
        columns.append([float(table.get(slope, 0.0)) for slope in slopes])
    return columns


@overload
def hvp(f: Callable[..., Any], x: float, v: float) -> float: ...
@overload
def hvp(f: Callable[..., Any], x: float, v: N) -> N: ...
@overload
def hvp(f: Callable[..., Any], x: FloatList, v: Sequence[float]) -> list[float]: ...
@overload
def hvp(f: Callable[..., Any], x: X, v: Any) -> X: ...
def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Return H·v, the Hessian of f at x times v, without forming H: forward over reverse.

    x, v and the result have the same structure; otherwise `ValueError` is raised. The cost is a small multiple of f's,
    whatever the number of inputs.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 4.0], [1.0, 10.0])
    [68.0, 6.0]
    """
    check_function(f)
    if not same_shape(x, v):
        message = f"hvp needs x and v in the same nesting, got {shown(x)} and {shown(v)}"
        raise ValueError(message)
    call = Linearization(f, [x], {}, [0])
    with recording():
        slopes = gradients(call.single_output("hvp"), call.inputs)
        direction = flatten(v)
        call.as_graph = call.as_graph or any(isinstance(component, Node) for component in direction)
        return nested(x, call.tangents(slopes, direction))
