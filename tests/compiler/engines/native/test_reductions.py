"""Reductions as native code: sums, products of pairs, softmax and others, their adjoints, segments, and lane sums."""

import math

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from native_kernels import Memory, layout_of, numpy_run, rows_agree

from microgradlib.compiler.engines.native.reductions import reduce_kernel, segment_reduce_kernel
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.llvm.ir import NotNativeError
from microgradlib.compiler.planning.data import Step, StridedView
from microgradlib.ops import TABLE, ZERO

LAYOUTS = [(dtype, is_single) for dtype in ("float64", "float32") for is_single in (False, True)]
each_layout = pytest.mark.parametrize(("dtype", "is_single"), LAYOUTS)
PAIRS = {"dot", "cross_entropy"}
SOFTMAX = ["logsumexp", "neg_log_softmax", "cross_entropy"]
BY_STATEMENTS = ["sum", "mean", "dot", "maximum", "minimum", *SOFTMAX]
BY_RULE = ["var", "std", "prod", "norm"]
TERMS = {"rows apart": lambda n, terms: (1, n), "rows together": lambda n, terms: (terms, 1)}


def view(start, sizes, steps, space=BATCHED):
    return StridedView(space, start, sizes, steps)


def reduction(name, n, terms, order="rows together", *, spaces=(BATCHED, BATCHED), wrt=None):
    """Return the step of n results, or of an adjoint, of an op of so many terms that lie in this order."""
    op, steps = TABLE[name], TERMS[order](n, terms)
    read = [view(start, (n, terms), steps, space) for start, space in zip((0, 500), spaces)]
    read = read if name in PAIRS else read[:1]
    to, kind = view(1000, (n, 1), (1, 0), max(x.space for x in read)), "reduce"
    if wrt is not None:
        g, z = view(1100, (n, 1), (1, 0), to.space), to
        to, read = view(1200, (n, terms), steps, to.space), [g, z, *read]
    slots = [Operand.of(x.space, range(math.prod(x.sizes))) for x in (to, *read)]
    return Step(Instruction(kind, op, slots[0], tuple(slots[1:]), terms=terms, wrt=wrt), to, tuple(read), 0)


def memories(layout):
    """Return two equal memories of positive numbers."""
    found = Memory(layout), Memory(layout)
    for memory in found:
        for array in memory.buffers.rows:
            array[:-1] = np.abs(array[:-1]) + 0.1
    return found


def rtol_of(dtype):
    return 1e-12 if dtype == "float64" else 3e-5


def shapes(usual, more):
    """Return parameters (n, terms); compiling so many kernels takes long."""
    return [*usual, *[pytest.param(*shape, marks=pytest.mark.slow) for shape in more]]


@each_layout
@pytest.mark.parametrize("order", TERMS)
@pytest.mark.parametrize(("n", "terms"), shapes([(3, 5), (9, 17)], [(1, 1), (1, 2), (16, 16), (2, 27), (5, 64)]))
@pytest.mark.parametrize("name", BY_STATEMENTS + BY_RULE)
def test_each_reduction_gives_what_numpy_gives(*, name, n, terms, order, dtype, is_single):
    layout = layout_of(dtype, is_single=is_single)
    ours, theirs = memories(layout)
    step = reduction(name, n, terms, order)
    ours.run(reduce_kernel(step, layout))
    numpy_run(theirs, [step])
    rows_agree(ours, theirs, rtol_of(dtype))


