"""Numbers in pictures: near enough, short, and never a whole number that they are not."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import example, given, strategies as st

from microgradlib.viz.numbers import MINUS, MORE_DIGITS, NOT_REACHED, number, precision

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def read(text: str) -> Fraction:
    return Fraction(text.replace(MINUS, "-").lstrip("≈"))


def unit(text: str, value: float, digits: int) -> Fraction:
    """Return one unit of the last digit that was kept: `digits` of them, or more where the text has more."""
    mantissa, _, exponent = text.lstrip("≈").replace(MINUS, "-").partition("e")
    written = len(mantissa.partition(".")[2])
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    return Fraction(10) ** max(int(exponent or 0) - written, min(magnitude - digits + 1, int(exponent or 0)))


@given(FINITE, st.integers(1, 12))
@example(5e-324, 4)
@example(1.7976931348623157e308, 4)
@example(999999.9999, 4)
def test_text_differs_by_at_most_half_a_unit_of_its_last_digit(value: float, digits: int) -> None:
    text = number(value, digits)
    assert abs(read(text) - Fraction(value)) <= unit(text, value, digits) / 2


@given(FINITE, st.integers(1, 12))
@example(1 - 1e-15, 4)
@example(99999.99999999, 3)
def test_no_number_is_shown_as_a_whole_number_that_it_is_not(value: float, digits: int) -> None:
    text = number(value, digits)
    if not value.is_integer() and "e" not in text and not text.startswith("≈"):
        assert read(text).denominator != 1


@given(st.floats(1e-4, 999999.0), st.sampled_from([1.0, -1.0]), st.integers(1, 12))
def test_ordinary_numbers_have_no_power_of_ten(size: float, sign: float, digits: int) -> None:
    text = number(sign * size, digits)
    assert "e" not in text
    assert len(text) <= max(digits, 6) + MORE_DIGITS + len("≈−0.000")


@given(FINITE, st.integers(1, 12))
def test_a_number_of_the_other_sign_has_the_same_digits(value: float, digits: int) -> None:
    assert number(-value, digits).replace(MINUS, "", 1 if value > 0 else 0) == number(abs(value), digits)


@given(st.integers(-999_999, 999_999))
def test_whole_numbers_are_written_in_full(value: int) -> None:
    assert number(float(value)) == str(value).replace("-", MINUS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (0.5, "0.5"),
        (0.125, "0.125"),
        (2 / 3, "0.6667"),
        (-1.005, "−1.005"),
        (0.99999, "0.99999"),
        (1.00004, "1.00004"),
        (0.9999999999, "≈1"),
        (-0.9999999999, "≈−1"),
        (99999.5, "99999.5"),
        (12345.6, "12345.6"),
        (123456.75, "123456.8"),
        (999999.9999999, "≈1000000"),
        (0.0001, "0.0001"),
        (0.00009876, "9.876e−5"),
        (1e6, "1e6"),
        (-2.5e300, "−2.5e300"),
        (5e-324, "4.941e−324"),
        (math.inf, "inf"),
        (-math.inf, "−inf"),
        (math.nan, "nan"),
        (None, NOT_REACHED),
    ],
)
def test_what_is_written(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "digits", "text"), [(0.03125, 3, "0.0313"), (-2.5, 1, "−2.5"), (0.25, 1, "0.3")])
def test_halves_are_rounded_away_from_zero(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_small_pictures_have_four_digits_and_large_ones_three() -> None:
    assert [precision(boxes) for boxes in (1, 12, 13, 60)] == [4, 4, 3, 3]
