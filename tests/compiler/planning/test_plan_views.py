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
from microgradlib.compiler.planning import BlockGather, StridedView, plan
from microgradlib.compiler.planning.strides import blocks, common_shape, even_axes, natural_steps, steps_in
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def slots_in(start, sizes, steps):
    return rows_of(StridedView(BATCHED, start, tuple(sizes), tuple(steps)))


@given(SIZES, st.data())
def test_even_slots_are_found_again(sizes, data):
    steps = data.draw(st.lists(st.integers(-9, 9), min_size=len(sizes), max_size=len(sizes)))
    slots = slots_in(100, sizes, steps)
    axes = even_axes(slots, len(sizes))
    assert math.prod(size for size, _ in axes) == len(slots)
    assert slots_in(slots[0], *zip(*axes)).tolist() == slots.tolist() if axes else len(slots) == 1
    found = steps_in(axes, sizes)
    assert slots_in(slots[0], sizes, found).tolist() == slots.tolist()
    assert [step for size, step in zip(sizes, found) if size > 1] == [s for n, s in zip(sizes, steps) if n > 1]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), SIZES)
def test_steps_in_a_shape_are_those_of_the_slots_or_there_are_none(slots, sizes):
    slots = np.array(slots * math.prod(sizes))[: math.prod(sizes)]
    axes = even_axes(slots, 4)
    steps = None if axes is None else steps_in(axes, sizes)
    gaps = [np.diff(slots.reshape(sizes), axis=axis) for axis in range(len(sizes))]
    assert (steps is not None) == all((gap == gap.flat[0]).all() for gap in gaps if gap.size)
    if steps is not None:
        assert slots_in(slots[0], sizes, steps).tolist() == slots.tolist()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_blocks_are_the_rows(rows):
    start, width, places = blocks(np.array(rows))
    assert rows_of(BlockGather(BATCHED, start, width, places)).tolist() == rows
    assert start < width
    assert (places >= 0).all()


@pytest.mark.parametrize(
    ("rows", "width"), [([4, 5, 6, 7], 4), ([4, 5, 8, 9], 2), ([4, 5, 9, 10], 1), ([5, 6, 9, 10], 2), ([3, 3], 1)]
)
def test_blocks_are_as_wide_as_can_be(rows, width):
    assert blocks(np.array(rows))[1] == width


@pytest.mark.parametrize(
    ("n", "found", "inner", "expected"),
    [
        (1, [((), 1)], 1, (1,)),
        (6, [(((6, 1),), 1), (((6, 0),), 1)], 1, (6,)),
        (12, [(((3, 9), (4, 1)), 1), (((6, 5), (2, 1)), 1)], 1, (3, 2, 2)),
        (12, [(((3, 9), (4, 1)), 1), (((2, 7), (6, 1)), 1)], 1, (3, 4)),  # 4 and 6: the first is heeded
        (12, [(None, 1), (((2, 7), (6, 1)), 1)], 1, (2, 6)),
        (12, [(((6, 9), (2, 1)), 1), (((3, 1),), 4)], 4, (3, 4)),  # less than the terms: it will be gathered
        (24, [(((12, 1), (2, 50)), 1), (((3, 8), (4, 1)), 2)], 2, (3, 4, 2)),
        (4, [(((4, 1),), 1), ((), 4)], 4, (4,)),
    ],
)
def test_common_shapes(n, found, inner, expected):
    assert common_shape(n, found, 3, inner) == expected


def test_natural_steps():
    assert [natural_steps(shape) for shape in ((4,), (1,), (2, 3), (2, 1, 3))] == [(1,), (0,), (3, 1), (3, 0, 1)]


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
    assert {step.instruction.op.name: step.operands[0].steps for step in found.steps} == {
        "sum": (3, 1),
        "maximum": (1, 3),
    }


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
        (step.results.span[1] < found.rows[BATCHED] - 1) for step in found.steps if step.results.space == BATCHED
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
    for steps in (5, 8):
        found = planned(last, parameters, [[0.5] * 4] * steps, joint=True)
        counts.append(len([step for step in gathers(found) if step.position >= found.program.forward]))
    assert counts[0] == counts[1] <= 4
