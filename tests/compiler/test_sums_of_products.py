"""Sums of products whose zeros are strong: numbers of every kind, sums of all and of some of them."""

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_batches_match, flat, random_columns
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import kernels
from microgradlib.compiler.engines.kernels import Kernel
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

STRONG = TABLE["strong_mul"]
SIZES = [1, 15, 16, 17, 70]
W = [Value(x) for x in (0.5, -1.25, 0.75, 2.0, -0.3, 1.1)]


def products(x, y):
    return [STRONG(a, b) for a, b in zip(x, y)]


def rows_of(x, n):
    return [x[i : i + n] for i in range(0, len(x), n)]


def cross_entropy(x, y):
    return -mg.sum(products(y, [a - mg.logsumexp(x) for a in x]))


def a_sum(x, y):
    return mg.sum(products(x, y))


def weighted(x, y):
    return mg.sum(products(x, W))


def sums_of_rows(x, y):
    return [mg.sum(products(*rows)) for rows in zip(rows_of(x, 3), rows_of(y, 3))]


def sums_of_columns(x, y):
    return [mg.sum(products(x[i::2], y[i::2])) for i in (0, 1)]


def entropies_of_rows(x, y):
    return [cross_entropy(*rows) for rows in zip(rows_of(x, 3), rows_of(y, 3))]


def of_results(x, y):
    return mg.tanh(mg.sum(products([mg.exp(a * 0.3) for a in x], [mg.tanh(b) for b in y])))


def with_one_factor_for_all(x, y):
    return mg.sum([STRONG(a, mg.exp(y[0] * 0.2)) for a in x])


ALONE = [
    cross_entropy, a_sum, weighted, sums_of_rows, sums_of_columns, entropies_of_rows, of_results,
    with_one_factor_for_all,
]  # fmt: skip


def mean(x, y):
    return mg.mean(products(x, y))


def an_output(x, y):
    found = products(x, y)
    return [mg.sum(found), found[2]]


def read_twice(x, y):
    found = products(x, y)
    return mg.sum(found) * mg.tanh(found[1])


def in_two_sums(x, y):
    found = products(x, y)
    return [mg.sum(found[:3]), mg.sum(found[2:5])]


def not_all_terms(x, y):
    return mg.sum([*products(x, y), mg.tanh(x[0])])


def not_all_summed(x, y):
    found = products(x, y)
    return [mg.sum(found[:4]), *map(mg.tanh, found[4:])]


def uneven(x, y):
    return mg.sum([STRONG(x[i], x[j]) for i, j in ((0, 1), (1, 2), (2, 4), (3, 0))])


READ_OTHERWISE = [mean, an_output, read_twice, in_two_sums, not_all_terms, not_all_summed, uneven]


@pytest.mark.parametrize("function", [*ALONE, *READ_OTHERWISE])
def test_values_gradients_and_jacobians_are_the_eager_engine_s(function):
    assert_batches_match(function, W, random_columns(1, 3, (6,), (6,)), SIZES)


SPECIAL = [0.0, -0.0, 1.0, -0.5, np.inf, -np.inf, np.nan, 1e200]


def check_exactly(function, rows, size):
    """Hold values, gradients and Jacobians of these rows over and over to the eager engine's, inf to inf."""
    eager = EagerOracle(function, W, rows)
    count = len(rows[0])
    places = [i % count for i in range(size)]
    columns = [[column[i] for i in places] for column in rows]
    fast = compiled(function, W)
    with np.errstate(all="ignore"):
        gradient = np.array([eager.gradients[i] for i in places]).sum(axis=0) / size
    values, got = fast.values_and_grad(*columns)
    for found, expected in (
        (flat(values), np.array(eager.values)[places]),
        (flat(fast(*columns)), np.array(eager.values)[places]),
        (fast.jacobian(*columns), np.array(eager.jacobian)[places]),
        (got, gradient),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_zeros_are_strong(size):
    """0 · inf = 0 and 0 · nan = 0 for a weight of 0, not for an infinite weight; inf alone is kept."""
    rows = [[0.0, 0.0, 1.0, 2.0, 0.0, 0.5], [np.inf, -np.inf, 3.0, 0.0, np.nan, 2.0]], [[1.0] * 6, [0.5] * 6]
    check_exactly(a_sum, [list(row) for row in rows], size)
    assert compiled(a_sum)([rows[0][0]] * size, [rows[0][1]] * size).tolist() == [4.0] * size
    assert compiled(a_sum)([[np.inf] * 6] * size, [[1.0] * 6] * size).tolist() == [np.inf] * size
    assert np.isnan(compiled(a_sum)([[np.inf] * 6] * size, [[0.0] * 6] * size)).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("impossible", range(1, 6))
def test_a_class_that_is_impossible_and_not_the_label_costs_nothing(size, impossible):
    """Its log-probability is −inf, its label 0."""
    x, y = [0.1 * i for i in range(6)], [1.0] + [0.0] * 5
    x[impossible] = -np.inf
    check_exactly(cross_entropy, [[x], [y]], size)
    possible = [z for i, z in enumerate(x) if i != impossible]
    cost = compiled(cross_entropy)([x] * size, [y] * size)
    np.testing.assert_allclose(cost, np.log(np.exp(possible).sum()) - x[0], rtol=1e-12)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(SPECIAL), min_size=24, max_size=24), st.sampled_from(SIZES))
def test_numbers_of_every_kind(numbers, size):
    x, y = numbers[:12], numbers[12:]
    for function in (a_sum, sums_of_rows, weighted):
        check_exactly(function, [rows_of(x, 6), rows_of(y, 6)], size)


def test_the_comparison_would_see_weak_zeros(monkeypatch):
    monkeypatch.setitem(kernels.KERNELS, "strong_mul", Kernel("out = multiply x y"))
    with pytest.raises(AssertionError):
        check_exactly(a_sum, [[[0.0] + [1.0] * 5], [[np.inf] + [1.0] * 5]], 16)
