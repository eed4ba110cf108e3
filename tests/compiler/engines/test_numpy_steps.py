"""Matrix products, segments, sums over the batch and gathers of the NumPy engine, on hand-made steps."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.lowering import step_calls
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.ops import TABLE

BATCHES = [1, 2, 17]
ODD = [np.inf, -np.inf, np.nan]


def buffers_of(batch, rows=400, dtype="float64"):
    """Return memory full of numbers, but for the last rows, of which there is one of zeros."""
    buffers = Buffers((rows, rows), batch, dtype)
    for array in buffers.rows:
        array[:-1] = np.random.default_rng(0).normal(size=array[:-1].shape)
    return buffers


def run(buffers, step, times=1):
    with np.errstate(all="ignore"):
        calls = step_calls(buffers, step)
        for _ in range(times):
            for function, arguments in calls:
                function(*arguments)
    return buffers.view(step.results)


def matmul(spaces, shape, slots=None, **fields):
    """Return a product of matrices in these spaces, of the operands' slots or of any."""
    count, rows, terms, columns = shape
    sizes = (count * rows * terms, count * terms * columns)
    slots = [np.arange(size) + 1000 * k for k, size in enumerate(sizes)] if slots is None else slots
    operands = tuple([Operand.of(space, part) for space, part in zip(spaces, slots)])
    results = Operand.of(spaces[2], range(5000, 5000 + count * rows * columns))
    return Instruction("matmul", TABLE["dot"], results, operands, shape=shape, **fields)


def product_of(a, b, *, over_batch):
    found = sum(a[:, :, t, None, :] * b[:, t, None, :, :] for t in range(a.shape[2]))
    return found.sum(-1, keepdims=True) if over_batch else found


SPACES = [
    (UNBATCHED, BATCHED, BATCHED), (BATCHED, BATCHED, UNBATCHED), (UNBATCHED, UNBATCHED, UNBATCHED),
    (BATCHED, BATCHED, BATCHED), (BATCHED, UNBATCHED, BATCHED), (UNBATCHED, BATCHED, UNBATCHED),
]  # fmt: skip
SHAPES = [(1, 2, 3, 4), (1, 1, 3, 1), (1, 4, 1, 1), (1, 1, 1, 1), (2, 3, 4, 2), (3, 1, 2, 1), (1, 5, 2, 3)]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spaces", SPACES)
@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
def test_products_in_all_spaces_and_orders(spaces, shape, turned, batch):
    count, rows, terms, columns = shape
    buffers = buffers_of(batch)
    # the axis that becomes one with the batch has step 1, where a factor without a batch axis is multiplied
    by_columns = spaces[:2] == (UNBATCHED, BATCHED)
    views = []
    for k, (n, m) in enumerate(((rows, terms), (terms, columns))):
        order = (m, 1) if k == 0 or not turned[1] or by_columns else (1, n)
        order = (1, n) if k == 0 and turned[0] and spaces[2] == BATCHED else order
        order = (1, n) if k == 1 and spaces == SPACES[1] else order
        views.append(StridedView(spaces[k], 100 * k, (count, n, m), (n * m, *order)))
    results = StridedView(spaces[2], 200, (count, rows, columns), (rows * columns, columns, 1))
    expected = product_of(*map(buffers.view, views), over_batch=spaces[2] == UNBATCHED and BATCHED in spaces)
    found = run(buffers, Step(matmul(spaces, shape), results, tuple(views), 0), times=2)
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("places", [[(0, 0)], [(1, 2)], [(0, 1), (1, 0)]])
def test_a_matrix_of_one_number_meets_what_is_infinite(odd, places):
    """BLAS may skip a factor of 0."""
    buffers = buffers_of(2)
    buffers.rows[UNBATCHED][0] = 0.0
    for row, example in places:
        buffers.rows[BATCHED][row, min(example, 1)] = odd
    views = (StridedView(UNBATCHED, 0, (1, 1, 1), (0, 0, 0)), StridedView(BATCHED, 0, (1, 1, 3), (0, 0, 1)))
    step = Step(matmul(SPACES[0], (1, 1, 1, 3)), StridedView(BATCHED, 9, (1, 1, 3), (0, 0, 1)), views, 0)
    with np.errstate(invalid="ignore"):
        expected = 0.0 * buffers.rows[BATCHED][:3]
    assert np.array_equal(np.isnan(run(buffers, step)[0, 0]), np.isnan(expected))


def test_a_copy_serves_both_passes():
    """G Xᵀ reads X as the forward product copied it."""
    batch, shape = 3, (2, 3, 4, 2)
    buffers = buffers_of(batch)
    views = (StridedView(BATCHED, 0, (2, 3, 4), (12, 4, 1)), StridedView(BATCHED, 100, (2, 4, 2), (8, 2, 1)))
    made = matmul(SPACES[3], shape)
    run(buffers, Step(made, StridedView(BATCHED, 200, (2, 3, 2), (6, 2, 1)), views, 0))
    copies = len(buffers.copies)
    turned = made.operands[1].slots.reshape(2, 4, 2).swapaxes(1, 2).ravel()
    back = matmul(SPACES[3], (2, 3, 2, 4), [np.arange(3000, 3012), turned])
    g, x = StridedView(BATCHED, 200, (2, 3, 2), (6, 2, 1)), StridedView(BATCHED, 100, (2, 2, 4), (8, 1, 2))
    step = Step(back, StridedView(BATCHED, 300, (2, 3, 4), (12, 4, 1)), (g, x), 1)
    calls = step_calls(buffers, step)
    assert len(buffers.copies) == copies + 2  # of G, and of its transpose
    assert [function.__name__ for function, _ in calls] == ["copyto", "matmul", "copyto"]
    expected = product_of(buffers.view(g), buffers.view(x), over_batch=False)
    for function, arguments in calls:
        function(*arguments)
    np.testing.assert_allclose(buffers.view(step.results), expected, rtol=1e-12)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 5, 19])
