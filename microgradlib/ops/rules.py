"""What the rules of several ops share: the structural zero of a closed branch, and functions that write branches."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import FLOATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Rule = Callable[..., Any]

__all__ = ["ZERO", "StructuralZero", "branch", "closed_rules", "of_the_others"]


class StructuralZero(float):
    """The class of `ZERO`, its only instance. Copies and pickles of it are `ZERO` itself."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "ZERO"

    if not TYPE_CHECKING:  # of which floats have none, and no message

        def __getattr__(self, name: str) -> Any:
            """Raise `AttributeError`: `p.grad.zero_()`, as PyTorch has it, is the first line of many a program."""
            message = f"a gradient is a plain number and has no {name}: write p.grad = 0.0, or model.zero_grad()"
            raise AttributeError(message)


ZERO = StructuralZero(0.0)
"""The number 0 that is stated rather than computed, known by its identity: `derivative is ZERO`.

As a local derivative: a closed branch (relu off, the branch not taken of `where`) or a derivative that is 0 everywhere
(that of `step`); nothing passes it, inf and nan neither. As a gradient: none has reached the node. In arithmetic it is
the number 0, and the result is an ordinary float; so a rule returns it, alone or by `xp.where`, and does not multiply
it. A 0 that is computed is an ordinary float, for which 0 · inf is nan.
"""


def branch(xp: Any, x: Any, taken: Any, closed: Any, slope: Any = 1.0) -> Any:
    """Return the local derivative of a branch: `slope` where it is taken, `ZERO` where closed, undefined at nan.

    `x` is an input, or any expression of all inputs on which the undefined derivative depends.

    >>> from microgradlib._support.floats import FLOATS
    >>> branch(FLOATS, 2.0, taken=True, closed=False), branch(FLOATS, -2.0, taken=False, closed=True) is ZERO
    (1.0, True)
    """
    return xp.where(closed, ZERO, xp.where(taken, slope, xp.undefined(x)))


class _Unknown:
    """An input of which nothing is known, and the namespace `xp` over it: what depends on it is unknown too."""

    def _combine(self, *_others: Any) -> _Unknown:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _combine
    __pow__ = __rpow__ = __neg__ = __lt__ = __le__ = __gt__ = __ge__ = _combine

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return the choice if it is known, or if both sides are 0."""
        if condition is not self:
            return x if condition else y
        return x if x is not self and y is not self and x == y == 0 else self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = vars(FLOATS).get(name)
        if function is None:  # of an op that is defined later, or a misspelt name
            raise AttributeError(name)
        if isinstance(function, partial):  # an op computed by its own rule
            return partial(function.func, self)
        return lambda *inputs: self if self in inputs else function(*inputs)


def closed_rules(rules: Sequence[Rule], settings: Sequence[float] = ()) -> tuple[Rule, ...]:
    """Return the derivative rules of an op, those that give 0 whatever output and inputs are replaced by `ZERO`.

    >>> rule, closed = closed_rules([lambda xp, z, x, y: 2 * x, lambda xp, z, x, y: 0.0])
    >>> closed(None, 1.0, 1.0, 1.0) is ZERO
    True
    """
    return tuple([_closed if _is_constant_zero(rule, len(rules), settings) else rule for rule in rules])


def _closed(*_: Any) -> float:
    return ZERO


def _is_constant_zero(rule: Rule, input_count: int, settings: Sequence[float]) -> bool:
    unknown = _Unknown()
    try:
        result = rule(unknown, unknown, *[unknown] * input_count, *settings)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return False
    return isinstance(result, (int, float)) and result == 0


def of_the_others(combine: Callable[[Any, Any], Any], xs: Sequence[Any], of_none: float = 0.0) -> list[Any]:
    """Return, for each number, the sum, product or norm of the others; `of_none` if there are none.

    Prefixes are combined with suffixes: nothing is subtracted or divided, so small numbers beside large ones, and
    products with a factor 0, stay exact.

    >>> from operator import add
    >>> of_the_others(add, [1.0, 1e-30, 1e-30])
    [2e-30, 1.0, 1.0]
    """
    if len(xs) == 1:
        return [of_none]
    before = list(accumulate(xs[:-1], combine))
    after = list(accumulate(reversed(xs[1:]), combine))[::-1]
    return [after[0], *map(combine, before, after[1:]), before[-1]]
