"""Where the cards, frames and arrows of the stepper stand: the layout of drawings, with distances of its own."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
from microgradlib.viz.layout.layout import layout
from microgradlib.viz.layout.placement import Size, Spacing
from microgradlib.viz.stepper.sentences import fill
from microgradlib.viz.stepper.tapes.cards import FLAT, ROW, card_size, edge_text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.layout.placement import Layout, Rect, Route
    from microgradlib.viz.snapshots.snapshot import Scope
    from microgradlib.viz.stepper.tapes.cards import Cards
    from microgradlib.viz.stepper.tapes.contracted import StepGraph
    from microgradlib.viz.stepper.tapes.names import Name

__all__ = ["Line", "Places", "place"]

TALL_SPACING: Final = Spacing(gap=34.0, port=32.0, head=8.0, bend=34.0, text_height=20.0)
FLAT_SPACING: Final = Spacing(gap=18.0, port=20.0, head=8.0, text_height=16.0, bar=20.0)
"""Distances between tall cards, whose arrows carry formulas, and between flat ones."""

MARGIN: Final = 16.0
_INSET: Final = 5.0
_LONG: Final = 3.2
"""A drawing more than so many times as wide as high is wrapped into rows, if it is wider than `_WIDE`."""
_WIDE: Final = 2200.0
_ROWS_SHAPE: Final = 2.2
"""How many times as wide as high a drawing in rows is to be."""
_SIDE: Final = 150.0
_TIGHTEST: Final = 1.5
"""The lines into one card share so much of its side, but no two of them are closer."""
_AROUND: Final = 60.0
"""Room around a card for its lines."""

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """The line of an edge: an SVG path up to the arrowhead, the right end of its text, and whether that is shown."""

    path: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    shown: bool = False


@dataclass(frozen=True)
class Places:
    """The rectangles of nodes (None for hidden ones) and of frames, the lines of edges, and the size of the drawing."""

    boxes: tuple[Rectangle | None, ...]
    lines: tuple[Line, ...]
    frames: Mapping[Scope, Rectangle]
    size: tuple[float, float]
    direction: str


def place(graph: StepGraph, cards: Cards, names: Sequence[Name], signs: Sequence[str], texts: Sequence[str]) -> Places:
    """Lay out a graph.

    Args:
        graph: its nodes and edges.
        cards: which leaves are rows of which card.
        names: of all nodes of the snapshot.
        signs: what the cards show of the ops, by place.
        texts: the formulas of the local derivatives, by edge.

    """
    standing = [i for i in range(len(graph.nodes)) if cards.stands(i)]
    edges = [(tail, head) for head, node in enumerate(graph.nodes) for tail in node.parents]
    drawn = [edge for edge, (tail, _) in enumerate(edges) if cards.stands(tail)]
    frames = _frames(graph, standing)
    boxes = tuple([Box(f"n{i}", "op", frame=_frame_of(graph, i, frames)) for i in standing])
    full = [names[node.of].full for node in graph.nodes]
    arrows = tuple([_arrow(graph, full, *edges[e], texts[e]) for e in drawn])
    diagram = Diagram(boxes, arrows, tuple(frames.values()))
    sizes = {f"n{i}": Size(*card_size(graph, i, cards, names[graph.nodes[i].of], signs[i])) for i in standing}
    plan = _planned(diagram, sizes, cards.shape)
    lines = [Line()] * len(edges)
    for edge, route in zip(drawn, plan.routes):
        lines[edge] = _line(route, FLAT_SPACING.head)
    return Places(
        _boxes(graph, cards, plan),
        tuple(lines),
        {scope: _shifted(plan.frames[frame.id].rect) for scope, frame in frames.items()},
        (round(plan.width + 2 * MARGIN, 1), round(plan.height + 2 * MARGIN, 1)),
        plan.direction,
    )


def _arrow(graph: StepGraph, names: Sequence[str], tail: int, head: int, template: str) -> Arrow:
    """Return an arrow with its formula as the page writes it, so that names have the room that they need."""
    inputs = [names[parent] for parent in graph.nodes[head].parents]
    return Arrow(f"n{tail}", f"n{head}", text=fill(template, inputs, names[head]) or " ")


def _planned(diagram: Diagram, sizes: Mapping[str, Size], shape: str) -> Layout:
    spacing = TALL_SPACING if shape == "tall" else FLAT_SPACING
    most = max(Counter(arrow.head for arrow in diagram.arrows).values(), default=0)
    spacing = replace(spacing, tight=min(spacing.tight, max(_TIGHTEST, _SIDE / max(most, 1))))

    def text_width(text: str) -> float:
        return edge_text_width(text, shape)

    def length_of_rows(width: float, height: float) -> float | None:
        if width <= _WIDE or width <= _LONG * height:
            return None
        area: float = sum((size.width + _AROUND) * (size.height + _AROUND) for size in sizes.values())
        return max(1400.0, math.sqrt(_ROWS_SHAPE * area))

    return layout(diagram, sizes, direction="right", width=length_of_rows, spacing=spacing, text_width=text_width)


def _frames(graph: StepGraph, standing: Sequence[int]) -> dict[Scope, Frame]:
    """Return the frames of the open scopes, outer ones first. One module around all else says nothing and has none."""
    groups = graph.groups
    held = Counter([scope for i in standing for scope in _open_path(graph, i)])
    modules = sum(scope.kind == "module" for scope in held)
    frames: dict[Scope, Frame] = {}
    for scope in [scope for scope in groups.order if scope in held]:
        if scope.kind == "module" and modules == 1:
            continue
        outer = scope.parent
        while outer is not None and outer not in frames:
            outer = outer.parent
        if outer is None or held[outer] != held[scope]:  # else two frames would hold the same
            frames[scope] = Frame(groups.keys[scope], scope.name, parent="" if outer is None else frames[outer].id)
    return frames


def _open_path(graph: StepGraph, i: int) -> tuple[Scope, ...]:
    """Return the open scopes around a node, outermost first."""
    node = graph.nodes[i]
    path = graph.groups.paths[node.of]
    return path[: path.index(node.scope)] if node.scope is not None else path


def _frame_of(graph: StepGraph, i: int, frames: Mapping[Scope, Frame]) -> str:
    return next((frames[scope].id for scope in reversed(_open_path(graph, i)) if scope in frames), "")


def _shifted(rect: Rect) -> Rectangle:
    return round(rect.x + MARGIN, 1), round(rect.y + MARGIN, 1), round(rect.width, 1), round(rect.height, 1)


def _boxes(graph: StepGraph, cards: Cards, plan: Layout) -> tuple[Rectangle | None, ...]:
    boxes: list[Rectangle | None] = [None] * len(graph.nodes)
    for name, rect in plan.boxes.items():
        boxes[int(name[1:])] = _shifted(rect)
    for card, leaves in cards.rows.items():
        x, y, width, _ = _shifted(plan.boxes[f"n{card}"])
        for row, leaf in enumerate(leaves):
            boxes[leaf] = (x + _INSET, round(y + FLAT + ROW * row, 1), width - 2 * _INSET, ROW)
    return tuple(boxes)


def _line(route: Route, head: float) -> Line:
    """Return the path of a route, shifted by the margin and without the length of the arrowhead."""
    end_x, end_y = route.end
    steps = [*route.steps[:-1], (end_x - head, end_y)]
    parts = [f"M{_point(route.start)}"]
    for step in steps:
        points = [_point(step[k : k + 2]) for k in range(0, len(step), 2)]
        parts.append(("L" if len(points) == 1 else "C") + " ".join(points))
    if route.text is None:
        return Line("".join(parts), (round(end_x + MARGIN - head - 3, 1), round(end_y + MARGIN, 1)))
    text = route.text
    at = (round(text.x + text.width + MARGIN, 1), round(text.y + text.height / 2 + MARGIN, 1))
    return Line("".join(parts), at, shown=True)


def _point(point: Sequence[float]) -> str:
    return f"{round(point[0] + MARGIN, 1):g} {round(point[1] + MARGIN, 1):g}"
