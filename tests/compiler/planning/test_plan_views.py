"""Views: what is read in place, as how many axes, and what is gathered, once for all that read it."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from plan_checker import check_plan, rows_of

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.planning import StridedView, plan
from microgradlib.compiler.planning.views import common_shape, cuts, reading_of, sizes_of
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def slots_in(start, sizes, steps):
    return rows_of(StridedView(BATCHED, start, tuple(sizes), tuple(steps)))


@given(SIZES, st.data())
def test_even_numbers_are_found_again(sizes, data):
    steps = data.draw(st.lists(st.integers(-9, 9), min_size=len(sizes), max_size=len(sizes)))
    slots = slots_in(100, sizes, steps)
    found = cuts(slots)
    for shape in (sizes, sizes_of([1, *found, len(slots)])):
        view = reading_of(BATCHED, slots, tuple(shape), None, found).view
        assert rows_of(view).tolist() == slots.tolist()
        assert view.sizes == tuple(shape)
    assert len(found) < max(2, sum(size > 1 for size in sizes))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), SIZES)
def test_a_view_in_a_shape_is_that_of_the_numbers_or_there_is_none(numbers, sizes):
    numbers = np.array(numbers * math.prod(sizes))[: math.prod(sizes)]
    view = reading_of(BATCHED, numbers, tuple(sizes), None, cuts(numbers)).view
    gaps = [np.diff(numbers.reshape(sizes), axis=axis) for axis in range(len(sizes))]
    assert (view is not None) == all((gap == gap.flat[0]).all() for gap in gaps if gap.size)
    assert view is None or rows_of(view).tolist() == numbers.tolist()


def test_an_axis_that_must_have_step_1():
    numbers = np.arange(6)
    steps = [reading_of(BATCHED, numbers, (2, 3), dense, ()).view for dense in (None, 0, 1)]
    assert [view and view.steps for view in steps] == [(3, 1), None, (3, 1)]
    assert reading_of(BATCHED, numbers, (1, 6), 0, ()).view.steps == (0, 1)


@pytest.mark.parametrize(
    ("n", "found", "terms", "expected"),
    [
        (1, [((), 1)], 1, ()),
        (6, [((), 1), ((), 1)], 1, (6,)),
        (12, [((4,), 1), ((2,), 1)], 1, (3, 2, 2)),
        (12, [((4,), 1), ((6,), 1)], 1, (3, 4)),  # 4 and 6: the first is heeded
        (12, [(None, 1), ((6,), 1)], 1, (2, 6)),
        (12, [((2,), 1), ((), 4)], 4, (3,)),  # less than the terms: it will be gathered
        (24, [((2,), 1), ((4,), 2)], 2, (3, 4)),
        (4, [((), 1), ((), 4)], 4, ()),
        (32, [((2, 8), 1), ((4,), 1)], 1, (4, 2, 2, 2)),
    ],
)
def test_common_shapes(n, found, terms, expected):
    assert common_shape(n, found, terms) == expected


def planned(function, parameters, *rows, joint=False):
    program = vectorize(canonicalize(trace(function, list(rows), list(parameters))))
    found = plan(reverse(program) if joint else program)
    check_plan(found)
    return found


def gathers(found):
    return [step for step in found.steps if step.kind == "gather"]


def test_numbers_read_again_and_again_are_no_copies():
    found = planned(lambda xs: [x * xs[6] for x in xs[:6]], [], [0.5] * 7)
    assert not gathers(found)
    assert sorted(view.steps for view in found.steps[0].operands) == [(0,), (1,)]


def test_rows_and_columns_are_read_where_they_lie():
    x = [[0.5] * 3 for _ in range(4)]
    found = planned(lambda xs: [mg.sum(row) for row in xs] + [mg.maximum(*column) for column in zip(*xs)], [], x)
    assert not gathers(found)
    steps = {step.instruction.op.name: step.operands[0].steps for step in found.steps}
    assert steps["sum"] == steps["maximum"][::-1]
    assert 1 in steps["sum"]


def test_what_is_in_no_order_is_gathered_once():
    """Both steps read the same numbers in the same order; the gather stands before the first."""
    order = [5, 0, 3, 1]
    found = planned(lambda xs: [mg.tanh(xs[k]) for k in order] + [mg.exp(xs[k]) for k in order], [], [0.5] * 6)
    (gather,) = [*gathers(found)] or [None]
    if gather is not None:
        readers = [step for step in found.steps if step.operands[0] == gather.results]
        assert [step.kind for step in found.steps] == ["gather", "elementwise", "elementwise"]
        assert len(readers) == 2


def test_a_convolution_gathers_its_windows_once_for_both_passes():
    model = nn.Conv2d(1, 2, 3, rng=0)
    x = np.ones((1, 6, 6)).tolist()
    found = planned(lambda x: mg.sum([mg.tanh(v) for v in nn.Flatten()(model(x))]), model.parameters(), x, joint=True)
    (gather,) = gathers(found)
    assert gather.results.sizes == ((3 * 3 + 1) * 4 * 4,)
    (forward,) = [step for step in found.steps if step.kind == "matmul" and not step.instruction.sums_batch]
    (backward,) = [step for step in found.steps if step.kind == "matmul" and step.instruction.sums_batch]
    assert forward.operands[1].start == backward.operands[1].start == gather.results.start
    assert forward.operands[1].steps == (0, 16, 1)
    assert backward.operands[1].steps == (0, 1, 16)


def test_windows_without_a_row_of_ones_are_copied_as_a_view():
    w = [Value(0.1 * k) for k in range(8)]

    def function(x):
        windows = [[x[r + i][c + j] for i in range(2) for j in range(2)] for r in range(3) for c in range(4)]
        return [mg.dot(w[4 * k : 4 * k + 4], window) for k in range(2) for window in windows]

    (gather,) = gathers(planned(function, w, np.ones((4, 5)).tolist()))
    assert gather.operands[0] == StridedView(BATCHED, 0, (2, 2, 3, 4), (5, 1, 5, 1))


def test_padding_is_gathered_from_the_row_of_zeros():
    model = nn.CausalSelfAttention(8, heads=2, rng=0)
    found = planned(lambda xs: model(xs), model.parameters(), [[0.5] * 8] * 6)
    padded = [step for step in gathers(found) if (rows_of(step.operands[0]) == found.rows[BATCHED] - 1).any()]
    assert padded
    assert all(
        rows_of(step.results).max() < found.rows[BATCHED] - 1 for step in found.steps if step.results.space == BATCHED
    )


def test_the_backward_pass_of_a_layer_for_several_rows_gathers_nothing():
    """Softmax reads its scores row by row, the product before it reads their cotangents unit by unit."""
    layer = nn.Layer(4, 5, "linear", rng=0)
    rows = [[0.5] * 4] * 6
    assert not gathers(
        planned(lambda xs: mg.sum([mg.logsumexp(layer(x)) for x in xs]), layer.parameters(), rows, joint=True)
    )


@pytest.mark.parametrize("network", [nn.LSTM, nn.GRU, nn.RNN])
def test_the_backward_pass_of_a_recurrent_network_gathers_as_little_whatever_its_number_of_steps(network):
    model, readout = network(4, 8, rng=0), nn.Layer(8, 1, "linear", rng=0)
    parameters = [*model.parameters(), *readout.parameters()]

    def last(xs):
        states = model(xs)
        return readout((states[0] if isinstance(states, tuple) else states)[-1])

    counts = []
    for steps in (8, 11):
        found = planned(last, parameters, [[0.5] * 4] * steps, joint=True)
        counts.append(len([step for step in gathers(found) if step.position >= found.program.forward]))
    assert counts[0] == counts[1] <= 5
