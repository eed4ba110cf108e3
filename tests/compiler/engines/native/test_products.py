from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from kernel_runner import native, strided

from microgradlib.compiler.engines.native.kernel import Layout, NotNativeError
from microgradlib.compiler.engines.native.products import matmul_kernel
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.llvm.ir import Real
from microgradlib.compiler.llvm.machine import host
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import Flow
from microgradlib.ops import TABLE

U, B = UNBATCHED, BATCHED
SUM = (B, B, U)
SPACES = [(U, B, B), (B, U, B), (B, B, B), (U, U, U), SUM]
UNUSED = 3
"""So many rows lie unused before and behind each view."""
IN_ORDER = ((0, 1, 2), 1, 0)
TRANSPOSED = ((0, 2, 1), 1, 0)


def layout_of(dtype, *, is_single=False):
    return Layout(host().real(dtype), host().registers, is_single)


def step_of(spaces, shape, ways):
    """Return a product of W and X, which come first, and how many rows each space has.

    Each view lies in its own way: the order of its axes in memory, the step of the last, rows between others.
    """
    count, rows, terms, columns = shape
    sizes, taken, views = [(count, rows, terms), (count, terms, columns), (count, rows, columns)], [UNUSED] * 2, []
    for space, own, (order, inner, between) in zip(spaces, sizes, ways, strict=True):
        steps, step = [0, 0, 0], inner
        for axis in order[::-1]:
            steps[axis] = step if own[axis] > 1 else 0
            step = step * own[axis] + between
        views.append(StridedView(space, taken[space], own, tuple(steps)))
        taken[space] += step + UNUSED
    return Step(None, views[2], tuple(views[:2]), 0), taken


def check(step, taken, layout, block=1, *, special=False, starts=False, kernel=None):
    """Compare all memory after a product with NumPy's: the results exactly, anything else unchanged.

    Whole numbers are added up without rounding, and where inf or nan come in, they come in any order. Lane sums are
    added to what there is, or start: the last one says so.
    """
    draw = np.random.default_rng(0)
    dtype = np.dtype("f8" if layout.real.scalar == "double" else "f4")
    (count, rows, columns), lanes = step.results.sizes, layout.sum_lanes
    numbers = [*range(-4, 5), *([np.inf, -np.inf, np.nan] if special else [])]
    last = count * rows * columns + 2 * UNUSED
    sizes = [taken[U], taken[B] * block, (last + 1) * lanes]
    memory = [draw.choice(numbers, size).astype(dtype) for size in sizes]
    memory[2][last * lanes] = starts
    expected = [array.copy() for array in memory]
    kernel = kernel or matmul_kernel([step], layout)
    first, *others = kernel.arguments
    w, x = [strided(view, expected[view.space], block) for view in step.operands]
    with np.errstate(all="ignore"):
        z = sum(w[:, :, t, None] * x[:, None, t] for t in range(w.shape[2]))
        if step.results.space == U and step.operands[0].space == B:
            first, others[-1] = UNUSED, last
            own = expected[2][UNUSED * lanes : (last - UNUSED) * lanes].reshape(*z.shape[:3], lanes)
            own[:] = 0 if starts else own
            own += z.reshape(*z.shape[:3], -1, lanes).sum(-2)
        else:
            strided(step.results, expected[step.results.space], block)[...] = z
    size = kernel.scratch * (block + layout.real.lanes)
    scratch = np.full(size + UNUSED, 7, dtype)
    native(kernel)([*memory, scratch, np.empty(0, np.int32)], block, first, *others)
    assert (scratch[size:] == 7).all()
    for found, right in zip(memory, expected, strict=True):
        np.testing.assert_array_equal(found, right)


ways = st.tuples(st.permutations(range(3)).map(tuple), st.integers(1, 2), st.integers(0, 2))
numbers = st.tuples(st.sampled_from(["float64", "float32"]), st.booleans())


@settings(max_examples=40)
@given(
    st.sampled_from(SPACES),
    st.tuples(st.integers(1, 3), st.integers(1, 11), st.integers(1, 9), st.integers(1, 11)),
    st.tuples(ways, ways, ways),
    numbers,
    st.integers(1, 9),
)
@example((U, B, B), (1, 16, 17, 1), (IN_ORDER,) * 3, (("float64", False)), 13)
@example((U, B, B), (1, 48, 16, 16), (IN_ORDER,) * 3, (("float32", False)), 1)
@example((U, B, B), (1, 16, 27, 16), (TRANSPOSED, IN_ORDER, IN_ORDER), (("float64", True)), 1)
@example(SUM, (1, 10, 1, 37), (IN_ORDER, TRANSPOSED, IN_ORDER), (("float64", True)), 8)
def test_products_in_blocks_are_those_of_numpy_and_nothing_else_is_written(spaces, shape, ways, numbers, vectors):
    if spaces == SUM:  # the terms and the examples are one axis
        ways = ((0, 1, 2), 1, ways[0][2]), ((0, 2, 1), 1, ways[1][2]), ways[2]
    layout = layout_of(numbers[0])
    for starts in (False, True)[: 1 + (spaces == SUM)]:
        check(*step_of(spaces, shape, ways), layout, vectors * layout.real.lanes, special=numbers[1], starts=starts)


