"""Show where a typed expression is wrong: the text, a caret under the fault, what to write instead."""

from __future__ import annotations

import unicodedata

from microgradlib.errors import ExpressionError

__all__ = ["fault"]

MOST_LINES = 8
MOST_COLUMNS = 72
INDENT = "    "
UNPRINTABLE = {"Cc", "Cf", "Cs"}


def fault(text: str, start: int, end: int, problem: str, remedy: str) -> ExpressionError:
    r"""Return the error for the characters `text[start:end]`, which must lie within one line or run on from it.

    Carets count the columns of a terminal: a wide character, such as 重, takes two and a combining accent none.

    >>> print(fault("a ^ b", 2, 3, "'^' is not known", "Write ** for a power."))
    '^' is not known
        a ^ b
          ^
    Write ** for a power.
    >>> print(fault("β ^ b", 2, 3, "'^' is not known", "Write ** for a power.").args[0].splitlines()[2])
          ^
    """
    lines = text.split("\n")
    row = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    line, column, length = _window(lines[row], column, max(end - start, 1))
    before, under = _columns(line[:column]), _columns(line[column : column + length])
    shown = [line] if len(lines) > MOST_LINES else [*lines[:row], line]
    rest = [] if len(lines) > MOST_LINES else lines[row + 1 :]
    picture = [*shown, " " * before + "^" * max(under, 1), *rest]
    return ExpressionError("\n".join([problem, *(INDENT + _printable(part) for part in picture), remedy]))


def _window(line: str, column: int, length: int) -> tuple[str, int, int]:
    """Cut a long line to the part around the fault, with `…` where something was left out."""
    length = min(length, max(len(line) - column, 1))
    if len(line) <= MOST_COLUMNS:
        return line, column, length
    first = max(0, min(column - MOST_COLUMNS // 3, len(line) - MOST_COLUMNS))
    last = first + MOST_COLUMNS
    head, tail = "…" * (first > 0), "…" * (last < len(line))
    return head + line[first:last] + tail, column - first + len(head), min(length, last - column)


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def _printable(line: str) -> str:
    # A tab or a control character in the line would move the caret; a lone surrogate cannot be printed at all.
    shown = []
    for character in line:
        if character in "\t\f":
            shown.append(" ")
        else:
            shown.append("\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in UNPRINTABLE else character)
    return "".join(shown)
