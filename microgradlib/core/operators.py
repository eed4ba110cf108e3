"""Methods and operators of nodes, made from the ops of the table; what they do with operands of other classes."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeVar

from microgradlib._support.number import PLAIN_NUMBERS, as_float, is_array, is_foreign
from microgradlib.ops.arithmetic import pow as power

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.core.graph import GraphNode
    from microgradlib.ops import Op

    N = TypeVar("N", bound=GraphNode)
    F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "div_mod", "matrix_product", "method", "named", "operator", "positive", "power_of", "reflected",
    "reflected_div_mod",
]  # fmt: skip


def method(op: Op) -> Callable[[N], N]:
    """Return the method that makes a node by an op of one input."""

    def apply(self: Any) -> Any:
        return self.__apply_op__(op, (self,))

    apply.__name__ = apply.__qualname__ = op.name
    apply.__doc__ = f"Return {op.formula}."
    return apply


def matrix_product(self: Any, other: Any) -> Any:  # noqa: ARG001  no node has one
    """Raise `TypeError`: a node is one number. An array, or an object of another class, may know what to do."""
    if is_array(other) or is_foreign(other):
        return NotImplemented
    raise TypeError("@ joins vectors and matrices, and a Value is one number: write x * y, or dot(xs, ys) for lists")


_NAMES = {"div": "truediv", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}
"""The ops whose operators have other names in Python."""


def named(function: F, op: Op, prefix: str = "") -> F:
    """Give a function the name of the operator that it implements, `__add__` for the op add, and its documentation."""
    function.__name__ = function.__qualname__ = f"__{prefix}{_NAMES.get(op.name, op.name)}__"
    function.__doc__ = f"Return {op.formula}."
    return function


def operator(op: Op) -> Callable[[N, SupportsFloat | N], N]:
    """Return the method for `self op other`.

    The node's own class makes the node if it can; else the op joins what it knows (arrays, Values with Symbols); an
    operand of an unknown class is left to compute the result itself.
    """

    def apply(self: Any, other: Any) -> Any:
        node = self.__apply_op__(op, (self, other))
        return node if node is not NotImplemented or is_foreign(other) else op(self, other)

    return named(apply, op)


def reflected(op: Op) -> Callable[[N, SupportsFloat | N], N]:
    """Return the method for `other op self`."""

    def apply(self: Any, other: Any) -> Any:
        node = self.__apply_op__(op, (other, self))
        return node if node is not NotImplemented or is_foreign(other) else op(other, self)

    return named(apply, op, "r")


_power: Callable[[Any, Any], Any] = operator(power)


def power_of(node: N, exponent: SupportsFloat | N) -> N:
    """Return node ** exponent. An exponent that is a plain number, as in **2, is a setting of the op, not a parent."""
    base: Any = node
    result: N
    if exponent.__class__ in PLAIN_NUMBERS or isinstance(exponent, Real):
        result = base.__apply_op__(power.bind(as_float(exponent)), (node,))
    else:
        result = _power(node, exponent)
    return result


def div_mod(node: N, other: SupportsFloat | N) -> tuple[N, N]:
    """Return divmod(node, other): the whole quotient and the remainder."""
    dividend: Any = node  # GraphNode has no arithmetic, its subclass Node has
    return dividend // other, dividend % other


def reflected_div_mod(node: N, other: SupportsFloat | N) -> tuple[N, N]:
    """Return divmod(other, node): the whole quotient and the remainder."""
    divisor: Any = node
    return other // divisor, other % divisor


def positive(node: N) -> N:
    """Return +node, which is the node itself."""
    return node
