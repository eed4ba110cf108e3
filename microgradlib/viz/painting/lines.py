"""The markup of lines: one for each arrow, with its head and its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.painting.glyphs import text
from microgradlib.viz.painting.legend import has_local_derivative
from microgradlib.viz.painting.measure import ARROW_TEXT, LONGEST_ON_LINE, shown
from microgradlib.viz.theme import ROUTE_DASHES

if TYPE_CHECKING:
    from microgradlib.viz.layout.placement import Route
    from microgradlib.viz.painting.scene import Brush, Scene

_HEAD: Final = 7.0
_THICK: Final = 2.6


def lines_markup(brush: Brush) -> list[str]:
    """Return all lines; those of routes last, so that nothing covers them."""
    places = range(len(brush.scene.layout.routes))
    order = sorted(places, key=lambda place: bool(brush.scene.style(place)))
    return [_line(place, brush) for place in order]


def text_markup(place: int, brush: Brush) -> str:
    """Return the text of a line, on its line, with a ground that keeps the line out of it."""
    scene, colour = brush.scene, brush.colour
    route = scene.layout.routes[place]
    arrow, rect = route.arrow, route.text
    if rect is None or not arrow.text:
        return ""
    fill = brush.ground(scene.box_of[arrow.head].frame)
    ground = element("rect", x=rect.x, y=rect.y + 1, width=rect.width, height=rect.height - 2, fill=fill)
    style = scene.style(place)
    role = style if style.startswith("route") else "local" if has_local_derivative(arrow) else "muted"
    if scene.styles and not style:
        role = "muted"
    middle, base = rect.x + rect.width / 2, rect.y + rect.height / 2 + 0.35 * ARROW_TEXT
    words = shown(arrow.text, LONGEST_ON_LINE)
    label = text(middle, base, words, ARROW_TEXT, colour(role), anchor="middle", mono=True)
    return element("g", tooltip(arrow.tooltip) + ground + label)


def _line(place: int, brush: Brush) -> str:
    scene, colour = brush.scene, brush.colour
    route, style = scene.layout.routes[place], scene.style(place)
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
    has_head = scene.box_of[arrow.head].kind != "bus"
    look: dict[str, str | float] = {"stroke": colour(role), "stroke_width": width}
    if dash:
        look["stroke_dasharray"] = dash
    path = element("path", d=_path(route, scene, shortened=has_head), fill="none", **look)
    down = scene.layout.direction == "down"
    head = _head(*route.end, 1.25 if width >= _THICK else 1.0, down=down)
    tip = element("path", d=head, fill=colour(role)) if has_head else ""
    return element("g", tooltip(arrow.tooltip) + path + tip, id=f"{brush.prefix}-a{place}")


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
