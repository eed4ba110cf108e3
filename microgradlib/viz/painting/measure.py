"""Measure boxes before they have places: their least sizes, and where lines meet their rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from microgradlib._support.printable import one_line, shorten
from microgradlib.viz import math_text
from microgradlib.viz.layout.placement import Size
from microgradlib.viz.painting.squares import strip_size
from microgradlib.viz.typography import mono_width, sans_width

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Box, Diagram, Frame, Row, Table
    from microgradlib.viz.layout.placement import Direction

PAD: Final = 9.0
TITLE: Final = 12.5
NAME: Final = 11.5
MONO: Final = 12.0
SMALL: Final = 10.5
ARROW_TEXT: Final = 10.5
CELL: Final = 11.0
HEADER: Final = 25.0
CAPTIONED_HEADER: Final = 28.0
ROW: Final = 17.0
TABLE_HEADER: Final = 17.0
TABLE_ROW: Final = 29.0
GAP: Final = 12.0
"""Between a name, a value and a gradient on one line."""
BUTTON: Final = 5.0
"""By so much the title of a box that opens by click is shifted, for the triangle before it."""
SHARE: Final = "share"
STALE: Final = "*"
"""Behind a value that was computed from numbers that have been changed since."""

LONGEST_ON_LINE: Final = 48
_LONGEST_TITLE: Final = 28
_LONGEST_NAME: Final = 60
_LEAST_WIDTH: Final = 44.0
_LEAST_WIDTH_WITH_ROWS: Final = 64.0
_LEAST_CAPTIONED_WIDTH: Final = 88.0


def shown(label: str, limit: int = _LONGEST_TITLE) -> str:
    """Return a label as boxes show it: on one line, and shortened in the middle if it is longer than `limit`.

    >>> shown("layers.0.neurons.3.a_very_long_name.w.12")
    'layers.0.neuro…ong_name.w.12'
    """
    text = one_line(label)
    return text if sum(len(piece.text) for piece in math_text.pieces(text)) <= limit else shorten(text, limit)


@dataclass(frozen=True)
class Contents:
    """The parts of a box: their heights from its top, and the widths of its columns, in pixels.

    Args:
        width, height: of the whole box.
        header: the height of its title line; 0 without one.
        rows: where its rows begin.
        strips: where its strips begin.
        values, gradients: the widths of the columns of its rows, 0 for a column that it does not have.
        names: of its table, the width of the column of names.
        cell: of its table, the width of each other column.

    """

    width: float
    height: float
    header: float = 0.0
    rows: float = 0.0
    strips: float = 0.0
    values: float = 0.0
    gradients: float = 0.0
    names: float = 0.0
    cell: float = 0.0


@lru_cache(maxsize=1024)
def contents(box: Box, *, captions: bool = False) -> Contents:
    """Measure the parts of a box.

    >>> from microgradlib.viz.boxes.diagram import Box, Row
    >>> contents(Box("n0", "op", op="tanh", rows=(Row(value="0.5", gradient="1"),))).height
    47.0
    """
    header = _header_height(box, captions=captions)
    names, cell, table_width, table_height = _table_size(box.table) if box.table else (0.0, 0.0, 0.0, 0.0)
    values = max((_value_width(row) for row in box.rows), default=0.0)
    gradients = max((gradient_width(row) for row in box.rows), default=0.0)
    strips = [strip_size(strip) for strip in box.strips]
    rows = header + table_height
    strips_top = rows + ROW * len(box.rows)
    bottom = strips_top + sum(height for _, height in strips)
    bare = not (box.rows or box.table or box.strips)
    least = _LEAST_WIDTH if bare else _LEAST_CAPTIONED_WIDTH if captions else _LEAST_WIDTH_WITH_ROWS
    lines = [_row_width(row, values, gradients, captions=captions) for row in box.rows]
    widest = max([least, _heading_width(box), table_width, *(width + 2 * PAD for width in lines)])
    width = max([widest, *(width + 2 * PAD for width, _ in strips)])
    height = bottom + (0.0 if bare else 5.0)
    return Contents(width, height, header, rows, strips_top, values, gradients, names, cell)


def measure(diagram: Diagram, direction: Direction) -> dict[str, Size]:
    """Return the least size of each box by its id; boxes of one `alike` are equally wide.

    Args:
        diagram: the boxes.
        direction: to the right, lines meet rows; down, they meet the columns of tables.

    >>> from microgradlib.viz.boxes.diagram import Box, Diagram, Row
    >>> rows = (Row("w", "2", "1", "parameter"), Row("b", "0", "1", "parameter"))
    >>> measure(Diagram((Box("n0", "card", "neuron", rows=rows),), ()), "right")["n0"].ports
    (33.5, 50.5)
    """
    measured = {box.id: contents(box, captions=diagram.captions) for box in diagram.boxes}
    widths: dict[str, float] = {}
    for box in diagram.boxes:
        if box.alike:
            widths[box.alike] = max(widths.get(box.alike, 0.0), measured[box.id].width)
    sizes = {}
    for box in diagram.boxes:
        part = measured[box.id]
        ports, exits = _ports(box, part, direction)
        sizes[box.id] = Size(widths.get(box.alike, part.width), part.height, ports, exits)
    return sizes


def title_sizes(diagram: Diagram) -> dict[str, tuple[float, float]]:
    """Return the widths of the title and of the formula of each frame, by its id."""
    return {
        frame.id: (
            math_text.width(frame_title(frame), NAME + 0.5) + 4.0 + BUTTON * bool(frame.group),
            math_text.width(shown(frame.formula, _LONGEST_NAME), CELL) + 4.0 if frame.formula else 0.0,
        )
        for frame in diagram.frames
    }


def frame_title(frame: Frame) -> str:
    """Return the title of a frame, with the number of equal ones that it stands for.

    >>> from microgradlib.viz.boxes.diagram import Frame
    >>> frame_title(Frame("f0", "example 1", count=100))
    'example 1 of 100, all alike'
    """
    title = shown(frame.title, _LONGEST_NAME)
    return f"{title} of {frame.count:,}, all alike" if frame.count > 1 else title


def arrow_text_width(text: str) -> float:
    """Return the width of the text on a line, which is shortened if it is very long."""
    return mono_width(shown(text, LONGEST_ON_LINE), ARROW_TEXT) + 4.0 if text else 0.0


def badge_width(box: Box) -> float:
    """Return the width of the operation in the header of a captioned box, on a ground of its own."""
    return max(22.0, math_text.width(shown(box.op), TITLE) + 12.0) if box.op else 0.0


def number_width(number: str) -> float:
    """Return the width of a topological number, with the space behind it."""
    return sans_width(number, SMALL) + 9.0 if number else 0.0


def gradient_width(row: Row) -> float:
    """Return the width of the gradient of a row, with the word that says that it is a share."""
    if not row.gradient:
        return 0.0
    return mono_width(row.gradient, MONO) + (sans_width(SHARE, SMALL) + 5.0 if row.share else 0.0)


def _value_width(row: Row) -> float:
    return mono_width(row.value + STALE * row.stale, MONO) if row.value else 0.0


def _header_height(box: Box, *, captions: bool) -> float:
    if not (box.title or box.op or box.note or captions):
        return 5.0
    return CAPTIONED_HEADER if captions else HEADER


def _heading_width(box: Box) -> float:
    title = math_text.width(shown(box.title or box.kind), TITLE) if box.title or not box.op else 0.0
    title += sans_width(box.note, SMALL) + 8.0 if box.note else 0.0
    count = sans_width(f"×{box.count:,}", TITLE) + 8.0 if box.count > 1 else 0.0
    op = badge_width(box)
    formula = math_text.width(shown(box.op, _LONGEST_NAME), CELL) if box.table else 0.0
    title += BUTTON if box.group else 0.0
    between = 10.0 if title and (op or count or formula) else 0.0
    return number_width(box.number) + title + between + max(op, formula) + count + 2 * PAD


def _row_width(row: Row, values: float, gradients: float, *, captions: bool) -> float:
    name = number_width(row.number)
    if row.kind == "code":
        return name + mono_width(shown(row.name, _LONGEST_NAME), NAME)
    if row.kind in ("note", "formula"):
        return name + math_text.width(shown(row.name, _LONGEST_NAME), NAME)
    name += math_text.width(shown(row.name), SMALL if captions else NAME) + GAP if row.name else 0.0
    if captions:
        return name + max(values, gradients)
    return name + values + (GAP if values and gradients else 0.0) + gradients


def _table_size(table: Table) -> tuple[float, float, float, float]:
    """Return the widths of the column of names and of each other column, and the whole width and height."""
    texts = [text for _, cells in table.rows for row in cells for text in (row.value + STALE * row.stale, row.gradient)]
    numbers = max((mono_width(text, CELL) for text in texts), default=0.0)
    titles = max((math_text.width(shown(column), CELL) for column in table.columns), default=0.0)
    names = max((math_text.width(shown(name), CELL) for name, _ in table.rows), default=0.0) + 2 * PAD
    cell = max(numbers, titles) + 11.0
    return names, cell, names + cell * len(table.columns) + 8.0, TABLE_HEADER + TABLE_ROW * len(table.rows)


def _ports(box: Box, part: Contents, direction: Direction) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if box.table and direction == "down":
        return tuple(part.names + part.cell * (i + 0.5) for i in range(len(box.table.columns))), ()
    if box.table:
        first = part.header + TABLE_HEADER + TABLE_ROW / 2
        return (), tuple(first + TABLE_ROW * i for i in range(len(box.table.rows)))
    if direction == "right":
        return tuple(part.rows + ROW * (i + 0.5) for i in range(len(box.rows))), ()
    return (), ()
