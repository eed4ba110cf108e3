"""Functions of functions: grad, value_and_grad, jvp, vjp, jacobian, hessian, hvp.

Each call of a transformed function records f once on fresh Values and differentiates the record. Numbers in, numbers
out; called inside another transformed function, or on Values or Symbols, the derivative is built as graph, so that it
can be differentiated again. Every call has input nodes of its own, so that derivatives of different calls cannot be
confused.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib._support.pytree import flatten, same_shape, unflatten
from microgradlib.core.autodiff import gradients, tangents
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.derivatives.linearize import Linearization
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def _positions(argnums: int | Sequence[int], count: int) -> list[int]:
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in chosen:
        if not isinstance(i, int) or not -count <= i < count:
            message = f"argnums names the arguments 0 to {count - 1} of this call, got {argnums!r}"
            raise ValueError(message)
    return [i % count for i in chosen]


def _per_argument(numbers: Sequence[Any], record: Linearization, argnums: int | Sequence[int]) -> Any:
    shaped = unflatten(record.arguments, numbers)
    return shaped[0] if isinstance(argnums, int) else tuple(shaped)


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return a function that gives f's value and its gradient, both by one forward and one backward pass.

    f takes numbers, or nested lists, tuples and dicts of numbers, and returns one number; the gradient has the shape of
    the argument `argnums` (a tuple of them for several). Raises `TypeError` if f returns several numbers.

    >>> value_and_grad(lambda p: p["w"] * p["x"] + p["b"])({"w": 2.0, "x": 3.0, "b": 1.0})
    (7.0, {'w': 3.0, 'x': 2.0, 'b': 1.0})
    """

    @wraps(f)
    def value_and_gradient(*arguments: Any, **keywords: Any) -> Any:
        record = Linearization(f, arguments, keywords, _positions(argnums, len(arguments)))
        output = record.one_output("grad")
        numbers = record.gradients(output)
        return record.result([output]), _per_argument(numbers, record, argnums)

    return value_and_gradient


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the gradient of f as a function: `grad(f)(x)` has the shape of x. Apply it again for higher orders.

    >>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
    (12.0, 12.0)
    >>> grad(lambda x: x * grad(lambda y: x + y)(2.0))(3.0)  # the inner derivative is 1, whatever x
    1.0
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*arguments: Any, **keywords: Any) -> Any:
        return both(*arguments, **keywords)[1]

    return gradient


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f(*primals) and its derivative J·v in the direction v = tangents: one forward sweep, however many inputs.

    `tangents` has the shape of `primals`, the arguments of f; otherwise `ValueError` is raised.

    >>> jvp(lambda x, y: [x * y, x + y], (3.0, 4.0), (1.0, 10.0))
    ([12.0, 7.0], [34.0, 11.0])
    """
    if not same_shape(list(primals), list(tangents)):
        message = f"jvp needs a tangent for each primal, in the same nesting: got {primals!r} and {tangents!r}"
        raise ValueError(message)
    record = Linearization(f, primals, {}, range(len(primals)))
    direction = [v if isinstance(v, Node) else as_float(v) for v in flatten(list(tangents))]
    record.as_graph = record.as_graph or any(isinstance(v, Node) for v in direction)
    return record.result(record.outputs), unflatten(record.output, record.tangents(record.outputs, direction))


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return f(*primals) and its pullback: v ↦ vᵀ·J, one backward pass, however many inputs.

    The pullback takes a v of the shape of f's output and returns a tuple with one entry for each primal, in its shape.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 3.0, 4.0)
    >>> value, pullback([1.0, 10.0])
    ([12.0, 7.0], (14.0, 13.0))
    """
    record = Linearization(f, primals, {}, range(len(primals)))

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        if not same_shape(record.output, cotangents):
            message = f"the pullback takes numbers in the shape of the output {record.output!r}, got {cotangents!r}"
            raise ValueError(message)
        weights = flatten(cotangents)
        with recording():
            output = reductions.dot(*weights, *record.outputs)
        return tuple(unflatten(record.arguments, record.gradients(output)))

    return record.result(record.outputs), pullback


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the Jacobian of f as a function: ∂output/∂input, in the shape of the output, of the shape of the input.

    For lists it is the list of rows. One backward pass for each output or one forward sweep for each input, whichever
    are fewer.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1], x[0]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0], [1.0, 0.0]]
    """

    @wraps(f)
    def rows(*arguments: Any, **keywords: Any) -> Any:
        record = Linearization(f, arguments, keywords, _positions(argnums, len(arguments)))
        n = len(record.inputs)
        if len(record.outputs) <= n:
            matrix = [record.gradients(y) for y in record.outputs]
        else:
            basis = [[float(i == j) for j in range(n)] for i in range(n)]
            matrix = [list(row) for row in zip(*[record.tangents(record.outputs, unit) for unit in basis])]
        return unflatten(record.output, [unflatten(record.arguments[0], row) for row in matrix])

    return rows


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return the Hessian of f as a function: ∂²f/∂x∂x, in the shape of the input, of the shape of the input.

    Forward over reverse: the gradient as graph, then one forward sweep along each input, over the nodes that depend on
    it; an input on which no entry of the gradient depends costs nothing.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """

    @wraps(f)
    def matrix(*arguments: Any, **keywords: Any) -> Any:
        record = Linearization(f, arguments, keywords, _positions(argnums, len(arguments)))
        with recording():
            slopes = gradients(record.one_output("hessian"), record.inputs)
            if record.as_graph:
                columns: list[Any] = [tangents(slopes, {x: 1.0}) for x in record.inputs]
            else:
                columns = _columns(slopes, record.inputs)
        shape = record.arguments[0]
        return unflatten(shape, [unflatten(shape, row) for row in zip(*columns)])

    return matrix


def _columns(slopes: Sequence[Any], inputs: Sequence[Any]) -> list[list[float]]:
    """Return ∂slopes/∂x for each x of `inputs`, each by a sweep over the nodes that depend on x and no others."""
    order = topological_sort(*slopes)
    position = {node: i for i, node in enumerate(order)}
    consumers: dict[Any, list[Any]] = {}
    for node in order:
        for parent in dict.fromkeys(node.parents):
            consumers.setdefault(parent, []).append(node)
    columns = []
    for x in inputs:
        table, waiting = {x: 1.0}, [x]
        affected: dict[Any, None] = {}
        while waiting:
            for consumer in consumers.get(waiting.pop(), ()):
                if consumer not in affected:
                    affected[consumer] = None
                    waiting.append(consumer)
        for node in sorted(affected, key=position.__getitem__):
            terms = zip(node.parents, node.local_derivatives)
            table[node] = sum(d * table[p] for p, d in terms if d and table.get(p))
        columns.append([float(table.get(slope, 0.0)) for slope in slopes])
    return columns


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Return H·v, the Hessian of f at x times v, without forming H: forward over reverse.

    x and v have the same shape, and so has the result. The cost is a small multiple of f's, whatever the number of
    inputs.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 4.0], [1.0, 10.0])
    [68.0, 6.0]
    """
    if not same_shape(x, v):
        message = f"hvp needs x and v in the same nesting, got {x!r} and {v!r}"
        raise ValueError(message)
    record = Linearization(f, [x], {}, [0])
    with recording():
        slopes = gradients(record.one_output("hvp"), record.inputs)
        direction = flatten(v)
        record.as_graph = record.as_graph or any(isinstance(component, Node) for component in direction)
        return unflatten(x, record.tangents(slopes, direction))
