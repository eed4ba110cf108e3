"""The markup of a layer as a table: a column for each weight, a row for each neuron, values over gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.viz.markup import coordinate, element, tooltip
from microgradlib.viz.painting import measure as sizes
from microgradlib.viz.painting.glyphs import text
from microgradlib.viz.painting.measure import shown

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Row, Table
    from microgradlib.viz.layout.placement import Rect
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.painting.measure import Contents


def table_markup(table: Table, rect: Rect, part: Contents, colour: Colour, *, marked: tuple[int, ...] = ()) -> str:
    """Return the markup of a table inside a box.

    Args:
        table: its texts.
        rect: the place of the box.
        part: its measures.
        colour: from a role to its colour.
        marked: the indices of nodes whose cells have a thick outline.

    """
    left, top = rect.x + part.names, rect.y + part.header
    height = sizes.TABLE_HEADER + sizes.TABLE_ROW * len(table.rows)
    ground = element(
        "rect",
        x=left,
        y=top,
        width=part.cell * table.parameters + 1.0,
        height=height,
        rx=4,
        fill=colour("parameter"),
    )
    parts = [ground if table.parameters else ""]
    for j, column in enumerate(table.columns):
        role = colour("parameter_text" if j < table.parameters else "op_text")
        parts.append(text(_right(left, part, j), top + 12.5, shown(column), sizes.CELL, role, anchor="end", bold=True))
    for i, (name, cells) in enumerate(table.rows):
        y = top + sizes.TABLE_HEADER + sizes.TABLE_ROW * i
        line = f"M{coordinate(rect.x + 6)} {coordinate(y + 0.5)}H{coordinate(rect.x + rect.width - 6)}"
        parts.append(element("path", d=line, stroke=colour("rule"), fill="none"))
        parts.append(text(rect.x + sizes.PAD, y + 18, shown(name), sizes.CELL, colour("muted"), bold=True))
        for j, row in enumerate(cells):
            parts.append(_cell(row, _right(left, part, j), y, colour))
            if row.node is not None and row.node in marked:
                parts.append(_outline(left + part.cell * j, y, part.cell, colour))
    return "".join(parts)


def _right(left: float, part: Contents, column: int) -> float:
    return left + part.cell * (column + 1) - 5.0


def _outline(x: float, y: float, width: float, colour: Colour) -> str:
    shape = {"x": x + 1.0, "y": y + 1.5, "width": width - 1.0, "height": sizes.TABLE_ROW - 2.0, "rx": 3.0}
    return element("rect", **shape, fill="none", stroke=colour("ink"), stroke_width=1.8)


def value_text(row: Row, right: float, base: float, size: float, colour: Colour) -> str:
    """Return the value of a row, right-aligned; a stale one in another colour and with a mark.

    >>> from microgradlib.viz.boxes.diagram import Row
    >>> value_text(Row(value="2", stale=True), 10, 0, 12, str).rpartition(">2*<")[1]
    '>2*<'
    """
    value, role = (row.value + sizes.STALE, "stale") if row.stale else (row.value, "ink")
    return text(right, base, value, size, colour(role), anchor="end", mono=True, italic=row.stale)


def _cell(row: Row, right: float, y: float, colour: Colour) -> str:
    markup = value_text(row, right, y + 13, sizes.CELL, colour)
    markup += text(right, y + 25.5, row.gradient, sizes.CELL, colour("grad"), anchor="end", mono=True, italic=row.share)
    return element("g", tooltip(row.tooltip) + markup) if row.tooltip else markup
