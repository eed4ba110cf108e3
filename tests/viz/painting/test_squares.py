"""Strips of squares and images: what is drawn for each number."""

from __future__ import annotations

import math
import re

from hypothesis import given, settings, strategies as st

from microgradlib.viz.boxes.diagram import Strip
from microgradlib.viz.painting.squares import strip_markup, strip_size

NUMBERS = st.lists(st.none() | st.floats(), min_size=1, max_size=300)


def roles(strip: Strip) -> dict[str, int]:
    """The number of squares of each role."""
    markup = strip_markup(strip, 0.0, 0.0, str)
    return {
        found[2]: found[1].count("M")
        for found in re.finditer(r'<path d="([^"]*)" (?:fill="none" stroke|fill)="(\w+)"', markup)
    }


def side(strip: Strip, role: str) -> list[float]:
    found = re.search(rf'<path d="([^"]*)" fill="{role}"', strip_markup(strip, 0.0, 0.0, str))
    assert found
    return [float(length) for length in re.findall(r"h([\d.]+)", found[1])]


@settings(max_examples=30)
@given(NUMBERS)
def test_each_number_is_one_square_by_its_sign(numbers: list[float | None]) -> None:
    numbers = numbers[:256]
    found = roles(Strip("value", tuple(numbers)))
    known = [v for v in numbers if v is not None]
    finite = [v for v in known if math.isfinite(v)]
    assert found.get("plus", 0) == sum(v > 0 for v in finite)
    assert found.get("minus", 0) == sum(v < 0 for v in finite)
    assert found.get("cell", 0) == len(known)
    assert found.get("frame_edge", 0) == len(numbers) - len(known)
    assert ("stale" in found) == (len(finite) < len(known))


def test_areas_are_in_the_ratio_of_the_numbers() -> None:
    large, small = side(Strip("value", (4.0, 1.0)), "plus")
    assert large / small == 2


def test_a_number_far_smaller_than_the_largest_is_still_seen() -> None:
    assert min(side(Strip("value", (1.0, 1e-300)), "plus")) >= 1


def test_more_numbers_than_fit_are_counted() -> None:
    assert "and 744 more" in strip_markup(Strip("value", (1.0,) * 1000), 0.0, 0.0, str)


def test_an_image_has_shades_of_ink_and_two_colours_where_there_are_signs() -> None:
    shades = strip_markup(Strip("x", (0.0, 0.5, 1.0, 0.25), image=True), 0.0, 0.0, str)
    assert shades.count('fill="ink"') == 3
    signed = strip_markup(Strip("x", (0.0, 0.5, -1.0, 0.25), image=True), 0.0, 0.0, str)
    assert 'fill="ink"' not in signed
    assert 'fill="minus"' in signed


def test_an_image_of_many_pixels_stays_small() -> None:
    assert strip_size(Strip("x", (0.5,) * 28 * 28, image=True))[0] <= 90
    assert len(strip_markup(Strip("x", tuple([k / 784 for k in range(784)]), image=True), 0.0, 0.0, str)) < 40_000
