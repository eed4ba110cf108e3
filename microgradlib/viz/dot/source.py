"""Write a diagram in DOT, the language of Graphviz: as text, or as a `graphviz.Digraph` to edit."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.optional import import_optional
from microgradlib._support.printable import shorten
from microgradlib.viz.boxes.words import tooltip_of
from microgradlib.viz.dot.labels import (
    MAX_CHARACTERS,
    MAX_TOOLTIP,
    box_label,
    font,
    frame_label,
    quote,
    tooltip_literal,
)
from microgradlib.viz.routes.search import Highlight, arrow_styles
from microgradlib.viz.theme import colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
    from microgradlib.viz.layout.placement import Direction
    from microgradlib.viz.routes.text import CaptionLine

    Colours = Callable[[str], str]

_ROUTE_DASHES: Final = {"route0": "solid", "route1": "dashed", "route2": "dotted", "route3": "solid"}
_SAMPLES: Final = {"route0": "━━━", "route1": "━ ━", "route2": "┅┅┅", "route3": "━━━"}
"""The dashes of highlighted routes; Graphviz has three, so the fourth route differs by its colour."""


@dataclass(frozen=True)
class Look:
    """How a diagram is written.

    Args:
        direction: the direction of arrows, `"right"` or `"down"`.
        theme: `"light"` or `"dark"`.
        highlight: routes to show in colour, all else pale.
        caption: lines to write below.

    """

    direction: Direction = "right"
    theme: str = "light"
    highlight: Highlight | None = None
    caption: tuple[CaptionLine, ...] = ()


def to_dot(diagram: Diagram, look: Look | None = None) -> str:
    """Return the DOT text of a diagram. Graphviz is needed only to render it.

    Shown are boxes by kind with their rows, tables and strips of squares, frames as clusters, local derivatives with
    tooltips, lines that no gradient passes, highlighted routes with their caption, in the colours of the theme. What
    the library's own drawings do and Graphviz cannot: equal groups are not drawn exactly alike; lines of one source do
    not share their way; a long chain is not wrapped into rows; groups do not open and close by click; a target's frame
    and a folded group have a dashed and a thick border instead of their own shapes; a drawing does not change its theme
    with the page around it.

    Args:
        diagram: what to draw.
        look: how.

    Raises:
        ValueError: another theme.

    >>> from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram
    >>> pair = Diagram((Box("n0", "input", title="<b>"), Box("n1", "output", op="exp")), (Arrow("n0", "n1", "2"),))
    >>> print(to_dot(pair).splitlines()[-2].strip())
    "n0" -> "n1" [label="2" tooltip="<b> → exp" labeltooltip="<b> → exp"]
    """
    look = look or Look()
    statements = _body(diagram, look)
    header = [f"{name} [{_attributes(values)}]" for name, values in _header(diagram, look).items()]
    return "digraph {\n" + "".join(f"\t{line}\n" for line in [*header, *statements]) + "}\n"


def to_graphviz(diagram: Diagram, look: Look | None = None) -> Any:
    """Return the diagram as a `graphviz.Digraph`, to edit and to render with the package `graphviz`.

    Nodes have the ids of the boxes, clusters the names `cluster_` and the id of the frame; `graph_attr`, `node_attr`
    and `edge_attr` hold the settings for all; `size` keeps it as narrow as a page or a notebook's cell. Rendering and
    its display in a notebook need a program `dot`. See `to_dot` for the arguments, and for what Graphviz cannot show.

    Raises:
        MissingExtraError: the package graphviz is not installed.
        ValueError: an unknown theme.

    >>> from microgradlib.viz.boxes.diagram import Box, Diagram
    >>> graph = to_graphviz(Diagram((Box("n0", "input", title="x"),), ()))
    >>> graph.edge("n0", "n0", label="again")
    >>> graph.graph_attr["rankdir"]
    'LR'
    """
    graphviz = import_optional("graphviz", "to_graphviz()")
    look = look or Look()
    header = _header(diagram, look)
    statements = [f"\t{line}\n" for line in _body(diagram, look)]
    return graphviz.Digraph(
        graph_attr={**header["graph"], "size": "8.5,100"},
        node_attr=header["node"],
        edge_attr=header["edge"],
        body=statements,
    )


def _header(diagram: Diagram, look: Look) -> dict[str, dict[str, str]]:
    colour = colours(look.theme)
    graph = {
        "rankdir": "TB" if look.direction == "down" else "LR",
        # nslimit bounds the time Graphviz spends on graphs with many long arrows: 9 s instead of over 120 s for a
        # recurrent network with shared weights, and no visible cost below 3,000 nodes.
        "nslimit": "2",
        "bgcolor": colour("paper"),
        "nodesep": "0.25",
        "ranksep": "0.5",
        "pad": "0.2",
        "fontname": "Helvetica",
        "labelloc": "b",
        "labeljust": "l",
    }
    below = _below(diagram.note, look.caption, colour)
    return {
        "graph": {**graph, "label": below} if below else graph,
        "node": {"shape": "plain", "fontname": "Helvetica", "fontsize": "12", "fontcolor": colour("ink")},
        "edge": {
            "color": colour("line"),
            "fontname": "Courier",
            "fontsize": "10",
            "fontcolor": colour("local"),
            "arrowsize": "0.6",
        },
    }


def _below(note: str, caption: Sequence[CaptionLine], colour: Colours) -> str:
    """Return the label of the whole graph: the caption of the routes, then the note."""
    lines = []
    for line in caption:
        shade = colour({"sum": "ink", "warning": "stale"}.get(line.style, line.style))
        sample = font(_SAMPLES.get(line.style, ""), shade) if line.first else ""
        text = font(line.text, shade, size=11, tag="B" if line.style == "sum" else "", limit=MAX_TOOLTIP)
        lines.append(f"{sample or '&#160;' * 6}&#160;&#160;{text}")
    lines += [font(part, colour("muted"), size=10, limit=MAX_TOOLTIP) for part in textwrap.wrap(note, 90)]
    return f"<{''.join(line + _LEFT for line in lines)}>" if lines else ""


_LEFT: Final = '<BR ALIGN="LEFT"/>'


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{key}={value if value.startswith('<') else quote(value)}" for key, value in values.items())


def _body(diagram: Diagram, look: Look) -> Iterator[str]:
    colour, direction, highlight = colours(look.theme), look.direction, look.highlight
    boxes: dict[str, list[Box]] = {}
    frames: dict[str, list[Frame]] = {}
    for box in diagram.boxes:
        boxes.setdefault(box.frame, []).append(box)
    for frame in diagram.frames:
        frames.setdefault(frame.parent, []).append(frame)
    ends = frozenset([highlight.start, highlight.end] if highlight else [])
    yield from (_node(box, colour, direction, diagram.captions, ends) for box in boxes.get("", ()))
    # Frames are opened and closed with an explicit stack, however deep they are nested.
    todo: list[tuple[Frame | None, int]] = [(frame, 0) for frame in reversed(frames.get("", ()))]
    while todo:
        opened, depth = todo.pop()
        if opened is None:
            yield "}"
            continue
        yield f"subgraph {quote(f'cluster_{opened.id}')} {{"
        yield _cluster(opened, depth, colour)
        yield from (_node(box, colour, direction, diagram.captions, ends) for box in boxes.get(opened.id, ()))
        todo.append((None, depth))
        todo += [(inner, depth + 1) for inner in reversed(frames.get(opened.id, ()))]
    by_id = {box.id: box for box in diagram.boxes}
    styles = arrow_styles(diagram, highlight) if highlight else ("plain",) * len(diagram.arrows)
    for arrow, style in zip(diagram.arrows, styles, strict=True):
        yield _edge(arrow, style, by_id, colour, direction)


def _cluster(frame: Frame, depth: int, colour: Colours) -> str:
    values = {
        "label": f"<{frame_label(frame, colour)}>",
        "labelloc": "t",
        "labeljust": "l",
        "style": "rounded,filled",
        "color": colour("frame_edge"),
        "fillcolor": colour(f"frame{min(depth, 2)}"),
        "penwidth": "2.5" if frame.count > 1 else "1",
    }
    shown = [f"{key}={value if key == 'label' else quote(value)}" for key, value in values.items()]
    return "; ".join([*shown, f"tooltip={tooltip_literal(f'{frame.title}  {frame.formula}'.strip())}"])


def _node(box: Box, colour: Colours, direction: Direction, captions: bool, ends: frozenset[int]) -> str:
    tooltip = tooltip_literal(tooltip_of(box))
    if box.kind == "bus":
        length = f"{max(0.2, 0.12 * len(box.rows)):.2f}"
        sides = ("0.05", length) if direction == "right" else (length, "0.05")
        size = f'width="{sides[0]}" height="{sides[1]}" fixedsize="true"'
        return (
            f'{quote(box.id)} [shape="box" style="filled" label="" {size} color="{colour("line")}" tooltip={tooltip}]'
        )
    return f"{quote(box.id)} [label=<{box_label(box, colour, captions=captions, ends=ends)}> tooltip={tooltip}]"


def _edge(arrow: Arrow, style: str, boxes: dict[str, Box], colour: Colours, direction: Direction) -> str:
    tail, head = boxes[arrow.tail], boxes[arrow.head]
    full = arrow.tooltip or f"{tail.title or tail.op or tail.id} → {head.title or head.op or head.id}"
    tooltip = tooltip_literal(full)
    values = {"label": shorten(arrow.text, MAX_CHARACTERS)} if arrow.text else {}
    width = 1.0 + min(3.0, math.log2(arrow.lines)) if arrow.lines > 1 else 1.0
    if style in {"", "plain"} and not arrow.passes:
        values |= {"color": colour("zero"), "fontcolor": colour("muted"), "style": "dashed"}
    if style == "":
        values |= {"color": colour("rule"), "fontcolor": colour("muted")}
    elif style != "plain":
        values |= {"color": colour("ink" if style in {"shared", "other"} else style)}
        values |= {"style": _ROUTE_DASHES[style]} if style in _ROUTE_DASHES else {}
        width = 1.2 if style == "other" else max(width, 2.4)
    if width != 1.0:
        values["penwidth"] = f"{width:.2g}"
    if head.kind == "bus":
        values["arrowhead"] = "none"
    ends = f"{_end(tail, arrow.tail_port, direction, entering=False)} -> {_end(head, arrow.port, direction)}"
    shown = "".join(f"{key}={quote(value)} " for key, value in values.items())
    return f"{ends} [{shown}tooltip={tooltip} labeltooltip={tooltip}]"


def _end(box: Box, port: int | None, direction: Direction, *, entering: bool = True) -> str:
    """Return an end of an arrow: the box, and the row or column beside which the arrow enters or leaves it."""
    if port is None or box.kind == "bus":
        return quote(box.id)
    if box.table is None:
        return f'{quote(box.id)}:"r{port}":w' if entering and direction == "right" else quote(box.id)
    if not entering:
        return f'{quote(box.id)}:"s{port}":e' if direction == "right" else quote(box.id)
    return f'{quote(box.id)}:"c{port}":n' if direction == "down" else quote(box.id)
