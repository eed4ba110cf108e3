"""The legend of a network picture: what its lines, squares and letters stand for, as far as they occur."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Final

from microgradlib.viz.networks.marks import Line, Mark, Squares, Words
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = 11.0
_GAP: Final = 12.0
"""Between the upper estimates of two entries, in pixels."""
MARGIN: Final = 18.0
"""Around the picture, in pixels."""

_LEGEND: Final = (
    ("width", "width: |weight|", "muted"),
    ("matrix", "W: a row of weights for each unit", "muted"),
    ("rows", "left of a circle: its weights", "muted"),
    ("tiles", "images: the weights of a unit for each pixel", "muted"),
    ("value of tile", "beside an image: the unit's value", "muted"),
    ("δ of tile", "below it, framed: δ", "grad"),
    ("pooled", "a square for several weights shows the largest", "muted"),
    ("kernels", "left of a map: its kernels", "muted"),
    ("some kernels", "of many kernels the first four", "muted"),
    ("shades", "shade: size of the number", "muted"),
    ("value", "in circles: value", "muted"),
    ("bias", "b: bias", "parameter_text"),
    ("delta", "δ: gradient of the net input", "grad"),
)
"""What the legend says of each kind of mark, and the role of its colour."""


def legend_marks(uses: set[str], signs: set[str], note: str, y: float, width: float) -> tuple[list[Mark], float, float]:
    """Return the marks that explain the others, in lines of at most `width`, and how far down and right they reach."""
    marks: list[Mark] = []
    x, y = MARGIN, y + 12
    for entry in _entries(uses, signs):
        sample, words, role = entry
        long = sans_width(words, _LINE) + (34.0 if sample else 0.0) + _GAP
        if x > MARGIN and x + long > width:
            x, y = MARGIN, y + 19
        if sample:
            marks.append(_sample(sample, x, y))
            x += 34.0
        marks.append(Words(x, y, words, _LINE, role))
        x += sans_width(words, _LINE) + _GAP
        width = max(width, x)
    for line in wrap(note, int((width - 2 * MARGIN) / sans_width("n", _LINE))):
        y += 19
        marks.append(Words(MARGIN, y, line, _LINE, "muted", italic=True))
    return marks, y + 14, width


def _entries(uses: set[str], signs: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what the legend says: a sample, words and their role."""
    for role, words in (("plus", "> 0"), ("minus", "< 0")):
        if role in signs:
            yield f"line {role}", f"weight {words}", "muted"
        elif "squares" in uses:
            yield f"square {role}", words, "muted"
    if signs & {"plus", "minus"}:
        uses = uses | {"width"}
    yield from (("", words, role) for use, words, role in _LEGEND if use in uses)


def _sample(sample: str, x: float, y: float) -> Mark:
    kind, role = sample.split(" ")
    sign = 1.0 if role == "plus" else -1.0
    if kind == "square":
        return Squares(x + 16, y - 9, 11.0, ((sign,),), 1.0)
    return Line(x, y - 4, x + 26, y - 4, "plus" if sign > 0 else "minus", 3.0)
