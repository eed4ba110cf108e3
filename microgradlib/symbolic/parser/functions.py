"""The functions and constants that a typed expression may use."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from microgradlib.ops import Op

__all__ = ["ALIASES", "CONSTANTS", "argument_counts", "find", "known", "suggestions"]

CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}
"""Predefined names; a variable of the same name takes precedence."""

ALIASES = {"max": "maximum", "min": "minimum", "logistic": "sigmoid", "hard_logistic": "hard_sigmoid"}
"""Further names of functions, and the ops that they stand for."""

OTHER_SPELLINGS = {
    "ln": "log",
    "lg": "log10",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "power": "pow",
    "fabs": "abs",
}
"""Names in other libraries, and the table's names, which the error message suggests."""

HIDDEN = frozenset(
    {"add", "detach", "div", "dot", "greater", "greater_equal", "less", "less_equal", "mul", "neg", "strong_mul", "sub"}
)
"""Ops that cannot be called in an expression: operators, ops of derivative graphs, and dot, which takes two lists."""


def find(name: str) -> Op | None:
    """Return the op of the function `name` in an expression, or None if there is none.

    >>> find("max").name, find("add")
    ('maximum', None)
    """
    name = ALIASES.get(name, name)
    return None if name in HIDDEN else TABLE.get(name)


def known() -> list[str]:
    """Return the names of all functions, in alphabetical order."""
    return sorted({*TABLE, *ALIASES} - HIDDEN)


def suggestions(name: str) -> str:
    """Return a hint for the unknown function `name`: similar names, and all known ones.

    >>> suggestions("tnah").splitlines()[0]
    'Did you mean tanh?'
    """
    close = (
        [OTHER_SPELLINGS[name]] if name in OTHER_SPELLINGS else difflib.get_close_matches(name.lower(), known(), n=3)
    )
    question = f"Did you mean {' or '.join(close)}?\n" if close else ""
    return f"{question}Known functions: {', '.join(known())}."


def argument_counts(op: Op) -> tuple[int, int | None]:
    """Return the smallest and the largest number of arguments of `op`; the latter is None if unlimited.

    >>> argument_counts(TABLE["atan2"]), argument_counts(TABLE["maximum"])
    ((2, 2), (1, None))
    """
    most = op.arity
    return (1, None) if most is None else (most - len(op.defaults), most)
