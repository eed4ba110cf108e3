"""Code: an expression of a text, with its precedence, its batch, and parts that merge; long lines; names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from microgradlib._support.printable import as_identifier
from microgradlib.ops.formula import ATOM, COMPARISON, PRODUCT, Formula

__all__ = ["WIDEST", "Code", "broken", "identifiers"]

WIDEST, LONGEST, SHORTEST = 96, 112, 2
"""The longest line that a comment stands beside, the longest that is not broken, and how many parts of a path a name
keeps at least."""
MOST_PARTS = 50
"""How many last parts of a path are looked at for a name that differs from others; else it is the whole path."""


class Code(Formula):
    """An expression; `batched` says whether its axis 0 is the batch, `literal` is set for a number.

    >>> print((Code("x", batched=True) @ Code("w") + 1.0).indexed([":", "None"]))
    (x @ w + 1)[..., None]
    """

    __slots__ = ("base", "batched", "condition", "index", "literal")

    def __init__(self, text: str, level: int = ATOM, *, batched: bool = False, literal: float | None = None) -> None:
        super().__init__(text, level)
        self.batched, self.literal = batched, literal
        self.base, self.index = "", list[str]()
        self.condition = text if level == COMPARISON else ""

    @classmethod
    def number(cls, number: float, digits: int | None = None) -> Code:
        """Write a number, whole ones without a point, but for −0."""
        if not math.isfinite(number):
            text = f"{'-' if number < 0 else ''}math.{'nan' if math.isnan(number) else 'inf'}"
            return cls(text, PRODUCT if number < 0 else ATOM, literal=number)
        text = repr(float(number)) if digits is None else format(number, f".{digits}g")
        return cls(text if text == "-0.0" else text.removesuffix(".0"), literal=float(number))

    def _joined(self, other: Code, text: str, level: int) -> Code:
        return Code(text, level, batched=self.batched or other.batched)

    def __sub__(self, other: Any) -> Code:
        right = Code.convert(other)
        if self.literal == 0:
            return -right
        return self + -right if right.text.startswith("-") and right.level >= PRODUCT else super().__sub__(right)

    def __neg__(self) -> Code:
        if self.text.startswith("-") and self.level >= PRODUCT and self.literal is None:
            return Code(self.text[1:], PRODUCT, batched=self.batched)
        return Code(f"-{self.at(PRODUCT)}", PRODUCT, batched=self.batched)

    def _comparison(self, sign: str, opposite: str, other: Any) -> Any:
        x, y = self.literal, Code.convert(other).literal
        if x is None or y is None:
            return super()._comparison(sign, opposite, other)
        return {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[sign]

    def indexed(self, index: list[str]) -> Code:
        """Write a part: an index for each axis, ":" for all of it, "None" for a new one; merged with one before."""
        if self.index and {*index} <= {":", "None"}:
            base, index = self.base, _merged(self.index, index)
        else:
            base = self.at(ATOM)
        shown = list(index)
        while shown and shown[-1] == ":":
            shown.pop()
        new = shown.count("None")
        if len(shown) == len(index) and new and set(shown[:-new]) == {":"}:
            shown = ["...", *shown[-new:]]
        result = Code(f"{base}[{', '.join(shown)}]" if shown else base, batched=self.batched)
        if not shown and base == self.text:
            return self
        result.base, result.index = base, index if "..." not in index else []
        return result

    def reshaped(self, shape: Sequence[int]) -> Code:
        """Write a reshape of what an example has, or of all if there is no batch."""
        lengths = ", ".join(map(str, ([-1] if self.batched else []) + list(shape)))
        return Code(f"{self.at(ATOM)}.reshape({lengths or '()'})", batched=self.batched)


def _merged(before: list[str], index: list[str]) -> list[str]:
    """Write two indices as one; the second has whole axes and new ones only."""
    merged, rest = list[str](), list(before)
    for part in index:
        if part == "None":
            merged.append(part)
            continue
        while rest and rest[0].isdecimal():
            merged.append(rest.pop(0))
        merged.append(rest.pop(0) if rest else ":")
    return merged + rest


def broken(code: str, indent: str = "") -> list[str]:
    """Return a statement as lines of text: a long sum or product of matrices in brackets, a term in each.

    >>> broken("y = " + " + ".join(["some_term"] * 14))[:3]
    ['y = (', '    some_term', '    + some_term']
    """
    start = next(iter(re.findall(r"^return |^\w+ = ", code)), "")
    expression = code[len(start) :]
    if not start or len(indent + code) <= LONGEST:
        return [indent + code]
    terms = [
        part for term in _split(expression, " + ") for part in (_split(term, " @ ") if len(term) > WIDEST else [term])
    ]
    return (
        [f"{indent}{start}(", *[f"{indent}    {term}" for term in terms], f"{indent})"]
        if terms[1:]
        else [indent + code]
    )


def _split(expression: str, sign: str) -> list[str]:
    """Return the parts of an expression before and from each sign that is in no brackets."""
    cuts, depth = [0], 0
    for k, character in enumerate(expression):
        depth += (character in "([{") - (character in ")]}")
        if not depth and expression.startswith(sign, k):
            cuts.append(k)
    return [expression[a:b].strip() for a, b in pairwise([*cuts, len(expression)])]


def identifiers(names: Sequence[str], taken: set[str]) -> list[str]:
    """Return names for variables, unique and different from those taken: the last parts of paths that tell them apart.

    >>> identifiers(["cell.u", "readout.w", "a.cell.w", "in"], {"in"})
    ['cell_u', 'readout_w', 'cell_w', 'in_']
    """
    paths = [name.split(".") for name in names]
    used, result = set(taken), list[str]()
    for path in paths:
        last = range(len(path) - SHORTEST, max(0, len(path) - MOST_PARTS), -1)
        starts = [k for k in last if not path[k].isdecimal()]
        unique = (k for k in starts if sum(other[-len(path[k:]) :] == path[k:] for other in paths) == 1)
        name = as_identifier("_".join(path[next(unique, 0) :]))
        while name in used:
            name += "_"
        used.add(name)
        result.append(name)
    return result
