"""Inlining: which steps are written in the line of their only reader, and what the others are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from microgradlib.compiler.instructions import Slots
from microgradlib.listing.expressions import Expressions
from microgradlib.listing.steps import Step

__all__ = ["UNNAMED", "give_names", "inline"]

UNNAMED = "v10"
"""The name of a result before it has its own, as long as most will be."""

LONGEST = 56
"""The longest formula that inlining may make, but for an activation of a matrix product."""

MOST_LEAVES = 3
"""How many parameters and results one line may read after inlining, as each has a line with its slopes."""

LETTERS = {"+": "s", "-": "d", "*": "p", "/": "q", "**": "p"}
"""Sum, difference, product, quotient, power; comparisons are c, functions have their first letter."""

RESERVED = {"a", "b", "h"}
"""Letters of net inputs, of biases side by side, and of activations."""


def inline(steps: Sequence[Step], outputs: Slots, write: Expressions) -> None:
    """Write steps that one operand of one other step reads in its line, if that stays short."""
    makers = {step.block.start: step for step in steps}
    for step in steps:
        step.block.name = UNNAMED
    reads = Counter([block.start for step in steps for read in step.reads for block in write.symbols.owners(read)])
    reads.update([block.start for block in write.symbols.owners(outputs)] * 2)
    for step in steps:
        for k, read in enumerate(step.reads):
            start = write.symbols.owner(read.flat[0]).start
            child = makers.get(start)
            if child is None or start in write.kept or reads[start] != 1 or not _may_inline(child, step, k, write):
                continue
            write.inlined[start], child.reader = child, step
            long = _leaves(step, write) > MOST_LEAVES or len(str(write.expression(step))) > LONGEST
            if long and child.kind != "matmul":
                del write.inlined[start]
                child.reader = None


def _leaves(step: Step, write: Expressions) -> int:
    """Count the parameters and results that a line reads."""
    count = 0
    for read in step.reads:
        block = write.symbols.owner(read.flat[0])
        if block.start in write.inlined:
            count += _leaves(write.inlined[block.start], write)
        elif block.kind in {"parameter", "result"}:
            count += max(1, len(write.by_term(step)))
    return count


def _may_inline(child: Step, step: Step, k: int, write: Expressions) -> bool:
    if step.kind == "matmul" or write.base(step, k)[1] not in {"all", "one"} or not write.fits(child, step, k):
        return False
    if child.kind == "matmul":
        return step.is_function and child.size == step.size and not child.shape
    return len(step.counts) < 2 or child.kind == "elementwise"


def give_names(steps: Sequence[Step], output: Step | None, taken: Iterable[str]) -> None:
    """Name the results: a1, a2, … net inputs, h1, h2, … their activations, J the output, others by their op."""
    used = set(taken)
    counts: Counter[str] = Counter()

    def fresh(letter: str) -> str:
        counts[letter] += 1
        while f"{letter}{counts[letter]}" in used:
            counts[letter] += 1
        return f"{letter}{counts[letter]}"

    products = {step.block.start: step for step in steps if step.kind == "matmul"}
    for step in steps:
        if step.kind != "matmul" and step.reader is not None:
            continue
        source = products.get(int(step.reads[0].flat[0])) if step.is_function else None
        name = f"h{source.block.name[1:]}" if source and source.size == step.size else ""
        if step is output:
            name = "J" if "J" not in used else fresh("L")
        step.block.name = name if name and name not in used else fresh(_letter(step))
        used.add(step.block.name)


def _letter(step: Step) -> str:
    if step.kind == "matmul":
        return "a"
    symbol = step.op.symbol
    letter = symbol[0].lower() if symbol[0].isalpha() else LETTERS.get(symbol, "c")
    return letter if letter not in RESERVED else "u"
