"""Check settings (sizes, rates, probabilities, switches) and report errors in one format.

Every check converts the setting to a plain Python number and returns it: NumPy's integers and floats are accepted, but
never stored. The message of every error is

    NAME must be WHAT, REASON, got VALUE; write NAME=EXAMPLE

where the reason and the example are optional. The class is `TypeError` for a value of the wrong kind (text, or 2.5 or
True as a whole number), `ValueError` for a number out of range.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import Any, SupportsIndex, TypeAlias

from microgradlib._support.number import as_float, is_whole
from microgradlib._support.shown import shown

__all__ = [
    "WholeNumber", "boolean", "check_class", "check_order", "fraction", "non_negative", "positive", "real_number",
    "shown", "whole_number",
]  # fmt: skip

WholeNumber: TypeAlias = int | SupportsIndex
"""The type of a setting that `whole_number` checks: an int or a NumPy integer."""


def whole_number(number: Any, name: str, least: int | None = 1, *, reason: str = "", example: int | None = None) -> int:
    """Return `number` as an int: an int or a NumPy integer, at least `least` if that is given.

    Raises `TypeError` for anything else (bools and floats without a fractional part too), `ValueError` below `least`
    and above the most that this machine can count, `sys.maxsize`.

    >>> whole_number(3, "n")
    3
    >>> whole_number(1, "n", 2, reason="one point per moon")
    Traceback (most recent call last):
    ValueError: n must be a whole number >= 2, one point per moon, got 1; write n=2
    """
    if is_whole(number) and (least is None or number >= least) and number <= sys.maxsize:
        return operator.index(number)
    what = "a whole number" + (f" >= {least}" if least is not None else "")
    if is_whole(number) and number > sys.maxsize:
        what += f" and <= {sys.maxsize}" if least is not None else f" <= {sys.maxsize}"
    what += f", {reason}" if reason else ""
    raise _error(number, name, what, least if example is None else example, right_kind=is_whole(number))


def real_number(
    number: Any,
    name: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    finite: bool = True,
    reason: str = "",
    example: float | None = None,
) -> float:
    """Return `number` as a float within the given bounds: any number that `as_float` accepts, except nan.

    `ge`, `gt`, `le`, `lt` are the bounds >=, >, <= and <; `finite=False` admits inf and -inf. Raises `TypeError` for
    anything but a real number, `ValueError` for nan and for a number out of bounds.

    >>> real_number(0.5, "factor", ge=0, le=1)
    0.5
    >>> real_number(1.5, "factor", ge=0, le=1, example=0.5)
    Traceback (most recent call last):
    ValueError: factor must be a number >= 0 and <= 1, got 1.5; write factor=0.5
    """
    right_kind = True
    try:
        checked = as_float(number)
    except TypeError:
        checked, right_kind = math.nan, False
    except OverflowError:  # an int or Fraction beyond the largest float
        checked = math.inf if number > 0 else -math.inf
    if (
        (math.isfinite(checked) or (not finite and not math.isnan(checked)))
        and (ge is None or checked >= ge)
        and (gt is None or checked > gt)
        and (le is None or checked <= le)
        and (lt is None or checked < lt)
    ):
        return checked
    bounds = [f"{sign} {bound}" for sign, bound in ((">=", ge), (">", gt), ("<=", le), ("<", lt)) if bound is not None]
    what = "a finite number" if finite and len(bounds) < 2 else "a number"
    what = " ".join([what, *bounds[:1]]) + "".join(f" and {bound}" for bound in bounds[1:])
    raise _error(number, name, what + (f", {reason}" if reason else ""), example, right_kind=right_kind)


def positive(number: Any, name: str, *, reason: str = "", example: float | None = None) -> float:
    """Return `number` as a float, 0 < number < ∞. Raises as `real_number`.

    >>> positive(0, "width", example=1.0)
    Traceback (most recent call last):
    ValueError: width must be a finite number > 0, got 0; write width=1.0
    """
    return real_number(number, name, gt=0, reason=reason, example=example)


def non_negative(number: Any, name: str, *, reason: str = "", example: float | None = None) -> float:
    """Return `number` as a float, 0 ≤ number < ∞. Raises as `real_number`.

    >>> non_negative(-0.1, "lr", example=0.01)
    Traceback (most recent call last):
    ValueError: lr must be a finite number >= 0, got -0.1; write lr=0.01
    """
    return real_number(number, name, ge=0, reason=reason, example=example)


def fraction(
    number: Any, name: str, *, zero: bool = True, one: bool = False, reason: str = "", example: float | None = None
) -> float:
    """Return `number` as a float, 0 ≤ number < 1; `zero=False` excludes 0 and `one=True` includes 1.

    Raises as `real_number`.

    >>> fraction(1.0, "p", reason="the probability of leaving a unit out", example=0.5)
    Traceback (most recent call last):
    ValueError: p must be a number >= 0 and < 1, the probability of leaving a unit out, got 1.0; write p=0.5
    """
    ge, gt = (0, None) if zero else (None, 0)
    le, lt = (1, None) if one else (None, 1)
    return real_number(number, name, ge=ge, gt=gt, le=le, lt=lt, reason=reason, example=example)


def boolean(switch: Any, name: str, *, numbers: bool = False) -> bool:
    """Return `switch` as a bool: True, False or NumPy's; with `numbers` 0 and 1 too. Else raises `TypeError`.

    >>> boolean("yes", "amsgrad")
    Traceback (most recent call last):
    TypeError: amsgrad must be True or False, got 'yes'; write amsgrad=True
    """
    is_number = numbers and isinstance(switch, int) and switch in {0, 1}
    if is_number or isinstance(switch, bool) or type(switch).__name__ in {"bool", "bool_"}:  # bool_ in NumPy 1
        return bool(switch)
    raise _error(switch, name, "True or False", True, right_kind=False)


def check_class(thing: Any, kind: type, name: str, example: str) -> None:
    """Raise `TypeError` unless a thing is an object of a class; `example` says what one is.

    >>> check_class(None, list, "history", "as fit returns it")
    Traceback (most recent call last):
    TypeError: history must be a list, as fit returns it, got None
    """
    if not isinstance(thing, kind):
        article = "an" if kind.__name__[0] in "AEIOaeio" else "a"
        message = f"{name} must be {article} {kind.__name__}, {example}, got {shown(thing)}"
        raise TypeError(message)


def check_order(entries: Any, name: str, *, iterators: bool = False) -> None:
    """Raise `TypeError` for dicts, sets, text and, unless `iterators`, what can be read once only: they are no lists.

    >>> check_order({1.0, 2.0}, "the input of this layer")
    Traceback (most recent call last):
    TypeError: the input of this layer must be a list, tuple or array of numbers, got a set: {1.0, 2.0}
    """
    is_read_once = hasattr(entries, "__next__") and not iterators
    if is_read_once or isinstance(entries, (str, bytes, bytearray, dict, set, frozenset)):
        kind = type(entries).__name__
        message = f"{name} must be a list, tuple or array of numbers, got a {kind}: {shown(entries)}"
        raise TypeError(message)


def _error(given: Any, name: str, what: str, example: float | None, *, right_kind: bool) -> Exception:
    advice = f"; write {name}={example}" if example is not None and name.isidentifier() else ""
    message = f"{name} must be {what}, got {shown(given)}{advice}"
    return ValueError(message) if right_kind else TypeError(message)
