"""Transforms of functions to first order: grad, value_and_grad, jvp, vjp, jacobian.

Each call of a transformed function runs f once on fresh input nodes and differentiates the recorded graph. Numbers give
numbers; called inside another transformed function, or on Values or Symbols, the derivative is built as a graph, so
that it can be differentiated again. Every call has input nodes of its own, so derivatives of different calls cannot be
confused (perturbation confusion).
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.number import as_operand, is_one_number
from microgradlib._support.pytree import flatten, same_shape
from microgradlib._support.shown import shown
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.value import as_node
from microgradlib.derivatives.linearize import (
    Linearization,
    argument_positions,
    by_position,
    check_argnums,
    nested,
    nested_matrix,
)
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Never

    from microgradlib.derivatives.signatures import (
        Gradient,
        ListJacobian,
        Numbers,
        TupleJacobian,
        ValueAndGradient,
    )

__all__ = ["grad", "jacobian", "jvp", "value_and_grad", "vjp"]

P = ParamSpec("P")
N = TypeVar("N", bound=Node)
X = TypeVar("X")
Y = TypeVar("Y", bound="Node | float")


@overload
def value_and_grad(f: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = ...) -> ValueAndGradient[P]: ...
@overload
def value_and_grad(f: Callable[..., Any], argnums: int) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(f: Callable[..., Any], argnums: Sequence[int]) -> Callable[..., tuple[Any, tuple[Any, ...]]]: ...
@in_plain_words
def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Any:
    """Return a function that gives f's value and its gradient, by one forward and one backward pass.

    f takes numbers, or nested lists, tuples, dicts and NumPy arrays of numbers, and returns one number. The gradient
    has the structure of the argument at position `argnums`; for several positions it is a tuple with an entry for each.
    For an array, f computes on an array of nodes, and the gradient is an array of float64 of the same shape, so that
    `scipy.optimize.minimize(value_and_grad(f), x0, jac=True)` works. For Values and Symbols it is built as a graph.

    Raises `TypeError` if f returns several numbers, `ValueError` if `argnums` is not a position of an argument, or if f
    depends on a Value in that argument in another way than by its parameter: for a network, `nn.functional_call`.
    A number that f takes out of a Value is a constant: `float(x)` warns of it, `x.data` and `x.detach()` say that it is
    meant.

    >>> value_and_grad(lambda p: p["w"] * p["x"] + p["b"])({"w": 2.0, "x": 3.0, "b": 1.0})
    (7.0, {'w': 3.0, 'x': 2.0, 'b': 1.0})
    >>> import numpy as np
    >>> value_and_grad(lambda x: np.sum(x**2))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    (30.0, array([[2., 4.],
           [6., 8.]]))
    """
    check_function(f)
    check_argnums(argnums)

    @wraps(f)
    def value_and_gradient(*arguments: Any, **keywords: Any) -> Any:
        call = Linearization(f, arguments, keywords, argument_positions(argnums, len(arguments)))
        output = call.single_output("grad")
        gradient = nested(by_position(call.arguments, argnums), call.gradients(output))
        return output if call.as_graph else output.data, gradient

    return value_and_gradient


@overload
def grad(f: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = ...) -> Gradient[P]: ...
@overload
def grad(f: Callable[..., Any], argnums: int) -> Callable[..., Any]: ...
@overload
def grad(f: Callable[..., Any], argnums: Sequence[int]) -> Callable[..., tuple[Any, ...]]: ...
@in_plain_words
def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Any:
    """Return the gradient of f as a function: `grad(f)(x)` has the structure of x. Apply it again for higher orders.

    Arguments and errors as for `value_and_grad`.

    >>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
    (12.0, 12.0)
    >>> grad(lambda x: x * grad(lambda y: x + y)(2.0))(3.0)  # the inner derivative is 1, whatever x
    1.0
    """
    value_and_gradient: Callable[..., Any] = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*arguments: Any, **keywords: Any) -> Any:
        return value_and_gradient(*arguments, **keywords)[1]

    return gradient


@overload
def jvp(
    f: Callable[..., Node | float], primals: float | Sequence[Numbers], tangents: float | Sequence[Numbers]
) -> tuple[float, float]: ...
@overload
def jvp(
    f: Callable[..., list[Y]], primals: float | Sequence[Numbers], tangents: float | Sequence[Numbers]
) -> tuple[list[float], list[float]]: ...
@overload
def jvp(f: Callable[..., Node | float], primals: N | Sequence[N], tangents: Any) -> tuple[N, N]: ...
@overload
def jvp(f: Callable[..., Any], primals: Node | float | Sequence[Any], tangents: Any) -> tuple[Any, Any]: ...
def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return f(*primals) and its derivative J·v in the direction v = tangents, by one forward pass.

    Both have the structure of f's output. `tangents` has the structure of `primals`, the arguments of f; otherwise
    `ValueError` is raised. A function of one number takes the two numbers themselves; `TypeError` is raised for
    anything else that is no tuple or list.

    >>> jvp(lambda x, y: [x * y, x + y], (3.0, 4.0), (1.0, 10.0))
    ([12.0, 7.0], [34.0, 11.0])
    >>> jvp(lambda x: x * x, 3.0, 10.0)
    (9.0, 60.0)
    """
    check_function(f)
    if is_one_number(primals) and is_one_number(tangents):
        primals, tangents = (primals,), (tangents,)
    if not isinstance(primals, (list, tuple)) or not isinstance(tangents, (list, tuple)):
        message = f"jvp takes a tuple of arguments and one of tangents, got {shown(primals)} and {shown(tangents)}"
        raise TypeError(message + ": for one argument write jvp(f, (x,), (v,))")
    if not same_shape(list(primals), list(tangents)):
        message = (
            f"jvp needs a tangent for each primal, in the same nesting: got {shown(primals)} and {shown(tangents)}"
        )
        raise ValueError(message)
    call = Linearization(f, primals, {}, range(len(primals)))
    direction = [as_operand(v) for v in flatten(list(tangents))]
    call.as_graph = call.as_graph or any(isinstance(v, Node) for v in direction)
    return call.result(call.outputs), nested(call.output, call.tangents(call.outputs, direction))


