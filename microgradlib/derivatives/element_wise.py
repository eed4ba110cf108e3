"""elementwise_grad: the derivatives of a function that acts on each entry of its argument alone."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, overload

from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.pytree import same_shape
from microgradlib._support.shown import shown
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recording
from microgradlib.core.value import as_node
from microgradlib.derivatives.linearize import Linearization, argument_positions, check_argnums, nested
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.derivatives.signatures import Gradient

__all__ = ["elementwise_grad"]

P = ParamSpec("P")


@overload
def elementwise_grad(f: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = ...) -> Gradient[P]: ...
@overload
def elementwise_grad(f: Callable[..., Any], argnums: int) -> Callable[..., Any]: ...
@in_plain_words
def elementwise_grad(f: Callable[..., Any], argnums: int = 0) -> Any:
    """Return the derivative of f entry by entry, yᵢ′ = ∂f(x)ᵢ/∂xᵢ, as a function: of the shape of x, by one pass.

    f takes an array (or nested lists, tuples and dicts) at position `argnums` and computes each entry of its result,
    which has the same shape, from the entry of x in the same place alone: to plot f′, for instance. Apply it again for
    f″. A number is an array of one entry. HIPS autograd has the same function, which adds up the columns of the
    Jacobian if f is not element-wise; here that raises `ValueError`.

    >>> import numpy as np
    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    check_function(f)
    check_argnums(argnums, several=False)

    @wraps(f)
    def derivative(*arguments: Any, **keywords: Any) -> Any:
        call = Linearization(f, arguments, keywords, argument_positions(argnums, len(arguments)))
        [x] = call.arguments
        if not same_shape(x, call.output):
            message = (
                f"elementwise_grad needs an output of the shape of the argument {shown(x)}, got {shown(call.output)}"
            )
            raise ValueError(message)
        _check_element_wise(call)
        with recording():
            total = reductions.sum(*call.outputs) if call.outputs else as_node(0.0)
        return nested(x, call.gradients(total))

    return derivative


_SEVERAL = -1


def _check_element_wise(call: Linearization) -> None:
    """Raise `ValueError` if an output depends on an input in another place."""
    source = {x: i for i, x in enumerate(call.inputs)}  # the one input on which a node depends, or several
    for node in topological_sort(*call.outputs, known=call.inputs):
        sources = {source[parent] for parent in node.parents if parent in source}
        if sources:
            source[node] = sources.pop() if len(sources) == 1 else _SEVERAL
    for i, y in enumerate(call.outputs):
        if source.get(y, i) != i:
            message = (
                f"elementwise_grad needs a function of each entry alone, but entry {i} of the output depends on other "
                "entries of the argument: use jacobian, or grad of the sum"
            )
            raise ValueError(message)
