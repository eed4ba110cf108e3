"""Paint a diagram whose parts have places: frames, lines, boxes, texts, and below them the routes and the legend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from microgradlib.viz.drawings.placement import Spacing
from microgradlib.viz.markup import coordinate, element
from microgradlib.viz.painting.boxes import BoxView, box_markup
from microgradlib.viz.painting.glyphs import text, tooltip, triangle
from microgradlib.viz.painting.legend import LINE, entries, has_local_derivative, legend_markup, lines
from microgradlib.viz.painting.measure import ARROW_TEXT, BUTTON, CELL, NAME, frame_title, shown
from microgradlib.viz.theme import ROUTE_DASHES
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
    from microgradlib.viz.drawings.placement import Layout, Rect, Route
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.routes.text import CaptionLine

MARGIN: Final = 14.0
CAPTION_SIZE: Final = 12.0
CAPTION_LINE: Final = 18.0
_CAPTION_LEFT: Final = 34.0
_LEAST_LEGEND: Final = 340.0
_DEEPEST: Final = 2
_HEAD: Final = 7.0
_THICK: Final = 2.6
_SPACING: Final = Spacing()


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Args:
        diagram: boxes, frames and arrows.
        layout: their places.
        styles: of each arrow its style under a highlight, see `routes.arrow_styles`; empty without one.
        caption: the lines below the picture.
        marked: the indices of the nodes at the two ends of a highlight.

    """

    diagram: Diagram
    layout: Layout
    styles: tuple[str, ...] = ()
    caption: tuple[CaptionLine, ...] = ()
    marked: tuple[int, ...] = ()

    @cached_property
    def box_of(self) -> dict[str, Box]:
        """The boxes by their ids."""
        return {box.id: box for box in self.diagram.boxes}


def size(scene: Scene) -> tuple[float, float]:
    """Return the width and height of the picture in pixels."""
    legend = lines(entries(scene.diagram), _legend_width(scene))
    caption = max((_CAPTION_LEFT + sans_width(line.text, CAPTION_SIZE) for line in scene.caption), default=0.0)
    widest = max([caption, *(sum(entry.width for entry in line) for line in legend)])
    below = (LINE * len(legend) + 2.0 if legend else 0.0) + (CAPTION_LINE * len(scene.caption) + 6.0) * bool(
        scene.caption
    )
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
    width, height = size(scene)
    buttons = buttons or {}
    depths = _depths(scene.diagram)
    left = (width - 2 * MARGIN - scene.layout.width) / 2 if not scene.caption else 0.0
    frames = "".join(_frame(frame, scene, depths[frame.id], colour) for frame in scene.diagram.frames)
    titles = "".join(_title(frame, scene, depths[frame.id], colour, buttons) for frame in scene.diagram.frames)
    body = [
        frames,
        *_lines(scene, colour, prefix),
        titles,
        *(_box(box, scene, colour, prefix, buttons) for box in scene.diagram.boxes),
        *(_line_text(place, route, scene, depths, colour) for place, route in enumerate(scene.layout.routes)),
    ]
    shift = f"translate({coordinate(MARGIN + left)} {coordinate(MARGIN)})"
    return "\n".join(
        [
            element("rect", width=width, height=height, fill=colour("paper")),
            element("g", "\n".join(filter(None, body)), transform=shift),
            *filter(None, [_legend(scene, colour), _caption(scene, colour)]),
        ]
    )


def _depths(diagram: Diagram) -> dict[str, int]:
    """Return for each frame how many are around it; `""` stands for the page."""
    depths = {"": -1}
    for frame in diagram.frames:
        depths[frame.id] = depths[frame.parent] + 1
    return depths


def _ground(depth: int) -> str:
    return f"frame{min(depth, _DEEPEST)}" if depth >= 0 else "paper"


def _frame(frame: Frame, scene: Scene, depth: int, colour: Colour) -> str:
    rect = scene.layout.frames[frame.id].rect
    sheets = (2, 1, 0) if frame.count > 1 else (0,)
    return "".join(
        element(
            "rect",
            x=rect.x + _SPACING.sheet * k,
            y=rect.y + _SPACING.sheet * k,
            width=rect.width,
            height=rect.height,
            rx=9,
            fill=colour(_ground(depth)),
            stroke=colour("frame_edge"),
            stroke_width=0.9,
        )
        for k in sheets
    )


def _title(frame: Frame, scene: Scene, depth: int, colour: Colour, buttons: Mapping[str, bool]) -> str:
    """Return the title and the formula of a frame, above the lines, on an outline of the frame's colour."""
    place = scene.layout.frames[frame.id]
    halo = colour(_ground(depth))
    shift = BUTTON if frame.group in buttons else 0.0
    title = place.title._replace(x=place.title.x + shift)
    markup = _on_line(frame_title(frame), title, NAME + 0.5, colour("muted"), halo=halo, bold=True)
    if place.formula is not None and frame.formula:
        markup += _on_line(shown(frame.formula, 60), place.formula, CELL, colour("muted"), halo=halo, italic=True)
    if frame.group not in buttons:
        return markup
    mark = triangle(title.x - 7.0, title.y + title.height / 2 - 0.5, colour("muted"), opened=True)
    # An invisible ground makes the whole title bar answer to a click.
    bar = element(
        "rect", x=place.rect.x, y=place.rect.y, width=place.rect.width, height=24, fill="none", pointer_events="all"
    )
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


