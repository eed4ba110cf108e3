"""The one writer of local derivatives: as books write them, by the op's record, in every notation."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.checks import whole_number
from microgradlib._support.floats import evaluate_rule
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.modes import recording
from microgradlib.core.symbol import Symbol
from microgradlib.errors import MissingRuleError
from microgradlib.ops import GRAPH
from microgradlib.ops.formula import Formula, write_op
from microgradlib.ops.guards import unguarded
from microgradlib.ops.record import check_op
from microgradlib.symbolic.book import Book, is_compound, is_power
from microgradlib.symbolic.simplify import simplify
from microgradlib.symbolic.write_graph import DEFAULT_LIMIT, write_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["MOST_INPUTS", "formula_holds", "local_derivative_formula", "value_formula", "write_local_derivative"]

F = TypeVar("F", bound=Formula)

MOST_INPUTS = 2000
"""The largest number of inputs of an op whose local derivatives are written: each takes a time that grows with it."""

PLACEHOLDERS = 0xF0000
"""The first of the private characters that stand for names while a formula is written: the output, then the inputs."""


def write_local_derivative(
    dialect: type[F], op: Op, place: int, inputs: Sequence[F], output: F, *, digits: int | None = None
) -> F:
    """Return ∂op/∂inputs[place] in the notation `dialect`, as books write it: by the op's record.

    That is its `written` form if it has one, 1 − z² of tanh, else its rule, simplified, without the guards of its
    domain. `output` is how the op's own result is written. Raises `MissingRuleError` for a node made by hand.

    >>> from microgradlib.ops import TABLE
    >>> from microgradlib.symbolic.text import Text
    >>> print(write_local_derivative(Text, TABLE["tanh"], 0, [Text("x")], Text("u1")))
    1 - u1**2
    """
    convert: Callable[[Any], F] = dialect.convert
    settings = [dialect.number(setting, digits) for setting in op.settings]
    if callable(op.written):
        return convert(op.written(dialect, place, output, *inputs, *settings))
    rule = op.written[place] if place < len(op.written) else None
    if rule:
        return convert(rule(dialect, output, *inputs, *settings))
    symbols = [Symbol("x") for _ in inputs]
    result = Symbol("z")
    with recording():
        if op.variadic:
            derivative = op.differentiate(GRAPH, result, *symbols)[place]
        else:
            derivative = op.partial_derivative(place, result, *symbols)
        expression = simplify(unguarded(derivative))
    names = {result: output, **dict(zip(symbols, inputs))}
    no_names_inside = {"name_above": DEFAULT_LIMIT, "limit": DEFAULT_LIMIT}
    formulas: tuple[Any, list[F]] = write_graph(dialect, expression, digits=digits, names=names, **no_names_inside)
    return formulas[1][0]


def local_derivative_formula(op: Op, place: int, names: Sequence[str], output: str) -> str:
    """Return ∂op/∂(input `place`) as a line of text: x, 1 − u3², I(x > 0).

    Args:
        op: the op of the node, its settings included; of a node made by hand, which has no rule, and of one with more
            than `MOST_INPUTS` inputs, "" is returned.
        place: which of the inputs, from 0.
        names: the names of all inputs, in order; one that contains an operator is put in parentheses.
        output: the name of the node itself.

    >>> from microgradlib.ops import TABLE
    >>> local_derivative_formula(TABLE["tanh"], 0, ["a"], "u3"), local_derivative_formula(TABLE["mul"], 0, "wx", "u1")
    ('1 − u3²', 'x')
    """
    check_op(op)
    _check_place(place, len(names))
    if len(names) > MOST_INPUTS:
        return ""
    return _filled(_derivative_template(op, place, len(names)), [output, *names])


def formula_holds(op: Op, place: int, inputs: Sequence[float], output: float, derivative: float) -> bool:
    """Return whether the formula of a local derivative gives the number that is computed.

    It does not where several inputs are the maximum, as each of them gets a part of 1, nor where it is 0/0.

    >>> from microgradlib.ops import TABLE
    >>> [formula_holds(TABLE["maximum"], 0, [3.0, y], 3.0, number) for y, number in ((1.0, 1.0), (3.0, 0.5))]
    [True, False]
    """
    check_op(op)
    _check_place(place, len(inputs))
    output, derivative = as_float(output), as_float(derivative)
    rule: Any
    if callable(op.written):
        rule = _at(op.written, place)
    elif place < len(op.written) and op.written[place] is not None:
        rule = op.written[place]
    else:  # the formula is the rule itself
        return True
    number = float(evaluate_rule(rule, output, *inputs, *op.settings))
    both_nan = math.isnan(number) and math.isnan(derivative)
    return both_nan or math.isclose(number, derivative, rel_tol=1e-6, abs_tol=1e-9)


def _check_place(place: int, count: int) -> None:
    """Raise `TypeError` or `ValueError` unless this is the place of one of so many inputs."""
    if whole_number(place, "place", 0) >= count:
        message = f"place must be one of the {count} inputs, counted from 0, got {shown(place)}"
        raise ValueError(message)


def _at(rule: Callable[..., Any], place: int) -> Callable[..., Any]:
    return lambda xp, output, *inputs: rule(xp, place, output, *inputs)


def value_formula(op: Op, names: Sequence[str]) -> str:
    """Return op(inputs) as a line of text: w · x + b, tanh(u1), e^u; "" for a node made by hand or of 65,535 inputs.

    >>> from microgradlib.ops import TABLE
    >>> value_formula(TABLE["dot"], ["w", "x", "b"]), value_formula(TABLE["exp"], ["a + b"])
    ('w · x + b', 'e^(a + b)')
    """
    check_op(op)
    if len(names) >= 0xFFFF:  # there are no placeholders for more
        return ""
    return _filled(_value_template(op, len(names)), ["", *names])


@lru_cache(maxsize=16)
def _placeholders(count: int) -> tuple[Book, ...]:
    return tuple([Book(chr(PLACEHOLDERS + i)) for i in range(count)])


@lru_cache(maxsize=4096)
def _derivative_template(op: Op, place: int, count: int) -> str:
    output, *inputs = _placeholders(count + 1)
    try:
        return str(write_local_derivative(Book, op, place, inputs, output))
    except MissingRuleError:
        return ""


@lru_cache(maxsize=4096)
def _value_template(op: Op, count: int) -> str:
    inputs = _placeholders(count + 1)[1:]
    try:
        return str(write_op(Book, op, inputs))
    except MissingRuleError:
        return ""


def _filled(template: str, names: Sequence[str]) -> str:
    """Put the names in their places, in parentheses where they would be read wrongly."""
    if len(template) == 1:
        return names[ord(template) - PLACEHOLDERS] if ord(template) >= PLACEHOLDERS else template

    def name(match: re.Match[str]) -> str:
        text, place = names[ord(match[0]) - PLACEHOLDERS], match.start()
        before, after = template[max(place - 1, 0) : place], template[place + 1 : place + 2]
        if before in {"(", "|"} and after in {")", "|", ","}:
            return text
        in_power = before in {"^", "√", "∛"} or (after and after in "^⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
        return f"({text})" if is_compound(text) or (in_power and is_power(text)) else text

    return re.sub(r"[\U000F0000-\U000FFFFF]", name, template)
