"""Elementwise chains and gathers as native code, against NumPy's engine, one step after another."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from native_kernels import Memory, layout_of, numpy_run, rows_agree

from microgradlib.compiler.engines.native.elementwise import chain_kernels
from microgradlib.compiler.engines.native.flow import flows_of
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import Flow, fusible
from microgradlib.ops import TABLE

LAYOUTS = [(dtype, is_single) for dtype in ("float64", "float32") for is_single in (False, True)]
each_layout = pytest.mark.parametrize(("dtype", "is_single"), LAYOUTS)


def view(start, sizes, steps, space=BATCHED):
    return StridedView(space, start, sizes, steps)


def elementwise(name, results, *operands, settings=(), wrt=None, reads=()):
    """Return a step; its slots are not looked at."""
    op = TABLE[name].bind(*settings) if settings else TABLE[name]
    slots = [Operand.of(x.space, range(math.prod(x.sizes))) for x in (results, *operands)]
    return Step(Instruction("elementwise", op, slots[0], tuple(slots[1:]), wrt=wrt, reads=reads), results, operands, 0)


def held(steps, layout, block=None):
    """Assert that kernels compute what NumPy does and write nothing else; return the kernels."""
    ours, theirs = Memory(layout, block), Memory(layout, block)
    kernels = chain_kernels(steps, layout)
    for kernel in kernels:
        ours.run(kernel)
    numpy_run(theirs, steps)
    rows_agree(ours, theirs)
    return kernels


@each_layout
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 16, 21, 33])
def test_all_numbers_of_a_run_of_rows_are_computed(size, dtype, is_single):
    x, y, z = (view(start, (size,), (1,)) for start in (0, 50, 100))
    held([elementwise("sub", z, x, y)], layout_of(dtype, is_single=is_single))


@each_layout
@pytest.mark.parametrize("size", [3, 8, 21])
def test_results_may_be_an_operand(size, dtype, is_single):
    x, y = view(0, (size,), (1,)), view(7, (size,), (0,), UNBATCHED)
    held([elementwise("div", x, x, y)], layout_of(dtype, is_single=is_single))


VIEWS = [
    [((4, 5), (5, 1)), ((4, 5), (5, 1)), ((4, 5), (0, 1))],
    [((4, 5), (5, 1)), ((4, 5), (1, 4)), ((4, 5), (1, 0))],
    [((4, 5), (1, 4)), ((4, 5), (7, 1)), ((4, 5), (0, 0))],
    [((2, 3, 4), (12, 4, 1)), ((2, 3, 4), (0, 4, 1)), ((2, 3, 4), (20, 0, -1))],
    [((17,), (2,)), ((17,), (1,)), ((17,), (-3,))],
]


@each_layout
@pytest.mark.parametrize("spaces", [(BATCHED, BATCHED), (BATCHED, UNBATCHED), (UNBATCHED, UNBATCHED)])
@pytest.mark.parametrize("shapes", VIEWS)
def test_views_of_any_strides(shapes, spaces, dtype, is_single):
    to, *read = (view(start, *shape) for start, shape in zip((100, 250, 400), shapes))
    operands = [view(x.start, x.sizes, x.steps, space) for x, space in zip(read, spaces)]
    held([elementwise("mul", to, *operands)], layout_of(dtype, is_single=is_single))
    results = view(to.start, to.sizes, to.steps, UNBATCHED)
    if spaces[0] == spaces[1] == UNBATCHED:
        held([elementwise("mul", results, *operands)], layout_of(dtype, is_single=is_single))


@each_layout
def test_numbers_stay_in_registers_and_what_is_written_over_is_not_stored(dtype, is_single):
    x, y, z = (view(start, (12,), (1,)) for start in (0, 20, 40))
    steps = [elementwise("add", z, x, y), elementwise("tanh", z, z), elementwise("mul", y, z, x)]
    [kernel] = held(steps, layout_of(dtype, is_single=is_single))
    stores = [line for line in kernel.function.lines if line.startswith("store")]
    loads = [line for line in kernel.function.lines if " load " in line]
    positions = 2 if is_single else 1  # what is left over has code of its own
    assert (len(stores) // positions, len(loads) // positions) == (2, 2)


def test_axes_of_steps_in_a_chain_may_differ():
    flat, grid = ((12,), (1,)), ((3, 4), (4, 1))
    steps = [
        elementwise("neg", view(0, *flat), view(50, *flat)),
        elementwise("mul", view(100, *grid), view(0, *grid), view(200, (3, 4), (0, 1))),
        elementwise("sub", view(300, (2, 6), (6, 1)), view(100, (2, 6), (6, 1)), view(400, (2, 6), (0, 1))),
    ]
    assert len(held(steps[:2], layout_of())) == 1
    assert len(held(steps, layout_of())) == 2


CONFLICTS = {
    "reads what was written in another order": [
        elementwise("neg", view(0, (3, 3), (3, 1)), view(50, (3, 3), (3, 1))),
        elementwise("add", view(100, (3, 3), (3, 1)), view(0, (3, 3), (3, 1)), view(0, (3, 3), (1, 3))),
    ],
    "reads one of the results for all": [
        elementwise("neg", view(0, (9,), (1,)), view(50, (9,), (1,))),
        elementwise("add", view(100, (9,), (1,)), view(0, (9,), (1,)), view(8, (9,), (0,))),
    ],
    "reads the results shifted": [
        elementwise("neg", view(0, (9,), (1,)), view(50, (9,), (1,))),
        elementwise("add", view(100, (9,), (1,)), view(0, (9,), (1,)), view(1, (9,), (1,))),
    ],
    "writes over what an earlier step still reads": [
        elementwise("neg", view(0, (9,), (1,)), view(50, (9,), (1,))),
        elementwise("exp", view(51, (9,), (1,)), view(0, (9,), (1,))),
    ],
    "writes over a part of earlier results": [
        elementwise("neg", view(0, (9,), (1,)), view(50, (9,), (1,))),
        elementwise("exp", view(4, (9,), (1,)), view(70, (9,), (1,))),
    ],
    "gives numbers of another space": [
        elementwise("neg", view(0, (9,), (1,), UNBATCHED), view(50, (9,), (1,), UNBATCHED)),
        elementwise("identity", view(0, (9,), (1,)), view(0, (9,), (1,), UNBATCHED)),
    ],
}


@each_layout
@pytest.mark.parametrize("conflict", CONFLICTS)
def test_a_chain_is_cut_where_entries_depend_on_other_entries(conflict, dtype, is_single):
    assert len(held(CONFLICTS[conflict], layout_of(dtype, is_single=is_single))) == 2


SHAPES = st.sampled_from([((12,), (1,)), ((3, 4), (4, 1)), ((4, 3), (1, 4)), ((12,), (0,)), ((2, 6), (6, 1))])


SHAPES = st.sampled_from([((12,), (1,)), ((3, 4), (4, 1)), ((4, 3), (1, 4)), ((2, 6), (6, 1)), ((12,), (-1,))])
STARTS = st.one_of(st.sampled_from([11, 23, 35]), st.integers(11, 26))


def rows_of(x):
    rows = np.array(x.start)
    for size, step in zip(x.sizes, x.steps):
        rows = rows[..., None] + np.arange(size) * step
    return set(rows.ravel().tolist())


@st.composite
def steps_on_few_rows(draw):
    """Return elementwise steps and gathers whose views overlap in many ways, but those of one step as in plans."""
    steps, shape = [], draw(SHAPES)
    for _ in range(draw(st.integers(2, 6))):
        sizes, strides = draw(st.one_of(st.just(shape), SHAPES))
        to = view(draw(STARTS), sizes, strides)
        free = sorted(set(range(60)) - rows_of(to))
        if draw(st.booleans()) and strides == (1,):
            rows = np.array(draw(st.lists(st.sampled_from(free), min_size=12, max_size=12)))
            steps.append(Step(None, to, (Rows(BATCHED, rows),), 0))
            continue
        others = st.builds(
            lambda at, by, n=sizes: view(at, n, by),
            st.one_of(st.sampled_from([11, 23, 35]), st.integers(0, 60)),
            st.sampled_from([strides, (0,) * len(sizes)]),
        )
        others = others.filter(lambda x, z=to: min(rows_of(x)) >= 0 and not rows_of(x) & rows_of(z))
        results = [
            step.results for step in steps if step.results.sizes == sizes and not rows_of(step.results) & rows_of(to)
        ]
        operands = [draw(st.one_of(st.just(to), others, *map(st.just, results))) for _ in range(2)]
        steps.append(elementwise(draw(st.sampled_from(["add", "sub", "mul"])), to, *operands))
    return steps


def plan_of(steps, outputs=(), seeds=()):
    """Return what of a plan is looked at: steps, with rows that are results, and those of seeds."""
    program = SimpleNamespace(outputs=[Operand.of(BATCHED, outputs)], cotangents=(), seeds=[Operand.of(BATCHED, seeds)])
    rows = {"output_rows": [np.array(outputs, int)], "seed_rows": [np.array(seeds, int)], "cotangent_rows": ()}
    return SimpleNamespace(steps=steps, rows=(80, 80), one_rows=(), program=program, **rows)


@settings(max_examples=25)
@given(steps=steps_on_few_rows(), observed=st.sets(st.integers(0, 60), min_size=1), is_single=st.booleans())
def test_chains_on_rows_in_any_order_give_what_steps_one_after_another_give(steps, observed, is_single):
    """Also what nobody reads later is left out only where nobody does."""
    layout, rows = layout_of(is_single=is_single), sorted(observed)
    held(steps, layout)
    plan = plan_of(steps, rows)
    ours, theirs = Memory(layout), Memory(layout)
    for kernel in chain_kernels(steps, layout, flows_of(plan)):
        ours.run(kernel)
    numpy_run(theirs, steps)
    np.testing.assert_allclose(ours.buffers.rows[BATCHED][rows], theirs.buffers.rows[BATCHED][rows], rtol=1e-12)


def test_a_step_is_read_until_what_it_writes_is_written_over():
    x, y, z = (view(start, (4,), (1,)) for start in (0, 10, 20))
    steps = [elementwise("neg", y, x), elementwise("exp", z, y), elementwise("neg", y, z), elementwise("add", z, x, y)]
    plan = plan_of(steps, [23])
    assert [flow.reach for flow in flows_of(plan)] == [1, 1, 1, 5]
    plan.output_rows = [np.array([30])]
    assert [flow.reach for flow in flows_of(plan)] == [1, 1, 1, 0]


@each_layout
@pytest.mark.parametrize("space", [BATCHED, UNBATCHED])
def test_gathers_are_read_by_the_steps_behind_them_without_a_copy(space, dtype, is_single):
    layout, n = layout_of(dtype, is_single=is_single), 21
    x, y, z = (view(start, (n,), (1,)) for start in (0, 50, 100))
    rows = [np.random.default_rng(seed).integers(200, 400, n) for seed in (0, 1)]
    steps = [
        Step(None, view(0, (n,), (1,), space), (Rows(space, rows[0]),), 0),
        Step(None, view(50, (n,), (1,), space), (view(200, (3, 7), (1, 3), space),), 0),
        elementwise("div", *(view(each.start, (n,), (1,), space) for each in (z, x, y))),
    ]
    assert len(held(steps, layout)) == 1
    [kernel] = chain_kernels(steps, layout, [Flow(2, (False,)), Flow(1, (False,)), Flow(1, (False, False))])
    ours, theirs = Memory(layout), Memory(layout)
    ours.run(kernel)
    numpy_run(theirs, steps)
    found, expected = (memory.buffers.rows[space][100 : 100 + n] for memory in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=1e-13 if dtype == "float64" else 1e-6)
    assert (ours.buffers.rows[space][:100] == Memory(layout).buffers.rows[space][:100]).all()


@each_layout
def test_what_a_step_reads_is_written_over_behind_it(dtype, is_single):
    """Though nothing else connects the two: shares of a where's cotangent, the last of them in its place."""
    g, c, x, z = (view(start, (5,), (1,)) for start in (0, 10, 20, 30))
    steps = [elementwise("mul", z, g, c), elementwise("sub", g, g, c), elementwise("add", z, z, x)]
    held(steps, layout_of(dtype, is_single=is_single))


