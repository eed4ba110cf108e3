"""Logistic regression by fit against Newton's method in NumPy, and against the probability by Bayes' formula."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st


def design(data):
    return np.c_[np.array(data.inputs), np.ones(len(data))], np.array(data.targets)


def gradient(theta, x, y, decay):
    return x.T @ (1 / (1 + np.exp(-x @ theta)) - y) / len(y) + decay * theta * [1, 1, 0]


def newton(data, decay):
    """Iteratively reweighted least squares: θ ← θ − H⁻¹g with H = Xᵀ diag(ŷ(1 − ŷ)) X / n + λ diag(1, 1, 0)."""
    x, y = design(data)
    theta = np.zeros(3)
    for _ in range(20):
        p = 1 / (1 + np.exp(-x @ theta))
        hessian = (x.T * (p * (1 - p))) @ x / len(y) + decay * np.diag([1, 1, 0])
        theta -= np.linalg.solve(hessian, gradient(theta, x, y, decay))
    return theta


@pytest.mark.parametrize("decay", [0.1, 0.03])
def test_gradient_descent_ends_where_newtons_method_does(script, decay):
    data = script("logistic_regression").points()
    line, accuracy = script("logistic_regression").train(data, decay)
    theta = newton(data, decay)
    assert [*line.w, line.b] == pytest.approx(theta, abs=1e-6)
    x, y = design(data)
    assert accuracy == np.mean((x @ theta > 0) == y)


def test_the_start_does_not_matter(script):
    data = script("logistic_regression").points(40, rng=1)
    ends = [script("logistic_regression").train(data, rng=rng)[0] for rng in (0, 1)]
    assert [*ends[0].w, ends[0].b] == pytest.approx([*ends[1].w, ends[1].b], abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(theta=st.lists(st.floats(-5, 5), min_size=3, max_size=3), decay=st.floats(0, 1))
def test_both_gradients_are_numpys(script, theta, decay):
    regression = script("logistic_regression")
    data = regression.points(20, rng=2)
    backpropagated, by_hand = regression.gradients(regression.Line((theta[0], theta[1]), theta[2]), data, decay)
    expected = gradient(np.array(theta), *design(data), decay)
    assert backpropagated == pytest.approx(expected, abs=1e-12)
    assert by_hand == pytest.approx(expected, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(x=st.lists(st.floats(-3, 3), min_size=2, max_size=2))
def test_the_true_line_is_bayes_formula(script, x):
    regression = script("logistic_regression")
    line = regression.true_line()
    density = [np.exp(-np.sum((np.array(x) - mu) ** 2) / (2 * regression.SPREAD**2)) for mu in regression.CENTRES]
    p = 1 / (1 + np.exp(-(np.dot(line.w, x) + line.b)))
    assert p == pytest.approx(density[1] / (density[0] + density[1]), rel=1e-9)


@pytest.mark.slow
def test_many_points_come_near_the_true_line(script):
    regression = script("logistic_regression")
    data = regression.points(1000)
    line, _ = regression.train(data, decay=0.0, epochs=250)
    assert [*line.w, line.b] == pytest.approx(newton(data, 0.0), abs=1e-3)
    # Newton's own answer is 0.35 from the true w_1 on these points: the error of estimation, not of training.
    assert [*line.w, line.b] == pytest.approx([*regression.true_line().w, regression.true_line().b], abs=0.5)


def test_main(script, capsys):
    script("logistic_regression").main(starts=1, many=100)
    text = capsys.readouterr().out
    assert text.count("96%") == 2
    assert "3.12500   1.56250  -0.78125" in text
