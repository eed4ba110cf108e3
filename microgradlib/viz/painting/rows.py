"""The markup of the rows of a box: names, values and gradients, notes, formulas and lines of code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.viz.boxes.words import row_words
from microgradlib.viz.markup import element, tooltip
from microgradlib.viz.painting import measure as sizes
from microgradlib.viz.painting.glyphs import text
from microgradlib.viz.painting.measure import PAD, shown
from microgradlib.viz.painting.tables import value_text

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Row
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.painting.view import BoxView


def number_markup(number: str, x: float, base: float, colour: Colour) -> str:
    """Return a topological number, small and before what it counts."""
    return text(x, base - 0.5, number + ".", sizes.SMALL, colour("muted"), bold=True)


def row_markup(view: BoxView, place: int) -> str:
    """Return the markup of one row of a box: its name, value and gradient, or a note, a formula or a line of code."""
    box, rect, colour, row = view.box, view.rect, view.colour, view.box.rows[place]
    top = rect.y + view.parts.rows + sizes.ROW * place + view.spare
    base, left = top + 12.5, rect.x + PAD
    parameter = row.kind == "parameter" and box.kind != "parameter"
    parts = [_row_ground(view, row, top, parameter=parameter)]
    if row.number:
        parts.append(number_markup(row.number, left, base, colour))
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