def test_steps_that_nothing_connects_have_kernels_of_their_own():
    x, y, z = (view(start, (9,), (1,)) for start in (0, 20, 40))
    steps = [elementwise("neg", y, x), elementwise("exp", z, x), elementwise("neg", y, y)]
    assert {kernel.arguments for kernel in held(steps, layout_of())} == {(20, 0), (40, 0)}


@each_layout
def test_an_adjoint_is_the_cotangent_times_the_derivative(dtype, is_single):
    g, x, z = (view(start, (11,), (1,)) for start in (0, 20, 40))
    for name, reads in [("tanh", (1,)), ("relu", (0,)), ("exp", (0,)), ("sigmoid", (1,)), ("abs", (1,))]:
        held([elementwise(name, z, g, x, wrt=0, reads=reads)], layout_of(dtype, is_single=is_single))


@each_layout
def test_what_is_closed_stops_infinities_in_later_steps_too(dtype, is_single):
    """0 · inf is nan, but a closed branch passes nothing: where(x > 0, log x, 0) has the derivative 0 at −1."""
    layout = layout_of(dtype, is_single=is_single)
    memory, (g, c, x, z) = Memory(layout), (view(start, (5,), (1,)) for start in (0, 10, 20, 30))
    rows = memory.buffers.rows[BATCHED]
    for place, numbers in [(g, [1, 1, np.inf, np.nan, 2]), (c, [0, 1, 0, 0, 1]), (x, [0, 2, -1, 3, 0])]:
        rows[place.start : place.start + 5] = np.array(numbers)[:, None]
    steps = [
        elementwise("where", z, g, c, wrt=1, reads=(1,)),
        elementwise("log", z, z, x, wrt=0, reads=(1,)),
    ]
    for kernel in chain_kernels(steps, layout):
        memory.run(kernel)
    assert rows[30:35, 0].tolist() == [0.0, 0.5, 0.0, 0.0, np.inf]