def _box(box: Box, scene: Scene, colour: Colour, prefix: str, buttons: Mapping[str, bool]) -> str:
    opened = buttons.get(box.group) if box.group else None
    view = BoxView(box, scene.layout.boxes[box.id], colour, scene.diagram.captions, opened, scene.marked)
    markup = box_markup(view)
    if opened is not None:
        markup = button(box.group, markup, title=box.title or box.op, opened=opened)
    return element("g", markup, id=f"{prefix}-{box.id}")


def _lines(scene: Scene, colour: Colour, prefix: str) -> list[str]:
    """Return the lines; those of routes last, so that nothing covers them."""
    order = sorted(range(len(scene.layout.routes)), key=lambda place: bool(_style(scene, place)))
    return [_line(place, scene, colour, f"{prefix}-a{place}") for place in order]


def _style(scene: Scene, place: int) -> str:
    return scene.styles[place] if scene.styles else ""


def _line(place: int, scene: Scene, colour: Colour, name: str) -> str:
    route, style = scene.layout.routes[place], _style(scene, place)
    arrow = route.arrow
    role, width, dash = "line", 1.3 if arrow.lines == 1 else _THICK, ""
    if style.startswith("route"):
        role, width, dash = style, 3.0, ROUTE_DASHES[int(style[-1])]
    elif style:
        role, width = "ink", 3.0 if style == "shared" else 1.6
    elif not arrow.passes:
        role, dash = "zero", "4 3"
    elif scene.styles:
        role, width = "zero", 1.0
    down = scene.layout.direction == "down"
    head = _head(*route.end, 1.25 if width >= _THICK else 1.0, down=down) if _has_head(scene, arrow) else ""
    look: dict[str, str | float] = {"stroke": colour(role), "stroke_width": width}
    if dash:
        look["stroke_dasharray"] = dash
    path = element("path", d=_path(route, scene, shortened=bool(head)), fill="none", **look)
    tip = element("path", d=head, fill=colour(role)) if head else ""
    return element("g", tooltip(arrow.tooltip) + path + tip, id=name)


def _has_head(scene: Scene, arrow: Arrow) -> bool:
    return scene.box_of[arrow.head].kind != "bus"


def _path(route: Route, scene: Scene, *, shortened: bool) -> str:
    parts = ["M{} {}".format(*map(coordinate, route.start))]
    for place, step in enumerate(route.steps):
        points = list(step)
        if shortened and place == len(route.steps) - 1:
            points[-1 if scene.layout.direction == "down" else -2] -= _HEAD - 1.0
        parts.append(("L" if len(points) == 2 else "C") + " ".join(map(coordinate, points)))
    return "".join(parts)


def _head(x: float, y: float, scale: float, *, down: bool) -> str:
    """Return the path of an arrowhead whose tip is at (x, y)."""
    long, half = coordinate(-_HEAD * scale), 3.3 * scale
    start = f"M{coordinate(x)} {coordinate(y)}"
    if down:
        return f"{start}l{coordinate(-half)} {long}h{coordinate(2 * half)}z"
    return f"{start}l{long} {coordinate(-half)}v{coordinate(2 * half)}z"


def _line_text(place: int, route: Route, scene: Scene, depths: Mapping[str, int], colour: Colour) -> str:
    """Return the text of a line, on its line, with a ground that keeps the line out of it."""
    if route.text is None or not route.arrow.text:
        return ""
    rect = route.text
    depth = depths[scene.box_of[route.arrow.head].frame]
    ground = element(
        "rect", x=rect.x, y=rect.y + 1, width=rect.width, height=rect.height - 2, fill=colour(_ground(depth))
    )
    style = _style(scene, place)
    role = style if style.startswith("route") else "local" if has_local_derivative(route.arrow) else "muted"
    if scene.styles and not style:
        role = "muted"
    base = rect.y + rect.height / 2 + 0.35 * ARROW_TEXT
    label = text(rect.x + rect.width / 2, base, route.arrow.text, ARROW_TEXT, colour(role), anchor="middle", mono=True)
    return element("g", tooltip(route.arrow.tooltip) + ground + label)


def _legend_width(scene: Scene) -> float:
    return max(scene.layout.width, _LEAST_LEGEND)


def _legend(scene: Scene, colour: Colour) -> str:
    found = lines(entries(scene.diagram), _legend_width(scene))
    return legend_markup(found, MARGIN, scene.layout.height + MARGIN + 14.0, colour) if found else ""


def _caption(scene: Scene, colour: Colour) -> str:
    if not scene.caption:
        return ""
    legend = len(lines(entries(scene.diagram), _legend_width(scene)))
    y = scene.layout.height + MARGIN + 16.0 + LINE * legend
    parts = []
    for place, line in enumerate(scene.caption):
        base = y + CAPTION_LINE * place + 10.0
        role = {"sum": "ink", "warning": "stale"}.get(line.style, line.style)
        if line.first and line.style != "warning":
            number = int(line.style[-1]) if line.style.startswith("route") else 0
            dash = {"stroke_dasharray": ROUTE_DASHES[number]} if number else {}
            sample = f"M{coordinate(MARGIN)} {coordinate(base - 4)}h24"
            parts.append(element("path", d=sample, fill="none", stroke=colour(role), stroke_width=3.0, **dash))
        left = MARGIN + _CAPTION_LEFT - 4.0
        parts.append(text(left, base, line.text, CAPTION_SIZE, colour(role), bold=line.style == "sum"))
    return "".join(parts)