@settings(max_examples=40)
@given(
    st.sampled_from(SPACES),
    st.tuples(st.integers(1, 3), st.integers(1, 35), st.integers(1, 35), st.integers(1, 35)),
    st.tuples(ways, ways, ways),
    numbers,
)
@example((U, B, B), (1, 16, 17, 1), (IN_ORDER,) * 3, ("float64", False))
@example((U, B, B), (1, 16, 16, 1), (TRANSPOSED, IN_ORDER, IN_ORDER), ("float32", True))
@example(SUM, (1, 64, 1, 25), (IN_ORDER,) * 3, ("float64", True))
@example(SUM, (1, 48, 16, 16), (IN_ORDER, TRANSPOSED, IN_ORDER), ("float32", False))
@example((B, B, B), (4, 16, 19, 4), (IN_ORDER, TRANSPOSED, IN_ORDER), ("float64", True))
@example((B, B, B), (3, 11, 13, 5), (IN_ORDER, TRANSPOSED, TRANSPOSED), ("float32", True))
def test_products_of_one_example_are_those_of_numpy_and_nothing_else_is_written(spaces, shape, ways, numbers):
    layout = layout_of(numbers[0], is_single=True)
    for starts in (False, True)[: 1 + (spaces == SUM)]:
        check(*step_of(spaces, shape, ways), layout, special=numbers[1], starts=starts)


@pytest.mark.parametrize("spaces", SPACES)
@pytest.mark.parametrize(
    ("real", "registers"),
    [(Real("double", 2), 32), (Real("float", 4), 32), (Real("double", 4), 16), (Real("float", 8), 16)],
)
def test_tiles_fit_any_vectors_and_registers(spaces, real, registers):
    ways = (IN_ORDER, TRANSPOSED, IN_ORDER) if spaces == SUM else (IN_ORDER,) * 3
    step = step_of(spaces, (2, 13, 5, 7), ways)
    for starts in (False, True)[: 1 + (spaces == SUM)]:
        check(*step, Layout(real, registers, is_single=False), 3 * real.lanes, starts=starts)
        check(*step, Layout(real, registers, is_single=True), starts=starts)


def test_a_wrong_result_and_a_stray_write_are_found():
    step, taken = step_of((U, B, B), (1, 5, 6, 1), (IN_ORDER,) * 3)
    layout = layout_of("float64")
    w, x = step.operands
    shifted = replace(step, operands=(replace(w, start=w.start + 1), x))
    with pytest.raises(AssertionError):
        check(step, taken, layout, 8, kernel=matmul_kernel([shifted], layout))
    one_more = replace(step, operands=(replace(w, sizes=(1, 6, 6)), x))
    with pytest.raises(AssertionError):
        check(step, taken, layout, 8, kernel=matmul_kernel([one_more], layout))


def test_what_has_no_native_code_is_refused():
    step, _ = step_of((U, B, B), (1, 2, 3, 4), (IN_ORDER,) * 3)
    with pytest.raises(NotNativeError, match="rows in any order"):
        matmul_kernel([replace(step, operands=(Rows(B, np.arange(6)), step.operands[1]))], layout_of("float64"))
    with pytest.raises(NotNativeError, match="two batched operands"):
        matmul_kernel([replace(step, results=replace(step.results, space=U))], layout_of("float64"))


masks = st.sampled_from(["all", "lower", "upper", "a row", "drawn"])


def mask_of(kind, shape, seed):
    """Return which entries of matrices are needed."""
    drawn = np.random.default_rng(seed).random(shape) < 0.3
    lower, upper = np.tri(*shape[1:]), np.tri(*shape[:0:-1]).T
    found = {"lower": lower, "upper": upper, "a row": np.eye(shape[1])[:, :1]}
    return drawn if kind == "drawn" else np.broadcast_to(found.get(kind, np.ones(1)) > 0, shape)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 17), st.integers(1, 17), st.integers(1, 17)),
    st.tuples(ways, ways, ways),
    st.tuples(masks, masks, masks),
    st.integers(1, 3),
)
@example((4, 16, 16, 4), (IN_ORDER,) * 3, ("lower", "all", "all"), 1)
@example((4, 16, 4, 16), (IN_ORDER,) * 3, ("all", "all", "lower"), 1)
@example((4, 4, 16, 16), (IN_ORDER,) * 3, ("all", "lower", "all"), 2)
@example((1, 5, 5, 5), (IN_ORDER,) * 3, ("upper", "lower", "a row"), 1)
def test_what_is_padding_or_not_read_is_left_out(shape, ways, kinds, vectors):
    layout, (count, rows, terms, columns) = layout_of("float64"), shape
    step, taken = step_of((B, B, B), shape, ways)
    sizes = (count, rows, terms), (count, terms, columns), (count, rows, columns)
    needed = [mask_of(kind, size, k) for k, (kind, size) in enumerate(zip(kinds, sizes, strict=True))]
    slots = [np.where(mask, np.arange(mask.size).reshape(mask.shape), -1).ravel() for mask in needed[:2]]
    operands = tuple(Operand.of(B, own.tolist()) for own in slots)
    results = Operand.of(B, range(count * rows * columns))
    step = replace(step, instruction=Instruction("matmul", TABLE["dot"], results, operands, shape=shape))
    kernel = matmul_kernel([step], layout, [Flow(1, (False, False), read=needed[2].ravel())])
    block = vectors * layout.real.lanes
    memory = [np.random.default_rng(0).integers(-4, 5, size).astype("f8") for size in (8, taken[B] * block, 8)]
    views = [strided(view, memory[B], block) for view in (*step.operands, step.results)]
    for view, mask in zip(views, needed[:2], strict=False):
        view[~mask] = 0
    expected = np.einsum("crtb,ctkb->crkb", *views[:2])
    before = memory[B].copy()
    native(kernel)([*memory, np.zeros(64), np.empty(0, np.int32)], block, *kernel.arguments)
    np.testing.assert_array_equal(views[2][needed[2]], expected[needed[2]])
    views[2][...] = strided(step.results, before, block)[...] = 0
    np.testing.assert_array_equal(memory[B], before)