@each_layout
@pytest.mark.parametrize("spaces", [(UNBATCHED, BATCHED), (BATCHED, UNBATCHED), (UNBATCHED, UNBATCHED)])
@pytest.mark.parametrize("name", ["dot", "cross_entropy"])
def test_operands_without_a_batch_axis(name, spaces, dtype, is_single):
    """They give what operands with equal numbers for all examples give."""
    layout = layout_of(dtype, is_single=is_single)
    for order in TERMS:
        ours, theirs = memories(layout)
        for space, start in zip(spaces, (0, 500)):
            if space == UNBATCHED:
                theirs.buffers.rows[BATCHED][start : start + 60] = theirs.buffers.rows[UNBATCHED][start : start + 60]
        for memory, there in [(ours, spaces), (theirs, (BATCHED, BATCHED))]:
            memory.run(reduce_kernel(reduction(name, 10, 6, order, spaces=there), layout))
        space = max(spaces)
        found = ours.buffers.rows[space][1000:1010]
        expected = np.broadcast_to(theirs.buffers.rows[BATCHED][1000:1010], (10, ours.block))[:, : found.shape[1]]
        np.testing.assert_allclose(found, expected, rtol=rtol_of(dtype))


ADJOINTS = [("maximum", 0), ("minimum", 0), ("logsumexp", 0), ("neg_log_softmax", 0), ("cross_entropy", 0)]
ADJOINTS += [("cross_entropy", 1), *[(name, 0) for name in BY_RULE]]


@each_layout
@pytest.mark.parametrize("order", TERMS)
@pytest.mark.parametrize(("n", "terms"), shapes([(3, 5)], [(1, 1), (16, 27), (5, 64)]))
@pytest.mark.parametrize(("name", "wrt"), ADJOINTS)
def test_each_adjoint_gives_what_numpy_gives(*, name, wrt, n, terms, order, dtype, is_single):
    layout = layout_of(dtype, is_single=is_single)
    ours, theirs = memories(layout)
    steps = [reduction(name, n, terms, order), reduction(name, n, terms, order, wrt=wrt)]
    for step in steps:
        ours.run(reduce_kernel(step, layout))
    numpy_run(theirs, steps)
    rows_agree(ours, theirs, 10 * rtol_of(dtype))


INF, NAN = math.inf, math.nan
ODD_TERMS = [
    (0.0, 0.0, 0.0), (-INF, 1.0, 2.0), (INF, 1.0, 2.0), (1.0, INF, INF), (-INF, -INF, -INF), (NAN, 1.0, 2.0),
    (1.0, NAN, -INF), (1e300, -1e300, 0.0), (800.0, 0.0, -800.0), (3.0, 3.0, -INF), (-0.0, 0.0, -0.0),
    (5e-324, 0.0, 1.0),
]  # fmt: skip
WEIGHTS = [
    (1.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.0, 0.0, 0.0), (0.2, 0.3, 0.5), (NAN, 0.0, 1.0), (INF, 0.0, 1.0),
    (0.0, -INF, -1.0), (INF, INF, 0.0),
]  # fmt: skip


def numbers_of(name):
    return [(*w, *x) for w in WEIGHTS for x in ODD_TERMS] if name in PAIRS else ODD_TERMS


@pytest.mark.parametrize("is_single", [False, True])
@pytest.mark.parametrize("name", BY_STATEMENTS)
def test_values_at_infinities_and_nan_are_those_of_the_op(name, is_single):
    """Without a second run, which NumPy needs."""
    layout = layout_of(is_single=is_single)
    given, op = np.array(numbers_of(name)), TABLE[name]
    step, memory = reduction(name, len(given), 3), Memory(layout)
    rows = memory.buffers.rows[BATCHED]
    for k, place in enumerate(range(0, given.shape[1], 3)):
        start = (0, 500)[k]
        rows[start : start + 3 * len(given)] = given[:, place : place + 3].reshape(-1, 1)
    memory.run(reduce_kernel(step, layout))
    expected = np.array([op.compute(*numbers) for numbers in given.tolist()])
    found = rows[1000 : 1000 + len(given)]
    np.testing.assert_allclose(found, np.broadcast_to(expected[:, None], found.shape), rtol=1e-14)
    assert (np.signbit(found[:, 0]) == np.signbit(expected))[~np.isnan(expected)].all()


