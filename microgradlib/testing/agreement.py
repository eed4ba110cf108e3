"""Assert that reverse, forward, symbolic and numeric differentiation give the same gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib._support.calling import check_function, in_plain_words
from microgradlib._support.checks import boolean, non_negative, whole_number
from microgradlib._support.number import as_point
from microgradlib.core.autodiff import evaluate, grad_table, gradients, tangent_table
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value, as_node
from microgradlib.numeric.comparison import gradient_entry
from microgradlib.numeric.differences import numeric_derivative
from microgradlib.testing.tolerance import allowed_error, same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["assert_gradients_close"]


@dataclass(frozen=True)
class _Row:
    """The derivative by one argument, computed by each method."""

    argument: str
    x: float
    methods: dict[str, float]
    numeric: float
    allowed: float

    def disagreements(self, rounding: float) -> list[str]:
        """Return the names of the methods that differ from reverse mode."""
        reverse = self.methods["reverse"]
        allowed = rounding * max(1.0, abs(reverse))
        found = [method for method, d in self.methods.items() if not (abs(d - reverse) <= allowed or same(d, reverse))]
        if not self.allowed <= 0.01 * max(1.0, abs(self.numeric)):
            found.append("numeric, too uncertain to compare: choose xs away from kinks and poles")
        elif not abs(self.numeric - reverse) <= self.allowed:
            found.append("numeric")
        return found


@in_plain_words
def assert_gradients_close(
    f: Callable[..., Node | float],
    xs: float | Sequence[float],
    *,
    order: int = 1,
    symbolic: bool = True,
    rounding: float = 1e-12,
) -> None:
    """Assert that four methods give the same ∂f/∂xᵢ at `xs`, for every argument of f(*xs).

    Reverse mode (`grad_table`), forward mode (`tangent_table`) and symbolic differentiation (`gradients` of Symbols,
    evaluated) must agree to `rounding`, relative to derivatives larger than 1; numeric differentiation must agree
    within `SAFETY` times its estimated error. `order=2` compares the derivatives of each ∂f/∂xᵢ as well. Use
    `symbolic=False` if f does not accept Symbols, for example because it branches with `if`. Raises `AssertionError`
    with a table of all numbers if methods disagree, or if the numeric derivative is too uncertain to compare.

    >>> from microgradlib import Value, tanh
    >>> assert_gradients_close(lambda x, y: x * tanh(x * y), [0.5, -1.5], order=2)
    >>> assert_gradients_close(lambda x: x * x + x.detach(), [3.0])
    Traceback (most recent call last):
    AssertionError: gradients of f disagree ...
    """
    check_function(f)
    point, symbolic = as_point(xs), boolean(symbolic, "symbolic")
    rounding = non_negative(rounding, "rounding", example=1e-12)
    functions: dict[str, Callable[..., Node | float]] = {"f": f}
    for _ in range(whole_number(order, "order")):
        for name, function in functions.items():
            _compare(name, function, point, symbolic=symbolic, rounding=rounding)
        functions = {
            f"∂({name})/∂x[{i}]": gradient_entry(function, i)
            for name, function in functions.items()
            for i in range(len(point))
        }


def _compare(name: str, f: Callable[..., Node | float], xs: list[float], *, symbolic: bool, rounding: float) -> None:
    leaves = [Value(x) for x in xs]
    output = as_node(f(*leaves))
    reverse = grad_table(output)
    by_symbols = _symbolic(f, xs) if symbolic else []
    rows = []
    for i, (x, leaf) in enumerate(zip(xs, leaves)):
        forward = tangent_table(output, {leaf: 1.0})
        methods = {"reverse": reverse.get(leaf, 0.0), "forward": forward[output]}
        if symbolic:
            methods["symbolic"] = by_symbols[i]
        numeric = numeric_derivative(_by_argument(f, xs, i), x)
        rows.append(_Row(f"x[{i}]", x, methods, numeric.value, allowed_error(numeric)))
    disagreements = [row.disagreements(rounding) for row in rows]
    if any(disagreements):
        raise AssertionError(_report(name, rows, disagreements))


def _symbolic(f: Callable[..., Node | float], xs: list[float]) -> list[float]:
    symbols = [Symbol(f"x[{i}]") for i in range(len(xs))]
    output = f(*symbols)
    if not isinstance(output, Node):
        return [0.0] * len(xs)
    return [float(d) for d in evaluate(gradients(output, symbols), dict(zip(symbols, xs)))]


def _by_argument(f: Callable[..., Node | float], xs: list[float], index: int) -> Callable[[float], float]:
    """Return f as a function of argument `index` alone; it calls f with Values, since f may be a gradient."""
    return lambda x: as_node(f(*[Value(x if i == index else other) for i, other in enumerate(xs)])).data


def _report(name: str, rows: list[_Row], disagreements: list[list[str]]) -> str:
    cells = [["argument", "at", *rows[0].methods, "numeric", "allowed error"]]
    for row in rows:
        numbers = [row.x, *row.methods.values(), row.numeric]
        cells.append([row.argument, *map(repr, numbers), f"{row.allowed:.1e}"])
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    marked = [f"{line}  <- {', '.join(names)}" if names else line for line, names in zip(lines[1:], disagreements)]
    summary = f"gradients of {name} disagree; the arrows name the methods that differ from reverse:"
    return "\n".join([summary, lines[0], *marked])
