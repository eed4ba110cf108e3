"""The elementary functions of rules in JavaScript: those of `Math`, and the text of those that it lacks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BUILT_IN", "SPECIAL", "special_functions"]

BUILT_IN: Final = {
    name: f"Math.{name}"
    for name in (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "hypot", "abs", "floor", "ceil", "sin", "cos",
        "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    )
}  # fmt: skip
"""The functions of `Math`, whose results and special values are those of Python's `math` over IEEE 754."""

_SOURCE: Final = Path(__file__).with_name("special.js")


@cache
def _functions() -> dict[str, str]:
    """Return the functions of special.js by name, in order; each begins at the margin and ends before the next."""
    parts = re.split(r"^(?=function )", _SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = {part[len("function ") : part.index("(")]: part for part in parts if part.startswith("function ")}
    return {name: _without_comments(text) for name, text in named.items()}


def _without_comments(text: str) -> str:
    lines = [line.partition("//")[0].strip() for line in text.splitlines()]
    return "\n".join(filter(None, lines))


SPECIAL: Final = frozenset(_functions())
"""The functions that special.js adds to `Math`."""


def special_functions(names: Iterable[str]) -> str:
    """Return the text of these functions of special.js and of those that they call, each once.

    >>> special_functions(["mod"])[:15]
    'function mod(x,'
    """
    wanted, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            called = re.findall(r"(?<![\w.])(\w+)\(", _functions()[name])
            waiting += [other for other in called if other in SPECIAL]
    return "\n".join(text for name, text in _functions().items() if name in wanted)
