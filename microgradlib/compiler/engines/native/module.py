"""The module of a plan: its kernels as functions of LLVM IR, and `run`, which calls them for one part of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.elementwise import chain_kernels
from microgradlib.compiler.engines.native.epilogues import with_epilogues
from microgradlib.compiler.engines.native.flow import flows_of
from microgradlib.compiler.engines.native.kernel import Kernel, Layout
from microgradlib.compiler.engines.native.lookups import LookupCalls
from microgradlib.compiler.engines.native.products import matmul_kernel
from microgradlib.compiler.engines.native.record import run_arrays
from microgradlib.compiler.engines.native.reductions import reduce_kernel, segment_reduce_kernel
from microgradlib.compiler.engines.native.segments import segments_kernel
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm import transfers
from microgradlib.compiler.llvm.closed import CLOSED
from microgradlib.compiler.llvm.ir import literal
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Step, StridedView, rows_of
from microgradlib.compiler.planning.fusion import Flow, fusible
from microgradlib.compiler.planning.lane_sums import LaneSums
from microgradlib.compiler.planning.segments import segments_of

__all__ = ["Module", "write_module"]


class Module(NamedTuple):
    """The text of a module, and what is to be given to it."""

    text: str
    tables: Any
    """An array of 32-bit integers."""
    scratch: int
    """So many rows of scratch memory are used, and as many vectors."""


def write_module(plan: Plan, layout: Layout, sums: LaneSums) -> Module:
    """Return the module of a plan. Raises `NotNativeError` for what has no native code.

    Its function `run` takes the address of a record; see `FIELDS`. It gives 1 if a sum over the batch is not finite.
    """
    return _Writer(plan, layout, sums).written()


class _Writer(LookupCalls):
    """Writes `run`, in the order in which it is executed."""

    def __init__(self, plan: Plan, layout: Layout, sums: LaneSums) -> None:
        super().__init__(layout, plan, sums)
        self.flows = flows_of(plan)
        self.parameters, self.outputs, self.stride, self.sum = map(self.field, ("ptr", "ptr", "i64", "ptr"))
        self.columns = [self.field("ptr") for _ in plan.program.arguments]
        self.seeds = [[self.field(kind) for kind in ("ptr", "i64", "i64")] for _ in plan.program.seeds]
        self.cotangents = [self.field("ptr") for _ in plan.program.cotangents]

    def written(self) -> Module:
        """Write everything."""
        f, sums, lanes = self.f, self.sums, self.layout.sum_lanes
        filled, flag = [f.address(self.real, self.lanes, place * lanes) for place in (sums.filled, sums.flag)]
        count = (sums.size - sums.filled) * lanes
        self.call(transfers.fill(self.layout.real), filled, count, self.constant(0.0))
        f.store(f.number(1.0, self.real.one), flag)
        self._before()
        with f.loop(self.examples, step=self.block) as loop:
            left = f.emit(f"sub i64 {self.examples}, {loop.index}")
            is_last = f.emit(f"icmp ult i64 {left}, {self.block}")
            self._block(loop.index, f.emit(f"select i1 {is_last}, i64 {left}, i64 {self.block}"))
            f.store(f.number(0.0, self.real.one), flag)
        self._after()
        body = [function.text() for function in self.functions.values()]
        declarations = set().union(f.declarations, *[function.declarations for function in self.functions.values()])
        tables = numpy().concatenate([numpy().zeros(0, "int32"), *self.tables])
        text = "\n".join([*sorted(declarations), *body, f.text(), run_arrays(self.plan, self.layout).text()])
        return Module(text, tables, self.scratch)

    def _before(self) -> None:
        """Bring in what is the same for all blocks, and run the steps that are made of that alone."""
        plan = self.plan
        if plan.program.parameter_order:
            self._load_rows(numpy().argsort(plan.program.parameter_order), self.parameters)
        closed, one = (self.constant(number) for number in (CLOSED, 1.0))
        fill = transfers.fill(self.layout.real)
        self.call(fill, self.row(plan.rows[BATCHED] - 1), self.block, closed)
        for row in plan.one_rows:
            self.call(fill, self.row(row), self.block, one)
        for operand, rows, (numbers, between_slots, _) in zip(plan.program.seeds, plan.seed_rows, self.seeds):
            if operand.space == UNBATCHED and len(rows):
                given = self.table(rows), len(rows), numbers, between_slots
                self.call(transfers.load_numbers(self.real), self.unbatched, *given)
        self._steps("before")

    def _block(self, start: str, count: str) -> None:
        """Run the examples from `start` on, so many."""
        f, real, plan, block = self.f, self.real, self.plan, self.block
        np, places, first = numpy(), numpy().array(plan.program.input_order), 0
        for argument, (column, (_, axes)) in enumerate(zip(self.columns, plan.program.arguments)):
            size = int(np.prod(axes, dtype=int))
            rows = np.flatnonzero((places >= first) & (places < first + size))
            rows, x = rows[np.argsort(places[rows])], f.address(real, column, f.mul(start, size))
            if size == len(rows) == 1:
                self.call(transfers.load_row(real), self.row(int(rows[0])), block, x, count)
            elif len(rows):
                picked = places[rows] - first
                even = len(rows) if _are_neighbours(picked) else 0
                given = self.table(rows), self.table(picked), len(rows), even
                with self.unless_one_hot(argument, x, size, count):
                    self.call(transfers.load_columns(real), self.batched, block, *given, x, size, count)
            first += size
        for operand, rows, (numbers, between_slots, step) in zip(plan.program.seeds, plan.seed_rows, self.seeds):
            if operand.space == BATCHED:
                table = self.table(rows)
                with f.loop(len(rows)) as loop:
                    x = f.address(real, numbers, f.mul(between_slots, loop.index), f.mul(start, step))
                    row = self.row(f.integer(table, loop.index))
                    self.call(transfers.load_seed(real), row, block, x, step, count)
        self._steps("batch")
        found = [(np.concatenate(plan.output_rows), self.outputs, self._outputs_of(BATCHED), -0.0)]
        for operand, rows, array in zip(plan.program.cotangents, plan.cotangent_rows, self.cotangents):
            found.append((rows, array, np.arange(len(rows) if operand.space == BATCHED else 0), 0.0))
        for rows, array, places, zero in found:
            if len(places):
                tables = self.table(rows[places]), self.table(places), len(places)
                to = f.address(real, array, start), self.stride, count, literal(zero, real.one)
                self.call(transfers.store_rows(real), self.batched, block, *tables, *to)

    def _outputs_of(self, space: int) -> Any:
        """Return the numbers of the outputs that are in a space."""
        return numpy().array([k for k, operand in enumerate(self.plan.program.outputs) if operand.space == space], int)

    def _after(self) -> None:
        """Finish the sums over the batch, run the steps made of them, and bring out what has no batch axis."""
        f, real, vector, plan = self.f, self.real, self.layout.real, self.plan
        self.add_tables()
        self._steps("after")
        for k in self._outputs_of(UNBATCHED).tolist():
            target = f.address(real, self.outputs, f.mul(k, self.stride))
            self.call(transfers.fill(vector), target, self.examples, self._unbatched_row(plan.output_rows[k][0]))
        nothing, zero, one, check = (literal(number, real.one) for number in (-0.0, 0.0, 1.0, 0.0))
        total = self.call(transfers.total(vector), self.outputs, self.examples, nothing, one)
        f.do(f"store {real.scalar} {total}, ptr {self.sum}, align 8")
        for operand, rows, array in zip(plan.program.cotangents, plan.cotangent_rows, self.cotangents):
            if operand.space == UNBATCHED and len(rows):
                for start, part in transfers.stretches(rows):
                    to = f.address(real.one, array, start)
                    if _are_neighbours(part):
                        self.copy(to, self._unbatched_row(part[0]), len(part))
                    else:
                        self.call(transfers.gather_numbers(real), self.unbatched, self.table(part), len(part), to)
                found = self.call(transfers.total(vector), array, len(rows), zero, zero)
                check = f.emit(f"fadd {real.scalar} {check}, {found}")
        is_not_finite = f.emit(f"fcmp une {real.scalar} {check}, {zero}")
        f.do(f"ret i32 {f.emit(f'zext i1 {is_not_finite} to i32')}")

    def _steps(self, phase: str) -> None:
        """Run the steps of a phase. A chain of elementwise steps is one kernel, or as few as can be."""
        plan, sums = self.plan, self.sums
        layout = self.layout if phase == "batch" else self.layout._replace(is_single=True)
        groups = {} if layout.is_single else segments_of(plan, self.flows)
        spans = {start: start + len(group.links) for start, group in groups.items()}
        apart = frozenset(chain(*[range(*span) for span in spans.items()]))
        ends, index, calls = spans | with_epilogues(plan, self.flows, fusible(plan, apart)), 0, list[Any]()
        while index < len(plan.steps):
            end = ends.get(index, index + 1)
            steps = [step for step in plan.steps[index:end] if step.phase == phase]
            if index in groups:
                calls.append(self.kernel_call(segments_kernel(groups[index], layout)))
            elif steps and index not in sums.skipped:
                flows = self.flows[index:end]
                own = [self.kernel_call(each) for each in kernels_of(steps, layout, sums.own(index), flows)]
                if index in sums.lookups:
                    self.call_kernels(calls)
                    calls.clear()
                    behind = chain_kernels(steps[1:], layout, flows[1:])
                    self.look_up(index, own, [self.kernel_call(kernel) for kernel in behind])
                else:
                    calls += own
            if phase == "after" and index in sums.roots:
                self.call_kernels(calls)
                calls.clear()
                self._write_sums(sums.roots[index], plan.steps[index].results)
            index = end
        self.call_kernels(calls)

    def _write_sums(self, first: int, results: StridedView) -> None:
        """Add up the lanes of sums that are finished, and write them to their rows."""
        lanes, rows = self.layout.sum_lanes, rows_of(results)
        vectors = self.f.address(self.real, self.lanes, first * lanes)
        if lanes == 1:
            self._load_rows(rows, vectors)
        elif _are_neighbours(rows):
            self.call(transfers.add_up_lanes(self.real), vectors, len(rows), self._unbatched_row(rows[0]))
        else:
            self.call(transfers.add_up_lanes(self.real), vectors, len(rows), self.scratch_memory)
            self.scratch = max(self.scratch, -(-len(rows) // lanes))
            self._load_rows(rows, self.scratch_memory)

    def _load_rows(self, rows: Any, numbers: str) -> None:
        """Copy numbers that follow one another to unbatched rows."""
        for start, part in transfers.stretches(rows):
            given = self.f.address(self.real.one, numbers, start)
            if _are_neighbours(part):
                self.copy(self._unbatched_row(part[0]), given, len(part))
            else:
                self.call(transfers.load_numbers(self.real), self.unbatched, self.table(part), len(part), given, 1)

    def _unbatched_row(self, row: Any) -> str:
        return self.f.address(self.real, self.unbatched, int(row))


def _are_neighbours(numbers: Any) -> bool:
    """Say whether each integer is one more than the one before."""
    return bool((numpy().diff(numbers) == 1).all())


def kernels_of(
    steps: Sequence[Step], layout: Layout, own_sums: tuple[int, int] | None, flows: Sequence[Flow]
) -> list[Kernel]:
    """Return the kernels of a step, of a product and its epilogue, or of a chain of elementwise steps.

    `own_sums`: the first of its lane sums, and that which says whether it starts them.
    """
    if steps[0].kind in {"elementwise", "gather"}:
        return chain_kernels(steps, layout, flows)
    if steps[0].kind == "matmul":
        kernel = matmul_kernel(steps, layout, flows)
    elif steps[0].kind == "reduce":
        kernel = reduce_kernel(steps[0], layout, flows[0])
    else:
        kernel = segment_reduce_kernel(steps[0], layout)
    if own_sums is not None:  # in the places of the first row of results
        others = kernel.arguments[1:-1] if steps[0].kind == "matmul" else kernel.arguments[1:]
        kernel = kernel._replace(arguments=(own_sums[0], *others, own_sums[1])[: len(kernel.arguments)])
    return [kernel]
