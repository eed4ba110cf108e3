"""Gathers inlined: plans without copies compute the same slots, and have few copies left."""

from types import SimpleNamespace

import numpy as np
import pytest
from plan_checker import check_plan, rows_of

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.planning import Plan, Rows, Step, StridedView, plan
from microgradlib.compiler.planning.gathers import inline_gathers
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value

W = [Value(0.1 * k - 1.0) for k in range(24)]


def planned(function, row, parameters=W):
    return plan(reverse(vectorize(canonicalize(trace(function, [row], parameters)))))


def softmaxes(lengths):
    """Σ xᵢ softmax(w x)ᵢ over lists of these lengths."""

    def function(x):
        found, start = [], 0
        for length in lengths:
            part, start = x[start : start + length], start + length
            found.append(mg.dot(mg.softmax([w * a for w, a in zip(W, part)]), part))
        return mg.sum(found)

    return planned(function, [0.5] * sum(lengths))


def attention():
    model = nn.CausalSelfAttention(8, heads=2, rng=0)
    return planned(lambda x: mg.sum(y for row in model(x) for y in row), [[0.5] * 8] * 6, model.parameters())


def shuffled():
    order = np.random.default_rng(0).permutation(12).tolist()
    return planned(lambda x: mg.sum(mg.tanh(x[k] * W[0]) * mg.exp(x[i]) for i, k in enumerate(order)), [0.5] * 12)


def pooled():
    model = nn.Sequential(nn.Conv2d(1, 2, 2, rng=0), nn.MaxPool2d(2), nn.Flatten(), nn.Layer(8, 3, "relu", rng=0))
    return planned(lambda x: mg.logsumexp(model(x)), [[[0.5] * 5] * 5], model.parameters())


PLANS = {
    "softmaxes of one, two, three": lambda: softmaxes([1, 2, 3]),
    "softmaxes of other lengths": lambda: softmaxes([5, 3, 3, 9]),
    "attention": attention,
    "shuffled": shuffled,
    "pooled": pooled,
}


def copied(found):
    """Return how many rows are copied."""
    return sum(len(rows_of(step.results)) for step in found.steps if step.kind == "gather")


@pytest.mark.parametrize("name", PLANS)
def test_steps_read_and_write_the_same_slots(name):
    given = PLANS[name]()
    found = inline_gathers(given)
    check_plan(found)
    kinds = [[step.instruction for step in each.steps if step.instruction] for each in (given, found)]
    assert kinds[0] == kinds[1]
    assert copied(found) < copied(given) or name == "pooled"  # its copies are read by a reduction


def line(start, n, step=1):
    return StridedView(BATCHED, start, (n,), (step,))


def elementwise(results, *operands):
    return Step(SimpleNamespace(kind="elementwise"), results, operands, 0)


def inlined(*steps):
    """Return the steps that are left of some, as text."""
    planned = Plan(None, steps, (1, 40), (), (), (), (), ())
    return [
        str((step.kind, rows_of(step.results).tolist(), *[rows_of(x).tolist() for x in step.operands]))
        for step in inline_gathers(planned).steps
    ]


COPY = Step(None, line(20, 4), (Rows(BATCHED, np.array([1, 1, 1, 7])),), 0)


def test_a_copy_for_elementwise_steps_alone_goes():
    reader = elementwise(line(30, 4), line(10, 4), line(20, 4))
    assert inlined(COPY, reader) == ["('elementwise', [30, 31, 32, 33], [10, 11, 12, 13], [1, 1, 1, 7])"]


@pytest.mark.parametrize("between", [[elementwise(line(1, 1), line(10, 1))], []])
def test_where_the_source_is_written_over_each_row_is_copied_once(between):
    reader = elementwise(line(30, 4) if between else line(4, 4), line(10, 4), line(20, 4))
    first, *_, last = inlined(COPY, *between, reader)
    assert first == "('gather', [20, 23], [1, 7])"
    assert last.endswith("[10, 11, 12, 13], [20, 20, 20, 23])")


LEFT = {
    "a step of another kind reads it": [Step(SimpleNamespace(kind="reduce"), line(30, 1), (line(20, 4),), 0)],
    "a part of it is read": [elementwise(line(30, 3), line(20, 3))],
    "its rows are written over and its source is too": [elementwise(line(1, 1), line(9, 1)),
                                                         elementwise(line(20, 4), line(20, 4))],
    "nothing reads it": [],
    "it is copied again": [Step(None, line(30, 4), (line(20, 4),), 0)],
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_other_copies_are_left(name):
    assert inlined(COPY, *LEFT[name])[0] == "('gather', [20, 21, 22, 23], [1, 1, 1, 7])"


def test_padding_is_written_apart_from_what_is_moved():
    found = inline_gathers(attention())
    zeros = found.rows[BATCHED] - 1
    moved = [step for step in found.steps if isinstance(step.results, Rows)]
    is_padding = [bool((rows_of(step.operands[0]) == zeros).all()) for step in moved]
    numbers = [len(step.results.rows) for step in moved]
    assert list(zip(is_padding, numbers)) == [(False, 42), (True, 30)] * 2
