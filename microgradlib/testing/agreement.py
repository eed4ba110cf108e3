"""Asserting that backpropagation, forward mode, symbolic and numeric differentiation give one gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import evaluate, grad_table, gradients, tangent_table
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value, as_node
from microgradlib.numeric.checking import gradient_entry
from microgradlib.numeric.differences import numeric_derivative
from microgradlib.testing.judging import allowed_error, same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["assert_gradients_close"]


@dataclass(frozen=True)
class _Row:
    """The derivative for one argument, found in each way."""

    argument: str
    x: float
    ways: dict[str, float]
    numeric: float
    allowed: float

    def faults(self, rounding: float) -> list[str]:
        """Name what differs from reverse mode."""
        reverse = self.ways["reverse"]
        allowed = rounding * max(1.0, abs(reverse))
        found = [way for way, d in self.ways.items() if not (abs(d - reverse) <= allowed or same(d, reverse))]
        if not self.allowed <= 0.01 * max(1.0, abs(self.numeric)):
            found.append("numeric, too uncertain to judge by: is a kink or a pole near?")
        elif not abs(self.numeric - reverse) <= self.allowed:
            found.append("numeric")
        return found


def assert_gradients_close(
    f: Callable[..., Any],
    xs: Sequence[float],
    *,
    order: int = 1,
    symbolic: bool = True,
    rounding: float = 1e-12,
) -> None:
    """Assert that ∂f/∂xᵢ at `xs` is the same number in four ways, for every argument of f(*xs).

    Reverse mode (`grad_table`), forward mode (`tangent_table`) and symbolic differentiation (`gradients` of Symbols,
    evaluated) must agree to `rounding`, relative where the derivative exceeds 1; numeric differentiation must agree
    within ten times its own estimate of its error. `order=2` compares the derivatives of each ∂f/∂xᵢ as well.
    `symbolic=False` is for an f that cannot take Symbols, because it chooses by `if`. Raises `AssertionError` with a
    table of all the numbers, also where the numeric derivative is too uncertain to judge by.

    >>> from microgradlib import Value, tanh
    >>> assert_gradients_close(lambda x, y: x * tanh(x * y), [0.5, -1.5], order=2)
    >>> assert_gradients_close(lambda x: x * x + x.detach(), [3.0])
    Traceback (most recent call last):
    AssertionError: gradients of f disagree ...
    """
    functions = {"f": f}
    for _ in range(order):
        for name, function in functions.items():
            _compare(name, function, [float(x) for x in xs], symbolic=symbolic, rounding=rounding)
        functions = {
            f"∂({name})/∂x[{i}]": gradient_entry(function, i)
            for name, function in functions.items()
            for i in range(len(xs))
        }


def _compare(name: str, f: Callable[..., Any], xs: list[float], *, symbolic: bool, rounding: float) -> None:
    leaves = [Value(x) for x in xs]
    output = as_node(f(*leaves))
    reverse = grad_table(output)
    by_symbols = _symbolic(f, xs) if symbolic else []
    rows = []
    for i, (x, leaf) in enumerate(zip(xs, leaves)):
        forward = tangent_table(output, {leaf: 1.0})
        ways = {"reverse": reverse.get(leaf, 0.0), "forward": forward[output]}
        if symbolic:
            ways["symbolic"] = by_symbols[i]
        numeric = numeric_derivative(_along(f, xs, i), x)
        rows.append(_Row(f"x[{i}]", x, ways, numeric.value, allowed_error(numeric)))
    faults = [row.faults(rounding) for row in rows]
    if any(faults):
        raise AssertionError(_report(name, rows, faults))


def _symbolic(f: Callable[..., Any], xs: list[float]) -> list[float]:
    symbols = [Symbol(f"x[{i}]") for i in range(len(xs))]
    output = f(*symbols)
    if not hasattr(output, "__apply_op__"):
        return [0.0] * len(xs)
    return [float(d) for d in evaluate(gradients(output, symbols), dict(zip(symbols, xs)))]


def _along(f: Callable[..., Any], xs: list[float], index: int) -> Callable[[float], float]:
    """Return f as a function of one argument; recorded, as derivatives of f need its graph."""
    return lambda x: as_node(f(*[Value(x if i == index else other) for i, other in enumerate(xs)])).data


def _report(name: str, rows: list[_Row], faults: list[list[str]]) -> str:
    cells = [["argument", "at", *rows[0].ways, "numeric", "allowed error"]]
    for row in rows:
        numbers = [row.x, *row.ways.values(), row.numeric]
        cells.append([row.argument, *map(repr, numbers), f"{row.allowed:.1e}"])
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    marked = [f"{line}  <- {', '.join(fault)}" if fault else line for line, fault in zip(lines[1:], faults)]
    return "\n".join([f"gradients of {name} disagree; the arrows name what differs from reverse:", lines[0], *marked])
