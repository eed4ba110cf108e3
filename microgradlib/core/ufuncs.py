"""NumPy's functions on nodes: `np.exp(v)`, `np.add(v, 1)`, `np.where(c, v, w)` give what the ops of the table give."""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import PLAIN_NUMBERS, as_float
from microgradlib.core import operators
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.ops import TABLE
from microgradlib.ops.dispatch import element_wise, is_node, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "COMPARISONS", "OPERATORS", "PREDICATES", "add_object_methods", "array_function", "array_ufunc", "check_targets",
    "explained", "inputs_of_op", "op_named", "refusal",
]  # fmt: skip

NAMES = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "deg2rad": "radians", "expit": "sigmoid", "fabs": "abs",
    "gammaln": "lgamma", "log_expit": "log_sigmoid", "psi": "digamma", "rad2deg": "degrees", "rint": "round",
}  # fmt: skip
"""The ops that NumPy and `scipy.special` call by other names; those that agree need no entry."""

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "divmod": divmod, "power": operator.pow,
    "float_power": operator.pow, "negative": operator.neg, "positive": operator.pos, "conjugate": operator.pos,
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip
"""The ufuncs behind Python's operators, which nodes define."""

COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
"""The operators whose results are bools, or Symbols."""

PREDICATES = (
    "isnan", "isinf", "isfinite", "signbit", "logical_and", "logical_not", "logical_or", "logical_xor",
)  # fmt: skip
"""The questions about numbers, which NumPy answers."""

OBJECT_METHODS = (
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "cosh", "deg2rad", "degrees",
    "exp2", "expm1", "fabs", "fmod", "hypot", "log10", "log1p", "log2", "rad2deg", "radians", "rint", "sinh",
)  # fmt: skip
"""The ufuncs that call the method of that name of each object in an array, beside the methods that Node defines."""


def op_named(name: str, inputs: int) -> Any:
    """Return the op by NumPy's name, if the table has one of so many inputs, else None."""
    op = TABLE.get(NAMES.get(name, name))
    return op if op is not None and op.arity in (inputs, None) else None


def add_object_methods(cls: type) -> None:
    """Give a class of nodes the methods by which NumPy computes on arrays of objects."""
    ops = {name: op_named(name, 2 if name in {"arctan2", "fmod", "hypot"} else 1) for name in OBJECT_METHODS}
    methods = {
        name: operators.operator(op) if op.arity == 2 else operators.method(op)
        for name, op in ops.items()
        if op is not None
    }
    for name, method in {**methods, "conjugate": operators.positive, "dtype": property(_dtype)}.items():
        setattr(cls, name, method)


def _dtype(node: Any) -> Any:
    """NumPy's dtype of a node, that of any object; NumPy's functions read it from the results of reductions."""
    if "numpy" not in sys.modules:
        message = f"{type(node).__name__} has no dtype until NumPy is imported"
        raise AttributeError(message)
    return sys.modules["numpy"].dtype(object)


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Return what NumPy's function `ufunc` gives if an input is a node: a node, or an array of them.

    The op of the table computes, on each element where another input is an array. `method` is "__call__", or the
    method of the ufunc that was called ("reduce", "outer", …). `out=` takes arrays of objects. Raises `TypeError` for a
    function that is no op.
    """
    name = ufunc.__name__
    function = OPERATORS.get(name)
    if function and inputs[-1] is self and method == "__call__" and not kwargs:  # as in np.float64(2.0) * v
        number: Any = inputs[0].item() if getattr(inputs[0], "shape", None) == () else None
        if number.__class__ in PLAIN_NUMBERS:
            return function(float(number), self)
    function = function or op_named(name, ufunc.nin)
    if function is None:
        return _by_other_ways(ufunc, method, inputs, kwargs)
    if any(map(_is_of_another_class, inputs)):
        return NotImplemented
    if method == "__call__" and not kwargs and not any(map(_has_elements, inputs)):
        return function(*[x if is_node(x) else _number(x) for x in inputs])
    check_targets((*kwargs.get("out", ()), *inputs[: method == "at"]), kwargs.pop("dtype", None))
    if method == "__call__":
        return element_wise(function, inputs, bool if name in COMPARISONS else float, **kwargs)
    vectorised = sys.modules["numpy"].frompyfunc(function, ufunc.nin, 1, identity=ufunc.identity)
    return getattr(vectorised, method)(*map(wrapped, inputs), **kwargs)


def check_targets(targets: Iterable[Any], dtype: Any = None) -> None:
    """Raise `TypeError` unless the arrays into which results go, and the dtype asked for, can hold nodes."""
    ndarray = sys.modules["numpy"].ndarray
    holders = [target is None or (isinstance(target, ndarray) and target.dtype == "O") for target in targets]
    if not all(holders) or dtype not in (None, object, "O"):
        message = (
            "results that are Values need an array of objects: write a = a + v instead of a += v, or make it one "
            "first, as in a.astype(object)"
        )
        raise TypeError(message)


def _has_elements(x: Any) -> bool:
    """Return whether NumPy takes `x` apart: an array with one axis or more, or a list."""
    return bool(getattr(x, "shape", None)) or isinstance(x, (list, tuple))


def _number(x: Any) -> Any:
    """Return a number as a float, a node in an array without axes as that node."""
    element = x.item() if getattr(x, "dtype", None) == "O" else x
    return element if is_node(element) else as_float(element)


def _is_of_another_class(x: Any) -> bool:
    """Return whether the class of `x` has a way of its own with ufuncs, as pandas has."""
    own = getattr(type(x), "__array_ufunc__", None)
    return own not in (None, array_ufunc, sys.modules["numpy"].ndarray.__array_ufunc__)


def _by_other_ways(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute what is no op: questions about the number, and functions of objects, as `np.frompyfunc` makes them."""
    if ufunc.__name__ in PREDICATES and method == "__call__":
        return ufunc(*[x.data if is_node(x) else x for x in inputs], **kwargs)
    if all(set(types) == set("O->") for types in ufunc.types):
        return getattr(ufunc, method)(*map(wrapped, inputs), **kwargs)
    raise TypeError(refusal(ufunc.__name__))


