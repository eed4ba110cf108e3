"""Elementwise chains and gathers as native code, against NumPy's engine, one step after another."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from native_kernels import Memory, layout_of, numpy_run, rows_agree

from microgradlib.compiler.engines.native.elementwise import chain_kernels, gather_kernel
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Rows, Step, StridedView
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


def held(steps, layout, block=None, kernels=None):
    """Assert that kernels compute what NumPy does and write nothing else; return the kernels."""
    ours, theirs = Memory(layout, block), Memory(layout, block)
    kernels = chain_kernels(steps, layout) if kernels is None else kernels
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


@given(data=st.data(), is_single=st.booleans())
def test_chains_on_rows_in_any_order_give_what_steps_one_after_another_give(data, is_single):
    """Rows are so few that views overlap in all ways."""
    steps = []
    for _ in range(data.draw(st.integers(2, 4))):
        start = st.integers(0, 14)
        written = data.draw(SHAPES.filter(lambda shape: shape[1] != (0,)))
        results = view(data.draw(start), *written)
        apart = st.builds(lambda at, shape: view(at, *shape), st.integers(30, 40), SHAPES)
        near = st.builds(lambda at, shape: view(at, *shape), start, SHAPES)
        allowed = near.filter(lambda x, z=results: x == z or not rows_of(x) & rows_of(z))
        operands = [data.draw(st.one_of(st.just(results), apart, allowed)) for _ in range(2)]
        sizes = results.sizes
        operands = [x if x.sizes == sizes else view(x.start, sizes, results.steps) for x in operands]
        operands = [x if x == results or not rows_of(x) & rows_of(results) else results for x in operands]
        steps.append(elementwise(data.draw(st.sampled_from(["add", "sub", "mul"])), results, *operands))
    held(steps, layout_of(is_single=is_single))


def rows_of(x):
    rows = np.array(x.start)
    for size, step in zip(x.sizes, x.steps):
        rows = rows[..., None] + np.arange(size) * step
    return set(rows.ravel().tolist())


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
    held([step], layout, kernels=[gather_kernel(step, layout)])


@each_layout
def test_an_even_grid_of_rows_is_gathered(dtype, is_single):
    layout = layout_of(dtype, is_single=is_single)
    for sizes, steps in [((4, 4, 16), (64, 1, 4)), ((3, 5), (1, 10)), ((7,), (-2,))]:
        to = view(1000, (math.prod(sizes),), (1,))
        step = Step(None, to, (view(500, sizes, steps),), 0)
        held([step], layout, kernels=[gather_kernel(step, layout)])
