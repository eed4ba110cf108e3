"""The markup of single marks: set text, triangles of buttons, dashes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from microgradlib.viz import math_text
from microgradlib.viz.markup import coordinate, element, escape
from microgradlib.viz.theme import MONO

if TYPE_CHECKING:
    from collections.abc import Callable

    Colour = Callable[[str], str]
    """The function from a role, such as "ink", to its colour."""

Anchor = Literal["start", "middle", "end"]


@lru_cache(maxsize=4096)
def set_text(label: str, size: float) -> str:
    """Return the content of a text element: a label, with its sub- and superscripts as smaller text.

    >>> set_text("a < b", 10), set_text("x_1", 10)
    ('a &lt; b', 'x<tspan dy="1.8" font-size="7.4">1</tspan>')
    """
    parts, height = [], 0.0
    for piece in math_text.pieces(label):
        wanted = {-1: 0.18, 0: 0.0, 1: -0.36}[piece.level] * size
        if not piece.level and wanted == height:
            parts.append(escape(piece.text))
        else:
            attributes: dict[str, str | float] = {"dy": wanted - height}
            if piece.level:
                attributes["font_size"] = math_text.SMALL * size
            parts.append(element("tspan", escape(piece.text), **attributes))
        height = wanted
    return "".join(parts)


def text(
    x: float,
    y: float,
    label: str,
    size: float,
    fill: str,
    *,
    anchor: Anchor = "start",
    mono: bool = False,
    as_is: bool = False,
    bold: bool = False,
    italic: bool = False,
    halo: str = "",
) -> str:
    """Return a line of text whose baseline is at `y`.

    Args:
        x, y: in pixels.
        label: set as mathematics where it looks like that, see `math_text.pieces`.
        size: of the font, in pixels.
        fill: its colour.
        anchor: which end of the text is at `x`.
        mono: in a font of fixed pitch.
        as_is: not set as mathematics, as for code.
        bold, italic: its style.
        halo: the colour of an outline that keeps lines away from it.

    >>> text(1, 2, "w", 10, "#000000", bold=True)
    '<text x="1" y="2" font-size="10" fill="#000000" font-weight="600">w</text>'
    """
    if not label:
        return ""
    style: dict[str, str | float] = {}
    if anchor != "start":
        style["text_anchor"] = anchor
    if mono:
        style["font_family"] = MONO
    if bold:
        style["font_weight"] = "600"
    if italic:
        style["font_style"] = "italic"
    if halo:
        style |= {"stroke": halo, "stroke_width": 4.0, "paint_order": "stroke", "stroke_linejoin": "round"}
    content = escape(label) if as_is else set_text(label, size)
    return element("text", content, x=x, y=y, font_size=size, fill=fill, **style)


def triangle(x: float, y: float, fill: str, *, opened: bool) -> str:
    """Return the mark of a button left of a title: ▾ if it is open, otherwise ▸. (x, y) is its middle."""
    shape = "m-3.8 -2.2h7.6l-3.8 4.8z" if opened else "m-2 -4l4.8 4l-4.8 4z"
    return element("path", d=f"M{coordinate(x)} {coordinate(y)}{shape}", fill=fill)
