"""The markup of frames: their grounds, and their titles, which open and close them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.markup import element
from microgradlib.viz.painting.glyphs import text, triangle
from microgradlib.viz.painting.measure import BUTTON, CELL, NAME, frame_title, shown

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Frame
    from microgradlib.viz.layout.placement import Rect
    from microgradlib.viz.painting.scene import Brush

_SPACING: Final = Spacing()


def frame_markup(frame: Frame, brush: Brush) -> str:
    """Return the ground of a frame; of one that stands for several, with two sheets behind it."""
    x, y, width, height = brush.scene.layout.frames[frame.id].rect
    style: dict[str, str | float] = {"rx": 9.0, "fill": brush.ground(frame.id), "stroke": brush.colour("frame_edge")}
    sheets = [_SPACING.sheet * k for k in ((2, 1, 0) if frame.count > 1 else (0,))]
    return "".join(
        element("rect", x=x + shift, y=y + shift, width=width, height=height, **style, stroke_width=0.9)
        for shift in sheets
    )


def title_markup(frame: Frame, brush: Brush) -> str:
    """Return the title and the formula of a frame, on an outline of its colour that keeps lines away from them."""
    place, muted = brush.scene.layout.frames[frame.id], brush.colour("muted")
    halo = brush.ground(frame.id)
    is_button = frame.group in brush.buttons
    title = place.title._replace(x=place.title.x + (BUTTON if is_button else 0.0))
    markup = _on_line(frame_title(frame), title, NAME + 0.5, muted, halo=halo, bold=True)
    if place.formula is not None and frame.formula:
        markup += _on_line(shown(frame.formula, 60), place.formula, CELL, muted, halo=halo, italic=True)
    if not is_button:
        return markup
    mark = triangle(title.x - 7.0, title.y + title.height / 2 - 0.5, muted, opened=True)
    # An invisible ground makes the whole title bar answer to a click.
    x, y, width, _ = place.rect
    bar = element("rect", x=x, y=y, width=width, height=_SPACING.bar, fill="none", pointer_events="all")
    return button(frame.group, bar + mark + markup, title=frame.title, opened=True)


def button(group: str, markup: str, *, title: str, opened: bool) -> str:
    """Return markup as a button that opens or closes a group, for mouse, keyboard and screen reader.

    >>> button("s1", "", title="layers.0", opened=False)[:44]
    '<g class="mg-button" data-mg-group="s1" tabi'
    """
    return element(
        "g",
        markup,
        class_="mg-button",
        data_mg_group=group,
        tabindex="0",
        role="button",
        aria_expanded="true" if opened else "false",
        aria_label=f"{title}: {'open' if opened else 'closed'}",
    )


def _on_line(
    words: str, rect: Rect, font: float, fill: str, *, halo: str, bold: bool = False, italic: bool = False
) -> str:
    return text(rect.x, rect.y + rect.height / 2 + 0.35 * font, words, font, fill, halo=halo, bold=bold, italic=italic)
