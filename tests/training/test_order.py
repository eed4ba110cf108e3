"""The random order of the examples: by 32-bit keys, the same as an array, every order equally often."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.training.order import random_order, random_order_array


class Fixed(random.Random):
    """A generator whose bytes are given."""

    def __new__(cls, *keys):  # Python 3.10 hands all arguments to Random's own __new__, which takes one
        return super().__new__(cls)

    def __init__(self, *keys):
        super().__init__(0)
        self.keys = keys

    def randbytes(self, n):
        assert n == 4 * len(self.keys)
        return b"".join(key.to_bytes(4, "little") for key in self.keys)


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(0, 10**9))
def test_list_and_array_are_the_same_permutation_from_the_same_bits(n, seed):
    one, other = random.Random(seed), random.Random(seed)
    order = random_order(n, one)
    assert sorted(order) == list(range(n))
    assert random_order_array(n, other).tolist() == order
    assert one.getstate() == other.getstate()
    assert random_order(n, seed) == order


@settings(max_examples=40)
@given(st.lists(st.sampled_from([0, 1, 0xFFFF, 0x10000, 0x10001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]), min_size=1))
def test_numbers_are_sorted_by_their_keys_and_equal_keys_keep_them(keys):
    expected = [i for _, i in sorted(zip(keys, range(len(keys)), strict=True))]
    assert random_order(len(keys), Fixed(*keys)) == expected
    assert random_order_array(len(keys), Fixed(*keys)).tolist() == expected


def test_a_large_order():
    order = random_order(70_000, 1)
    assert random_order_array(70_000, random.Random(1)).tolist() == order
    assert sorted(order) == list(range(70_000))


def test_all_orders_are_equally_frequent():
    generator = random.Random(0)
    counts = Counter(tuple(random_order(4, generator)) for _ in range(4800))
    assert len(counts) == 24
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 50  # χ² of 23 degrees: above it once in 1,000


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_the_number_of_examples_is_checked(n, error):
    generator = random.Random(0)
    with pytest.raises(error, match="n must be a whole number >= 1, the number of examples"):
        random_order(n, generator)
    assert generator.getstate() == random.Random(0).getstate()


def test_the_generator_is_checked():
    with pytest.raises(TypeError, match="rng must be a seed"):
        random_order(3, "x")
