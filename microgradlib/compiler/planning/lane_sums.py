"""Lane sums: which sums over the batch are gathered in the same vectors, and how the lanes are added up at the end."""

from __future__ import annotations

from typing import Any, NamedTuple

from microgradlib.compiler.instructions import UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan
from microgradlib.compiler.planning.lookups import Lookup, lookups_of

__all__ = ["LaneSums", "assign_lane_sums"]


class LaneSums(NamedTuple):
    """Where sums over the batch are gathered: `size` vectors, one for each number, and tables.

    Sums that are only added to one another are gathered in the same vectors: the shares of all time steps in W's
    gradient. The additions are then `skipped`.
    """

    size: int
    first: dict[int, int]
    """The first vector of each step that sums over the batch, by the index of the step."""
    roots: dict[int, int]
    """The first vector of finished sums, by the index of the step whose results they are."""
    skipped: frozenset[int]
    """The indices of the additions that need not be done."""
    lookups: dict[int, tuple[Lookup, int]]
    """The products that may be look-ups, by their indices, each with the first vector of its table, behind the sums."""


def assign_lane_sums(plan: Plan, lanes: int) -> LaneSums:
    """Return the lane sums of a plan, for vectors of so many lanes; look-ups only if these are several."""
    np, program = numpy(), plan.program
    read = [o for step in plan.steps if step.instruction for o in step.instruction.operands]
    slots = [o.slots for o in (*read, *program.outputs, *program.cotangents) if o.space == UNBATCHED]
    times_read = np.bincount(np.concatenate([*slots, [0]]).clip(0), minlength=program.unbatched_size)
    groups: dict[Any, list[int]] = {}
    """For the key of the results of unfinished sums: the steps that add to them, the last of them the root."""
    skipped: set[int] = set()
    for index, step in enumerate(plan.steps):
        i = step.instruction
        if i is None or i.space != UNBATCHED:
            continue
        if i.sums_batch:
            groups[i.results.key] = [index]
        elif i.kind == "elementwise" and i.op.name == "add" and i.wrt is None:
            x, y = (operand.key for operand in i.operands)
            once = all((times_read[operand.slots] == 1).all() for operand in i.operands)
            if once and x != y and x in groups and y in groups:
                groups[i.results.key] = [*groups.pop(x), *groups.pop(y), index]
                skipped.add(index)
    first, roots, size = dict[int, int](), dict[int, int](), 0
    for steps in groups.values():
        roots[steps[-1]] = size
        first |= dict.fromkeys(steps, size)
        size += plan.steps[steps[-1]].instruction.size  # type: ignore[union-attr]
    lookups = dict[int, tuple[Lookup, int]]()
    for index, lookup in (lookups_of(plan) if lanes > 1 else {}).items():
        lookups[index] = lookup, size
        size += lookup.terms * -(-lookup.length // lanes) + 1
    return LaneSums(size, first, roots, frozenset(skipped), lookups)
