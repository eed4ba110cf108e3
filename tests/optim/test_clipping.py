"""Clipping: PyTorch's numbers, properties of both kinds, infinite and nan gradients, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from peer_records import peer_record

from microgradlib import Value
from microgradlib.nn import MLP
from microgradlib.optim import clip_by_norm, clip_by_value, clip_grad_norm, clip_grad_value

PEER = peer_record("optim")
rows = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8)
limits = st.just(0.0) | st.floats(1e-290, 1e3)  # below, a float has too few digits for any law
nan, inf = math.nan, math.inf


def parameters(gradient):
    values = [Value(1.0) for _ in gradient]
    for value, slope in zip(values, gradient):
        value.grad = slope
    return values


@pytest.mark.parametrize("case", PEER["clips"], ids=lambda case: str(case.get("max_norm", "value")))
def test_clipped_gradients_are_pytorchs(case):
    clipped, norm = case["clipped"]
    values, array = parameters(case["gradient"]), np.array(case["gradient"])
    if norm is None:
        assert clip_grad_value(iter(values), case["limit"]) is None
        assert clip_by_value(array, case["limit"]).tolist() == clipped
    else:
        assert clip_grad_norm(iter(values), case["max_norm"]) == pytest.approx(norm, rel=1e-14)
        scaled, before = clip_by_norm(array, case["max_norm"])
        assert scaled.tolist() == pytest.approx(clipped, rel=1e-12)
        assert before == pytest.approx(norm, rel=1e-14)
    assert [p.grad for p in values] == pytest.approx(clipped, rel=1e-12)
    assert array.tolist() == case["gradient"]
    assert {p.data for p in values} == {1.0}


@given(rows, limits)
def test_the_norm_is_never_exceeded_and_the_direction_kept(gradient, max_norm):
    clipped, norm = clip_by_norm(gradient, max_norm)
    assert norm == pytest.approx(math.sqrt(math.fsum(g * g for g in gradient)), rel=1e-12, abs=1e-150)
    assert math.hypot(*clipped) <= max_norm * (1 + 1e-12)
    for g, c in zip(gradient, clipped):  # parallel, and not turned round
        assert c * norm == pytest.approx(g * math.hypot(*clipped), rel=1e-9, abs=1e-9)
    if norm + 1e-6 < max_norm:
        assert clipped == gradient


@given(rows, limits)
def test_clipping_by_value_is_idempotent(gradient, limit):
    clipped = clip_by_value(gradient, limit)
    assert all(-limit <= c <= limit for c in clipped)
    assert all(c == g for g, c in zip(gradient, clipped) if abs(g) <= limit)
    assert all(abs(c) == limit and c * g >= 0 for g, c in zip(gradient, clipped) if abs(g) > limit)
    assert clip_by_value(clipped, limit) == clipped


@given(rows, limits)
def test_arrays_are_clipped_as_lists_are(gradient, limit):
    array = np.array(gradient)
    assert clip_by_value(array, limit).tolist() == clip_by_value(gradient, limit)
    clipped, norm = clip_by_norm(array, limit)
    expected, length = clip_by_norm(gradient, limit)
    assert norm == pytest.approx(length, rel=1e-14)
    assert clipped.tolist() == pytest.approx(expected, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize("make", [list, np.array])
def test_squares_neither_overflow_nor_vanish(size, make):
    clipped, norm = clip_by_norm(make([3 * size, 4 * size]), 10.0)
    assert norm == pytest.approx(5 * size, rel=1e-14)
    expected = [6.0, 8.0] if size > 1 else [3 * size, 4 * size]
    assert list(clipped) == pytest.approx(expected, rel=1e-14, abs=0)


def test_single_precision_is_kept():
    array = np.array([[30.0, 40.0]], dtype=np.float32)
    clipped, norm = clip_by_norm(array, 5.0)
    assert (clipped.dtype, clipped.shape, norm) == (np.float32, (1, 2), 50.0)
    assert clipped.ravel().tolist() == pytest.approx([3.0, 4.0], rel=1e-6)
    assert clip_by_value(array, 35.0).dtype == np.float32


def test_no_gradient_at_all():
    assert clip_by_norm([0.0, 0.0], 1.0) == ([0.0, 0.0], 0.0)
    assert clip_by_norm([3.0, 4.0], inf) == ([3.0, 4.0], 5.0)
    assert clip_by_norm([], 1.0) == ([], 0.0)


@pytest.mark.parametrize("make", [list, np.array])
@pytest.mark.parametrize(
    ("gradient", "expected", "norm"),
    [([1.0, inf], [0.0, nan], inf), ([-inf, nan], [nan, nan], inf), ([1.0, nan], [nan, nan], nan)],
)
def test_a_norm_that_is_not_finite(make, gradient, expected, norm):
    clipped, before = clip_by_norm(make(gradient), 1.0)
    np.testing.assert_array_equal(clipped, expected)
    np.testing.assert_array_equal(before, norm)
    values = parameters(gradient)
    with pytest.raises(ValueError, match=f"the norm of the gradient is {norm}.*detect_anomaly"):
        clip_grad_norm(values, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal([p.grad for p in values], gradient)
    np.testing.assert_array_equal(clip_grad_norm(values, 1.0), norm)
    np.testing.assert_array_equal([p.grad for p in values], expected)


@pytest.mark.parametrize("make", [list, np.array])
def test_values_that_are_not_finite(make):
    np.testing.assert_array_equal(clip_by_value(make([inf, -inf, nan]), 2.0), [2.0, -2.0, nan])


def test_a_network_is_clipped_as_a_whole():
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    (100 * model([1.0, -2.0])).backward()
    before = [p.grad for p in model.parameters()]
    norm = clip_grad_norm(model.parameters(), 1.0)
    assert norm == math.hypot(*before) > 1
    assert [p.grad for p in model.parameters()] == pytest.approx([g / norm for g in before], rel=1e-6)


def test_one_parameter():
    [w] = parameters([5.0])
    assert clip_grad_norm(w, 2.0) == 5.0
    assert w.grad == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: clip_by_norm([1.0], -1.0), ValueError, r"max_norm must be a number >= 0, got -1\.0"),
        (lambda: clip_by_norm([1.0], nan), ValueError, "max_norm .* nan"),
        (lambda: clip_by_value([1.0], -1.0), ValueError, "limit must be a number >= 0"),
        (lambda: clip_by_value([1.0], "1"), TypeError, "limit must be a number >= 0, got '1'"),
        (lambda: clip_by_norm(1.0, 1.0), TypeError, r"a list or an array of numbers, got 1\.0"),
        (lambda: clip_by_norm([Value(1.0)], 1.0), TypeError, "the gradient: expected a real number"),
        (lambda: clip_by_norm(np.array(["a"]), 1.0), TypeError, "of dtype <U1"),
        (lambda: clip_grad_norm([], 1.0), ValueError, "no parameters"),
        (lambda: clip_grad_value([1.0], 1.0), TypeError, "leaf Values"),
        (lambda: clip_grad_value([Value(1.0)], -1.0), ValueError, "limit"),
    ],
)
def test_invalid_input_raises(call, error, message):
    with pytest.raises(error, match=message):
        call()
