"""Paint a scene: frames, lines, boxes, texts, and below them the legend and the routes of a highlight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import coordinate, element
from microgradlib.viz.painting.boxes import box_markup
from microgradlib.viz.painting.frames import button, frame_markup, title_markup
from microgradlib.viz.painting.glyphs import text
from microgradlib.viz.painting.legend import LINE, entries, legend_markup, lines
from microgradlib.viz.painting.lines import lines_markup, text_markup
from microgradlib.viz.painting.scene import MARGIN, Brush, Scene
from microgradlib.viz.painting.view import BoxView
from microgradlib.viz.theme import ROUTE_DASHES
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.viz.boxes.diagram import Box
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.painting.legend import Entry

CAPTION_SIZE: Final = 12.0
_CAPTION_LINE: Final = 18.0
_CAPTION_LEFT: Final = 34.0
_LEAST_LEGEND: Final = 340.0


def size(scene: Scene) -> tuple[float, float]:
    """Return the width and height of the picture in pixels."""
    legend = _legend_lines(scene)
    caption = max((_CAPTION_LEFT + sans_width(line.text, CAPTION_SIZE) for line in scene.caption), default=0.0)
    widest = max([caption, *(sum(entry.width for entry in line) for line in legend)])
    below = LINE * len(legend) + 2.0 if legend else 0.0
    below += _CAPTION_LINE * len(scene.caption) + 6.0 if scene.caption else 0.0
    return (
        round(max(scene.layout.width, widest) + 2 * MARGIN, 2),
        round(scene.layout.height + 2 * MARGIN + (below + 2.0 if below else 0.0), 2),
    )


def paint(scene: Scene, colour: Colour, *, prefix: str, buttons: Mapping[str, bool] | None = None) -> str:
    """Return the markup of a picture, without the `<svg>` element around it.

    Args:
        scene: what it shows.
        colour: from a role to its colour.
        prefix: the start of all ids.
        buttons: for the groups that open and close by click, whether they are open.

    """
    brush = Brush(scene, colour, prefix, buttons or {})
    width, height = size(scene)
    left = (width - 2 * MARGIN - scene.layout.width) / 2 if not scene.caption else 0.0
    frames = scene.diagram.frames
    body = [
        *(frame_markup(frame, brush) for frame in frames),
        *lines_markup(brush),
        *(title_markup(frame, brush) for frame in frames),
        *(_box(box, brush) for box in scene.diagram.boxes),
        *(text_markup(place, brush) for place in range(len(scene.layout.routes))),
    ]
    shift = f"translate({coordinate(MARGIN + left)} {coordinate(MARGIN)})"
    parts = [
        element("rect", width=width, height=height, fill=colour("paper")),
        element("g", "\n".join(filter(None, body)), transform=shift),
        legend_markup(_legend_lines(scene), MARGIN, scene.layout.height + MARGIN + 14.0, colour),
        _caption(brush),
    ]
    return "\n".join(filter(None, parts))


def _box(box: Box, brush: Brush) -> str:
    scene, opened = brush.scene, brush.buttons.get(box.group) if box.group else None
    view = BoxView(box, scene.layout.boxes[box.id], brush.colour, scene.diagram.captions, opened, scene.marked)
    markup = box_markup(view)
    if opened is not None:
        markup = button(box.group, markup, title=box.title or box.op, opened=opened)
    return element("g", markup, id=f"{brush.prefix}-{box.id}")


def _legend_lines(scene: Scene) -> list[list[Entry]]:
    return lines(entries(scene.diagram), max(scene.layout.width, _LEAST_LEGEND))


def _caption(brush: Brush) -> str:
    scene, colour = brush.scene, brush.colour
    y = scene.layout.height + MARGIN + 16.0 + LINE * len(_legend_lines(scene))
    parts = []
    for place, line in enumerate(scene.caption):
        base = y + _CAPTION_LINE * place + 10.0
        role = {"sum": "ink", "warning": "stale"}.get(line.style, line.style)
        if line.first and line.style != "warning":
            number = int(line.style[-1]) if line.style.startswith("route") else 0
            dash = {"stroke_dasharray": ROUTE_DASHES[number]} if number else {}
            sample = f"M{coordinate(MARGIN)} {coordinate(base - 4)}h24"
            parts.append(element("path", d=sample, fill="none", stroke=colour(role), stroke_width=3.0, **dash))
        left = MARGIN + _CAPTION_LEFT - 4.0
        parts.append(text(left, base, line.text, CAPTION_SIZE, colour(role), bold=line.style == "sum"))
    return "".join(parts)
