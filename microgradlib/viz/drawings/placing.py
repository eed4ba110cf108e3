"""Places for a diagram in a notebook's cell: the layout, with the sizes that painting gives the parts of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.layout.layout import layout
from microgradlib.viz.painting.measure import arrow_text_width, measure, title_sizes

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Diagram
    from microgradlib.viz.layout.placement import Direction, Layout, Spacing

CELL: Final = 960.0
"""The width of a notebook's cell, in pixels."""
_WRAP: Final = 1.3
"""A drawing to the right may be wrapped into rows if it is wider than this many cells."""


def place(diagram: Diagram, direction: Direction, *, wrap: bool = False, spacing: Spacing | None = None) -> Layout:
    """Lay out a diagram.

    Args:
        diagram: what to draw.
        direction: of its arrows.
        wrap: whether a drawing to the right that is much wider than a cell is wrapped into rows.
        spacing: all distances; None: the usual ones.

    """
    return layout(
        diagram,
        measure(diagram, direction),
        direction=direction,
        width=_WRAP * CELL if wrap and direction == "right" else None,
        spacing=spacing,
        text_width=arrow_text_width,
        title_sizes=title_sizes(diagram),
    )
