"""The markup of one box: its outline by kind, its title line, rows, table and strips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.words import row_words, tooltip_of
from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.math_text import width as set_width
from microgradlib.viz.painting import measure as sizes
from microgradlib.viz.painting.glyphs import text, triangle
from microgradlib.viz.painting.measure import PAD, contents, shown
from microgradlib.viz.painting.squares import strip_markup, strip_size
from microgradlib.viz.painting.tables import table_markup, value_text

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Box, Row
    from microgradlib.viz.layout.placement import Rect
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.painting.measure import Contents

_LOOKS: Final = {"card": "op", "closed": "op", "table": "op", "elided": "constant"}
"""The kinds whose colours are those of another kind."""
_RADII: Final = {"constant": 4.0, "target": 2.0}
_ROUND: Final = 16.0
_RADIUS: Final = 7.0


def look(kind: str) -> str:
    """Return the kind whose colours a box has: `card` looks as `op` does.

    >>> look("closed"), look("input")
    ('op', 'input')
    """
    return _LOOKS.get(kind, kind)


@dataclass(frozen=True)
class BoxView:
    """A box and how it is to be shown.

    Args:
        box: what is in it.
        rect: its place.
        colour: from a role to its colour.
        captions: see `Diagram.captions`.
        opened: of a box that opens and closes by click, whether it is open; None for any other.
        marked: indices of nodes whose rows, or whose boxes, have a thick outline.

    """

    box: Box
    rect: Rect
    colour: Colour
    captions: bool = False
    opened: bool | None = None
    marked: tuple[int, ...] = ()

    @property
    def parts(self) -> Contents:
        """The measures of its parts."""
        return contents(self.box, captions=self.captions)

    @property
    def spare(self) -> float:
        """How far its contents are moved down, to stand in the middle of a box that is higher than they need.

        Contents with rows that lines meet stay at the top.
        """
        several = (len(self.box.rows) > 1 or self.box.table) and not self.captions
        return 0.0 if several or self.bare else max(0.0, self.rect.height - self.parts.height) / 2

    @property
    def bare(self) -> bool:
        """Whether it has a title line and nothing else."""
        return not (self.box.rows or self.box.table or self.box.strips)

    @property
    def ink(self) -> str:
        """The colour of its title."""
        return self.colour(f"{look(self.box.kind)}_text")

    @property
    def sides(self) -> dict[str, float]:
        """Its rectangle as attributes."""
        return self.rect._asdict()


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
        *(_row(view, place) for place in range(len(box.rows))),
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
        parts.append(_number(box.number, left, base, colour))
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


def _number(number: str, x: float, base: float, colour: Colour) -> str:
    """Return a topological number, small and before what it counts."""
    return text(x, base - 0.5, number + ".", sizes.SMALL, colour("muted"), bold=True)


def _row(view: BoxView, place: int) -> str:
    box, rect, colour, row = view.box, view.rect, view.colour, view.box.rows[place]
    top = rect.y + view.parts.rows + sizes.ROW * place + view.spare
    base, left = top + 12.5, rect.x + PAD
    parameter = row.kind == "parameter" and box.kind != "parameter"
    parts = [_row_ground(view, row, top, parameter=parameter)]
    if row.number:
        parts.append(_number(row.number, left, base, colour))
        left += sizes.number_width(row.number)
    if row.kind == "code":
        parts.append(text(left, base, shown(row.name, 60), sizes.NAME, colour("ink"), mono=True, as_is=True))
    elif row.kind in ("note", "formula"):
        role = colour("muted") if row.kind == "note" else view.ink
        parts.append(text(left, base, shown(row.name, 60), sizes.NAME, role, italic=row.kind == "formula"))
    else:
        name = colour("parameter_text") if parameter else view.ink
        size, role = (sizes.SMALL + 0.5, colour("muted")) if view.captions else (sizes.NAME, name)
        parts.append(text(left, base, shown(row.name), size, role))
        parts.append(_numbers(view, row, base))
    markup = "".join(parts)
    return element("g", tooltip(f"{row.tooltip}: {row_words(row)}") + markup) if row.tooltip else markup


def _row_ground(view: BoxView, row: Row, top: float, *, parameter: bool) -> str:
    marked = row.node is not None and row.node in view.marked and len(view.box.nodes) > 1
    if not (parameter or marked):
        return ""
    ground: dict[str, str | float] = {"fill": view.colour("parameter") if parameter else "none"}
    if marked:
        ground |= {"stroke": view.colour("ink"), "stroke_width": 1.8}
    return element("rect", x=view.rect.x + 3, y=top + 0.5, width=view.rect.width - 6, height=16, rx=3, **ground)


def _numbers(view: BoxView, row: Row, base: float) -> str:
    right = view.rect.x + view.rect.width - PAD
    markup = _gradient(row, right, base, view.colour) if row.gradient else ""
    if row.value:
        if not view.captions and view.parts.gradients:
            right -= view.parts.gradients + sizes.GAP
        markup += value_text(row, right, base, sizes.MONO, view.colour)
    return markup


def _gradient(row: Row, right: float, base: float, colour: Colour) -> str:
    number = text(right, base, row.gradient, sizes.MONO, colour("grad"), anchor="end", mono=True)
    if not row.share:
        return number
    left = right - sizes.gradient_width(row)
    return number + text(left, base, sizes.SHARE, sizes.SMALL, colour("grad"), italic=True)


def _strips(view: BoxView) -> list[str]:
    y = view.rect.y + view.parts.strips + 2.0 + view.spare
    found = []
    for strip in view.box.strips:
        width, height = strip_size(strip)
        x = view.rect.x + (view.rect.width - width) / 2 if strip.image else view.rect.x + PAD
        found.append(strip_markup(strip, x, y, view.colour))
        y += height
    return found
