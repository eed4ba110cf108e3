"""Dispatch of a call of an op: floats to its rule, nodes to their class, arrays to each of their elements."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float, holds_elements, refuse_of_another_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["apply", "complete", "element_wise", "is_node", "wrapped"]


_FLOATS = {float}


def is_node(thing: Any) -> bool:
    """Return whether `thing` is a node: of a class that makes nodes by the ops of the table."""
    return hasattr(thing, "__apply_op__")


def complete(op: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs of a call with the defaults of those left out. Raises TypeError for a wrong number of them."""
    wanted = op.arity
    if wanted is None:
        if not inputs:
            message = f"{op.name} needs at least one input"
            raise TypeError(message)
        return inputs
    missing = wanted - len(inputs)
    if missing and 0 < missing <= len(op.defaults):
        return (*inputs, *op.defaults[-missing:])
    if missing:
        message = f"{op.name} takes {wanted} input{'s' * (wanted != 1)}, got {len(inputs)}: {op.formula}"
        raise TypeError(message)
    return inputs


def apply(op: Any, inputs: tuple[Any, ...]) -> Any:
    """Return op(*inputs); defaults are filled in already. Raises TypeError for an input that is not a number."""
    kinds = set(map(type, inputs))
    if kinds == _FLOATS:
        return op.compute(*inputs)
    makers = [kind.__apply_op__ for kind in kinds if hasattr(kind, "__apply_op__")]
    if len(makers) < len(kinds) and any(map(holds_elements, inputs)):
        return element_wise(op, inputs)
    if not makers:
        return op.compute(*map(as_float, inputs))
    count = op.setting_count
    if count and not any(map(is_node, inputs[-count:])):  # plain numbers: settings of the op, not parents
        op, inputs = op.bind(*map(as_float, inputs[-count:])), inputs[:-count]
    for make in makers:  # in any order: at most one of them takes the inputs
        node = make(op, inputs)
        if node is not NotImplemented:
            return node
    for x in inputs:
        if not is_node(x):
            as_float(x)  # raises the TypeError for what is not a number
    message = f"{op.name} has no way to join {' and '.join(sorted(kind.__name__ for kind in kinds))}"
    raise TypeError(message)


def wrapped(x: Any) -> Any:
    """Return a node as an array of objects without axes, which NumPy takes as one element; anything else unchanged.

    Arrays of other libraries become NumPy's: theirs hold no objects.
    """
    numpy = importlib.import_module("numpy")
    if not is_node(x):
        if hasattr(x, "__array__") and not isinstance(x, (numpy.ndarray, numpy.generic)):
            refuse_of_another_graph(x)
            return numpy.asarray(x)
        return x
    array = numpy.empty((), dtype=object)
    array[()] = x
    return array


def element_wise(function: Callable[..., Any], inputs: Sequence[Any], plain: type = float, **keywords: Any) -> Any:
    """Apply `function` to arrays and single numbers with NumPy's broadcasting.

    The result is of dtype `plain` if no element is a Value or Symbol; otherwise it is an object array of them.
    `keywords` are those of NumPy's ufuncs, such as `out` and `where`.

    >>> import numpy as np
    >>> from microgradlib import Value
    >>> (np.array([1.0, 2.0]) * Value(3.0)).tolist()
    [Value(data=3.0, grad=0.0, op='*'), Value(data=6.0, grad=0.0, op='*')]
    """
    numpy = importlib.import_module("numpy")  # installed, as an input is an array
    vectorised = numpy.frompyfunc(function, len(inputs), 1 + (function is divmod))
    with numpy.errstate(all="ignore"):  # nan and inf are results as any others
        result = vectorised(*map(wrapped, inputs), **keywords)
    if not isinstance(result, numpy.ndarray) or "out" in keywords:
        return result
    return result if any(map(is_node, result.flat)) else result.astype(plain)