@each_layout
@pytest.mark.parametrize("rows", [[3], [9, 2, 2, 7, 0], [4, 5, 6, 7, 20, 21, 22, 23], list(range(30, 43))])
@pytest.mark.parametrize("space", [BATCHED, UNBATCHED])
def test_rows_are_gathered_in_any_order(rows, space, dtype, is_single):
    to = view(100, (len(rows),), (1,), space)
    step = Step(None, to, (Rows(space, np.array(rows)),), 0)
    layout = layout_of(dtype, is_single=is_single)
    held([step], layout)


@each_layout
def test_an_even_grid_of_rows_is_gathered(dtype, is_single):
    layout = layout_of(dtype, is_single=is_single)
    for sizes, steps in [((4, 4, 16), (64, 1, 4)), ((3, 5), (1, 10)), ((7,), (-2,))]:
        to = view(1000, (math.prod(sizes),), (1,))
        step = Step(None, to, (view(500, sizes, steps),), 0)
        held([step], layout)


def test_runs_of_fusible_steps_have_one_count_and_one_phase():
    x, y, z = (view(start, (4,), (1,)) for start in (0, 10, 20))
    before, after = view(0, (4,), (1,), UNBATCHED), view(10, (4,), (1,), UNBATCHED)
    steps = [
        Step(elementwise("neg", before, before).instruction, before, (before,), 0, "before"),
        elementwise("neg", y, x),
        Step(None, z, (Rows(BATCHED, np.array([3, 1, 2, 0])),), 0),
        elementwise("neg", view(30, (5,), (1,)), view(40, (5,), (1,))),
        *[Step(elementwise("neg", after, after).instruction, after, (after,), 0, "after")] * 2,
    ]
    assert fusible(SimpleNamespace(steps=steps)) == {0: 1, 1: 3, 3: 4}
