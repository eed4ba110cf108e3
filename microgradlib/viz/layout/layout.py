"""Layered layout: the places of the boxes, frames and lines of a diagram, to the right or down, in one row or several.

Everything is computed *along* the arrows and *across* them, so that one set of passes serves both directions: columns,
their order, ports, places across, places along, lines. The result is turned into x and y at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from microgradlib.viz.boxes.diagram import Box, Diagram, Frame
from microgradlib.viz.layout.along import place_along
from microgradlib.viz.layout.checks import check
from microgradlib.viz.layout.corners import place_in_corners
from microgradlib.viz.layout.crossings import crossings
from microgradlib.viz.layout.equals import order_alike
from microgradlib.viz.layout.flow import flow_of
from microgradlib.viz.layout.grid import Grid, make_grid
from microgradlib.viz.layout.ordering import order_columns
from microgradlib.viz.layout.placement import Direction, Layout, Size, Spacing
from microgradlib.viz.layout.ports import assign_ports
from microgradlib.viz.layout.sides import foreign_crossings
from microgradlib.viz.layout.spacing import Across, place_across
from microgradlib.viz.layout.straightening import straighten
from microgradlib.viz.layout.titles import points_of
from microgradlib.viz.layout.turning import Places
from microgradlib.viz.layout.wrapping import one_row, wrap
from microgradlib.viz.typography import mono_width, sans_width

_TEXT_SIZE: Final = 10.5
_TITLE_SIZE: Final = 12.0


def layout(
    diagram: Diagram,
    sizes: Mapping[str, Size],
    *,
    direction: Direction,
    width: float | Callable[[float, float], float | None] | None = None,
    spacing: Spacing | None = None,
    text_width: Callable[[str], float] | None = None,
    title_sizes: Mapping[str, tuple[float, float]] | None = None,
) -> Layout:
    """Lay out a diagram.

    Args:
        diagram: what to draw.
        sizes: of each box by id; bars (of kind "bus") need none. Boxes of one `alike` are made equally large.
        direction: of the arrows, "right" or "down".
        width: wrap a drawing to the right that is wider than this into rows; None: do not wrap; or a function that
            says which, given the width and height of one row.
        spacing: all distances.
        text_width: returns the width of an arrow's text; without it, estimated for a fixed pitch of 10.5 px.
        title_sizes: the widths of title and formula of frames by id; without it, estimated at 12 px.

    Raises:
        ValueError: the arrows form a cycle, an id is unknown or given twice, a frame comes before the frame around it,
            a box has no size, or the direction is neither of the two.

    >>> from microgradlib.viz.boxes.diagram import Arrow, Box
    >>> pair = Diagram((Box("n0", "input"), Box("n1", "output")), (Arrow("n0", "n1", "2"),))
    >>> plan = layout(pair, {"n0": Size(80, 40), "n1": Size(80, 40)}, direction="right")
    >>> plan.boxes["n0"], plan.boxes["n1"].x > 100, plan.crossings
    (Rect(x=0.0, y=0.0, width=80, height=40), True, 0)
    """
    spacing = spacing or Spacing()
    check(diagram, sizes, direction)
    known = title_sizes or {}
    joined, alone = _without_lone_boxes(diagram)
    flow = flow_of(
        joined,
        sizes,
        direction,
        spacing,
        text_width=text_width or (lambda text: mono_width(text, _TEXT_SIZE)),
        title_size=lambda frame: known[frame.id] if frame.id in known else _title_size(frame),
    )
    grid = make_grid(flow.breadths, flow.ranks, flow.frames_of, flow.parents, flow.lines)
    order_columns(grid, flow.kin)
    order_alike(grid)
    assign_ports(grid, flow.pitches, spacing.tight)
    across = place_across(grid, spacing, flow.edges)
    straighten(grid, across, spacing, flow.edges, flow.pitches)
    along = place_along(grid, across, spacing, lengths=flow.lengths, texts=flow.longest_texts(), ends=flow.ends)
    rows = one_row(along, across)
    most = width(rows.length, rows.breadth) if callable(width) else width
    if direction == "right" and most is not None and along.length > most:
        rows = wrap(grid, along, across, spacing, length=most, lengths=flow.lengths)
    places = Places(joined, flow, grid, across, along, rows, spacing, direction)
    routes, boxes = places.routes(), places.boxes()
    frames = places.frames(routes)
    whole = places.rect(0.0, 0.0, rows.length, rows.breadth)
    plan = Layout(
        boxes=boxes,
        frames=frames,
        routes=routes,
        width=whole.width,
        height=whole.height,
        direction=direction,
        crossings=crossings(grid),
        foreign=_foreign(grid, across),
        rows=len(rows.along),
        returns=len(rows.turns),
    )
    return _with_lone_boxes(plan, diagram, alone, sizes, spacing) if alone else plan


def _without_lone_boxes(diagram: Diagram) -> tuple[Diagram, tuple[Box, ...]]:
    """Return the diagram without the boxes that neither an arrow nor a frame joins to others, and these boxes."""
    ends = {end for arrow in diagram.arrows for end in (arrow.tail, arrow.head)}
    alone = tuple(box for box in diagram.boxes if box.id not in ends and not box.frame)
    lone = {box.id for box in alone}
    return replace(diagram, boxes=tuple(box for box in diagram.boxes if box.id not in lone)), alone


def _with_lone_boxes(
    plan: Layout, diagram: Diagram, alone: Sequence[Box], sizes: Mapping[str, Size], spacing: Spacing
) -> Layout:
    """Return the layout with the boxes that nothing joins to others in its corners, or below it."""
    bar = Size(spacing.bus, spacing.bus)
    corners, (width, height) = place_in_corners(
        [(size.width, size.height) for size in (sizes.get(box.id, bar) for box in alone)],
        [*plan.boxes.values(), *(frame.rect for frame in plan.frames.values())],
        [points_of(route.start, route.steps) for route in plan.routes],
        (plan.width, plan.height),
        spacing.gap,
    )
    placed = {**plan.boxes, **dict(zip([box.id for box in alone], corners, strict=True))}
    return replace(plan, boxes={box.id: placed[box.id] for box in diagram.boxes}, width=width, height=height)


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
