"""The order of the examples: that of random.shuffle, from the same bits."""

import random

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.training.order import shuffled


@settings(max_examples=50)
@given(st.integers(0, 300), st.integers(0, 10**9))
def test_the_order_is_that_of_shuffle(n, seed):
    one, other, order = random.Random(seed), random.Random(seed), list(range(n))
    other.shuffle(order)
    assert shuffled(n, one) == order
    assert one.getstate() == other.getstate()


@pytest.mark.parametrize("n", [1023, 1024, 1025, 5000])
def test_large_orders(n):
    one, other, order = random.Random(n), random.Random(n), list(range(n))
    other.shuffle(order)
    assert shuffled(n, one) == order
    assert one.getstate() == other.getstate()


def test_a_generator_of_another_class_shuffles_itself():
    class Constant(random.Random):
        def random(self):
            return 0.0

        def shuffle(self, x):
            x.reverse()

    assert shuffled(4, Constant()) == [3, 2, 1, 0]
