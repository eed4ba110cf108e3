"""The text of a value in an error message: short, in words, whatever the value."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, nn
from microgradlib._support.shown import shown


class Broken:
    def __repr__(self):
        raise RuntimeError("no text")


class Verbose:
    shape = (2, 3)

    def __repr__(self):
        return "a" * 10_000


def nested(depth):
    result = []
    for _ in range(depth):
        result = [result]
    return result


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"), (2.5, "2.5"), ("adam", "'adam'"), ([1, 2], "[1, 2]"), (nn.MLP, "the class MLP"),
        (math.sin, "the function sin"), (shown, "the function shown"), (lambda: None, "a lambda function"),
        (nn.Softmax().parameters, "the method parameters"), (math, "the module math"), (nn, "the module nn"),
        ((x for x in ()), "a generator"), ("x" * 1000, "a str of 1000 letters"), (b"x" * 70, "a bytes of 70 bytes"),
        ([0.5] * 1000, "a list of 1000 entries"), ({i: i for i in range(61)}, "a dict of 61 entries"),
        (["x" * 100], "a list of 1 entries"), (nested(100_000), "a list of 1 entries"),
        (Broken(), "Broken"), (Verbose(), "Verbose of shape (2, 3)"), (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
        (np.zeros((50, 2)), "ndarray of shape (50, 2)"), (Value(2.0), "Value(data=2.0, grad=0.0)"),
    ],
)  # fmt: skip
def test_values_are_written_in_few_plain_words(value, text):
    assert shown(value) == text


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_no_text_is_long_or_broken_over_lines(value):
    assert 0 < len(shown(value)) < 100
    assert "\n" not in shown(value)


def test_the_text_of_a_large_container_is_never_made():
    class Slow:
        def __repr__(self):
            time.sleep(1.0)

    assert shown([Slow()] * 100_000) == "a list of 100000 entries"


def test_an_int_that_python_refuses_to_write_is_named():
    assert shown(10**5000) == "int"
