"""Colours: enough contrast, and signs that colour-blind readers and grey printers can tell apart."""

from __future__ import annotations

import pytest

from microgradlib.viz.theme import DARK, LIGHT, SERIES, THEMES, colours, page_style

TEXTS = ("ink", "muted", "grad", "local", "term", "op_text", "stale")
BACKGROUNDS = ("paper", "card", "frame0", "frame1", "frame2")
KINDS = ("input", "parameter", "constant", "target", "op", "output")
LINES = ("line", "zero", "frame_edge", "plus", "minus", "route0", "route1", "route2", "route3")

# Machado, Oliveira and Fernandes, A physiologically-based model for simulation of color vision deficiency, 2009:
# the matrices of severity 1, for linear RGB.
DEFICIENCIES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}

RGB = tuple[float, float, float]


def linear(colour: str) -> RGB:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast as the Web Content Accessibility Guidelines define it, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: RGB) -> RGB:
    """Return the CIE 1976 L*, a*, b* of linear RGB, with the white of D65."""
    red, green, blue = (min(max(c, 0.0), 1.0) for c in rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (c ** (1 / 3) if c > 216 / 24389 else (24389 / 27 * c + 16) / 116 for c in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(colour: str, deficiency: str) -> RGB:
    rgb = linear(colour)
    red, green, blue = (sum(m * c for m, c in zip(row, rgb, strict=True)) for row in DEFICIENCIES[deficiency])
    return red, green, blue


def distance(one: RGB, other: RGB) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(lab(one), lab(other), strict=True)) ** 0.5)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_both_themes_have_the_same_roles() -> None:
    assert list(LIGHT) == list(DARK)


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_contrast_on_all_that_can_be_behind_it(theme: str) -> None:
    table = THEMES[theme]
    pairs = [(text, back) for text in TEXTS for back in BACKGROUNDS]
    pairs += [(text, kind) for kind in KINDS for text in ("ink", "grad", "muted", f"{kind}_text", "stale")]
    worst = min((contrast(table[text], table[back]), text, back) for text, back in pairs)
    assert worst[0] >= 4.5, worst


@pytest.mark.parametrize("theme", THEMES)
def test_lines_have_contrast_on_all_that_can_be_behind_them(theme: str) -> None:
    table = THEMES[theme]
    pairs = [(line, back) for line in LINES for back in BACKGROUNDS if line != "frame_edge" or back == "paper"]
    pairs += [(f"{kind}_edge", back) for kind in KINDS for back in (*BACKGROUNDS, kind)]
    pairs += [("plus", "cell"), ("minus", "cell"), *((series, "paper") for series in SERIES)]
    worst = min((contrast(table[line], table[back]), line, back) for line, back in pairs)
    assert worst[0] >= 3.0, worst


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colour_blind_readers_tell_the_signs_apart(theme: str, deficiency: str) -> None:
    plus, minus = (seen(THEMES[theme][sign], deficiency) for sign in ("plus", "minus"))
    assert distance(plus, minus) > 50
    red, green = seen("#c00000", "deutan"), seen("#607000", "deutan")
    assert distance(red, green) < 30  # the measure does find colours that they confuse


@pytest.mark.parametrize("theme", THEMES)
def test_signs_differ_in_grey(theme: str) -> None:
    plus, minus = (lab(linear(THEMES[theme][sign]))[0] for sign in ("plus", "minus"))
    assert abs(plus - minus) > 18


def test_a_page_has_both_tables_of_the_colours_that_are_used() -> None:
    style = page_style("mg1", f'<path stroke="{colours("page")("grad")}"/>')
    assert style.count(LIGHT["grad"]) == style.count(DARK["grad"]) == 2
    assert LIGHT["local"] not in style
    assert "prefers-color-scheme:dark" in style
    assert "body[data-jp-theme-light=false] #mg1" in style


def test_an_unknown_theme_is_an_error() -> None:
    with pytest.raises(ValueError, match="'light' or 'dark', got 'blue'"):
        colours("blue")
