"""Arrays of nodes: what a transform gives to a function in the place of an array of numbers.

An array of objects, with one difference: NumPy's functions compute on it by the ops of the table. On a plain array of
objects NumPy calls methods of each element, which fails where some elements are numbers, and compares them for
`np.maximum`, which then hides a nan.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import array_of, is_ndarray
from microgradlib._support.unique import unique
from microgradlib.core.ufuncs import (
    COMPARISONS,
    OPERATORS,
    PREDICATES,
    array_ufunc,
    check_targets,
    explained,
    inputs_of_op,
    op_named,
)
from microgradlib.ops import TABLE
from microgradlib.ops.dispatch import element_wise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["node_array"]

REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "maximum", "minimum": "minimum", "logaddexp": "logsumexp"}
"""The ops of any number of inputs, by the ufunc of which they are the `reduce`."""

LOOPS = OPERATORS.keys() - set(COMPARISONS)
"""The operators, which NumPy's loops over objects apply; their comparisons would make a bool of a Symbol."""


def node_array(nodes: Iterable[Any], shape: tuple[int, ...]) -> Any:
    """Return an array of nodes, in row-major order, on which NumPy's functions compute by the ops of the table.

    >>> import numpy as np
    >>> from microgradlib import Value
    >>> x = node_array([Value(-1.0), Value(2.0)], (2,))
    >>> np.square(np.maximum(x, 0.0)).sum()
    Value(data=4.0, grad=0.0, op='sum')
    """
    return _marked(array_of(nodes, shape))


@unique
def _array_class() -> Any:
    """Return the class NodeArray, a subclass of `numpy.ndarray`, made at its first use: NumPy is optional."""
    methods = {
        "__array_ufunc__": _array_ufunc,
        "__array_function__": _array_function,
        "__reduce__": _reduce,
        "astype": _astype,
        "std": _statistic("std"),
        "var": _statistic("var"),
    }
    return type("NodeArray", (import_module("numpy").ndarray,), {**methods, "__module__": __name__, "__slots__": ()})


def _marked(result: Any) -> Any:
    """Return an array of objects as a NodeArray, anything else unchanged."""
    return result.view(_array_class()) if is_ndarray(result) and result.dtype == "O" else result


def _plain(x: Any) -> Any:
    return x.view(import_module("numpy").ndarray) if isinstance(x, _array_class()) else x


def _array_ufunc(_self: Any, ufunc: Any, how: str, *inputs: Any, **keywords: Any) -> Any:
    """Return what `ufunc` gives on an array of nodes: operators by NumPy's loops, others by the ops of the table."""
    name = ufunc.__name__
    targets = keywords.get("out", ())
    check_targets((*targets, *inputs[: how == "at"]))
    if targets:
        keywords["out"] = tuple(map(_plain, targets))
    plain = [_plain(x) for x in inputs]
    if how == "reduce" and _is_whole_reduction(name, plain[0], keywords):
        return _marked(_reduced(TABLE[REDUCTIONS[name]], plain[0], keywords.get("axis", 0), keywords.get("keepdims")))
    if how == "reduce" and keywords.get("where", True) is not True:
        keywords.setdefault("initial", ufunc.identity)  # which arrays of objects have not by themselves
    has_loop = any(set(types) == set("O->") for types in ufunc.types)
    if name in PREDICATES and how == "__call__":
        result = element_wise(ufunc, plain, bool, **keywords)  # of each node, by its own __array_ufunc__
    elif has_loop and (name in LOOPS or not op_named(name, ufunc.nin)) and name not in {"fmax", "fmin"}:
        with import_module("numpy").errstate(all="ignore"):  # nan and inf are results as any others
            result = getattr(ufunc, how)(*plain, **keywords)
    else:
        result = array_ufunc(None, ufunc, how, *plain, **keywords)
    if result is NotImplemented or len(targets) == 1:
        return result if result is NotImplemented else targets[0]
    return tuple(map(_marked, result)) if isinstance(result, tuple) else _marked(result)


def _is_whole_reduction(name: str, x: Any, keywords: Mapping[str, Any]) -> bool:
    """Return whether an op of any number of inputs computes a reduction: of all entries, from no other start."""
    plain = {"axis", "keepdims", "dtype"}
    settings = {key: setting for key, setting in keywords.items() if key not in plain}
    untouched = {"initial": import_module("numpy")._NoValue, "where": True}
    return name in REDUCTIONS and x.size > 0 and all(settings[key] is untouched.get(key) for key in settings)


def _reduced(op: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Return the array whose entries are op(*entries of x along these axes): one node each, with ties shared evenly."""
    numpy = import_module("numpy")
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rows = numpy.moveaxis(x, axes, range(-len(axes), 0))
    rows = rows.reshape(*rows.shape[: x.ndim - len(axes)], -1)
    result = numpy.empty(rows.shape[:-1], dtype=object)
    for index in numpy.ndindex(result.shape):
        result[index] = op(*rows[index])
    if keepdims:
        return numpy.expand_dims(result, axes)
    return result if result.ndim else result.item()


def _statistic(name: str) -> Callable[..., Any]:
    """Return the method `var` or `std`, by the op of that name: at equal numbers NumPy's root has no derivative."""

    def method(  # noqa: PLR0917  NumPy's arguments
        self: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False,
        **settings: Any,
    ) -> Any:  # fmt: skip
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        n = math.prod(self.shape[i] for i in axes)
        if dtype is not None or out is not None or settings or n <= ddof:
            return getattr(super(_array_class(), self), name)(axis, dtype, out, ddof, keepdims, **settings)
        result = _reduced(TABLE[name], _plain(self), axis, keepdims)
        factor = n / (n - ddof)
        return _marked(result * (factor if name == "var" else math.sqrt(factor)) if ddof else result)

    return method


def _array_function(self: Any, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
    """Return what another function of NumPy gives on an array of nodes; `where` and `clip` are ops."""
    name = function.__name__
    if name == "norm" and len(arguments) == 1 and not keywords and self.size:
        return TABLE["norm"](*self.flat)  # its derivative at 0 is 0, that of the root of a sum is not defined
    if inputs := inputs_of_op(name, arguments, keywords):
        return _marked(element_wise(TABLE[name], [_plain(x) for x in inputs]))
    try:
        result = super(_array_class(), self).__array_function__(function, types, arguments, keywords)
    except (TypeError, AttributeError) as error:
        raise explained(error, name) from error
    return result if result is NotImplemented else _marked(result)


def _astype(self: Any, dtype: Any, **settings: Any) -> Any:
    """Return a copy. Raises `TypeError` for a dtype of numbers, which would lose the nodes."""
    if dtype not in ("O", object):
        raise TypeError(
            "an array of Values as numbers would lose their derivatives: leave out astype, or pass their data"
        )
    return super(_array_class(), self).astype(dtype, **settings)


def _reduce(self: Any) -> Any:
    """Pickle as the plain array of objects."""
    return _plain(self).__reduce__()
