"""Inlining: which steps are written in the line of their only reader, and what the others are called."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.compiler.instructions import Slots
    from microgradlib.listing.expressions import Expressions
    from microgradlib.listing.steps import Step

__all__ = ["give_names", "inline"]

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
    makers = {step.block.start: step for step in steps if step.block}
    for block in write.symbols.blocks:
        block.name = block.name or ("v10" if block.start in makers else "")  # as long as most names will be
    reads = Counter([block.start for step in steps for read in step.reads for block in write.symbols.owners(read)])
    reads.update([block.start for block in write.symbols.owners(outputs)] * 2)
    for step in steps:
        for read in step.reads:
            start = write.symbols.owner(read.flat[0]).start
            child = makers.get(start)
            if child is None or start in write.kept or reads[start] != 1 or not _may_inline(child, step, read, write):
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


def _may_inline(child: Step, step: Step, read: Slots, write: Expressions) -> bool:
    results, once = child.results, read
    if step.kind == "matmul":
        return False
    if step.kind == "reduce":
        results, once = results.ravel("F"), read.ravel("F")
    if child.size == 1 and step.kind == "elementwise":
        once = once.ravel()[:1] if (once == once.flat[0]).all() else once
        results = results.ravel()
    if not numpy().array_equal(results, once):
        return False
    if child.kind == "matmul":
        return step.is_function and read.size == child.size and not child.shape
    if step.kind == "reduce" and len(step.counts) > 1:
        return child.kind == "elementwise" and _is_even(child, write)
    return _is_even(child, write)


def _is_even(step: Step, write: Expressions) -> bool:
    """Say whether all operands have as many numbers as the results, or one, so that nothing is repeated by rows."""
    if step.kind == "reduce":
        return True
    even = all(write.base(step, k)[1] in {"all", "one"} for k in range(len(step.reads)))
    starts = [write.symbols.owner(read.flat[0]).start for read in step.reads]
    return even and all(_is_even(write.inlined[start], write) for start in starts if start in write.inlined)


def give_names(steps: Sequence[Step], output: Step | None, taken: Iterable[str]) -> None:
    """Name the results: a1, a2, … net inputs, h1, h2, … their activations, J the output, others by their op."""
    used = set(taken)
    counts: Counter[str] = Counter()

    def fresh(letter: str) -> str:
        counts[letter] += 1
        while f"{letter}{counts[letter]}" in used:
            counts[letter] += 1
        return f"{letter}{counts[letter]}"

    blocks = {step.block.start: step for step in steps if step.block}
    for step in steps:
        if step.block is None or (step.kind != "matmul" and step.reader is not None):
            continue
        source = blocks.get(int(step.reads[0].flat[0]) if step.is_function else -1)
        name = f"h{source.block.name[1:]}" if source and source.block and source.kind == "matmul" else ""
        if step is output:
            name = "J" if "J" not in used else fresh("L")
        elif not source or not name or name in used or source.size != step.size:
            name = fresh(_letter(step))
        step.block.name = name
        used.add(name)


def _letter(step: Step) -> str:
    if step.kind == "matmul":
        return "a"
    symbol = step.op.symbol
    letter = symbol[0].lower() if symbol[0].isalpha() else LETTERS.get(symbol, "c")
    return letter if letter not in RESERVED else "u"
