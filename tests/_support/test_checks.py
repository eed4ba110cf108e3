"""Checks of settings: return values, errors, and the format of messages."""

import math
from fractions import Fraction

import pytest

from microgradlib._support.checks import boolean, fraction, non_negative, positive, real_number, whole_number

np = pytest.importorskip("numpy")

INTEGERS = [int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64]
NUMBERS = [*INTEGERS, float, np.float16, np.float32, np.float64, np.array, Fraction]


@pytest.mark.parametrize("kind", INTEGERS)
def test_whole_number_returns_an_int(kind):
    number = whole_number(kind(3), "n")
    assert (type(number), number) == (int, 3)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("check", [positive, non_negative, real_number])
def test_a_real_number_is_returned_as_a_float(check, kind):
    number = check(kind(2), "lr")
    assert (type(number), number) == (float, 2.0)


@pytest.mark.parametrize(
    "other", [True, np.True_, 2.0, np.float64(2.0), "2", None, [2], np.array([2]), np.array(2), Fraction(2)]
)
def test_whole_number_rejects_other_types(other):
    with pytest.raises(TypeError, match=r"n must be a whole number >= 1, got .*; write n=1"):
        whole_number(other, "n")


@pytest.mark.parametrize("other", ["0.1", None, [0.1, 0.2], 1j, np.array([0.1, 0.2]), {}])
@pytest.mark.parametrize("check", [positive, non_negative, fraction, real_number])
def test_real_numbers_reject_other_types(check, other):
    with pytest.raises(TypeError, match=r"lr must be a .*number.*, got .*; write lr=0\.5"):
        check(other, "lr", example=0.5)


@pytest.mark.parametrize(
    ("check", "given", "message"),
    [
        (lambda x: whole_number(x, "n"), 0, "n must be a whole number >= 1, got 0; write n=1"),
        (
            lambda x: whole_number(x, "n"),
            np.int64(-1),
            f"n must be a whole number >= 1, got {np.int64(-1)!r}; write n=1",
        ),
        (
            lambda x: whole_number(x, "n", 2, reason="one point per moon", example=100),
            1,
            "n must be a whole number >= 2, one point per moon, got 1; write n=100",
        ),
        (lambda x: whole_number(x, "size[0]"), 0, "size[0] must be a whole number >= 1, got 0"),
        (lambda x: positive(x, "lr", example=0.1), 0.0, "lr must be a finite number > 0, got 0.0; write lr=0.1"),
        (lambda x: positive(x, "lr"), math.inf, "lr must be a finite number > 0, got inf"),
        (lambda x: non_negative(x, "lr"), math.nan, "lr must be a finite number >= 0, got nan"),
        (lambda x: non_negative(x, "lr"), -1, "lr must be a finite number >= 0, got -1"),
        (lambda x: non_negative(x, "lr"), 10**400, "lr must be a finite number >= 0, got int"),
        (lambda x: fraction(x, "p"), 1, "p must be a number >= 0 and < 1, got 1"),
        (lambda x: fraction(x, "p", zero=False, one=True), 0, "p must be a number > 0 and <= 1, got 0"),
        (lambda x: fraction(x, "p", reason="a share"), math.nan, "p must be a number >= 0 and < 1, a share, got nan"),
        (lambda x: real_number(x, "x"), -math.inf, "x must be a finite number, got -inf"),
        (lambda x: real_number(x, "x", ge=0, finite=False), math.nan, "x must be a number >= 0, got nan"),
    ],
)
def test_messages_name_the_setting_the_range_and_the_value(check, given, message):
    with pytest.raises(ValueError, match=r".") as error:
        check(given)
    assert str(error.value) == message


def test_any_whole_number():
    assert whole_number(np.int64(-100), "n", None) == -100
    with pytest.raises(TypeError, match=r"n must be a whole number, got 0\.5; write n=3"):
        whole_number(0.5, "n", None, example=3)


def test_bounds_are_exact():
    assert fraction(0, "p") == 0.0
    assert fraction(1, "p", one=True) == 1.0
    assert fraction(math.nextafter(1, 0), "p", zero=False) < 1
    assert real_number(math.inf, "max_norm", ge=0, finite=False) == math.inf
    assert non_negative(0, "lr") == 0.0


@pytest.mark.parametrize("switch", [True, False, np.True_, np.False_])
def test_boolean_returns_a_bool(switch):
    assert boolean(switch, "amsgrad") is bool(switch)


@pytest.mark.parametrize("number", [0, 1])
def test_boolean_takes_0_and_1_where_options_always_took_them(number):
    assert boolean(number, "bias", numbers=True) is bool(number)


@pytest.mark.parametrize("other", ["no", 2, -1, 1.0, None, []])
def test_boolean_with_numbers_rejects_what_is_neither(other):
    with pytest.raises(TypeError, match="bias must be True or False"):
        boolean(other, "bias", numbers=True)


@pytest.mark.parametrize("other", ["yes", 1, 0, None, 1.0, np.array([True])])
def test_boolean_rejects_other_types(other):
    with pytest.raises(TypeError, match=r"amsgrad must be True or False, got .*; write amsgrad=True"):
        boolean(other, "amsgrad")