def refusal(name: str) -> str:
    """Return the message of the error for a function of NumPy or SciPy that is no op."""
    other = {"fmax": "maximum", "fmin": "minimum", "logaddexp2": "logaddexp"}.get(name)
    advice = f"write np.{other}" if other else "compute it from the functions of microgradlib, or pass value.data"
    return f"the function {name} of NumPy or SciPy is no op of microgradlib, so its derivative is not known: {advice}"


def array_function(_self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001  NumPy's names
    """Return what another function of NumPy gives if an argument is a node: `np.where`, `np.clip`, `np.stack`, ….

    Nodes become arrays of one element, and a result that is one becomes a node again. Raises `TypeError` where NumPy
    does, and says what to write.
    """
    name = func.__name__
    if inputs := inputs_of_op(name, args, kwargs):
        return element_wise(TABLE[name], inputs)
    if not _holds_node([args, kwargs]):  # np.poly(x) asks each element of an array: once is enough
        func = getattr(func, "_implementation", func)
    try:
        result = func(*_wrapped_in(args), **_wrapped_in(kwargs))
    except (TypeError, AttributeError) as error:
        raise explained(error, name) from error
    one_node = getattr(result, "shape", None) == () and getattr(result, "dtype", None) == "O"
    return result.item() if one_node else result


def inputs_of_op(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return the op's inputs if a call of NumPy's `where` or `clip` is one of the op of that name, else None.

    A bound of `clip` that is None or left out is infinite.
    """
    if name == "where":
        return args if len(args) == 3 and not kwargs else None
    if name != "clip" or not 1 <= len(args) <= 3 or kwargs.keys() & {"out", "where", "dtype", "casting"}:
        return None
    low, high = (*args[1:], None, None)[:2]
    low, high = kwargs.get("a_min", kwargs.get("min", low)), kwargs.get("a_max", kwargs.get("max", high))
    return args[0], -math.inf if low is None else low, math.inf if high is None else high


def explained(error: Exception, name: str) -> Exception:
    """Return an error of NumPy's function `name` with what to write instead; one of this library unchanged."""
    if "Value" in str(error) or isinstance(error, SymbolHasNoValueError):
        return error
    return TypeError(
        f"np.{name} cannot compute with Values: pass their data, or write it out over microgradlib ({error})"
    )


def _holds_node(arguments: Any) -> bool:
    """Return whether arguments are a node, or hold one outside arrays."""
    entries = arguments.values() if isinstance(arguments, dict) else arguments
    return is_node(arguments) or (isinstance(arguments, (list, tuple, dict)) and any(map(_holds_node, entries)))


def _wrapped_in(arguments: Any) -> Any:
    """Return arguments with every node in them as an array of one element."""
    if isinstance(arguments, dict):
        return {name: _wrapped_in(argument) for name, argument in arguments.items()}
    if type(arguments) in (list, tuple):
        return type(arguments)(map(_wrapped_in, arguments))
    return wrapped(arguments)
