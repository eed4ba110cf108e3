"""Check what `define_op` is given: the kinds of the properties, how many inputs the rules take, what they return."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import parameters_of, takes
from microgradlib._support.checks import whole_number
from microgradlib._support.lookup import check_keywords
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from microgradlib.ops.record import Op

__all__ = ["check_numbers", "check_properties", "check_rules"]

_TEXTS = ("formula", "domain", "kink_note", "infinite_note")


def check_properties(name: str, properties: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise `TypeError` or `ValueError` for a property that ops have not, or that is of the wrong kind."""
    check_keywords(properties, known, f"the op {name!r}", "property")
    if "formula" not in properties:
        message = f"the op {name!r} needs a formula: write formula='…'"
        raise TypeError(message)
    for text in _TEXTS:
        if not isinstance(properties.get(text, ""), str):
            message = f"{text} of the op {name!r} is text for its documentation, got {shown(properties[text])}"
            raise TypeError(message)
    symbol = properties.get("symbol", name)
    if not isinstance(symbol, str) or not symbol or not symbol.isprintable() or not set(" {}").isdisjoint(symbol):
        message = f"the symbol of {name!r} is one printable word without braces, as in symbol='σ'; got {shown(symbol)}"
        raise ValueError(message)
    whole_number(properties.get("setting_count", 0), "setting_count", 0)
    defaults = properties.get("defaults", ())
    if not isinstance(defaults, (list, tuple)) or not all(isinstance(number, Real) for number in defaults):
        message = f"defaults of the op {name!r} are the numbers of inputs that may be left out, got {shown(defaults)}"
        raise TypeError(message)
    sample = properties.get("sample", ())
    if not isinstance(sample, (list, tuple)) or not all(map(_is_interval, sample)):
        message = f"sample of the op {name!r} is an interval for each input, as in ((0.5, 2.0),), got {shown(sample)}"
        raise TypeError(message)
    for function in ("kink", "reference"):
        rule = properties.get(function)
        if rule is not None and not callable(rule):
            message = f"{function} of the op {name!r} is a function of the inputs, or None, got {shown(rule)}"
            raise TypeError(message)


def check_rules(name: str, value: Any, derivatives: Any) -> None:
    """Raise `TypeError` unless the rules are functions that take as many inputs as there are derivatives."""
    one_for_all = callable(derivatives)
    if not one_for_all and (not isinstance(derivatives, (list, tuple)) or not derivatives):
        message = (
            f"the derivatives of {name!r} are a list of one rule (xp, output, *inputs) for each input, or one function "
            f"that returns all, got {shown(derivatives)}"
        )
        raise TypeError(message)
    for rule in (value, *(() if one_for_all else derivatives)):
        if not callable(rule):
            message = f"the rules of {name!r} are functions of (xp, …), got {shown(rule)}"
            raise TypeError(message)
    if one_for_all:
        for rule, wanted, count in ((value, "(xp, *inputs)", 3), (derivatives, "(xp, output, *inputs)", 4)):
            if not takes(rule, [None] * count):
                message = (
                    f"with one function for all derivatives, {name!r} has any number of inputs: a rule is called as "
                    f"{wanted}, but is {shown(rule)} {parameters_of(rule)}; for so many, give a list of derivatives"
                )
                raise TypeError(message)
        return
    n = len(derivatives)
    _check_arity(name, "value", value, 1 + n, f"(xp, {_inputs(n)})")
    for i, rule in enumerate(derivatives):
        _check_arity(name, f"derivatives[{i}]", rule, 2 + n, f"(xp, output, {_inputs(n)})")


def check_numbers(op: Op) -> None:
    """Raise `TypeError` if a rule of an op gives anything but one number at a point of `sample`.

    What a rule raises itself comes through, with a note that names the op and the point (from Python 3.11 on).
    """
    n = 2 if op.arity is None else op.arity
    intervals = [*op.sample, *op.sample[-1:] * n][:n]
    settings = op.defaults if op.setting_count else ()
    point = [low + 0.4 * (high - low) for low, high in intervals[: n - len(settings)]] + list(settings)
    of = f"of {op.name!r}"
    at = f"at ({', '.join(f'{x:g}' for x in point)})"
    output = _number(_tried(op.compute, point, f"the value rule {of}", at), f"the value rule {of}", at)
    slopes: Any = _tried(op.local_derivatives, [output, *point], f"a derivative rule {of}", at)
    if not isinstance(slopes, (list, tuple)) or len(slopes) != n:
        given = len(slopes) if isinstance(slopes, (list, tuple)) else shown(slopes)
        message = f"the derivatives {of} are {given} for {n} inputs {at}: return one for each"
        raise TypeError(message)
    for slope in slopes:
        _number(slope, f"a derivative rule {of}", at)


def _tried(function: Callable[..., Any], inputs: list[float], rule: str, at: str) -> Any:
    try:
        return function(*inputs)
    except Exception as error:
        add_note = getattr(error, "add_note", None)  # of Python 3.11
        if add_note is not None:
            add_note(f"{rule} was tried {at}")
        raise


def _number(result: Any, rule: str, at: str) -> float:
    start = f"{rule} gives no number {at}: "
    if isinstance(result, (list, tuple)):
        message = f"{start}it returns {shown(result)}, not one number"
        raise TypeError(message)
    try:
        return as_float(result)
    except (TypeError, OverflowError) as error:
        raise TypeError(start + str(error)) from None


def _check_arity(name: str, what: str, rule: Callable[..., Any], count: int, wanted: str) -> None:
    if not takes(rule, [None] * count):
        message = f"the rule {what} of {name!r} is called as {wanted}, one input for each derivative, but it is "
        raise TypeError(message + f"{shown(rule)} {parameters_of(rule)}")


def _inputs(count: int) -> str:
    return "x" if count == 1 else ", ".join("xyzuvw"[i] if count <= 6 else f"x{i}" for i in range(count))


def _is_interval(interval: Any) -> bool:
    return (
        isinstance(interval, (list, tuple))
        and len(interval) == 2
        and all(isinstance(end, (int, float)) for end in interval)
        and interval[0] <= interval[1]
    )
