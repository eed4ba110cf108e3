"""Assert that an op's derivative rules are the derivatives of its value, in numbers and as a graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import whole_number
from microgradlib._support.number import as_float
from microgradlib.core.autodiff import evaluate, grad_table, gradients
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.numeric.comparison import SAFETY
from microgradlib.numeric.differences import numeric_derivative
from microgradlib.ops.record import check_op
from microgradlib.testing.conditioning import away_from_kinks, sample_interval
from microgradlib.testing.special_points import special_points
from microgradlib.testing.tolerance import allowed_error, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from microgradlib.ops import Op

__all__ = ["assert_derivative_rule"]

_POINTS = 25
_ROUNDING = 1e-12  # to second order, Symbols keep both branches of a choice, so terms may be added in another order
_DECISIVE = 1e-3  # a larger error, relative to derivatives larger than 1, says nothing about a rule at a special point
_AROUND = 1.1  # a gap between one-sided derivatives is known to a tenth
_COUNTS = (2, 3, 4)  # numbers of inputs tried for an op that takes any number


@in_plain_words
def assert_derivative_rule(op: Op, *inputs: float, order: int = 2) -> None:
    """Assert that an op's derivative rules are correct at `inputs` or, by default, at points of its sample region.

    At each point, four properties are checked. The rules evaluated in floats agree with numeric derivatives of the op's
    value. Evaluated as graphs of Values and of Symbols, they give the same floats bit for bit. So do the rules of the
    op bound to its settings, as in `x ** 2`. For `order=2`, the derivatives of each rule agree with its numeric
    derivatives. Inputs with a sample interval of width 0 (the condition of `where`) are not differentiated.

    By default the points are 25 of the sample region away from kinks (for an op of any number of inputs eight with each
    of two, three and four), and always those at which rules are most often wrong: each input at 0, 1 and −1, at both
    sides of every kink, domain edge and boundary between branches of a rule (found by bisection, in and around the
    sample interval), and equal to another input. At these, differences see f on both sides, or on one at an edge, and
    never use the derivative at the point itself; at a kink the derivative must lie between the one-sided ones. Nothing
    is asserted where differences cannot tell, nor about a nan (0 · inf is indeterminate) of second order, outside the
    sample intervals, at a kink or where several inputs are all 0.

    Raises `AssertionError` naming the op, the rule, the point and both numbers.

    >>> from microgradlib.ops import define_op, forget_op
    >>> swish = define_op(
    ...     "swish",
    ...     value=lambda xp, x: x * xp.sigmoid(x),
    ...     derivatives=[lambda xp, z, x: xp.sigmoid(x) + x * xp.sigmoid(-x)],
    ...     formula="x σ(x)",
    ... )
    >>> assert_derivative_rule(swish)
    Traceback (most recent call last):
    AssertionError: swish: derivatives[0] is ..., the numeric derivative ...
    >>> forget_op("swish")
    """
    check_op(op)
    order = whole_number(order, "order")
    given = tuple(map(as_float, inputs))
    for point in [given] if given else _sample_points(op):
        _check_numbers(op, point)
        _check_graph(op, point)
        if order > 1:
            _check_second_order(op, point)
    if not inputs:
        first = next(_sample_points(op))
        for point in special_points(op, first):
            _check_at_special_point(op, point, order)


def _sample_points(op: Op) -> Iterator[tuple[float, ...]]:
    """Yield points of the sample region away from kinks, by fractional parts of multiples of irrational numbers."""
    counts = _COUNTS if op.arity is None else (op.arity,)
    for count in counts:
        intervals = [sample_interval(op, i) for i in range(count)]
        for k in range(1, _POINTS // len(counts) + 1):
            fractions = [math.modf(k * math.sqrt(i + 1.5))[0] for i in range(count)]
            point = [low + fraction * (high - low) for fraction, (low, high) in zip(fractions, intervals)]
            moved = away_from_kinks(op, point)
            if moved is not None:
                yield moved


def _check_numbers(op: Op, point: tuple[float, ...]) -> None:
    output = op.compute(*point)
    rules = op.local_derivatives(output, *point)
    checked = [rule for i, rule in enumerate(rules) if _is_differentiated(op, i)]
    if len(rules) != len(point) or not all(map(math.isfinite, (output, *checked))):
        _fail(op, point, f"gives {output!r} with derivatives {rules!r}, not finite numbers, one for each input")
    for i, rule in enumerate(rules):
        if _is_differentiated(op, i):
            _compare_with_numeric(op, point, f"derivatives[{i}]", rule, op.compute, i)
    if op.setting_count:
        input_count = len(point) - op.setting_count
        bound = op.bind(*point[input_count:]).local_derivatives(output, *point[:input_count])
        if not all(map(same, bound, rules)):
            _fail(op, point, f"bound to its settings it has derivatives {bound!r}, unbound {rules!r}")


def _check_graph(op: Op, point: tuple[float, ...]) -> None:
    """Compare the rules evaluated in floats, as a graph of Values and as a graph of Symbols, bit for bit."""
    rules = op.local_derivatives(op.compute(*point), *point)
    leaves = [Value(x) for x in point]
    of_values = [d.data for d in gradients(op(*leaves), leaves)]
    symbols = [Symbol(f"x{i}") for i in range(len(point))]
    of_symbols = evaluate(gradients(op(*symbols), symbols), dict(zip(symbols, point)))
    for i, rule in enumerate(rules):
        for kind, number in (("Values", of_values[i]), ("Symbols", of_symbols[i])):
            if not same(rule, number):
                _fail(op, point, f"derivatives[{i}] is {rule!r} in floats, but {number!r} as a graph of {kind}")


def _check_second_order(op: Op, point: tuple[float, ...]) -> None:
    """Compare the derivatives of each rule, by graph of Values and of Symbols, with its numeric derivatives."""
    leaves = [Value(x) for x in point]
    symbols = [Symbol(f"x{i}") for i in range(len(point))]
    of_values, of_symbols = gradients(op(*leaves), leaves), gradients(op(*symbols), symbols)
    for i, (slope, expression) in enumerate(zip(of_values, of_symbols)):
        if not _is_differentiated(op, i):
            continue
        table = grad_table(cast(Value, slope))
        seconds = evaluate(gradients(expression, symbols), dict(zip(symbols, point)))
        for j, leaf in enumerate(leaves):
            if not _is_differentiated(op, j):
                continue
            name = f"the derivative of derivatives[{i}] by input {j}"
            second = table.get(leaf, 0.0)
            if not (same(second, seconds[j]) or abs(second - seconds[j]) <= _ROUNDING * max(1.0, abs(second))):
                _fail(op, point, f"{name} is {second!r} by Values, but {seconds[j]!r} by Symbols")
            _compare_with_numeric(op, point, name, second, _rule(op, i), j)


def _check_at_special_point(op: Op, point: tuple[float, ...], order: int) -> None:
    """Check the derivatives at a kink, an edge, a boundary of branches or a round number, if differences can tell."""
    output = op.compute(*point)
    if not math.isfinite(output):
        return
    rules = op.local_derivatives(output, *point)
    differentiated = [i for i in range(len(point)) if _is_differentiated(op, i)]
    leaves = [Value(x) for x in point]
    slopes = gradients(op(*leaves), leaves) if order > 1 else []
    for i in differentiated:
        _compare_on_both_sides(op, point, f"derivatives[{i}]", rules[i], op.compute, i)
        table = grad_table(cast(Value, slopes[i])) if order > 1 and math.isfinite(rules[i]) else {}
        for j in differentiated if table else []:
            second = table.get(leaves[j], 0.0)
            if not math.isnan(second):  # by local derivatives alone, 0 · inf is indeterminate
                name = f"the derivative of derivatives[{i}] by input {j}"
                _compare_on_both_sides(op, point, name, second, _rule(op, i), j)


def _compare_on_both_sides(  # noqa: PLR0917  private, called in two places
    op: Op, point: tuple[float, ...], name: str, rule: float, f: Callable[..., float], index: int
) -> None:
    """Compare `rule`, the claimed ∂f/∂inputs[index], with differences: at a kink, with the one-sided derivatives."""
    numeric = numeric_derivative(lambda x: f(*point[:index], x, *point[index + 1 :]), point[index])
    half = abs(numeric.gap) / 2
    allowed = allowed_error(numeric) - SAFETY * half
    by_convention = op.kink is not None and op.kink(*point) and not (half and math.isfinite(rule))
    outside = not all(
        low <= x <= high for x, (low, high) in zip(point, [sample_interval(op, i) for i in range(len(point))])
    )
    undefined = math.isnan(rule) and (half or outside or (len(point) > 1 and not any(point)))
    if by_convention or undefined or not allowed <= _DECISIVE * max(1.0, abs(numeric.value)):
        return
    if not abs(rule - numeric.value) <= allowed + _AROUND * half:
        between = f", between {numeric.value - half!r} and {numeric.value + half!r}" if half else ""
        _fail(op, point, f"{name} is {rule!r}, the numeric derivative {numeric.value!r} ± {allowed:.1e}{between}")


def _rule(op: Op, index: int) -> Callable[..., float]:
    return lambda *inputs: op.local_derivatives(op.compute(*inputs), *inputs)[index]


def _is_differentiated(op: Op, index: int) -> bool:
    low, high = sample_interval(op, index)
    return low < high


def _compare_with_numeric(  # noqa: PLR0917  private, called in two places
    op: Op, point: tuple[float, ...], name: str, rule: float, f: Callable[..., float], index: int
) -> None:
    """Compare `rule`, the claimed ∂f/∂inputs[index] at the point, with the numeric derivative."""
    numeric = numeric_derivative(lambda x: f(*point[:index], x, *point[index + 1 :]), point[index])
    allowed = allowed_error(numeric)
    if not allowed <= 1e-4 * max(1.0, abs(numeric.value)):
        why = "if a kink or a pole is near, give the op a `kink`, or a `sample` interval away from it"
        _fail(op, point, f"{name} cannot be checked, as the numeric derivative is uncertain by {allowed:.1e}; {why}")
    if not abs(rule - numeric.value) <= allowed:
        _fail(op, point, f"{name} is {rule!r}, the numeric derivative {numeric.value!r} ± {allowed:.1e}")


def _fail(op: Op, point: tuple[float, ...], what: str) -> None:
    message = f"{op.name}: {what}, at inputs {', '.join(map(repr, point))} ({op.formula})"
    raise AssertionError(message)
