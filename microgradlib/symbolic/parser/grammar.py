"""Check the order of tokens, so that every slip of typing gets an answer of its own, and bound the nesting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.symbolic.parser.faults import fault
from microgradlib.symbolic.parser.scanning import Token, scan

if TYPE_CHECKING:
    from microgradlib.errors import ExpressionError

__all__ = ["DEEPEST", "check"]

DEEPEST = 100
"""How deep parentheses, signs and powers may nest: far below what Python's own parser stands."""


class _Reader:
    """Reads tokens from left to right, knowing whether an operand or an operator must come next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.previous: Token | None = None
        self.operand_next = True
        self.open: list[tuple[Token, bool, int]] = []  # each (, whether it calls a function, the depth outside
        self.depth = 0

    def read(self, token: Token) -> None:
        if self.operand_next:
            self._operand(token)
        else:
            self._operator(token)
        if self.depth > DEEPEST:
            problem = f"the expression is nested more than {DEEPEST} deep here"
            raise self._fault(token, token, problem, "Build deep expressions in Python, step by step.")
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
            raise self._fault(token, token, problem, f"Write a number or a name after {self._last()!r}.")
        else:
            after = f" after {self._last()!r}" if self.previous else ""
            problem = f"a number or a name is missing before {token.text!r}"
            raise self._fault(token, token, problem, f"Write one{after}, or take {token.text!r} away.")

    def _operator(self, token: Token) -> None:
        if token.kind == "end":
            if self.open:
                problem, remedy = "this parenthesis is never closed", "Write the missing )."
                raise self._fault(self.open[-1][0], self.open[-1][0], problem, remedy)
        elif token.text == ")":
            self._leave(token)
        elif token.text == "(" and self.previous and self.previous.kind == "name":
            self._enter(token, calls=True)
        elif token.kind in {"number", "name"} or token.text == "(":
            raise self._missing_operator(token)
        elif token.text == "," and not (self.open and self.open[-1][1]):
            remedy = "Commas part the arguments of a function, as in max(a, b); write 0.5, not 0,5."
            raise self._fault(token, token, "this comma stands outside a function's parentheses", remedy)
        else:
            self.depth = self.depth + 1 if token.text == "**" else self._base()
            self.operand_next = True

    def _enter(self, token: Token, *, calls: bool) -> None:
        self.open.append((token, calls, self.depth))
        self.depth += 1
        self.operand_next = True

    def _leave(self, token: Token) -> None:
        if not self.open:
            raise self._fault(token, token, "this ) closes nothing", "Take it away, or write the ( it belongs to.")
        self.depth = self.open.pop()[2]
        self.operand_next = False

    def _base(self) -> int:
        return self.open[-1][2] + 1 if self.open else 0

    def _last(self) -> str:
        return self.previous.text if self.previous else ""

    def _missing_operator(self, token: Token) -> ExpressionError:
        left = self.previous or token
        problem = f"an operator is missing between {left.text!r} and {token.text!r}"
        ending = "...)" if token.text == "(" else ""
        return self._fault(left, token, problem, f"Write {left.text}*{token.text}{ending} for a product.")

    def _fault(self, first: Token, last: Token, problem: str, remedy: str) -> ExpressionError:
        return fault(self.text, first.start, last.end, problem, remedy)


def check(text: str) -> None:
    """Raise an ExpressionError that says what is wrong, unless `text` is a well-formed expression.

    >>> check("tanh(w*x + b)")
    >>> check("2x")
    Traceback (most recent call last):
    microgradlib.errors.ExpressionError: an operator is missing between '2' and 'x'
        2x
        ^^
    Write 2*x for a product.
    """
    reader = _Reader(text)
    for token in scan(text):
        reader.read(token)
