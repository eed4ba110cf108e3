"""Split a typed expression into tokens: numbers, names and operators; anything else raises an error with a remedy."""

from __future__ import annotations

import keyword
import math
import re
from itertools import pairwise
from typing import NamedTuple

from microgradlib._support.printable import normalised
from microgradlib.symbolic.parser.diagnostics import expression_error

__all__ = ["MAX_CHARACTERS", "Token", "scan", "variables_in"]

MAX_CHARACTERS = 4000
"""Longer texts raise an ExpressionError."""

TOKEN = re.compile(
    r"(?P<space>[ \t\n\f]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>\*\*|<=|>=|(?!//)[-+*/()<>,])"
)

REMEDIES = {
    "//": "Write floor(a / b) for division rounded down.",
    "==": "Compare with <, <=, > or >=.",
    "!=": "Compare with <, <=, > or >=.",
    "^": "Write ** for a power, as in x**2.",
    "²": "Write **2.",
    "³": "Write **3.",
    "×": "Write * for a product.",
    "·": "Write * for a product.",
    "⋅": "Write * for a product.",
    "÷": "Write / for a quotient.",
    "\N{MINUS SIGN}": "Write - for a difference.",
    "\N{EN DASH}": "Write - for a difference.",
    "√": "Write sqrt(x) for a root.",
    "=": "Write only the expression, not an assignment; compare with <, <=, > or >=.",
    ".": "Attributes are not allowed: write a function before its argument, as in tanh(x).",
    "[": "Lists and indexing are not allowed: write sum(a, b, c), and a name of its own for every number, as in x1.",
    "{": "Sets and dictionaries are not allowed: write parentheses.",
    "'": "Text is not allowed: write names without quotes.",
    '"': "Text is not allowed: write names without quotes.",
    "%": "Remainders are not allowed: write a - b*floor(a/b).",
    "!": "Write gamma(n + 1) for the factorial of n.",
    "|": "Write abs(x) for the absolute value of x.",
    "#": "Leave comments out.",
}
ALLOWED = "Allowed are numbers, names, + - * / **, comparisons < <= > >=, parentheses and functions such as tanh(x)."


class Token(NamedTuple):
    """A token: its kind (`number`, `name`, `operator`, or `end`), its characters, and their range in the text."""

    kind: str
    text: str
    start: int
    end: int


def scan(text: str) -> list[Token]:
    """Return the tokens of `text`, with an `end` token last.

    >>> [token.text for token in scan("tanh(2*x)")]
    ['tanh', '(', '2', '*', 'x', ')', '']

    Raises:
        ExpressionError: the text is empty or too long, or holds a character, a keyword or a number that is not allowed.

    """
    if len(text) > MAX_CHARACTERS:
        problem = f"the expression has {len(text)} characters, more than the {MAX_CHARACTERS} allowed"
        remedy = "Build long expressions in Python, from Values."
        raise expression_error(text, MAX_CHARACTERS, MAX_CHARACTERS + 1, problem, remedy)
    tokens = []
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise _unknown_character(text, position)
        token = Token(str(match.lastgroup), match.group(), position, match.end())
        if token.kind != "space":
            _check(text, token)
            tokens.append(token)
        position = match.end()
    if not tokens:
        raise expression_error(text, 0, 1, "the expression is empty", "Write one, such as tanh(w*x + b).")
    last = tokens[-1].end
    return [*tokens, Token("end", "", last, last + 1)]


def variables_in(text: str) -> tuple[str, ...]:
    """Return the names in `text` that are not called as functions, each once, in order of appearance.

    >>> variables_in("tanh(w*x + b) + x")
    ('w', 'x', 'b')

    Raises:
        ExpressionError: as `scan`.

    """
    tokens = scan(text)
    names = (
        normalised(token.text)
        for token, following in pairwise(tokens)
        if token.kind == "name" and following.text != "("
    )
    return tuple(dict.fromkeys(names))


def _check(text: str, token: Token) -> None:
    if token.kind == "number" and math.isinf(float(token.text)):
        problem = "the number is too large for a float"
        raise expression_error(text, token.start, token.end, problem, "Write a number below 1.8e308.")
    if token.text.isdecimal() and token.text != (digits := token.text.lstrip("0") or "0") and digits != "0":
        problem = "a whole number cannot begin with 0"
        raise expression_error(text, token.start, token.end, problem, f"Write {digits}.")
    if token.kind != "name":
        return
    if not token.text.isidentifier():
        valid = next(size for size in range(len(token.text), -1, -1) if token.text[:size].isidentifier() or not size)
        raise _unknown_character(text, token.start + valid)
    if keyword.iskeyword(normalised(token.text)):
        problem = f"{token.text!r} is a keyword of Python and cannot be used here"
        remedy = (
            "Rename a variable of that name; write where(condition, a, b) for a choice, 1 and 0 for True and False."
        )
        raise expression_error(text, token.start, token.end, problem, remedy)


def _unknown_character(text: str, position: int) -> Exception:
    pair, single = text[position : position + 2], text[position]
    found = pair if pair in REMEDIES else single
    shown = repr(found) if found.isprintable() else f"the character U+{ord(found):04X}"
    return expression_error(
        text, position, position + len(found), f"{shown} cannot be used here", REMEDIES.get(found, ALLOWED)
    )