@pytest.mark.parametrize("is_single", [False, True])
@pytest.mark.parametrize(("name", "wrt"), ADJOINTS)
def test_adjoints_at_infinities_are_right_or_not_finite(name, wrt, is_single):
    """What is not finite is computed again by the reference engine; it must not be finite and wrong."""
    layout = layout_of(is_single=is_single)
    given, op = np.array(numbers_of(name)), TABLE[name]
    memory = Memory(layout)
    rows = memory.buffers.rows[BATCHED]
    for k, place in enumerate(range(0, given.shape[1], 3)):
        start = (0, 500)[k]
        rows[start : start + 3 * len(given)] = given[:, place : place + 3].reshape(-1, 1)
    rows[1100 : 1100 + len(given)] = 2.0
    for step in [reduction(name, len(given), 3), reduction(name, len(given), 3, wrt=wrt)]:
        memory.run(reduce_kernel(step, layout))
    for found, numbers in zip(rows[1200 : 1200 + 3 * len(given), 0].reshape(-1, 3), given.tolist()):
        slopes = op.local_derivatives(op.compute(*numbers), *numbers)[3 * wrt : 3 * wrt + 3]
        expected = [0.0 if slope is ZERO else 2.0 * slope for slope in slopes]
        if np.isfinite(found).all():
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300)


def test_many_inputs_of_a_rule_have_no_native_code():
    with pytest.raises(NotNativeError, match="prod of 65 inputs has no native code"):
        reduce_kernel(reduction("prod", 1, 65), layout_of())


@each_layout
@pytest.mark.parametrize(("n", "terms"), [(1, 1), (16, 1), (3, 4), (5, 40)])
@pytest.mark.parametrize("order", TERMS)
def test_sums_over_the_batch_are_added_to_lane_sums(*, n, terms, order, dtype, is_single):
    """Result i, in the order of the step's axes, to lane sum i of those from the first argument on."""
    layout, steps = layout_of(dtype, is_single=is_single), TERMS[order](n, terms)
    read, to = view(100, (n, terms), steps), view(0, (n, 1), (1, 0), UNBATCHED)
    slots = Operand.of(UNBATCHED, range(n)), Operand.of(BATCHED, range(n * terms))
    kernel = reduce_kernel(
        Step(Instruction("reduce", TABLE["sum"], slots[0], slots[1:], terms=terms), to, (read,), 0), layout
    )
    memory = Memory(layout)
    before = [array.copy() for array in memory.buffers.rows]
    memory.sums[:] = 1.0
    for _ in range(2):
        memory.run(kernel._replace(arguments=(7, *kernel.arguments[1:])))
    expected = 2 * memory.buffers.view(read).sum((1, 2), dtype=float)
    np.testing.assert_allclose((memory.sums - 1).sum(1, dtype=float)[7 : 7 + n], expected, rtol=1e-4, atol=1e-4)
    assert (memory.sums[:7] == 1).all()
    assert (memory.sums[7 + n :] == 1).all()
    for array, old in zip(memory.buffers.rows, before):
        np.testing.assert_array_equal(array, old)


COUNTS = [(1,), (1, 1, 2, 2, 3, 3, 16), (5, 1, 40, 2), (3,) * 9, tuple(range(1, 12))]


@each_layout
@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize(
    ("name", "width"), [("sum", 1), ("sum", 4), ("mean", 1), ("dot", 1), ("maximum", 1), ("minimum", 1)]
)
def test_segments_of_any_lengths(*, name, width, counts, dtype, is_single):
    layout, n, m = layout_of(dtype, is_single=is_single), sum(counts), len(counts)
    to, read = view(1000, (m, width), (width, 1)), [view(start, (n, width), (width, 1)) for start in (0, 500)]
    read = read if name == "dot" else read[:1]
    slots = [Operand.of(BATCHED, range(math.prod(x.sizes))) for x in (to, *read)]
    i = Instruction("segment_reduce", TABLE[name], slots[0], tuple(slots[1:]), counts=counts, width=width)
    ours, theirs = memories(layout)
    ours.run(segment_reduce_kernel(Step(i, to, tuple(read), 0), layout))
    numpy_run(theirs, [Step(i, to, tuple(read), 0)])
    rows_agree(ours, theirs, rtol_of(dtype))
