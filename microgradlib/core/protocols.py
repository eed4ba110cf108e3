"""What Value shares with Python's numbers, comparisons and conversions, and the errors of Symbol, which has no number.

While a function is compiled, the numbers of parameters are not known: comparisons then give nodes, 0 or 1.
"""

from __future__ import annotations

import sys
from numbers import Real
from typing import TYPE_CHECKING, Any, NoReturn, SupportsFloat

from microgradlib._support import display
from microgradlib._support.number import PLAIN_NUMBERS, as_float, holds_elements, is_array, is_foreign
from microgradlib.core.conversions import check_conversion
from microgradlib.core.lost_derivatives import READS_IN_USE, TRANSFORMS, note_conversion
from microgradlib.core.math_calls import refuse_math_call
from microgradlib.core.modes import MODES_IN_USE, is_compiling, is_unknown, refuse_unknown
from microgradlib.core.node import Node
from microgradlib.core.operators import named
from microgradlib.errors import SymbolHasNoValueError
from microgradlib.ops import derivative_graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops import Op

__all__ = [
    "comparison", "equal", "formatted", "is_left_to_others", "is_operand", "refuse", "refuse_float", "refuse_index",
    "refused", "refused_property", "rounded", "to_bool", "to_float", "to_int", "without_history",
]  # fmt: skip


def is_left_to_others(x: Any) -> bool:
    """Return whether neither Value nor Symbol makes a node from `x`: an array, or a node of another class."""
    if isinstance(x, Node) or x.__class__ in PLAIN_NUMBERS:
        return False
    return holds_elements(x) or hasattr(type(x), "__apply_op__")


def is_operand(x: Any) -> bool:
    """Return whether Value makes a node from `x`: a Value or a number, no Symbol, array or object of unknown class."""
    if isinstance(x, Node):
        return hasattr(x, "_float")
    return x.__class__ in PLAIN_NUMBERS or not (is_left_to_others(x) or is_foreign(x))


def comparison(op: Op, holds: Callable[[Any, Any], Any]) -> Callable[[Any, SupportsFloat], bool]:
    """Return the method that compares a Value to a number; of unknown numbers, the op makes a node."""

    def method(self: Any, other: Any) -> Any:
        if isinstance(other, Node):
            known = getattr(other, "_float", None)
        elif other.__class__ not in PLAIN_NUMBERS and is_left_to_others(other):
            known = other if is_array(other) else None
        else:
            known = as_float(other)
        if known is None:
            return NotImplemented
        if MODES_IN_USE and (is_unknown(self) or (isinstance(other, Node) and is_unknown(other))):
            return op(self, other)
        return holds(self._float, known)

    named(method, op).__doc__ = f"Return whether self {op.symbol} other; a node, 1 or 0, while a function is compiled."
    return method


def equal(value: Any, other: object) -> bool:
    """Return whether the numbers are equal, in a function that is being differentiated, which was written for numbers.

    In a function that is being compiled, a comparison with a number is refused if the Value's is not known.
    Elsewhere == is identity, so that Values can be the keys of dicts and the members of lists and sets.
    """
    if TRANSFORMS.get():
        if isinstance(other, Node):
            return bool(value.data == other.data)
        if other.__class__ in PLAIN_NUMBERS or isinstance(other, Real):
            return bool(value.data == other)
    elif MODES_IN_USE and other.__class__ in PLAIN_NUMBERS and is_compiling():
        refuse_unknown(value)
        return bool(value.data == other)
    return NotImplemented  # type: ignore[no-any-return]


def to_float(value: Any) -> float:
    """Return the number. Raises TypeError for a call by `math.sin` or the like, which would lose the graph."""
    check_conversion(value, sys._getframe(1))
    return _number(value)


def to_int(value: Any) -> int:
    """Return the whole part of the number."""
    if READS_IN_USE:
        note_conversion(value, sys._getframe(1), "int(value)")
    return int(_number(value))


def to_bool(value: Any) -> bool:
    """Return whether the number is not 0."""
    return bool(_number(value))


def _number(value: Any) -> float:
    if MODES_IN_USE:
        refuse_unknown(value)
    number: float = value._float
    return number


def rounded(value: Any, digits: int | None = None) -> float:
    """Return the number rounded."""
    if READS_IN_USE:
        note_conversion(value, sys._getframe(1), "round(value)")
    return round(_number(value), digits)


def refused(name: str) -> Callable[[Any], None]:
    """Return a method that raises TypeError and points to the package's function of this name."""

    def method(self: Any) -> None:  # noqa: ARG001  it always raises
        refuse_math_call(name)

    method.__name__ = f"__{name}__"
    method.__doc__ = f"Raise TypeError: math.{name} would lose the graph."
    return method


def refuse_index(value: Any) -> NoReturn:
    """Raise `TypeError`: a Value is a real number, no index or count."""
    message = f"{value!r} is a real number, no index or count: write int(value) where the whole part is meant"
    raise TypeError(message)


def refuse(symbol: Any, why: str) -> NoReturn:
    """Raise `SymbolHasNoValueError`: a Symbol cannot do this, and why."""
    message = f"{symbol!r} {why}"
    raise SymbolHasNoValueError(message)


def refused_property(why: str) -> Any:
    """Return a property that raises `SymbolHasNoValueError`."""
    return property(lambda symbol: refuse(symbol, why), doc=f"Raise `SymbolHasNoValueError`: a Symbol {why}.")


def refuse_float(symbol: Any, *_: object) -> NoReturn:
    """Raise `SymbolHasNoValueError`: a Symbol cannot become a float."""
    refuse(symbol, "cannot become a float: write microgradlib.exp(x) for math.exp(x), evaluate(x, {…}) for float(x)")


def formatted(value: Any, specification: str) -> str:
    """Return the number of a Value in a format, as in f"{value:.3f}"; without one, its repr."""
    return format(value._float, specification) if specification else repr(value)


def without_history(node: Any) -> Any:
    """Return a node as `no_grad` gives it: detached if its number is not known, else without op and parents."""
    if not hasattr(node, "_float") or is_compiling():
        return node if node.op is derivative_graph.detach else node.detach()
    node.op, node.parents, node._left_derivative = None, (), None
    return node


Node._repr_html_ = display.html  # type: ignore[attr-defined]  # of a Value, in cells of notebooks
Node._repr_latex_ = display.latex  # type: ignore[attr-defined]  # of a Symbol
