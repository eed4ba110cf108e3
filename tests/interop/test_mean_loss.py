"""MeanLoss: a compiled loss at parameters that are given, also by several threads at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.interop.mean_loss import MeanLoss


@pytest.fixture
def loss():
    w, b = Value(2.0), Value(1.0)
    return MeanLoss(compiled(lambda x, y: (w * x[0] * x[1] + b - y) ** 2, [w, b], backend="numpy"))


DATA = [[1.0, 2.0], [3.0, 0.5]], [1.0, -1.0]


def test_mean_and_derivatives(loss):
    residuals = np.array([3.0 * 2.0 + 0.5 - 1.0, 3.0 * 1.5 + 0.5 + 1.0])
    products = np.array([2.0, 1.5])
    mean, gradient = loss.value_and_grad([3.0, 0.5], DATA)
    assert mean == (residuals**2).mean()
    assert gradient == pytest.approx([(2 * residuals * products).mean(), (2 * residuals).mean()])
    assert loss.hvp([3.0, 0.5], DATA, [1.0, 0.0]) == pytest.approx([2 * (products**2).mean(), 2 * products.mean()])
    by_x, by_y = loss.data_gradients([3.0, 0.5], DATA)
    assert by_x == pytest.approx((residuals * 3.0)[:, None] * np.array(DATA[0])[:, ::-1])
    assert by_y == pytest.approx(-residuals)


def test_the_compiled_function_is_left_as_it_was(loss):
    array = np.array([1.0, 0.0])
    for own in (None, array):
        loss.fast.set_parameters(own)
        before = loss.fast(*DATA).tolist()
        loss.value_and_grad([3.0, 0.5], DATA)
        with pytest.raises(ValueError, match="2 parameters"):
            loss.value_and_grad([3.0], DATA)
        with pytest.raises(ValueError, match="axis is the batch"):
            loss.hvp([3.0, 0.5], [1.0, 2.0], [1.0, 1.0])
        assert loss.fast(*DATA).tolist() == before


def test_threads_at_different_parameters(loss):
    points = [[0.1 * k, 1.0] for k in range(64)]
    expected = [loss.value_and_grad(point, DATA)[0] for point in points]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda point: loss.value_and_grad(point, DATA)[0], points)) == expected
