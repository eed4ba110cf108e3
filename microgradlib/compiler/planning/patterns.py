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
"""So many lengths of a repeat are tried: the most frequent distances from a step to the next one that is alike."""


class Repeat(NamedTuple):
    """Steps `start` to `start + times · length` are `times` runs of `length` steps, alike but for their rows."""

    start: int
    length: int
    times: int


def chains(steps: Sequence[Step]) -> tuple[tuple[int, int], ...]:
    """Return (start, end) of each run of two or more elementwise steps, each of which reads what the one before writes.

    As they have as many results, in one order, they may be computed one after another without going to memory.
    """
    found: list[tuple[int, int]] = []
    for end, step in enumerate(steps[1:], 1):
        before = steps[end - 1]
        if before.kind == step.kind == "elementwise" and before.results in step.operands:
            start = found.pop()[0] if found and found[-1][1] == end else end - 1
            found.append((start, end + 1))
    return tuple(found)


def repeats(steps: Sequence[Step]) -> tuple[Repeat, ...]:
    """Return the longest periodic runs of steps, without overlaps, in their order."""
    np = numpy()
    numbers: dict[Any, int] = {}
    alike = np.array([numbers.setdefault(_likeness(step), len(numbers)) for step in steps], dtype=int)
    order = np.argsort(alike, kind="stable")
    distances = Counter(np.diff(order)[np.diff(alike[order]) == 0].tolist())
    found = [run for length, _ in distances.most_common(MOST_LENGTHS) for run in _periodic(alike, length)]
    free = np.ones(len(alike), bool)
    kept = []
    for run in sorted(found, key=lambda run: (-run.length * run.times, run.length)):
        span = slice(run.start, run.start + run.length * run.times)
        if free[span].all():
            free[span] = False
            kept.append(run)
    return tuple(sorted(kept))


def _likeness(step: Step) -> Any:
    """Return what steps that are alike have in common."""
    i = step.instruction
    views = [(view.space, getattr(view, "sizes", None)) for view in (step.results, *step.operands)]
    return i and (i.kind, i.op.name, i.op.settings, i.wrt, i.counts), tuple(views)


def _periodic(alike: Any, length: int) -> Iterator[Repeat]:
    """Yield the runs in which each step is like the one `length` steps before."""
    np = numpy()
    same = np.concatenate([[False], alike[length:] == alike[:-length], [False]])
    for start, end in np.flatnonzero(np.diff(same)).reshape(-1, 2).tolist():
        times = (end - start) // length + 1
        if times >= FEWEST_TIMES:
            yield Repeat(start, length, times)
