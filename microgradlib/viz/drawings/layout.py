"""Layered layout: the places of the boxes, frames and lines of a diagram, to the right or down, in one row or several.

Everything is computed *along* the arrows and *across* them, so that one set of passes serves both directions: columns,
their order, ports, places across, places along, lines (see `layered`). The result is turned into x and y at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from microgradlib.viz.drawings.diagram import Diagram, Frame
from microgradlib.viz.drawings.layered.along import place_along
from microgradlib.viz.drawings.layered.flow import flow_of
from microgradlib.viz.drawings.layered.grid import Grid, make_grid
from microgradlib.viz.drawings.layered.ordering import crossings, order_columns
from microgradlib.viz.drawings.layered.ports import assign_ports
from microgradlib.viz.drawings.layered.sides import foreign_crossings
from microgradlib.viz.drawings.layered.spacing import Across, place_across
from microgradlib.viz.drawings.layered.straightening import straighten
from microgradlib.viz.drawings.layered.turning import Places
from microgradlib.viz.drawings.layered.wrapping import one_row, wrap
from microgradlib.viz.drawings.placement import Direction, Layout, Size, Spacing
from microgradlib.viz.typography import mono_width, sans_width

_TEXT_SIZE: Final = 10.5
_TITLE_SIZE: Final = 12.0


def layout(
    diagram: Diagram,
    sizes: Mapping[str, Size],
    *,
    direction: Direction,
    width: float | None = None,
    spacing: Spacing | None = None,
    text_width: Callable[[str], float] | None = None,
    title_sizes: Mapping[str, tuple[float, float]] | None = None,
) -> Layout:
    """Lay out a diagram.

    Args:
        diagram: what to draw.
        sizes: of each box by id; bars (of kind "bus") need none. Boxes of one `alike` are made equally large.
        direction: of the arrows, "right" or "down".
        width: wrap a drawing to the right that is wider than this into rows; None: do not wrap.
        spacing: all distances.
        text_width: returns the width of an arrow's text; without it, estimated for a fixed pitch of 10.5 px.
        title_sizes: the widths of title and formula of frames by id; without it, estimated at 12 px.

    Raises:
        ValueError: the arrows form a cycle, an id is unknown or given twice, a frame comes before the frame around it,
            a box has no size, or the direction is neither of the two.

    >>> from microgradlib.viz.drawings.diagram import Arrow, Box
    >>> pair = Diagram((Box("n0", "input"), Box("n1", "output")), (Arrow("n0", "n1", "2"),))
    >>> plan = layout(pair, {"n0": Size(80, 40), "n1": Size(80, 40)}, direction="right")
    >>> plan.boxes["n0"], plan.boxes["n1"].x > 100, plan.crossings
    (Rect(x=0.0, y=0.0, width=80, height=40), True, 0)
    """
    spacing = spacing or Spacing()
    _check(diagram, sizes, direction)
    known = title_sizes or {}
    flow = flow_of(
        diagram,
        sizes,
        direction,
        spacing,
        text_width=text_width or (lambda text: mono_width(text, _TEXT_SIZE)),
        title_size=lambda frame: known[frame.id] if frame.id in known else _title_size(frame),
    )
    grid = make_grid(flow.breadths, flow.ranks, flow.frames_of, flow.parents, flow.lines)
    order_columns(grid, flow.kin)
    assign_ports(grid, flow.pitches, spacing.tight)
    across = place_across(grid, spacing, flow.edges)
    straighten(grid, across, spacing, flow.edges)
    texts = [0.0] * len(flow.lengths)
    for line, (length, _) in zip(flow.lines, flow.texts, strict=True):
        texts[line.head] = max(texts[line.head], length)
    along = place_along(grid, across, spacing, lengths=flow.lengths, texts=texts, ends=flow.ends)
    rows = one_row(along, across)
    if direction == "right" and width is not None and along.length > width:
        rows = wrap(grid, along, across, spacing, width)
    places = Places(diagram, flow, grid, across, along, rows, spacing, direction)
    routes = places.routes()
    whole = places.rect(0.0, 0.0, rows.length, rows.breadth)
    return Layout(
        boxes=places.boxes(),
        frames=places.frames(routes),
        routes=routes,
        width=whole.width,
        height=whole.height,
        direction=direction,
        crossings=crossings(grid),
        foreign=_foreign(grid, across),
        rows=len(rows.along),
        returns=len(rows.turns),
    )


def _title_size(frame: Frame) -> tuple[float, float]:
    return sans_width(frame.title, _TITLE_SIZE), sans_width(frame.formula, _TITLE_SIZE)


def _foreign(grid: Grid, across: Across) -> int:
    """Count the lines between two columns that change from one side of a frame to the other while it lasts."""
    count = 0
    for number, frame in foreign_crossings(grid):
        link = grid.links[number]
        above = across.middles[link.tail] + link.leaves < across.begins[frame]
        count += above != (across.middles[link.head] + link.enters < across.begins[frame])
    return count


def _check(diagram: Diagram, sizes: Mapping[str, Size], direction: str) -> None:
    if direction not in {"right", "down"}:
        message = f"direction is {direction!r}; give 'right' or 'down'"
        raise ValueError(message)
    frames: set[str] = set()
    for frame in diagram.frames:
        if frame.id in frames:
            message = f"two frames share the id {frame.id!r}; give every frame its own id"
            raise ValueError(message)
        if frame.parent and frame.parent not in frames:
            message = f"frame {frame.id!r} lies in {frame.parent!r}, which is not before it; put outer frames first"
            raise ValueError(message)
        frames.add(frame.id)
    boxes: set[str] = set()
    for box in diagram.boxes:
        if box.id in boxes:
            message = f"two boxes share the id {box.id!r}; give every box its own id"
            raise ValueError(message)
        if box.frame and box.frame not in frames:
            message = f"box {box.id!r} lies in the frame {box.frame!r}, which is not among the frames; add it"
            raise ValueError(message)
        if box.kind != "bus" and box.id not in sizes:
            message = f"box {box.id!r} has no size; give the size of every box that is not a bar"
            raise ValueError(message)
        boxes.add(box.id)
    for arrow in diagram.arrows:
        for end in (arrow.tail, arrow.head):
            if end not in boxes:
                message = f"an arrow joins {arrow.tail!r} and {arrow.head!r}, but there is no box {end!r}; add it"
                raise ValueError(message)
