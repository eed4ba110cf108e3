"""Patterns in the steps of a plan: elementwise chains, which may be fused, and repeats, the time steps of a network."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.planning.data import Step

__all__ = ["Repeat", "chains", "repeats"]

FEWEST_TIMES = 3
"""So often at least must steps be repeated."""

MOST_LENGTHS = 8
"""So many lengths of a repeat are tried, those that most steps have from one to the next that is alike."""


class Repeat(NamedTuple):
    """Steps `start` to `start + times · length` are `times` runs of `length` steps, alike but for their rows."""

    start: int
    length: int
    times: int


def chains(steps: Sequence[Step]) -> tuple[tuple[int, int], ...]:
    """Return (start, end) of each run of elementwise steps, two at least, each of which reads what that before writes.

    They have as many results, all in one order: they may be computed one after another without going to memory.
    """
    found: list[tuple[int, int]] = []
    for end, step in enumerate(steps[1:], 1):
        before = steps[end - 1]
        if _is_elementwise(before) and _is_elementwise(step) and before.results in step.operands:
            start = found.pop()[0] if found and found[-1][1] == end else end - 1
            found.append((start, end + 1))
    return tuple(found)


def _is_elementwise(step: Step) -> bool:
    return step.instruction is not None and step.instruction.kind == "elementwise"


def repeats(steps: Sequence[Step]) -> tuple[Repeat, ...]:
    """Return the longest periodic runs of steps, none of which overlap, in their order."""
    np = numpy()
    numbers: dict[Any, int] = {}
    likeness = np.array([numbers.setdefault(_likeness(step), len(numbers)) for step in steps], dtype=int)
    order = np.argsort(likeness, kind="stable")
    gaps = np.diff(order)[np.diff(likeness[order]) == 0]
    lengths = [length for length, _ in Counter(gaps.tolist()).most_common(MOST_LENGTHS)]
    found = sorted(
        (repeat for length in lengths for repeat in _periodic(likeness, length)),
        key=lambda repeat: (-repeat.length * repeat.times, repeat.length),
    )
    free = np.ones(len(likeness), bool)
    kept = []
    for repeat in found:
        span = slice(repeat.start, repeat.start + repeat.length * repeat.times)
        if free[span].all():
            free[span] = False
            kept.append(repeat)
    return tuple(sorted(kept))


def _likeness(step: Step) -> Any:
    """Return what steps have in common that are alike."""
    i, views = step.instruction, (step.results, *step.operands)
    what = None if i is None else (i.kind, i.op.name, i.op.settings, i.wrt, i.counts)
    return what, tuple([(view.space, getattr(view, "sizes", None)) for view in views])


def _periodic(likeness: Any, length: int) -> Iterator[Repeat]:
    """Yield the runs in which each step is like that `length` steps before."""
    np = numpy()
    same = np.concatenate([[False], likeness[length:] == likeness[:-length], [False]])
    edges = np.flatnonzero(np.diff(same)).reshape(-1, 2)
    for start, end in edges.tolist():
        times = (end - start) // length + 1
        if times >= FEWEST_TIMES:
            yield Repeat(start, length, times)
