"""hessian and hvp: closed forms, against jacobian of grad, sparsity."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import grad, hessian, hvp, jacobian

numbers = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)


def rosenbrock(x):
    return sum((1 - a) ** 2 + 100 * (b - a * a) ** 2 for a, b in pairwise(x))


def rosenbrock_gradient(x):
    slopes = [0.0] * len(x)
    for i, (a, b) in enumerate(pairwise(x)):
        slopes[i] += -2 * (1 - a) - 400 * a * (b - a * a)
        slopes[i + 1] += 200 * (b - a * a)
    return slopes


def rosenbrock_hessian(x):
    n = len(x)
    matrix = [[0.0] * n for _ in range(n)]
    for i, (a, b) in enumerate(pairwise(x)):
        matrix[i][i] += 2 - 400 * b + 1200 * a * a
        matrix[i + 1][i + 1] += 200
        matrix[i][i + 1] += -400 * a
        matrix[i + 1][i] += -400 * a
    return matrix


@given(st.lists(numbers, min_size=2, max_size=6))
def test_gradient_and_hessian_of_rosenbrock(x):
    assert grad(rosenbrock)(x) == pytest.approx(rosenbrock_gradient(x), rel=1e-12, abs=1e-9)
    for row, expected in zip(hessian(rosenbrock)(x), rosenbrock_hessian(x)):
        assert row == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(st.lists(numbers, min_size=2, max_size=6), st.data())
def test_hvp_is_the_hessian_times_the_vector(x, data):
    v = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    expected = [math.fsum(h * c for h, c in zip(row, v)) for row in rosenbrock_hessian(x)]
    assert hvp(rosenbrock, x, v) == pytest.approx(expected, rel=1e-10, abs=1e-8)


def test_jacobian_of_grad_is_the_hessian():
    x = [0.5, -1.5, 2.0]
    for row, expected in zip(jacobian(grad(rosenbrock))(x), hessian(rosenbrock)(x)):
        assert row == pytest.approx(expected, rel=1e-13)


def test_hessian_of_a_separable_function_is_diagonal():
    f = lambda x: mg.sum([mg.exp(a) for a in x])  # noqa: E731
    x = [0.1 * i for i in range(30)]
    for i, row in enumerate(hessian(f)(x)):
        assert row == [math.exp(x[i]) if i == j else 0.0 for j in range(30)]