def test_padding_stops_what_is_infinite(odd, place):
    """Of a triangle times a matrix, rows that end before it are finite, and every example is as if alone."""
    shape, batch = (1, 4, 4, 2), 3
    slots = np.arange(16).reshape(4, 4)
    slots[np.triu_indices(4, 1)] = NOT_REACHED
    buffers = buffers_of(batch)
    rows = buffers.rows[BATCHED]
    rows[100 + place % 8, 1] = odd
    weights = np.where(slots >= 0, 1.0, 0.0)[None, :, :, None] * rows[:16].reshape(1, 4, 4, batch)
    rows[:16] = weights.reshape(16, batch)
    views = (StridedView(BATCHED, 0, (1, 4, 4), (0, 4, 1)), StridedView(BATCHED, 100, (1, 4, 2), (0, 2, 1)))
    instruction = matmul(SPACES[3], shape, [slots.ravel(), np.arange(1000, 1008)])
    found = run(buffers, Step(instruction, StridedView(BATCHED, 200, (1, 4, 2), (0, 2, 1)), views, 0))
    x = buffers.view(views[1])[0]
    with np.errstate(invalid="ignore"):
        expected = [sum(weights[0, i, t] * x[t] for t in range(i + 1)) for i in range(4)]
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    assert np.isfinite(found[..., [0, 2]]).all()
    assert not np.isfinite(found[..., 1]).all()


@pytest.mark.parametrize("name", ["sum", "mean", "dot", "maximum", "minimum"])
@pytest.mark.parametrize("batch", BATCHES)
def test_segments(name, batch):
    counts = (1, 1, 3, 3, 3, 2, 5)
    terms, buffers = sum(counts), buffers_of(batch)
    views = [StridedView(BATCHED, 50 * k, (terms, 1), (2, 1)) for k in range(1 + (name == "dot"))]
    operand = Operand.of(BATCHED, range(terms))
    instruction = Instruction("segment_reduce", TABLE[name], operand, (operand,) * len(views), counts=counts)
    results = StridedView(BATCHED, 200, (len(counts), 1), (1, 1))
    arrays = [buffers.view(view)[:, 0].copy() for view in views]
    found = run(buffers, Step(instruction, results, tuple(views), 0))[:, 0]
    starts = np.cumsum(counts) - counts
    for start, count, row in zip(starts, counts, found):
        pieces = [array[start : start + count] for array in arrays]
        reduced = {"dot": lambda x, y: (x * y).sum(0), "maximum": lambda x: x.max(0), "minimum": lambda x: x.min(0),
                   "sum": lambda x: x.sum(0), "mean": lambda x: x.mean(0)}[name](*pieces)  # fmt: skip
        np.testing.assert_allclose(row, reduced, rtol=1e-13, atol=1e-15)


def test_segments_of_runs_of_numbers():
    counts, width, batch = (2, 1, 1, 3), 3, 2
    buffers, operand = buffers_of(batch), Operand.of(BATCHED, range(21))
    instruction = Instruction("segment_reduce", TABLE["sum"], operand, (operand,), counts=counts, width=width)
    terms, results = StridedView(BATCHED, 0, (7, 3), (3, 1)), StridedView(BATCHED, 100, (4, 3), (3, 1))
    found = run(buffers, Step(instruction, results, (terms,), 0))
    expected = [part.sum(0) for part in np.split(buffers.view(terms), np.cumsum(counts)[:-1])]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(("sizes", "steps"), [((4, 1), (1, 0)), ((2, 3, 1), (5, 1, 0)), ((3, 4), (1, 3))])
def test_sums_over_the_batch(sizes, steps, batch):
    buffers = buffers_of(batch)
    view = StridedView(BATCHED, 0, sizes, steps)
    results = StridedView(UNBATCHED, 10, (*sizes[:-1], 1), (*([sizes[1]] if len(sizes) > 2 else []), 1, 0))
    instruction = Instruction(
        "reduce", TABLE["sum"], Operand.of(UNBATCHED, [0]), (Operand.of(BATCHED, [0]),), terms=sizes[-1]
    )
    found = run(buffers, Step(instruction, results, (view,), 0))
    np.testing.assert_allclose(found[..., 0, 0], buffers.view(view).sum((-1, -2)), rtol=1e-12, atol=1e-13)


@given(st.lists(st.integers(-1, 30), min_size=1, max_size=30), st.integers(0, 80), st.sampled_from(BATCHES))
def test_gathers_with_padding(places, start, batch):
    """Whether what is written lies before, behind or among the rows that are read."""
    if max(places) < 0:
        places = [*places, 3]
    buffers, zero = buffers_of(batch, 120), 119
    rows = np.array([zero if place < 0 else 30 + place for place in places])
    source = buffers.rows[BATCHED].copy()
    step = Step(None, StridedView(BATCHED, start, (len(rows),), (1,)), (Rows(BATCHED, rows),), 0)
    assert np.array_equal(run(buffers, step), source[rows])
    assert not buffers.rows[BATCHED][zero].any()


def test_a_gather_from_an_even_grid():
    buffers = buffers_of(2)
    grid = StridedView(BATCHED, 0, (2, 3, 2), (1, 10, 1))
    step = Step(None, StridedView(BATCHED, 100, (12,), (1,)), (grid,), 0)
    assert np.array_equal(run(buffers, step), buffers.view(grid).reshape(12, 2))
