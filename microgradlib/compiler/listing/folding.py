"""Folding: which steps are written in the line of their only reader, and what the others are called."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from microgradlib.compiler.printing.places import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.compiler.printing.expressions import Expressions
    from microgradlib.compiler.printing.steps import Step

__all__ = ["fold", "give_names"]

LONGEST = 56
"""The longest formula that folding may make, but for an activation of a matrix product."""

MOST_LEAVES = 3
"""How many operands that need a gradient one line may have after folding, as each has a line with its slopes."""

LETTERS = {"+": "s", "-": "d", "*": "p", "/": "q", "**": "p"}
"""Sum, difference, product, quotient, power; comparisons are c, functions have their first letter."""

RESERVED = {"a", "b", "h"}
"""Letters of net inputs, of biases side by side, and of activations."""


def fold(steps: Sequence[Step], outputs: Iterable[int], write: Expressions) -> None:
    """Fold steps that one operand of one other step reads, if the line stays short."""
    makers = {step.block.start: step for step in steps}
    for step in steps:
        step.block.name = "v10"  # as long as most names will be
    reads: dict[int, int] = defaultdict(int)
    for step in steps:
        for read in step.reads:
            for block in write.places.owners(read):
                reads[block.start] += 1
    for place in outputs:
        reads[write.places.owner(place).start] += 2
    for step in steps:
        for k, read in enumerate(step.reads):
            child = makers.get(write.places.owner(read[0]).start)
            if child is None or reads[child.block.start] != 1 or not _may_fold(child, step, read, write):
                continue
            step.folded[k] = child
            if child.kind != "product" and (
                _leaves(step, write) > MOST_LEAVES or len(str(write.expression(step))) > LONGEST
            ):
                del step.folded[k]
            else:
                child.reader = step


def _leaves(step: Step, write: Expressions) -> int:
    """Count what a line reads that needs a gradient."""
    own = sum(wanted for k, wanted in enumerate(step.wanted) if k not in step.folded)
    return own * max(1, len(write.by_term(step))) + sum(_leaves(child, write) for child in step.folded.values())


def _may_fold(child: Step, step: Step, read: list[int], write: Expressions) -> bool:
    times = len(read) if child.block.size == 1 and step.kind == "map" else 1
    if step.kind == "product" or read != child.results * times:
        return False
    if child.kind == "product":
        return step.is_function and len(read) == child.block.size
    if step.kind == "reduce" and step.block.size > 1:
        return child.kind == "map" and _is_even(child, write)
    return _is_even(child, write)


def _is_even(step: Step, write: Expressions) -> bool:
    """Say whether all operands have as many numbers as the results, or one, so that nothing is repeated by rows."""
    if step.kind == "reduce":
        return True
    even = all(spread(read).pattern in {"all", "one"} for read in step.reads)
    return even and all(_is_even(child, write) for child in step.folded.values())


def give_names(steps: Sequence[Step], output: Step | None, taken: Iterable[str]) -> None:
    """Name the results: a1, a2, … net inputs, h1, h2, … their activations, J the output, others by their op."""
    used = set(taken)
    counts: Counter[str] = Counter()

    def fresh(letter: str) -> str:
        counts[letter] += 1
        while f"{letter}{counts[letter]}" in used:
            counts[letter] += 1
        name = f"{letter}{counts[letter]}"
        used.add(name)
        return name

    by_start = {step.block.start: step for step in steps}
    for step in steps:
        if step.kind != "product" and step.reader is not None:
            continue
        if step is output:
            step.block.name = "J" if "J" not in used else fresh("L")
            continue
        source = by_start.get(step.reads[0][0]) if step.is_function else None
        if source is not None and source.kind == "product" and len(step.reads[0]) == source.block.size:
            name = f"h{source.block.name[1:]}"
            if name not in used:
                step.block.name = name
                used.add(name)
                continue
        step.block.name = fresh(_letter(step))


def _letter(step: Step) -> str:
    if step.kind == "product":
        return "a"
    symbol = step.op.symbol
    letter = symbol[0].lower() if symbol[0].isalpha() else LETTERS.get(symbol, "c")
    return letter if letter not in RESERVED else "u"
