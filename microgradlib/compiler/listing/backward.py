"""The backward pass in lines, as Algorithm 6.4 has it: g for the results' gradients, ∇ for the parameters'."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from microgradlib.compiler.printing.expressions import Expressions
from microgradlib.compiler.printing.formula import ArrayFormula
from microgradlib.compiler.printing.rules import slope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.printing.block import Block
    from microgradlib.compiler.printing.steps import Step

__all__ = ["Backward", "Line"]


class Line(NamedTuple):
    """One line of a program: what is set (`sign` =) or added to (+=), by which formula, and the lengths of its axes."""

    target: str
    sign: str
    formula: str
    lengths: tuple[int, ...]


class _Share(NamedTuple):
    """What a step gives to the places that it reads. `factors` are those of a matrix product, which may be turned."""

    target: ArrayFormula
    places: list[int]
    formula: ArrayFormula
    lengths: tuple[int, ...]
    factors: tuple[ArrayFormula, ArrayFormula] | None = None


class Backward:
    """Writes the backward pass of steps."""

    def __init__(self, steps: Sequence[Step], write: Expressions) -> None:
        self.steps, self.write, self.places = steps, write, write.places
        self.reached: set[int] = set()
        self.wanted = {step.block.start for step in steps if step.needed}
        self.wanted.update(block.start for block in self.places.blocks if block.kind == "parameter")

    def lines(self, seed: int) -> list[Line]:
        """Return the lines, last step first, from the place whose gradient is 1."""
        start = self.places.owner(seed)
        lines: list[Line] = []
        self.reached.add(seed)
        last = next((step for step in self.steps if step.block is start), None)
        implied = last is not None and last.block.size == 1 and last.kind != "product"
        if not implied and start.start in self.wanted:
            lines.append(Line(str(self.places.written([seed], name=self._target_name)), "=", "1", (1,)))
        for step in reversed(self.steps):
            if step.reader is None and step.needed and not self.reached.isdisjoint(step.results):
                seeded = implied and step is last
                lines += self._of_line(step, ArrayFormula.number(1.0) if seeded else self._gradient(step))
        return lines

    def _gradient(self, step: Step) -> ArrayFormula:
        return ArrayFormula(f"g_{step.block.name}", size=step.block.size)

    def _target_name(self, block: Block) -> str:
        if block.start not in self.wanted:
            return "_"
        return f"∇{block.name}" if block.kind == "parameter" else f"g_{block.name}"

    def _of_line(self, root: Step, g: ArrayFormula) -> Iterator[Line]:
        """Yield what a line of the forward pass gives back: through the steps folded into it to what these read."""
        waiting = [(root, g)]
        shares: list[_Share] = []
        while waiting:
            step, g = waiting.pop()
            if step.kind == "product":
                if step.reader is not None:
                    yield Line(f"g_{step.block.name}", "=", str(g), step.block.lengths)
                shares += self._of_product(step, self._gradient(step))
                continue
            for k in range(len(step.reads)):
                if step.wanted[k]:
                    given = self._of_map(step, k, g) if step.kind == "map" else self._of_reduction(step, k, g)
                    if k not in step.folded:
                        shares += given
                    elif given:
                        waiting.append((step.folded[k], given[0].formula))
        yield from self._together(shares)

    def _operand(self, step: Step, k: int) -> ArrayFormula:
        """Write an operand; the net inputs of an activation by their name."""
        child = step.folded.get(k)
        if child is None or child.kind != "product":
            return self.write.operand(step, k)
        return ArrayFormula(child.block.name, size=child.block.size)

    def _of_map(self, step: Step, k: int, g: ArrayFormula) -> list[_Share]:
        operands = [self._operand(step, i) for i in range(len(step.reads))]
        z = self.write.expression(step) if step.reader else ArrayFormula(step.block.name, size=step.block.size)
        factor = slope(step.op, k, z, operands)
        return [self._spread(step, k, g * factor)]

    def _spread(self, step: Step, k: int, share: ArrayFormula) -> _Share:
        """Give a share to an operand that is repeated for the results: once, their sum."""
        base, pattern = self.write.base(step, k)
        lengths = step.block.lengths if len(base) == step.block.size else (len(base),)
        n = step.block.size
        if pattern != "all" and n > len(base):
            note = {"one": "", "each": ", each column", "tile": ", each row"}[pattern]
            once = (n // len(base)) * share
            share = once if share.size == 1 else ArrayFormula(f"sum({share}{note})", size=len(base), plain=False)
        target = ArrayFormula("") if k in step.folded else self.write.reading(step, k, self._target_name)
        return _Share(target, base, share, lengths)

    def _of_reduction(self, step: Step, k: int, g: ArrayFormula) -> list[_Share]:
        by_term = self.write.by_term(step)
        if by_term and k < 2:
            return [self._of_term(pair[k], g * self.write.factor(pair[1 - k])) for pair in by_term]
        target = ArrayFormula("") if k in step.folded else self.write.reading(step, k, self._target_name)
        read = step.reads[k]
        lengths = self.places.owner(read[0]).lengths if self.places.is_whole(read) else (len(read),)
        return [_Share(target, step.reads[k], self._of_terms(step, k, g), lengths)]

    def _of_term(self, read: list[int], share: ArrayFormula) -> _Share:
        return _Share(self.places.written(read, name=self._target_name), read, share, (len(read),))

    def _of_terms(self, step: Step, k: int, g: ArrayFormula) -> ArrayFormula:
        """Return g ∂op/∂term for all terms: for a sum g, for a dot g times the other factors, and so on."""
        name = step.op.name
        if k == 2:
            return g
        if step.block.size > 1 and self.write.each(step) == "each column":
            g = g.transposed()
        if name == "sum":
            return g
        if name == "mean" and len(set(step.counts)) == 1:
            return g / float(step.counts[0])
        if name == "dot":
            return g * self.write.operand(step, 1 - k)
        if name == "cross_entropy" and len(step.reads) == 2:
            return g * self._of_cross_entropy(step, k)
        slopes = "softmax" if name == "logsumexp" else f"{step.op.symbol}'"
        return g * self.write.reduction(slopes, step, [self.write.operand(step, 0)])

    def _of_cross_entropy(self, step: Step, k: int) -> ArrayFormula:
        """Return logsumexp(z) - z for the weights y, and sum(y) * softmax(z) - y for the logits z."""
        y, z = (self.write.operand(step, i) for i in (0, 1))
        if k == 0:
            return self.write.reduction("logsumexp", step, [z]) - z
        return self.write.reduction("sum", step, [y]) * self.write.reduction("softmax", step, [z]) - y

    def _of_product(self, step: Step, g: ArrayFormula) -> list[_Share]:
        """∇b = g, ∇W = g @ X.T, g_X = W.T @ g: those that are wanted, in this order."""
        w, x = (self.write.operand(step, k) for k in (0, 1))
        shares = []
        if len(step.reads) == 3 and step.wanted[2]:
            shares.append(self._spread(step, 2, g))
        if step.wanted[0]:
            target = self.write.reading(step, 0, self._target_name)
            shares.append(_Share(target, step.reads[0], g @ x.transposed(), (step.rows, step.terms), (g, x)))
        if step.wanted[1]:
            target = self.write.reading(step, 1, self._target_name)
            lengths = (step.terms, step.columns) if step.columns > 1 else (step.terms,)
            shares.append(_Share(target, step.reads[1], w.transposed() @ g, lengths))
        return shares

    def _together(self, shares: Sequence[_Share]) -> Iterator[Line]:
        """Yield a line for each target: the sum of its shares."""
        by_target: dict[tuple[str, tuple[int, ...]], list[_Share]] = {}
        for share in shares:
            by_target.setdefault((str(share.target), tuple(share.places)), []).append(share)
        for (target, read), group in by_target.items():
            places = [place for place in read if self.places.owner(place).start in self.wanted]
            if not places:
                continue
            again = len(set(places)) < len(places) or not self.reached.isdisjoint(places)
            self.reached.update(places)
            formula, lengths = ArrayFormula.total([share.formula for share in group]), group[0].lengths
            sign = "+=" if again else "="
            if not target.endswith(".T") or target.startswith("["):
                yield Line(target, sign, str(formula), lengths)
                continue
            alone = group[0].factors if len(group) == 1 else None
            formula = alone[1] @ alone[0].transposed() if alone else formula.transposed()
            yield Line(target.removesuffix(".T"), sign, str(formula), lengths[::-1])
