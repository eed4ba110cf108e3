"""Segments: which steps are computed segment by segment, and what keeps them apart."""

from types import SimpleNamespace

import numpy as np
import pytest

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.planning import Plan, Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import Flow, fusible
from microgradlib.compiler.planning.segments import segments_of
from microgradlib.ops import TABLE

COUNTS = (1, 2, 4)
N, M = sum(COUNTS), len(COUNTS)
BOUNDS = np.cumsum([0, *COUNTS]).tolist()


def line(start, n=N, step=1, space=BATCHED):
    return StridedView(space, start, (n,), (step,))


def table(*rows):
    return Rows(BATCHED, np.array(rows))


def for_each(start):
    """Rows from `start` on, each for all entries of one segment."""
    return table(*np.repeat(range(start, start + M), COUNTS).tolist())


def elementwise(results, *operands):
    return Step(SimpleNamespace(kind="elementwise", op=TABLE["sub"], wrt=None), results, operands, 0)


def total(results, place, counts=COUNTS, phase="batch", width=1):
    i = SimpleNamespace(kind="segment_reduce", op=TABLE["sum"], wrt=None, counts=counts, width=width)
    sizes = (sum(counts), width)
    terms = StridedView(BATCHED, place, sizes, (width, 1))
    return Step(i, StridedView(BATCHED, results, (len(counts), width), (width, 1)), (terms,), 0, phase)


def matmul():
    views = [StridedView(BATCHED, start, (1, 2, 2), (4, 2, 1)) for start in (180, 184, 188)]
    return Step(SimpleNamespace(kind="matmul", op=TABLE["dot"], wrt=None), views[0], tuple(views[1:]), 0)


def groups(*steps):
    """Return the numbers of the steps of each group."""
    plan = Plan(None, steps, (100, 200), (), (), (), (), ())
    flows = [Flow(len(steps), (False,) * len(step.operands)) for step in steps]
    return {start: len(found.links) for start, found in segments_of(plan, flows).items()}


def test_a_softmax_is_one_group():
    steps = [
        elementwise(line(10), line(50, 7, 2)),  # the entries
        total(30, 10),
        elementwise(line(30, M), line(30, M)),  # of each segment
        elementwise(line(10), line(10), for_each(30)),
        total(40, 10),
        elementwise(line(100), line(10), for_each(40)),
        Step(None, table(150, 153, 151, 157, 155, 156, 159), (line(100),), 0),
    ]
    assert groups(matmul(), *steps, matmul()) == {1: 7}
    assert groups(*steps[2:]) == {0: 5}


def test_a_row_that_is_read_for_each_segment_makes_a_group():
    assert groups(elementwise(line(10), line(20), for_each(40))) == {0: 1}
    assert groups(elementwise(line(10), line(20), table(7, 3, 5, 1, 2, 6, 9))) == {}


APART = {
    "a sum alone": [total(30, 10)],
    "other segments": [total(30, 10), elementwise(line(100), line(10), table(30, 30, 31, 31, 32, 32, 32))],
    "segments of wide rows": [elementwise(line(10), line(20)), total(30, 10, width=2)],
    "sums of what has no batch axis": [elementwise(line(10), line(20)), total(30, 10, phase="before")],
    "another number of entries": [total(30, 10), elementwise(line(100, N + 1), line(110, N + 1))],
}


@pytest.mark.parametrize("name", APART)
def test_other_steps_are_in_no_group_with_them(name):
    assert all(count == 1 for count in groups(*APART[name]).values())


CONFLICTS = {
    "writes entries where an earlier step reads others": [total(30, 10), elementwise(line(11), line(60))],
    "reads entries that an earlier step writes elsewhere": [
        elementwise(line(11), line(60)),
        total(30, 10),
    ],
    "writes segments where entries are read": [elementwise(line(100), line(20)), total(22, 100)],
    "reads the segment of another": [total(30, 10), elementwise(line(100), line(10), table(31, 32, 32, *[30] * 4))],
    "writes twice in different orders": [
        elementwise(line(100), line(10), for_each(40)),
        Step(None, table(101, 100, 102, 103, 104, 105, 106), (line(10),), 0),
    ],
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_steps_that_need_all_segments_of_one_before_are_apart(name):
    first, second = CONFLICTS[name]
    assert 2 not in groups(first, second).values()
    with_more = groups(first, elementwise(line(120), line(140)), second)
    assert all(count < 3 for count in with_more.values())


def test_numbers_without_a_batch_axis_may_be_read():
    scale = StridedView(UNBATCHED, 5, (N,), (0,))
    assert groups(elementwise(line(10), scale), total(30, 10)) == {0: 2}


def test_runs_of_elementwise_steps_leave_groups_out():
    steps = (elementwise(line(10), line(20)), total(30, 10), elementwise(line(100), line(10), for_each(30)))
    plan = Plan(None, (*steps, elementwise(line(110), line(100))), (100, 200), (), (), (), (), ())
    assert fusible(plan, {0, 1, 2}) == {3: 4}
    assert fusible(plan) == {0: 1, 2: 4}
