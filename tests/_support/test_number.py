"""Conversion to float and classification of operands."""

import decimal
import math
from fractions import Fraction
from numbers import Real

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib import Symbol, Value
from microgradlib._support.number import as_float, is_array, is_foreign


class Tensor:
    """A stand-in for another library's tensor: `item()` for one element, an error for more."""

    def __init__(self, *elements):
        self.elements = elements

    def item(self):
        if len(self.elements) != 1:
            raise RuntimeError("a Tensor with several elements cannot be converted to a Node")
        return self.elements[0]


@given(st.floats())
def test_floats_are_returned_unchanged(x):
    assert as_float(x) is x or math.isnan(as_float(x))


@given(st.integers(-(2**70), 2**70))
def test_integers_round_as_python_rounds(n):
    assert as_float(n) == float(n)


@given(st.fractions())
def test_fractions(q):
    assert as_float(q) == float(q)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (True, 1.0), (np.bool_(False), 0.0), (np.float32(0.5), 0.5), (np.int16(-3), -3.0), (np.array(2.5), 2.5),
        (np.array([[2.5]]), 2.5), (Tensor(1.5), 1.5), (Tensor(np.float32(0.5)), 0.5), (np.longdouble(0.25), 0.25),
        (Fraction(1, 3), 1 / 3),
    ],
)  # fmt: skip
def test_accepted(number, expected):
    assert as_float(number) == expected
    assert type(as_float(number)) is float


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ("1.5", ["str '1.5'", "float(text)"]),
        (b"1", ["bytes", "float(text)"]),
        (2j, ["complex 2j", ".real or .imag"]),
        ([1, 2], ["list [1, 2]", "[Value(x) for x in numbers]"]),
        (list(range(100)), ["a list of 100 entries;", "each element"]),
        ({1}, ["set {1}", "each element"]),
        (np.arange(3.0), ["ndarray", "each element"]),
        (np.array(["a"]), ["str", "float(text)"]),
        (Tensor(1, 2), ["Tensor", "NumPy scalar"]),
        (None, ["got None;", "without return"]),
        (Value(1.0), ["Value", "detach"]),
        (Symbol("x"), ["Symbol", "detach"]),
        (decimal.Decimal("1.5"), ["Decimal"]),
        (np.datetime64("2020-01-01"), ["date"]),
    ],
)
def test_errors_name_the_argument_and_the_remedy(thing, words):
    with pytest.raises(TypeError) as caught:
        as_float(thing)
    message = str(caught.value)
    assert message.startswith("expected a real number, got ")
    assert all(word in message for word in words), message


@pytest.mark.parametrize("huge", [10**400, -(10**400), Fraction(10**400)])
def test_too_large(huge):
    with pytest.raises(OverflowError, match=r"too large for a float: pass float\('inf'\)"):
        as_float(huge)


def test_item_that_returns_itself_does_not_loop():
    class Endless:
        def item(self):
            return self

    with pytest.raises(TypeError, match="Endless"):
        as_float(Endless())


def test_arrays():
    assert is_array(np.zeros(3))
    assert is_array(np.zeros((1, 1)))
    assert not any(map(is_array, [np.array(1.0), np.float64(1.0), 1.0, [1.0], Value(1.0), None]))


def test_is_foreign():
    class Unknown:
        pass

    known = [1, 1.0, True, Fraction(1), "a", b"a", 1j, [1], (1,), {}, set(), None, Value(1.0), Symbol("x"),
             np.float64(1.0), np.zeros(3), Tensor(1.0)]  # fmt: skip
    assert not any(map(is_foreign, known))
    assert is_foreign(Unknown())


def test_other_real_classes_are_accepted():
    class Half(Real):
        def __float__(self):
            return 0.5

    Half.__abstractmethods__ = frozenset()
    assert as_float(Half()) == 0.5
