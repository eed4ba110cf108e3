"""Derivatives of Symbols that hold under conditions: how closed branches stay closed in derivative graphs.

For numbers a closed branch is the structural zero `ZERO`. Whether a Symbol's branch is closed is not known yet, so the
derivative is an expression with the conditions under which its branch is open, and elsewhere it is 0:

    d/dx where(x > 0, log(x), 0) = where(x > 0, 1/x, 0)

The conditions are applied after the products of the chain rule, never before: 0 · (1/x) would be nan at x = 0. Outside
a domain a derivative is nan, which products keep; there it is applied before them. What is closed comes first: no nan
passes it, whichever factor is which.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from microgradlib.ops.dispatch import is_node
from microgradlib.ops.exponential import exp
from microgradlib.ops.record import GRAPH
from microgradlib.ops.rules import ZERO
from microgradlib.ops.selection import where

__all__ = ["add", "chain_product", "unguarded"]

MOST_CONDITIONS = 4
"""With more conditions, those of closed branches are joined to one: products along a path of n nodes take time O(n)."""


class Undefined(NamedTuple):
    """A derivative outside its domain: what `undefined` of the namespace returns, a choice of `where`."""

    x: Any
    """An expression of all inputs on which the derivative depends."""

    def node(self) -> Any:
        """Return nan as a node that depends on x, so that every derivative of it is nan too: exp(nan · x)."""
        return exp(self.x * math.nan)

    def times(self, y: Any) -> Any:
        """Return nan as a node that depends on x, and on y if that is a node."""
        return self.node() * y if is_node(y) else self.node()


class Factor:
    """Marks one factor of a product; each factor is another object."""


class Condition(NamedTuple):
    """A node that must be true, or false as `wanted` says, for an expression to hold; else it is `otherwise`."""

    node: Any
    wanted: bool
    otherwise: Any = ZERO
    """`ZERO` where a branch is closed; `Undefined` outside the domain of a derivative that is a number inside; a
    `Factor` where the node itself is a factor, which closes its branch where it is 0."""

    @property
    def is_closed(self) -> bool:
        """Whether it closes a branch."""
        return not _is_domain(self)


class Guarded(NamedTuple):
    """An expression, and the conditions under which it holds, the first one judged first; those of branches lead."""

    expression: Any
    conditions: tuple[Condition, ...]
    is_applied: bool = False
    """Whether the expression is already what the conditions make of it; they are needed after a further product."""


def choose(condition: Any, x: Any, y: Any) -> Any:
    """Return x or y as `condition` says; for a condition that is a node, an expression of both, guarded if need be.

    This is `where` of the namespace over which the rules of derivatives run.
    """
    if x is y:
        return x
    if not is_node(condition):
        return x if condition else y
    for kept, other, wanted in ((x, y, True), (y, x, False)):
        if other is ZERO:
            return _guarded(kept, (Condition(condition, wanted),))
    for kept, other, wanted in ((x, y, True), (y, x, False)):
        if isinstance(other, Undefined) and (isinstance(kept, float) or _is_defined_in_parts(kept)):
            return _guarded(kept, (Condition(condition, wanted, other),))
    chosen = where(condition, unguarded(x), unguarded(y))
    open_x, open_y = _reached(x), _reached(y)
    if open_x is open_y is True:
        return chosen
    is_open = where(condition, *[1.0 if x is True else x for x in (open_x, open_y)])
    return Guarded(chosen, (Condition(is_open, wanted=True),), is_applied=True)


def _is_defined_in_parts(x: Any) -> bool:
    """Return whether x is a number that has only domains, but no closed branches, as conditions."""
    return isinstance(x, Guarded) and not x.conditions[0].is_closed and isinstance(x.expression, float)


def closed_at_zero(x: Any) -> Any:
    """Return x as a derivative; where it is 0 its branch is closed.

    Products are x · y with 0 · inf = 0, not `where(x, x * y, 0)`, so that their derivative by x is y at x = 0 too.
    """
    return Guarded(1.0, (Condition(x, wanted=True, otherwise=Factor()),)) if is_node(x) else x or ZERO


def _guarded(x: Any, outer: tuple[Condition, ...]) -> Any:
    """Return x under further conditions: those of closed branches are judged first, then outer ones before inner."""
    expression, inner = (x.expression, x.conditions) if isinstance(x, Guarded) else (x, ())
    conditions = tuple(dict.fromkeys((*outer, *inner)))
    if len(conditions) > 1:
        conditions = tuple(sorted(conditions, key=_is_domain))
    if len(conditions) <= MOST_CONDITIONS:
        return Guarded(expression, conditions) if conditions else expression
    joined = Guarded(expression, conditions)
    is_open = _reached(joined)
    if is_open is True:
        return unguarded(joined)
    return Guarded(unguarded(joined), (Condition(is_open, wanted=True),), is_applied=True)


def _is_domain(condition: Condition) -> bool:
    return isinstance(condition.otherwise, Undefined)


def unguarded(x: Any) -> Any:
    """Return a gradient, perhaps guarded, as a plain expression or number."""
    if not isinstance(x, Guarded):
        return x.node() if isinstance(x, Undefined) else x
    if x.is_applied:
        return x.expression
    expression = unguarded(x.expression)
    for node, wanted, otherwise in reversed(x.conditions):
        if isinstance(otherwise, Factor):
            expression = GRAPH.strong_mul(node, expression)
            continue
        number = 0.0 if otherwise is ZERO else otherwise.times(expression)
        expression = where(node, expression, number) if wanted else where(node, number, expression)
    return expression


def _reached(x: Any) -> Any:
    """Return a node that is not 0 where no branch on the way to x is closed; True if none ever is."""
    result: Any = True
    for condition in reversed(x.conditions if isinstance(x, Guarded) else ()):
        node, wanted, _ = condition
        if condition.is_closed and wanted and result is True:
            result = node
        elif condition.is_closed or result is not True:
            number = 0.0 if condition.is_closed else 1.0
            result = 1.0 if result is True else result
            result = where(node, result, number) if wanted else where(node, number, result)
    return result


def chain_product(gradient: Any, derivative: Any) -> Any:
    """Return gradient · derivative, numbers, nodes or guarded expressions; `ZERO` if either is."""
    if gradient is ZERO or derivative is ZERO:
        return ZERO
    for one, other in ((gradient, derivative), (derivative, gradient)):
        if _is_one(one):
            return other
    (x, x_conditions), (y, y_conditions) = _parts(gradient), _parts(derivative)
    product = y if _is_one(x) else x if _is_one(y) else x * y
    return _guarded(product, (*x_conditions, *y_conditions))


def _parts(x: Any) -> tuple[Any, tuple[Condition, ...]]:
    return (unguarded(x.expression), x.conditions) if isinstance(x, Guarded) else (unguarded(x), ())


def _is_one(x: Any) -> bool:
    return isinstance(x, float) and x == 1


def add(x: Any, y: Any) -> Any:
    """Return the sum of two gradients. A node is reached if one of its consumers passes something on."""
    if x is ZERO or y is ZERO:
        return y if x is ZERO else x
    if isinstance(x, Guarded) and isinstance(y, Guarded) and _names(x) == _names(y):
        return Guarded(x.expression + y.expression, x.conditions, x.is_applied and y.is_applied)
    total = unguarded(x) + unguarded(y)
    open_x, open_y = _reached(x), _reached(y)
    if open_x is True or open_y is True:
        return total
    return Guarded(total, (Condition(where(open_x, 1.0, open_y), wanted=True),), is_applied=True)


def _names(x: Guarded) -> list[tuple[int, bool, Any]]:
    return [(id(node), wanted, isinstance(other, Factor) and id(other)) for node, wanted, other in x.conditions]


GRAPH.where = choose
GRAPH.undefined = Undefined
GRAPH.closed_at_zero = closed_at_zero