@overload
def vjp(f: Callable[..., Any], *primals: Never) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]: ...  # type Any
@overload
def vjp(f: Callable[..., Node | float], *primals: float) -> tuple[float, Callable[[Any], tuple[float, ...]]]: ...
@overload
def vjp(f: Callable[..., list[Y]], *primals: float) -> tuple[list[float], Callable[[Any], tuple[float, ...]]]: ...
@overload
def vjp(f: Callable[..., Node | float], *primals: Numbers) -> tuple[float, Callable[[Any], tuple[Any, ...]]]: ...
@overload
def vjp(f: Callable[..., list[Y]], *primals: Numbers) -> tuple[list[float], Callable[[Any], tuple[Any, ...]]]: ...
@overload
def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]: ...
def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return f(*primals) and its pullback, v ↦ vᵀ·J, which is one backward pass for all inputs.

    The pullback takes a v of the structure of f's output and returns a tuple with one entry for each primal, in its
    structure. It raises `ValueError` for a v of another structure.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 3.0, 4.0)
    >>> value, pullback([1.0, 10.0])
    ([12.0, 7.0], (14.0, 13.0))
    """
    check_function(f)
    call = Linearization(f, primals, {}, range(len(primals)))

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        if not same_shape(call.output, cotangents):
            message = (
                f"the pullback takes numbers in the shape of the output {shown(call.output)}, got {shown(cotangents)}"
            )
            raise ValueError(message)
        weights = [as_operand(v) for v in flatten(cotangents)]
        pairs = [(v, y) for v, y in zip(weights, call.outputs) if isinstance(v, Node) or v]  # a 0 reaches nothing
        with recording():
            output = reductions.dot(*[v for v, _ in pairs], *[y for _, y in pairs]) if pairs else as_node(0.0)
        return tuple(nested(call.arguments, call.gradients(output)))

    pullback.__qualname__ = "pullback"
    return call.result(call.outputs), pullback


@overload
def jacobian(f: Callable[Concatenate[Any, P], Node | float], argnums: Literal[0] = ...) -> Gradient[P]: ...
@overload
def jacobian(f: Callable[Concatenate[Any, P], list[Y]], argnums: Literal[0] = ...) -> ListJacobian[P]: ...
@overload
def jacobian(f: Callable[Concatenate[Any, P], tuple[Y, ...]], argnums: Literal[0] = ...) -> TupleJacobian[P]: ...
@overload
def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = ...) -> Callable[..., Any]: ...
@in_plain_words
def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Any:
    """Return the Jacobian of f as a function: for each entry of the output, a structure like the input.

    A function from a list to a list has a list of rows, ∂outputᵢ/∂inputⱼ; one from an array to an array an array of
    shape output.shape + input.shape. For several `argnums` there is a tuple of such structures in each entry, as in
    JAX. It takes one backward pass for each output or one forward pass for each input, whichever are fewer.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1], x[0]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 1.0], [1.0, 0.0]]
    >>> jacobian(lambda x, y: x * y**2, argnums=(0, 1))(2.0, 3.0)
    (9.0, 12.0)
    """
    check_function(f)
    check_argnums(argnums)

    @wraps(f)
    def rows(*arguments: Any, **keywords: Any) -> Any:
        call = Linearization(f, arguments, keywords, argument_positions(argnums, len(arguments)))
        n = len(call.inputs)
        if len(call.outputs) <= n:
            matrix = [call.gradients(y) for y in call.outputs]
        else:
            basis = [[float(i == j) for j in range(n)] for i in range(n)]
            columns = [call.tangents(call.outputs, unit) for unit in basis]
            matrix = [[column[i] for column in columns] for i in range(len(call.outputs))]
        return nested_matrix(call.output, by_position(call.arguments, argnums), matrix)

    return rows
