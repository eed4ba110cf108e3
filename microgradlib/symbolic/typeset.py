"""Show expressions typeset as mathematics in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib._support.calling import in_plain_words
from microgradlib.symbolic.latex import to_latex
from microgradlib.symbolic.text import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.core.node import Node

__all__ = ["TypesetFormula", "show"]


class TypesetFormula:
    """An expression as `text` and as `latex`; notebooks show the typeset form."""

    __slots__ = ("latex", "text")

    def __init__(self, text: str, latex: str) -> None:
        self.text = text
        self.latex = latex

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@in_plain_words
def show(expression: Node | float | Sequence[Node | float], *, digits: int | None = None) -> TypesetFormula:
    """Return the expression as an object that a notebook typesets and a terminal prints as text.

    Raises `GraphTooLargeError` for an expression of more than 1000 operations.

    >>> from microgradlib import Symbol, tanh
    >>> show(tanh(Symbol("w") * Symbol("x")))
    tanh(w*x)
    """
    return TypesetFormula(to_text(expression, digits=digits), to_latex(expression, digits=digits))
