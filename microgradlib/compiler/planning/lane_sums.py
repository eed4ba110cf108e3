"""Lane sums: which sums over the batch are gathered in the same vectors, and how the lanes are added up at the end."""

from __future__ import annotations

from typing import Any, NamedTuple

from microgradlib.compiler.instructions import UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan
from microgradlib.compiler.planning.lookups import Lookup, lookups_of

__all__ = ["LaneSums", "assign_lane_sums"]


class LaneSums(NamedTuple):
    """Where sums over the batch are gathered: `size` vectors, one for each number, then a flag, and look-ups' tables.

    Sums that are only added to one another are gathered in the same vectors: the shares of all time steps in W's
    gradient. The additions are then `skipped`.
    """

    size: int
    filled: int
    """From here on vectors are filled with zeros before the first block: not those that products of matrices start."""
    flag: int
    """Behind the sums: a vector whose first number is 1 in the first block, then 0; and one that is 0."""
    starting: frozenset[int]
    """The indices of the products that start sums in the first block."""
    first: dict[int, int]
    """The first vector of each step that sums over the batch, by the index of the step."""
    roots: dict[int, int]
    """The first vector of finished sums, by the index of the step whose results they are."""
    skipped: frozenset[int]
    """The indices of the additions that need not be done."""
    lookups: dict[int, tuple[Lookup, int]]
    """The products that may be look-ups, by their indices, each with the first vector of its table, behind the sums."""

    def own(self, index: int) -> tuple[int, int] | None:
        """Return the first vector of a step, and that which says whether it starts sums; None without sums."""
        return (self.first[index], self.flag + (index not in self.starting)) if index in self.first else None


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
    products = lookups_of(plan) if lanes > 1 else {}
    first, roots, size, filled, starting = dict[int, int](), dict[int, int](), 0, 0, set[int]()

    def is_filled(steps: list[int]) -> bool:
        return plan.steps[min(steps)].kind != "matmul" or not products.keys().isdisjoint(steps)

    for steps in sorted(groups.values(), key=is_filled):
        roots[steps[-1]] = size
        first |= dict.fromkeys(steps, size)
        size += plan.steps[steps[-1]].instruction.size  # type: ignore[union-attr]
        if not is_filled(steps):
            starting.add(min(steps))
            filled = size
    flag, lookups = size, dict[int, tuple[Lookup, int]]()
    size += 2
    for index, lookup in products.items():
        lookups[index] = lookup, size
        size += lookup.terms * -(-lookup.length // lanes) + 1
    return LaneSums(size, filled, flag, frozenset(starting), first, roots, frozenset(skipped), lookups)
