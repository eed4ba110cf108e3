"""Where the cards, frames and arrows of the stepper stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib.viz.diagram import Arrow, Box, Diagram
from microgradlib.viz.layout import HEAD, TIGHT_PORT, layout
from microgradlib.viz.stepper.cards import FLAT, ROW, card_size, edge_text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.snapshot import Scope
    from microgradlib.viz.stepper.cards import Cards
    from microgradlib.viz.stepper.contracted import StepGraph
    from microgradlib.viz.stepper.naming import Name


@dataclass(frozen=True)
class Line:
    """The line of an edge: an SVG path, the right end of its text, and whether that is shown."""

    path: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    shown: bool = True


@dataclass(frozen=True)
class Places:
    """The rectangles of nodes (None for hidden ones) and of frames, the lines of edges, and the size of the drawing."""

    boxes: tuple[tuple[float, float, float, float] | None, ...]
    lines: tuple[Line, ...]
    frames: dict[Scope, tuple[float, float, float, float]]
    size: tuple[float, float]
    direction: str = "right"


def place(graph: StepGraph, cards: Cards, names: Sequence[Name], signs: Sequence[str], texts: Sequence[str]) -> Places:
    standing = [i for i in range(len(graph.nodes)) if cards.stands(i)]
    edges = [(parent, head) for head, node in enumerate(graph.nodes) for parent in node.parents]
    drawn = [k for k, (tail, head) in enumerate(edges) if cards.stands(tail)]
    diagram = Diagram(
        tuple(Box(f"n{i}", "op" if graph.nodes[i].parents else "leaf", title="x") for i in standing),
        tuple(Arrow(f"n{edges[k][0]}", f"n{edges[k][1]}", texts[k] or "−0.0000") for k in drawn),
    )
    sizes = {}
    for i in standing:
        w, h = card_size(graph, i, cards, names[graph.nodes[i].of], signs[i])
        into = len(diagram.arrows_into(f"n{i}"))
        sizes[f"n{i}"] = (w, max(h, into * (17.0 if into <= 9 else TIGHT_PORT) + 4))
    plan = layout(diagram, sizes, lambda text: edge_text_width(text, cards.shape))
    boxes: list[tuple[float, float, float, float] | None] = [None] * len(graph.nodes)
    for i in standing:
        r = plan.rects[f"n{i}"]
        wide = sizes[f"n{i}"][0] if graph.snapshot_node(i).kind == "constant" else r.width
        boxes[i] = (round(r.x + r.width - wide, 1), round(r.y, 1), round(wide, 1), round(r.height, 1))
    for card, rows in cards.rows.items():
        x, y, w, _ = boxes[card] or (0, 0, 0, 0)
        for k, leaf in enumerate(rows):
            boxes[leaf] = (x + 5, round(y + FLAT + ROW * k, 1), w - 10, ROW)
    lines = [Line() for _ in edges]
    for k, route in zip(drawn, plan.routes):
        start, reached, height = route.runs[0]
        d = [f"M{start:.1f} {height:.1f}"]
        for start, end, across in route.runs[1:]:
            m = (reached + start) / 2
            stop = end - HEAD if end == route.runs[-1][1] else end
            d.append(f"C{m:.1f} {height:.1f} {m:.1f} {across:.1f} {start:.1f} {across:.1f}H{stop:.1f}")
            reached, height = end, across
        lines[k] = Line("".join(d), (round(reached - HEAD - 3, 1), round(height, 1)), bool(diagram.shown_text(route.arrow)))
    frames: dict[Scope, tuple[float, float, float, float]] = {}
    for scope in reversed(graph.groups.order):
        own = [boxes[i] for i in standing if scope in graph.groups.paths[graph.nodes[i].of] and graph.nodes[i].scope is not scope]
        own = [b for b in own if b]
        if own:
            left, top = min(b[0] for b in own) - 10, min(b[1] for b in own) - 18
            frames[scope] = (left, top, max(b[0] + b[2] for b in own) + 14 - left, max(b[1] + b[3] for b in own) + 6 - top)
    return Places(tuple(boxes), tuple(lines), frames, (round(plan.width, 1), round(plan.height, 1)))
