"""The functions and constants that a typed expression may name."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from microgradlib.ops import Op

__all__ = ["ALIASES", "CONSTANTS", "advice", "arguments_wanted", "find", "known"]

CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}
"""Names that need no number; a variable of the same name goes before."""

ALIASES = {"max": "maximum", "min": "minimum"}
"""Python's spellings, taken as the table's."""

ELSEWHERE = {
    "ln": "log",
    "lg": "log10",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "power": "pow",
    "logistic": "sigmoid",
    "fabs": "abs",
    "sgn": "sign",
}
"""Spellings of other books and libraries, answered with ours."""

HIDDEN = frozenset(
    {"add", "detach", "div", "dot", "greater", "greater_equal", "less", "less_equal", "mul", "neg", "strong_mul", "sub"}
)
"""Ops with a sign of their own, of use only inside derivatives, or (dot) that tell two lists apart by counting."""


def find(name: str) -> Op | None:
    """Return the op that is called `name` in an expression, or None.

    >>> find("max").name, find("add")
    ('maximum', None)
    """
    name = ALIASES.get(name, name)
    return None if name in HIDDEN else TABLE.get(name)


def known() -> list[str]:
    """Return the names of all functions, in alphabetical order."""
    return sorted({*TABLE, *ALIASES} - HIDDEN)


def advice(name: str) -> str:
    """Say what to write instead of the unknown function `name`.

    >>> advice("tnah").splitlines()[0]
    'Did you mean tanh?'
    """
    close = [ELSEWHERE[name]] if name in ELSEWHERE else difflib.get_close_matches(name.lower(), known(), n=3)
    question = f"Did you mean {' or '.join(close)}?\n" if close else ""
    return f"{question}Known functions: {', '.join(known())}."


def arguments_wanted(op: Op) -> tuple[int, int | None]:
    """Return the least and the greatest number of arguments of `op`; None for no upper bound.

    >>> arguments_wanted(TABLE["atan2"]), arguments_wanted(TABLE["maximum"])
    ((2, 2), (1, None))
    """
    most = op.arity
    return (1, None) if most is None else (most - len(op.defaults), most)
