"""Check that tokens form an expression of limited nesting, with a specific message for each kind of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.symbolic.parser.diagnostics import expression_error
from microgradlib.symbolic.parser.lexer import Token, scan

if TYPE_CHECKING:
    from microgradlib.errors import ExpressionError

__all__ = ["MAX_DEPTH", "check"]

MAX_DEPTH = 100
"""The largest nesting depth of parentheses, signs and powers, far below the limit of Python's parser."""


class _Checker:
    """Checks tokens from left to right; its state is whether an operand or an operator must come next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.previous: Token | None = None
        self.operand_next = True
        self.open: list[tuple[Token, bool, int]] = []  # each open (; whether it begins a call; the depth outside
        self.depth = 0

    def check(self, token: Token) -> None:
        if self.operand_next:
            self._operand(token)
        else:
            self._operator(token)
        if self.depth > MAX_DEPTH:
            problem = f"the expression is nested more than {MAX_DEPTH} deep here"
            raise self._error(token, token, problem, "Build deep expressions in Python, step by step.")
        self.previous = token

    def _operand(self, token: Token) -> None:
        if token.kind in {"number", "name"}:
            self.operand_next = False
        elif token.text == "(":
            self._enter(token, calls=False)
        elif token.text in {"+", "-"}:
            self.depth += 1
        elif token.text == ")" and self.previous and self.previous.text == "(" and self.open[-1][1]:
            self._leave(token)
        elif token.kind == "end":
            problem = "the expression ends too early"
            raise self._error(token, token, problem, f"Write a number or a name after {self._previous_text()!r}.")
        else:
            after = f" after {self._previous_text()!r}" if self.previous else ""
            problem = f"a number or a name is missing before {token.text!r}"
            raise self._error(token, token, problem, f"Write one{after}, or remove {token.text!r}.")

    def _operator(self, token: Token) -> None:
        if token.kind == "end":
            if self.open:
                problem, remedy = "this parenthesis is never closed", "Write the missing )."
                raise self._error(self.open[-1][0], self.open[-1][0], problem, remedy)
        elif token.text == ")":
            self._leave(token)
        elif token.text == "(" and self.previous and self.previous.kind == "name":
            self._enter(token, calls=True)
        elif token.kind in {"number", "name"} or token.text == "(":
            raise self._missing_operator(token)
        elif token.text == "," and not (self.open and self.open[-1][1]):
            remedy = "Commas separate the arguments of a function, as in max(a, b); write 0.5, not 0,5."
            raise self._error(token, token, "this comma is outside a function's parentheses", remedy)
        else:
            self.depth = self.depth + 1 if token.text == "**" else self._depth_inside()
            self.operand_next = True

    def _enter(self, token: Token, *, calls: bool) -> None:
        self.open.append((token, calls, self.depth))
        self.depth += 1
        self.operand_next = True

    def _leave(self, token: Token) -> None:
        if not self.open:
            raise self._error(token, token, "this ) has no matching (", "Remove it, or write the missing (.")
        self.depth = self.open.pop()[2]
        self.operand_next = False

    def _depth_inside(self) -> int:
        return self.open[-1][2] + 1 if self.open else 0

    def _previous_text(self) -> str:
        return self.previous.text if self.previous else ""

    def _missing_operator(self, token: Token) -> ExpressionError:
        left = self.previous or token
        problem = f"an operator is missing between {left.text!r} and {token.text!r}"
        ending = "...)" if token.text == "(" else ""
        return self._error(left, token, problem, f"Write {left.text}*{token.text}{ending} for a product.")

    def _error(self, first: Token, last: Token, problem: str, remedy: str) -> ExpressionError:
        return expression_error(self.text, first.start, last.end, problem, remedy)


def check(text: str) -> None:
    """Raise an `ExpressionError` that marks the error unless `text` is a well-formed expression.

    >>> check("tanh(w*x + b)")
    >>> check("2x")
    Traceback (most recent call last):
    microgradlib.errors.ExpressionError: an operator is missing between '2' and 'x'
        2x
        ^^
    Write 2*x for a product.
    """
    checker = _Checker(text)
    for token in scan(text):
        checker.check(token)
