"""Error messages for typed expressions: the problem, the text with carets under the error, and the remedy."""

from __future__ import annotations

import unicodedata

from microgradlib._support.printable import one_line, shorten
from microgradlib.errors import ExpressionError

__all__ = ["expression_error"]

MAX_LINES = 8
"""A text with more lines is shown by the line with the error only."""

MAX_COLUMNS = 72
"""A line with more characters is cut to this length around the error."""

MAX_PROBLEM, MAX_REMEDY = 200, 2000
"""Longer sentences, with long names in them, are shortened; the list of all functions is a remedy."""

INDENT = "    "
INVISIBLE = "Cf"


def expression_error(text: str, start: int, end: int, problem: str, remedy: str) -> ExpressionError:
    r"""Return the error for the characters `text[start:end]`; carets mark those on the first of their lines.

    Carets count the columns of a terminal: a wide character, such as 重, takes two and a combining accent none.

    >>> print(expression_error("a ^ b", 2, 3, "'^' is not known", "Write ** for a power."))
    '^' is not known
        a ^ b
          ^
    Write ** for a power.
    >>> print(expression_error("β ^ b", 2, 3, "'^' is not known", "Write ** for a power.").args[0].splitlines()[2])
          ^
    """
    lines = text.split("\n")
    row = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    line, column, length = _window(lines[row], column, max(end - start, 1))
    before, under = _width(line[:column]), _width(line[column : column + length])
    shown = [line] if len(lines) > MAX_LINES else [*lines[:row], line]
    rest = [] if len(lines) > MAX_LINES else lines[row + 1 :]
    excerpt = [*shown, " " * before + "^" * max(under, 1), *rest]
    rows = [INDENT + _printable(shorten(row_text, MAX_COLUMNS + 2)) for row_text in excerpt]
    return ExpressionError("\n".join([shorten(problem, MAX_PROBLEM), *rows, shorten(remedy, MAX_REMEDY)]))


def _window(line: str, column: int, length: int) -> tuple[str, int, int]:
    """Cut a long line around the error, with `…` where it was cut; return it with the error's column and length."""
    length = min(length, max(len(line) - column, 1))
    if len(line) <= MAX_COLUMNS:
        return line, column, length
    first = max(0, min(column - MAX_COLUMNS // 3, len(line) - MAX_COLUMNS))
    last = first + MAX_COLUMNS
    head, tail = "…" * (first > 0), "…" * (last < len(line))
    return head + line[first:last] + tail, column - first + len(head), min(length, last - column)


def _width(text: str) -> int:
    """Return the number of terminal columns that the text takes."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _printable(line: str) -> str:
    # Characters that take no room, such as a zero-width space, would misplace the caret.
    replaced = "\N{REPLACEMENT CHARACTER}"
    return "".join([replaced if unicodedata.category(c) == INVISIBLE else c for c in one_line(line.replace("\f", " "))])
