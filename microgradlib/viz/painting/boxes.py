"""The markup of one box: its outline by kind, its title line, and its contents."""

from __future__ import annotations

from typing import Final

from microgradlib.viz.boxes.words import tooltip_of
from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.math_text import width as set_width
from microgradlib.viz.painting import measure as sizes
from microgradlib.viz.painting.glyphs import text, triangle
from microgradlib.viz.painting.measure import PAD, shown
from microgradlib.viz.painting.rows import number_markup, row_markup
from microgradlib.viz.painting.squares import strip_markup, strip_size
from microgradlib.viz.painting.tables import table_markup
from microgradlib.viz.painting.view import BoxView, look

_RADII: Final = {"constant": 4.0, "target": 2.0}
_ROUND: Final = 16.0
_RADIUS: Final = 7.0


def box_markup(view: BoxView) -> str:
    """Return the markup of a box, without an element around it."""
    box, rect, colour = view.box, view.rect, view.colour
    if box.kind == "bus":
        return element("rect", **view.sides, rx=3.0, fill=colour("line"))
    band = view.captions and not view.bare
    parts = [
        tooltip(tooltip_of(box)),
        _sheets(view),
        element("rect", **view.sides, rx=_radius(view), fill=colour("card" if band else look(box.kind))),
        _band(view) if band else "",
        _bar(view) if box.kind == "parameter" else "",
        _heading(view),
        table_markup(box.table, rect, view.parts, colour, marked=view.marked) if box.table else "",
        *(row_markup(view, place) for place in range(len(box.rows))),
        *_strips(view),
        _outline(view),
    ]
    return "".join(parts)


def _radius(view: BoxView) -> float:
    if view.box.kind == "input":
        return min(view.rect.height / 2, _ROUND)
    return _RADII.get(view.box.kind, _RADIUS)


def _sheets(view: BoxView) -> str:
    """Return the sheets behind a closed group, which say that there is more inside: one, or two if it is repeated."""
    if view.box.kind != "closed":
        return ""
    count, shift = (2, 3.4) if view.box.count > 1 else (1, 4.0)
    x, y, width, height = view.rect
    style: dict[str, str | float] = {"rx": _RADIUS, "fill": view.colour("card"), "stroke": view.colour("op_edge")}
    return "".join(
        element("rect", x=x + shift * k, y=y + shift * k, width=width, height=height, **style)
        for k in range(count, 0, -1)
    )


def _outline(view: BoxView) -> str:
    box = view.box
    marked = len(box.nodes) == 1 and box.nodes[0] in view.marked
    edge = "ink" if marked else "output_edge" if box.output else f"{look(box.kind)}_edge"
    style: dict[str, str | float] = {"stroke": view.colour(edge), "stroke_width": 2.4 if box.output or marked else 1.3}
    if box.kind in ("target", "elided"):
        style["stroke_dasharray"] = "5 3"
    return element("rect", **view.sides, rx=_radius(view), fill="none", **style)


def _band(view: BoxView) -> str:
    """Return the ground of a header: with the corners of the box at the top, square ones at the bottom."""
    kind, rect, r = look(view.box.kind), view.rect, _radius(view)
    x, y, right, bottom = rect.x, rect.y, rect.x + rect.width, rect.y + view.parts.header
    corners = [x, bottom, y + r, x, y, x + r, y, right - r, right, y, right, y + r, bottom]
    path = "M{} {}V{}Q{} {} {} {}H{}Q{} {} {} {}V{}z".format(*map(coordinate, corners))
    return element("path", d=path, fill=view.colour("cell" if kind == "op" else kind))


def _bar(view: BoxView) -> str:
    """Return the bar at the left of a parameter, by which it is known in grey too."""
    x, y, _, height = view.rect
    return element(
        "rect", x=x + 2.8, y=y + 6, width=2.4, height=height - 12, rx=1.2, fill=view.colour("parameter_edge")
    )


def _heading(view: BoxView) -> str:
    box, rect, colour = view.box, view.rect, view.colour
    base = rect.y + (rect.height if view.bare else view.parts.header) / 2 + 4.5
    base += 0.0 if view.captions else view.spare
    left, right = rect.x + PAD, rect.x + rect.width - PAD
    parts = []
    if view.opened is not None:
        parts.append(triangle(rect.x + 7.5, base - 4.5, colour("muted"), opened=view.opened))
        left += sizes.BUTTON
    if box.number:
        parts.append(number_markup(box.number, left, base, colour))
        left += sizes.number_width(box.number)
    if box.title:
        title = shown(box.title)
        parts.append(text(left, base, title, sizes.TITLE, view.ink, bold=True, italic=box.kind == "target"))
        left += set_width(title, sizes.TITLE) + 6.0
    elif view.captions and not box.op:
        parts.append(text(left, base, box.kind, sizes.TITLE, colour("muted"), italic=True))
        left += set_width(box.kind, sizes.TITLE) + 6.0
    if box.note:
        parts.append(text(left, base - 0.5, box.note, sizes.SMALL, colour("muted")))
    if box.count > 1:
        count = f"×{box.count:,}"
        parts.append(text(right, base, count, sizes.TITLE, colour("ink"), anchor="end", bold=True))
        right -= set_width(count, sizes.TITLE) + 8.0
    parts.append(_op(view, right, base) if box.op else "")
    return "".join(parts)


def _op(view: BoxView, right: float, base: float) -> str:
    box, rect, colour = view.box, view.rect, view.colour
    if box.table:
        return text(right, base, shown(box.op, 60), sizes.CELL, colour("muted"), anchor="end", italic=True)
    alone = not (box.title or box.note or box.number)
    op, middle = shown(box.op), rect.x + rect.width / 2
    if alone and (view.bare or not view.captions):
        return text(middle, base, op, sizes.TITLE + 0.5, view.ink, anchor="middle", bold=True)
    if view.bare or not view.captions:
        return text(right, base, op, sizes.TITLE, colour("muted"), anchor="end", bold=True)
    width = sizes.badge_width(box)
    left = middle - width / 2 if alone else right - width + 4.0
    badge = element("rect", x=left, y=base - 13.5, width=width, height=18, rx=9, fill=colour("card"))
    return badge + text(left + width / 2, base, op, sizes.TITLE, view.ink, anchor="middle", bold=True)


def _strips(view: BoxView) -> list[str]:
    y = view.rect.y + view.parts.strips + 2.0 + view.spare
    found = []
    for strip in view.box.strips:
        width, height = strip_size(strip)
        x = view.rect.x + (view.rect.width - width) / 2 if strip.image else view.rect.x + PAD
        found.append(strip_markup(strip, x, y, view.colour))
        y += height
    return found
