"""Expressions: what a step computes as one formula, matrix products as W @ x + b, inlined steps in their place."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from typing import Any

from microgradlib.compiler.instructions import Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.formula import ArrayFormula, slope
from microgradlib.listing.readings import is_one_part, matrix, reading
from microgradlib.listing.steps import Step, broadcast
from microgradlib.listing.symbols import Symbols
from microgradlib.ops.formula import write_op

__all__ = ["Expressions"]

FEW_TERMS = 3
"""Dot products of so few terms are written as sums of products."""


class Expressions:
    """Writes steps, given the symbols that they read.

    `inlined`: by the first symbol of its results, a step that is written in the lines of those that read it.
    `partly_read`: the first symbols of steps that cannot be, as something reads only a part of their results; `kept`
    are those of which this was known before. `batched`: of cotangents that have a line for that reason, by name,
    whether each example has its own.
    """

    def __init__(self, symbols: Symbols, kept: AbstractSet[int]) -> None:
        self.symbols, self.kept = symbols, kept
        self.inlined: dict[int, Step] = {}
        self.partly_read: set[int] = set()
        self.batched: dict[str, bool] = {}

    def expression(self, step: Step) -> ArrayFormula:
        """Write what a step computes; as deep as steps are inlined into one another, which a line's length limits."""
        return self.expression_and_pattern(step)[0]

    def expression_and_pattern(self, step: Step) -> tuple[ArrayFormula, str]:
        """Write what a step computes, and say whether that is a number for "all" results, or as `base` does."""
        operands = [self.operand(step, k) for k in range(len(step.reads))]
        if step.kind == "matmul":
            result = self._matmul(step, operands)
        elif step.kind == "reduce" and step.wrt is not None:
            result = operands[0] * self._slopes(step, operands)
        elif step.kind == "reduce":
            result = self._reduction(step, operands)
        elif step.wrt is not None:
            result = operands[0] * slope(step.op, step.wrt, operands[1], operands[2:])
        else:
            result = operands[0] if step.op.name == "identity" else write_op(ArrayFormula, step.op, operands)
        if len(operands) == 3 and step.op.name == "dot" and step.wrt is None:
            result += operands[2]
        read = [k for k, operand in enumerate(operands) if operand.leaves and {*operand.leaves} <= {*result.leaves}]
        patterns = {self.base(step, k)[1] for k in read} - {"one"}
        if step.kind == "elementwise" and patterns in ({"each"}, {"tile"}, set()):
            return result, "".join(patterns) or "one"
        return result.replaced(size=step.size), "all"

    def _matmul(self, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        if step.shape:
            count, rows, columns = step.shape
            terms = step.reads[0].size // count // rows
            return ArrayFormula.function("matmul", operands, f"{count} of {rows} × {terms} × {columns}")
        w, x = operands[:2]
        if (step.reads[1] == self.symbols.one).all():
            rows, terms = step.reads[0].shape
            w = w.transposed() if rows == 1 else w
            return w if terms == 1 else ArrayFormula.function("sum", [w], "each row" if rows > 1 else "")
        if w.literal is not None or x.literal is not None:
            return w * x
        row_by_column = step.results.size == 1 and w.text.endswith(".T")
        return (w.transposed() if row_by_column else w) @ x

    def _reduction(self, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        if step.op.name != "dot":
            return self._of_terms(step.op.symbol, step, operands)
        by_term = self.by_term(step)
        if by_term:
            return ArrayFormula.total([self._factor(w) * self._factor(x) for w, x in by_term])
        if len(step.counts) > 1:
            return self._of_terms("dot", step, operands[:2])
        return operands[0] @ operands[1]

    def by_term(self, step: Step) -> list[tuple[Slots, Slots]]:
        """Return what several dot products of few terms read, term by term; nothing where that is not the shorter."""
        terms = step.counts[0] if step.counts else 0
        if step.op.name != "dot" or step.size == 1 or set(step.counts) != {terms} or not 0 < terms <= FEW_TERMS:
            return []
        if self._child(step, 0) or self._child(step, 1):
            return []
        pairs = [(step.reads[0][t::terms], step.reads[1][t::terms]) for t in range(terms)]
        clean = all("[…]" not in self._factor(read).text for pair in pairs for read in pair)
        return pairs if clean else []

    def _factor(self, read: Slots) -> ArrayFormula:
        """Write one factor of many products; a constant that stands in all of them once."""
        constant = int(read[0]) in self.symbols.constants and (read == read[0]).all()
        return self.reading(read[:1] if constant else read)

    def _of_terms(self, name: str, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        """Write a function of all terms together, or of so many at a time."""
        note = self.each(step) if len(step.counts) > 1 else ""
        return ArrayFormula.function(name, operands, note).replaced(size=sum(step.counts))

    def each(self, step: Step) -> str:
        """Say which terms a reduction with several results takes together."""
        fewest, most = min(step.counts), max(step.counts)
        if fewest < most:
            return f"{fewest} to {most} each"
        note = self._as_matrices(step)
        return f"each {note}" if note else f"{most} each"

    def _as_matrices(self, step: Step) -> str:
        """Say where the terms of each result are, if all operands are matrices: in a "column" or "row" of them."""
        if len(set(step.counts)) > 1 or len(step.counts) == 1:
            return ""
        for note in ("column", "row"):
            terms = [read.reshape(len(step.counts), -1) for read in _terms(step)]
            texts = [self._matrix(read.T if note == "column" else read) for read in terms]
            if all(texts) and not all(text.endswith(".T") for text in texts):
                return note
        return ""

    def _matrix(self, read: Slots) -> str:
        """Write a matrix that is a block or a part of one, or its transpose; nothing for another."""
        formula = matrix(self.symbols, read) if min(read.shape) > 1 else None
        return formula.text if formula is not None and is_one_part(formula) and "(" not in formula.text else ""

    def _slopes(self, step: Step, operands: Sequence[ArrayFormula]) -> ArrayFormula:
        """Write the slopes of a reduction by all its terms."""
        if step.op.name == "cross_entropy" and len(operands) == 4:
            y, z = operands[2:]
            if step.wrt == 0:
                return self._of_terms("logsumexp", step, [z]) - z
            return self._of_terms("sum", step, [y]) * self._of_terms("softmax", step, [z]) - y
        return self._of_terms("softmax" if step.op.name == "logsumexp" else f"{step.op.symbol}'", step, operands[2:])

    def _child(self, step: Step, k: int) -> Step | None:
        """Return the step that is written in the place of an operand; in the backward pass, products have names."""
        read = step.reads[k]
        child = self.inlined.get(self.symbols.owner(read.flat[0]).start)
        if child is None or (child.kind == "matmul" and step.backward and not child.backward):
            return None
        return child if self.fits(child, step, k) else None

    def fits(self, child: Step, step: Step, k: int) -> bool:
        """Say whether operand k is all results of another step, in order, once each or repeated in a matrix."""
        base, results = self.base(step, k)[0], child.results
        if step.op.name == "dot" and step.kind == "reduce" and len(step.counts) == 1 and results.ndim == 2:
            return False  # x @ y is of two vectors: a matrix with a name is written y.flat
        if step.kind != "elementwise" or results.size == 1:
            base, results = base.ravel("F"), results.ravel("F")
        return bool(numpy().array_equal(base, results))

    def operand(self, step: Step, k: int) -> ArrayFormula:
        """Write operand k of a step; numbers that each belong to a column as a row."""
        child = self._child(step, k)
        base, pattern = self.base(step, k)
        if child is not None:
            expression, row = self.expression(child), base.ndim == 2 and len(base) == 1 and child.results.ndim == 1
            return expression.transposed() if pattern == "each" or row else expression
        if step.kind == "reduce" and len(base) == sum(step.counts):
            terms, flat = self.like_terms(step, base)
            return self.reading(terms, flat=flat)
        result = self.reading(base, letter="b" if step.kind == "matmul" and k == 2 else "W")
        column = pattern == "all" and step.wrt is not None and len(step.counts) > 1 and self.each(step) == "each column"
        return result.transposed() if pattern == "each" or column else result

    def reading(self, read: Slots, **settings: Any) -> ArrayFormula:
        """Write numbers by the names of their blocks: one that has none, as its step is inlined elsewhere, must get it.

        Wherever it stands in a list: this is where all names are written that a step reads.
        """
        children = [self.inlined[block.start] for block in self.symbols.owners(read) if block.start in self.inlined]
        self.partly_read.update([child.block.start for child in children if child.kind != "matmul" or child.backward])
        return reading(self.symbols, read, **settings)

    def like_terms(self, step: Step, results: Slots) -> tuple[Slots, bool]:
        """Return results, one for each term of a reduction, in the terms' shape, and whether matrices are flat."""
        matrices = self._as_matrices(step)
        if not matrices:
            return results, len(step.counts) > 1 or len(_terms(step)) > 1
        matrix = results.reshape(len(step.counts), -1)
        return (matrix if matrices == "row" else matrix.T), False

    def transposed(self, step: Step) -> ArrayFormula:
        """Write the transpose of a matrix product."""
        w, x = [self.operand(step, k).transposed() for k in range(2)]
        return self._matmul(step, [x, w]).replaced(size=step.size)

    def base(self, step: Step, k: int) -> tuple[Slots, str]:
        """Return the symbols of operand k, and for which results: for "all" their own, or "one", "each" or "tile"."""
        read = step.reads[k]
        terms = step.kind == "reduce" and len(read) == sum(step.counts)
        return (read, "all") if terms or (step.kind == "matmul" and k < 2) else broadcast(read)


def _terms(step: Step) -> list[Slots]:
    """Return what a reduction, or its adjoint, has several of for each result."""
    return step.reads[:2] if step.wrt is None else step.reads[2:]
