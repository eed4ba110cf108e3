"""Look-ups in `run`: products with data that may be one-hot. Each block is checked, and multiplied if it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from microgradlib.compiler.engines.native.calls import Calls
from microgradlib.compiler.engines.native.kernel import Layout
from microgradlib.compiler.llvm import lookups
from microgradlib.compiler.planning.data import Plan
from microgradlib.compiler.planning.lane_sums import LaneSums

__all__ = ["LookupCalls"]


class LookupCalls(Calls):
    """Calls of a plan's kernels, and of its look-ups, whose tables lie behind the lane sums."""

    def __init__(self, layout: Layout, plan: Plan, sums: LaneSums) -> None:
        super().__init__(layout)
        self.plan, self.sums = plan, sums
        self.found: dict[int, str] = {}
        """For each argument that is only looked up: the integer 1 if its data in this block are one-hot, else 0."""

    @contextmanager
    def unless_one_hot(self, argument: int, x: str, size: int, count: str) -> Iterator[None]:
        """Run what is emitted inside if the data of an argument at x, of so many examples, are not to be looked up.

        They are if all columns are one-hot, and all numbers of the matrices that they choose from are finite.
        """
        f, own = self.f, {k: each for k, (each, _) in self.sums.lookups.items() if each.argument == argument}
        if not own:
            yield
            return
        columns = {first: row for each in own.values() for first, row in zip(each.firsts, each.rows)}
        given = x, size, self.table(list(columns)), self.table(list(columns.values())), len(columns), count
        [terms] = {each.terms for each in own.values()}
        found = self.call(lookups.find_ones(self.real, terms), *given, self.batched, self.block)
        for k, each in own.items():
            if each.is_forward:
                w: Any = self.plan.steps[k].operands[0]
                place = f.address(self.real, self.unbatched, w.start)
                write = lookups.table_written(self.real, each.terms, each.length)
                found = self.call(write, found, self._table(k), place, *w.steps[1:])
        self.found[argument] = found
        with f.unless_zero(f.emit(f"xor i64 {found}, 1")):
            yield

    def look_up(self, index: int, product: Sequence[Any], behind: Sequence[Any]) -> None:
        """Call the kernels of a product, or look up what it computes and call those of its epilogue, `behind`."""
        f, step, (lookup, _) = self.f, self.plan.steps[index], self.sums.lookups[index]
        z: Any = step.results if lookup.is_forward else step.operands[0]
        x: Any = step.operands[1]
        steps = [f.mul(own, self.block) for own in (x.steps[2 if lookup.is_forward else 1], *z.steps[1:])]
        given = self.row(x.start), steps[0], self.row(z.start), *steps[1:], len(lookup.rows), self.block
        function = lookups.read_by_index if lookup.is_forward else lookups.add_by_index
        found = self.found[lookup.argument]
        with f.unless_zero(found):
            self.call(function(self.real, lookup.length), self._table(index), *given)
            self.call_kernels(behind)
        with f.unless_zero(f.emit(f"xor i64 {found}, 1")):
            self.call_kernels(product)

    def add_tables(self) -> None:
        """Add what was looked up in products summed over the batch to their lane sums."""
        lanes = self.layout.sum_lanes
        for k, (lookup, _) in self.sums.lookups.items():
            if not lookup.is_forward:
                place = self.f.address(self.real, self.lanes, self.sums.first[k] * lanes)
                add = lookups.table_added(self.real, lookup.terms, lookup.length)
                self.call(add, self._table(k), place, lookup.terms * lanes, lanes)

    def _table(self, index: int) -> str:
        return self.f.address(self.real, self.lanes, self.sums.lookups[index][1] * self.layout.sum_lanes)
