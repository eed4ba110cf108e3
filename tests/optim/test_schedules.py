"""Schedules: PyTorch's rates, closed forms, exact ends, errors."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from peer_records import peer_record

from microgradlib.optim import constant, cosine, linear, step_decay, warm_up

PEER = peer_record("optim")
rates = st.floats(0, 10)
counts = st.integers(1, 1000)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("constant", constant(0.3)),
        ("linear", linear(0.3, 0.03, 30)),
        ("cosine", cosine(0.3, 0.02, 49)),
        ("step_decay", step_decay(0.3, every=7, factor=0.5)),
        ("warm_up", warm_up(5, then=step_decay(0.3, every=7, factor=0.5))),
    ],
)
def test_rates_are_pytorchs(name, schedule):
    assert [schedule(t) for t in range(50)] == pytest.approx(PEER["plans"][name]["rates"], rel=1e-12, abs=1e-15)


@given(start=rates, end=rates, steps=counts)
def test_schedules_have_exact_ends(start, end, steps):
    for way in (linear(start, end, steps), cosine(start, end, steps)):
        assert way(0) == start
        assert [way(steps), way(steps + 1), way(10**9)] == [end] * 3


@given(start=rates, end=rates, steps=counts, data=st.data())
def test_schedules_stay_between_start_and_end(start, end, steps, data):
    t = data.draw(st.integers(0, steps - 1))
    for way in (linear(start, end, steps), cosine(start, end, steps)):
        assert min(start, end) - 1e-14 <= way(t) <= max(start, end) + 1e-14
        assert (way(t + 1) - way(t)) * (end - start) >= -1e-13
        # Half way there at half time, as far from the end at t as from the start at steps − t.
        assert way(t) + way(steps - t) == pytest.approx(start + end, rel=1e-12, abs=1e-12)


def test_closed_forms():
    assert [linear(1.0, 0.0, 8)(t) for t in (0, 2, 8)] == [1.0, 0.75, 0.0]
    assert cosine(1.0, 0.0, 4)(1) == pytest.approx((1 + math.sqrt(0.5)) / 2, rel=1e-15)
    assert [step_decay(1.0, 3, 0.5)(t) for t in (0, 2, 3, 5, 6)] == [1.0, 1.0, 0.5, 0.5, 0.25]
    assert [step_decay(1.0, 1, 0.0)(t) for t in (0, 1, 2)] == [1.0, 0.0, 0.0]
    assert [warm_up(4, 1.0)(t) for t in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@given(steps=counts, rate=rates)
def test_a_warm_up_ends_at_the_full_rate(steps, rate):
    schedule = warm_up(steps, then=linear(rate, 0.0, 10))
    assert schedule(steps - 1) == schedule(steps) == rate
    assert schedule(steps + 10) == 0.0
    assert schedule(0) == pytest.approx(rate / steps, rel=1e-15)


def test_a_warm_up_takes_any_function():
    schedule = warm_up(2, lambda t: 1 / (1 + t))
    assert [schedule(t) for t in range(4)] == [0.5, 1.0, 1.0, 0.5]


def test_schedules_have_repr_equality_and_pickling():
    schedule = warm_up(5, then=cosine(0.1, 0.0, steps=100))
    assert repr(schedule) == "warm_up(steps=5, then=cosine(start=0.1, end=0.0, steps=100))"
    assert pickle.loads(pickle.dumps(schedule)) == copy.deepcopy(schedule) == schedule != warm_up(5, 0.1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: constant(-0.1), ValueError, r"rate must be a finite number >= 0, got -0\.1; write rate=0\.01"),
        (lambda: constant("0.1"), TypeError, r"rate must be a finite number >= 0, got '0\.1'"),
        (lambda: linear(-1.0, 0.0, 3), ValueError, "start"),
        (lambda: linear(1.0, math.nan, 3), ValueError, "end .* nan"),
        (lambda: linear(1.0, 0.0, 0), ValueError, "steps must be a whole number >= 1, got 0"),
        (lambda: cosine(1.0, 0.0, 2.5), TypeError, r"steps must be a whole number >= 1, got 2\.5"),
        (lambda: cosine(1.0, -0.5, 3), ValueError, "end"),
        (lambda: step_decay(1.0, 0, 0.5), ValueError, "every"),
        (lambda: step_decay(1.0, True, 0.5), TypeError, "every"),
        (lambda: step_decay(1.0, 2, 1.5), ValueError, r"factor must be a number >= 0 and <= 1, got 1\.5"),
        (lambda: warm_up(0, 0.1), ValueError, "steps"),
        (lambda: warm_up(3, -0.1), ValueError, "then"),
        (lambda: warm_up(3, None), TypeError, "then"),
        (lambda: warm_up(3, lambda: 0.1)(0), TypeError, r"a lambda function .* 1 argument: then\(t\)"),
        (lambda: warm_up(3, lambda t: None)(5), TypeError, r"then\(2\) must be a finite number >= 0, got None"),
        (lambda: warm_up(3, lambda t: -1.0)(0), ValueError, r"then\(0\) must be a finite number >= 0, got -1.0"),
    ],
)
def test_invalid_input_raises(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    "schedule", [constant(0.5), linear(0.5, 0.0, 9), cosine(0.5, 0.0, 9), step_decay(0.5, 2, 0.5), warm_up(9, 0.5)]
)
def test_a_step_is_a_number_from_0(schedule):
    for wrong, error in ((-1, ValueError), (math.nan, ValueError), (10**400, ValueError), ("1", TypeError)):
        with pytest.raises(error, match="t must be a "):
            schedule(wrong)
    assert schedule(np.uint8(3)) == schedule(3) == schedule(3.0)
    assert type(schedule(np.uint8(3))) is float
