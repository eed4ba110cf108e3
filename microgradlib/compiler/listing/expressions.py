"""Expressions: what a step computes as one formula, matrix products as W @ x + b, folded steps in their place."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from microgradlib.compiler.printing.formula import ArrayFormula
from microgradlib.compiler.printing.places import spread
from microgradlib.compiler.printing.rules import applied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.printing.block import Block
    from microgradlib.compiler.printing.places import Places
    from microgradlib.compiler.printing.steps import Step

__all__ = ["Expressions", "is_clean", "own_name"]

FEW_TERMS = 3
"""Dot products of so few terms are written as sums of products."""


def own_name(block: Block) -> str:
    """Return a block's name."""
    return block.name


def is_clean(formula: ArrayFormula) -> bool:
    """Say whether a reading could be written in full."""
    return "[…]" not in formula.text


def _is_one_part(formula: ArrayFormula) -> bool:
    """Say whether a reading is a block or a part of one, so that a matrix is not a list of numbers."""
    return is_clean(formula) and not formula.text.startswith("[")


class Expressions:
    """Writes steps, given the places that they read."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def expression(self, step: Step) -> ArrayFormula:
        """Write what a step computes; as deep as steps are folded into one another, which a line's length limits."""
        operands = [self.operand(step, k) for k in range(len(step.reads))]
        if step.kind == "map":
            result = applied(step.op, operands)
        elif step.kind == "product":
            result = operands[0] @ operands[1]
        elif step.op.name != "dot":
            result = self.reduction(step.op.symbol, step, operands)
        else:
            result = self._dot(step, operands)
        if len(operands) == 3 and step.op.name == "dot":
            result += operands[2]
        result.size = step.block.size
        return result

    def _dot(self, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        if step.block.size == 1:
            matrices = self._keeps_shape(step)
            return self.reduction("dot", step, operands[:2]) if matrices else operands[0] @ operands[1]
        by_term = self.by_term(step)
        if by_term:
            return ArrayFormula.total([self.factor(w) * self.factor(x) for w, x in by_term])
        return self.reduction("dot", step, operands[:2])

    def by_term(self, step: Step) -> list[tuple[list[int], list[int]]]:
        """Return what several dot products of few terms read, term by term; nothing where that is not the shorter."""
        terms = step.counts[0] if step.counts else 0
        if step.op.name != "dot" or step.folded or set(step.counts) != {terms} or not 0 < terms <= FEW_TERMS:
            return []
        pairs = [(step.reads[0][t::terms], step.reads[1][t::terms]) for t in range(terms)]
        clean = all(is_clean(self.factor(read)) for pair in pairs for read in pair)
        return pairs if clean and step.block.size > 1 else []

    def factor(self, read: list[int]) -> ArrayFormula:
        """Write one factor of many products; a constant that stands in all of them once."""
        constant = read[0] in self.places.constants and len(set(read)) == 1
        return self.places.written(read[:1] if constant else read)

    def reduction(self, name: str, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        """Write a function of all terms together, or of so many at a time."""
        inputs = ", ".join(map(str, operands))
        note = f", {self.each(step)}" if step.block.size > 1 else ""
        return ArrayFormula(f"{name}({inputs}{note})", size=len(step.reads[0]), plain=False)

    def each(self, step: Step) -> str:
        """Say which terms a reduction with several results takes together."""
        fewest, most = min(step.counts), max(step.counts)
        if fewest < most:
            return f"{fewest} to {most} each"
        if self.places.rows(step.reads[0]) == most and self._keeps_shape(step):
            return "each column" if self.places.owner(step.reads[0][0]).by_columns else "each row"
        return f"{most} each"

    def operand(self, step: Step, k: int) -> ArrayFormula:
        """Write operand k of a step; numbers that each belong to a column as a row."""
        if k in step.folded:
            return self.expression(step.folded[k])
        reading = self.reading(step, k)
        return reading.transposed() if self.base(step, k)[1] == "each" else reading

    def reading(self, step: Step, k: int, name: Callable[[Block], str] = own_name) -> ArrayFormula:
        """Write the numbers that operand k reads, once each; `name` names the blocks."""
        if step.kind == "product" and k < 2:
            return self._matrix(step, k, name)
        base, pattern = self.base(step, k)
        letter = "b" if step.kind == "product" else "W"
        stack = self._stack(base, letter, (len(base),), name)
        if stack is not None:
            return stack
        if step.kind == "reduce" and k < 2:
            return self.places.written(base, 0 if self._keeps_shape(step) else 1, name=name)
        inner = step.block.inner if step.block.by_columns and pattern == "all" else 1
        if inner > 1 and self.places.rows(base) != inner:
            return self.places.picked(base, name)
        return self.places.written(base, inner, name=name)

    def _keeps_shape(self, step: Step) -> bool:
        """Say whether what a reduction reads may be written as matrices: there is one, or both have as many rows."""
        shapes = [(self.places.rows(read), self.places.owner(read[0]).by_columns) for read in step.reads[:2]]
        return len(shapes) == 1 or (shapes[0] == shapes[1] and shapes[0][0] > 0)

    def base(self, step: Step, k: int) -> tuple[list[int], str]:
        """Return the places of operand k, and for which results: for "all" their own, or "one", "each" or "tile"."""
        read = step.reads[k]
        if step.kind == "reduce" and k < 2:
            return read, "all"
        pattern, base, times = spread(read)
        rows = step.block.inner if step.block.by_columns else 0
        fits = pattern == "one" or (pattern == "each" and times == rows) or (pattern == "tile" and len(base) == rows)
        return (base, pattern) if fits else (read, "all")

    def _stack(
        self, read: list[int], letter: str, lengths: tuple[int, ...], name: Callable[[Block], str]
    ) -> ArrayFormula | None:
        stack = self.places.stack(read, letter, lengths)
        if stack is None:
            return None
        family = self.places.owner(read[0])
        return ArrayFormula(name(replace(family, name=stack)), size=len(read))

    def _matrix(self, step: Step, k: int, name: Callable[[Block], str]) -> ArrayFormula:
        """Write the W (k = 0) or X (k = 1) of a product."""
        read, terms, by_columns = step.reads[k], step.terms, k == 1
        stack = self._stack(read, "W", (len(read) // terms, terms) if len(read) > terms else (terms,), name)
        if stack is not None:
            return stack
        if len(read) == terms:
            return self.places.written(read, 1, name=name)
        lines = len(read) // terms
        if self.places.rows(read) == terms:
            return self.places.written(read, terms, by_columns=by_columns, name=name)
        turned = [read[i] for t in range(terms) for i in range(t, len(read), terms)]
        if self.places.rows(turned) == lines:
            return self.places.written(turned, lines, by_columns=by_columns, name=name).transposed()
        flat = self.places.written(read, 1, name=name)
        if _is_one_part(flat):
            return ArrayFormula(f"{flat}.reshape({lines}, {terms}){'.T' if by_columns else ''}", size=len(read))
        return self._side_by_side(read, terms, by_columns, name) or self.places.picked(read, name)

    def _side_by_side(
        self, read: list[int], terms: int, by_columns: bool, name: Callable[[Block], str]
    ) -> ArrayFormula | None:
        """Write a matrix as parts that lie side by side (or, by columns, below each other), if it is made so."""
        owners = [self.places.owner(place).start for place in read[:terms]]
        cuts = [0, *[t for t in range(1, terms) if owners[t] != owners[t - 1]], terms]
        if not 2 < len(cuts) < 6 or any(end - start == 1 for start, end in pairwise(cuts)):
            return None  # a single row or column would read as a vector
        parts = []
        for start, end in pairwise(cuts):
            part = [place for line in range(0, len(read), terms) for place in read[line + start : line + end]]
            parts.append(self.places.written(part, end - start, by_columns=by_columns, name=name))
        if not all(map(_is_one_part, parts)):
            return None
        return ArrayFormula(f"[{', '.join(map(str, parts))}]", size=len(read))
