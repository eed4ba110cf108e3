"""The Gaussian by its Cholesky factor, and scaled gradients: closed forms, PyTorch's numbers, errors."""

import math

import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from hypothesis import given, settings, strategies as st
from peer_records import peer_record

import microgradlib as mg
from microgradlib import Value, grad_table
from microgradlib.costs import cholesky_factor, gaussian_nll, multivariate_gaussian_nll, scale_gradient
from microgradlib.errors import LabelError

PYTORCH = peer_record("likelihoods")["cases"]["gaussian"]
numbers = st.floats(-3, 3)
MEAN, FACTOR = [0.5, -1.0, 2.0], [[1.5], [0.4, 0.7], [-0.3, 0.2, 2.0]]


def test_value_and_gradient_are_those_of_pytorch():
    mean, factor = [Value(x) for x in MEAN], [[Value(x) for x in row] for row in FACTOR]
    loss = multivariate_gaussian_nll((mean, factor), [1.0, 0.5, 0.0])
    assert loss.data + 1.5 * math.log(2 * math.pi) == pytest.approx(PYTORCH["value"], rel=1e-14)
    table = grad_table(loss)
    by_mean, by_factor = PYTORCH["gradient"]
    assert [table[x] for x in mean] == pytest.approx(by_mean, rel=1e-13)
    for i, row in enumerate(factor):
        assert [table[x] for x in row] == pytest.approx(by_factor[i][: i + 1], rel=1e-13)


@settings(max_examples=30)
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(*[st.lists(numbers, min_size=k, max_size=k)
                                                       for k in (n * (n + 1) // 2, n, n)])))  # fmt: skip
@pytest.mark.parametrize("diagonal", ["exp", "softplus"])
def test_against_the_inverse_and_the_determinant(diagonal, drawn):
    entries, mean, y = drawn
    factor = cholesky_factor(entries, diagonal=diagonal)
    n = len(mean)
    matrix = np.array([[*row, *[0.0] * (n - len(row))] for row in factor])
    assert (np.diag(matrix) > 0).all()
    d = np.linalg.solve(matrix, np.subtract(y, mean))
    expected = 0.5 * d @ d + np.log(np.diag(matrix)).sum()
    assert multivariate_gaussian_nll((mean, factor), y) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_square_factors_and_generators():
    square = np.array([[*row, *[0.0] * (3 - len(row))] for row in FACTOR])
    values = [[Value(x) for x in row] for row in square]
    expected = multivariate_gaussian_nll((MEAN, FACTOR), [1.0, 0.5, 0.0])
    assert multivariate_gaussian_nll((MEAN, square), [1.0, 0.5, 0.0]) == expected
    assert multivariate_gaussian_nll((MEAN, values), [1.0, 0.5, 0.0]).data == expected
    assert cholesky_factor(x for x in np.zeros(3)) == [[1.0], [0.0, 1.0]]


@settings(max_examples=30)
@given(mean=numbers, precision=st.floats(0.1, 10), y=numbers)
def test_one_component_is_gaussian_nll(mean, precision, y):
    loss = multivariate_gaussian_nll(([mean], [[precision**-0.5]]), [y])
    assert loss == pytest.approx(gaussian_nll((mean, precision), y), rel=1e-12, abs=1e-12)


def test_the_logarithm_of_an_exponential_is_its_argument():
    entry = Value(800.0)
    loss = multivariate_gaussian_nll(([0.0], cholesky_factor([entry])), [1.0])
    assert loss.data == 800.0
    assert grad_table(loss)[entry] == 1.0


def test_batches_and_reductions():
    pair = (MEAN, FACTOR)
    one, other = multivariate_gaussian_nll(pair, [0, 0, 0]), multivariate_gaussian_nll(pair, [1, 2, 3])
    both = [pair, pair], [[0, 0, 0], [1, 2, 3]]
    assert multivariate_gaussian_nll(*both) == pytest.approx((one + other) / 2)
    assert multivariate_gaussian_nll(*both, reduction="none") == pytest.approx([one, other])


def test_compiled():
    weights = [[Value(0.1 * (i - j), f"w{i}{j}") for j in range(2)] for i in range(5)]

    def loss(x, y):
        z = mg.linear(weights, x)
        return multivariate_gaussian_nll((z[:2], cholesky_factor(z[2:])), y)

    rows, targets = [[0.5, -1.0], [2.0, 0.3], [0.0, 1.0]], [[1.0, 0.0], [0.5, -0.5], [2.0, 2.0]]
    assert_matches_eager(loss, [w for row in weights for w in row], rows, targets)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cholesky_factor([1.0, 2.0]), ValueError, "3, 6, 10, got 2"),
        (lambda: cholesky_factor([]), ValueError, "got 0"),
        (lambda: cholesky_factor([1.0], diagonal="abs"), ValueError, "no diagonal 'abs'"),
        (lambda: multivariate_gaussian_nll((MEAN, FACTOR[:2]), [0, 0, 0]), ValueError, "rows of 1, 2, 3 numbers"),
        (lambda: multivariate_gaussian_nll((MEAN, FACTOR), [0, 0]), ValueError, "one number for each of the 3 means"),
        (lambda: multivariate_gaussian_nll(([0.0], [[0.0]]), [0]), ValueError, "must be above 0, got 0.0"),
        (lambda: multivariate_gaussian_nll(([0.0], [[Value(-1.0)]]), [0]), ValueError, "must be above 0, got -1.0"),
        (lambda: multivariate_gaussian_nll(([0.0], [[1.0]]), [math.nan]), LabelError, "the target is nan"),
        (lambda: multivariate_gaussian_nll((0.0, 1.0), [0]), ValueError, "takes the pair"),
        (lambda: multivariate_gaussian_nll(([], []), []), ValueError, "of no components"),
        (lambda: multivariate_gaussian_nll(([0, 0], [[1, 0.5], [0, 1]]), [0, 0]), ValueError, "got 0.5 in row 0"),
        (lambda: cholesky_factor(1.0), TypeError, "a list of numbers"),
        (lambda: scale_gradient([Value(1.0)], 2.0), TypeError, "got list"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


@settings(max_examples=30)
@given(mean=numbers, precision=st.floats(0.1, 10), y=numbers)
def test_the_gradient_of_the_mean_times_sigma(mean, precision, y):
    m, b = Value(mean), Value(precision)
    sigma = precision**-0.5
    scaled = gaussian_nll((scale_gradient(m, b**-0.5), b), y)
    plain = gaussian_nll((m, b), y)
    assert scaled.data == plain.data
    assert grad_table(scaled)[m] == pytest.approx(sigma * grad_table(plain)[m], rel=1e-13, abs=1e-300)
    assert grad_table(scaled)[b] == grad_table(plain)[b]


def test_scaled_gradients_compile_and_leave_numbers_alone():
    w = Value(0.7)
    assert scale_gradient(2.0, 5.0) == 2.0
    assert_matches_eager(lambda x: scale_gradient(w * x, 3.0) ** 2, [w], [0.5, -1.0])
