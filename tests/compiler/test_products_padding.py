"""Infinite numbers and nan that meet only missing entries of a product: all is as the eager engine has it, exactly.

Numbers and ops are such that nothing is rounded: what is 0 is 0 in whatever order it is summed, and so a strong zero.
"""

import math
import random

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_batches_match, assert_near
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import matmuls
from microgradlib.core.value import Value

ODD = [math.inf, -math.inf, math.nan]
EVEN = [1.0, -1.0, 0.5, 2.0, 0.0]
SIZES = [1, 2, 16]
"""Powers of two, so that the share of an example in the mean is no rounded number either."""


def linear_attention(q, k, v, turned=(False, False)):
    """Σ (q_t·k_s) v_s over s ≤ t, row by row."""
    dots = [lambda a, b, turn=turn: (mg.dot(b, a) if turn else mg.dot(a, b)) if len(a) > 1 else a[0] * b[0]
            for turn in turned]  # fmt: skip
    result = []
    for t in range(len(q)):
        scores = [dots[0](q[t], k[s]) for s in range(t + 1)]
        result.append([dots[1](scores, [v[s][j] for s in range(t + 1)]) for j in range(len(v[0]))])
    return result


def even_numbers(seed, count, tokens, size):
    rng = random.Random(seed)
    return [[[[rng.choice(EVEN) for _ in range(size)] for _ in range(tokens)] for _ in range(count)] for _ in range(3)]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("argument", [0, 1, 2])
@pytest.mark.parametrize("turned", [(False, False), (True, True)])
def test_what_stands_before_an_infinite_row_is_finite(odd, argument, turned):
    rows = even_numbers(argument, 3, 6, 4)
    rows[argument][1][5][2] = odd  # of one example, in the last row

    def outputs(q, k, v):
        return [y for row in linear_attention(q, k, v, turned) for y in row]

    fast = assert_batches_match(outputs, [], rows, SIZES, within=0.0)
    assert [i.kind for i in fast.program.instructions].count("matmul") == 2
    values = fast(*rows)
    assert np.isfinite(values[:, :20]).all()
    assert np.isfinite(values[[0, 2]]).all()
    assert not np.isfinite(values[1, 20:]).all()
    assert np.isfinite(fast.jacobian(*rows)[1, :20]).all()


@pytest.mark.parametrize("odd", ODD)
def test_the_gradient_of_what_stands_before_an_infinite_row_is_finite(odd):
    weights = [Value(x) for x in (0.5, 2.0, -1.0, 1.0)]
    rows = even_numbers(7, 3, 6, 4)
    rows[2][1][5] = [odd] * 4
    rows[1][2][5] = [odd] * 4

    def before(q, k, v):
        result = linear_attention([[w * a for w, a in zip(weights, row)] for row in q], k, v)
        return mg.sum([y for row in result[:5] for y in row]), mg.sum(result[5])

    fast = assert_batches_match(before, weights, rows, SIZES, within=1e-15)
    assert np.isfinite(fast.values_and_grad(*rows)[1]).all()
    assert np.isfinite(fast.values_and_grad(*rows)[0][0]).all()
    assert not np.isfinite(fast.values_and_grad(*rows)[0][1]).all()


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("hidden", [mg.relu, lambda x: mg.where(x > 0, x, 0.0), lambda x: mg.maximum(x, -1.0)])
def test_an_op_behind_may_hide_what_is_infinite(odd, hidden):
    weights = [Value(x) for x in (0.5, 2.0, -1.0, 1.0)]
    rows = even_numbers(8, 3, 6, 4)
    rows[2][0][5][1] = rows[2][2][0][3] = odd

    def loss(q, k, v):
        result = linear_attention(q, k, [[w * a for w, a in zip(weights, row)] for row in v])
        return mg.sum([hidden(y) for row in result for y in row])

    assert_batches_match(loss, weights, rows, SIZES, within=0.0)


def test_numbers_too_large_for_the_check_are_no_reason_for_others():
    """z·z overflows where z does not."""
    rows = even_numbers(9, 2, 6, 4)
    rows[2][0][2] = [1e160, -1e160, 1e160, 1e300]
    assert_batches_match(lambda q, k, v: [y for row in linear_attention(q, k, v) for y in row], [], rows, SIZES)


class Odd:
    """Attention without rounding, some of whose numbers are infinite or nan, and which of its results are read."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.tokens, self.size, self.turned = rng.randint(3, 6), rng.randint(2, 6), rng.choices([True, False], k=2)
        self.scaled = [rng.random() < 0.5 for _ in range(3)]
        self.weights = [[Value(rng.choice([0.5, -1.0, 2.0])) for _ in range(self.size)] for _ in range(3)]
        self.parameters = [w for row in self.weights for w in row]
        self.rows = even_numbers(seed, 3, self.tokens, self.size)
        for _ in range(rng.randint(1, 3)):
            token = rng.choice([self.tokens - 1, rng.randrange(self.tokens)])
            rng.choice(rng.choice(self.rows))[token][rng.randrange(self.size)] = rng.choice(ODD)
        self.places = sorted(rng.sample(range(self.tokens * self.size), rng.randint(1, 4)))
        self.behind = [rng.choice([mg.relu, lambda y: y * y, lambda y: -y, lambda y: y]) for _ in self.places]

    def __call__(self, *arguments):
        q, k, v = (
            [[w * a for w, a in zip(weights, row)] for row in rows] if scaled else rows
            for rows, weights, scaled in zip(arguments, self.weights, self.scaled)
        )
        results = [y for row in linear_attention(q, k, v, self.turned) for y in row]
        read = [f(results[place]) for place, f in zip(self.places, self.behind)]
        return [mg.sum([*read, 0.5]), *read]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_infinite_numbers_anywhere(seed):
    odd = Odd(seed)
    assert_batches_match(odd, odd.parameters, odd.rows, SIZES, within=1e-15)


@pytest.mark.parametrize("within", [0.0, 1e-10])
@pytest.mark.parametrize(("wrong", "right"), [(math.nan, 0.0), (0.0, math.nan), (math.inf, -math.inf), (1.0, math.inf)])
def test_the_reference_tells_all_these_apart(wrong, right, within):
    assert_near([right, 1.0, math.inf], [right, 1.0, math.inf], within)
    with pytest.raises(AssertionError):
        assert_near([wrong, 1.0, math.inf], [right, 1.0, math.inf], within)
    with pytest.raises(AssertionError):
        assert_near([right, 1.001, math.inf], [right, 1.0, math.inf], within)


def test_a_product_that_trusts_its_zeros_is_found_out(monkeypatch):
    """Without the look at missing entries the products are nan where they meet what is infinite."""
    rows = even_numbers(2, 3, 6, 4)
    rows[2][1][5][2] = math.inf
    monkeypatch.setattr(matmuls, "_write_without_padding", lambda *_: None)

    def outputs(q, k, v):
        return [y for row in linear_attention(q, k, v) for y in row]

    assert np.isfinite(EagerOracle(outputs, [], rows).values[1][:20]).all()
    assert not np.isfinite(compiled(outputs)(*rows)[1, :20]).all()
