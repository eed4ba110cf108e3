"""Render a diagram as SVG: a card for each box, a curve for each arrow."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from microgradlib.viz import theme
from microgradlib.viz.layout import HEAD, Layout, Rect, Route, layout, ports_height
from microgradlib.viz.markup import clean, coordinate, element, escape, page, title
from microgradlib.viz.typography import mono_width, sans_width, shorten

if TYPE_CHECKING:
    from microgradlib.viz.diagram import Box, Diagram

_HEADER: Final = 28.0
_ROW: Final = 18.0
_PAD: Final = 10.0
_RADIUS: Final = 7.0
_NAME_SIZE: Final = 13.0
_ROW_SIZE: Final = 12.0
_SMALL_SIZE: Final = 10.0
_MIN_WIDTH: Final = 88.0
_MAX_NAME: Final = 28
_MAX_OP: Final = 16


def to_svg(diagram: Diagram, *, prefix: str = "") -> str:
    """Return the SVG text of a diagram in this library's layout; equal diagrams give the same text.

    Each box is a group with the id `<prefix>-<box id>`, each arrow a group with the id `<prefix>-a<number>`, so that
    scripts can find them.

    Args:
        diagram: what to draw.
        prefix: the start of all ids; by default a hash of the diagram, so that different drawings on one page do not
            share ids.

    >>> from microgradlib.viz.diagram import Box, Diagram
    >>> svg = to_svg(Diagram((Box("n0", "leaf", title="<b>"),), ()), prefix="g")
    >>> "&lt;b&gt;" in svg and 'id="g-n0"' in svg
    True
    """
    identity = repr(diagram) + "down" * diagram.down
    prefix = prefix or "mg" + hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:8]
    sizes = {box.id: _size(box, diagram) for box in diagram.boxes}
    plan = layout(diagram, sizes, _text_width)
    elements = [
        _background(plan.width, plan.height),
        *(_line(route, diagram, f"{prefix}-a{number}") for number, route in enumerate(plan.routes)),
        *(_arrow_text(route, diagram) for route in plan.routes),
        *(_card(box, plan.rects[box.id], f"{prefix}-{box.id}") for box in diagram.boxes),
    ]
    return page(
        plan.width, plan.height, "\n".join(filter(None, elements)), name=prefix, summary=_summary(diagram, plan)
    )


def _summary(diagram: Diagram, plan: Layout) -> str:
    return f"Computation graph with {len(plan.rects)} boxes and {len(diagram.arrows)} arrows"


def _background(width: float, height: float) -> str:
    return element(
        "rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=10, fill=theme.PAPER, stroke=theme.FRAME
    )


def _text_width(text: str) -> float:
    return mono_width(text, _SMALL_SIZE) + 4.0 if text else 0.0


def _shown_title(box: Box) -> str:
    return shorten(clean(box.title), _MAX_NAME)


def _shown_op(box: Box) -> str:
    return shorten(clean(box.op), _MAX_OP)


def _badge_width(box: Box) -> float:
    return max(22.0, sans_width(_shown_op(box), _NAME_SIZE) + 12.0) if box.op else 0.0


def _size(box: Box, diagram: Diagram) -> tuple[float, float]:
    name, note = sans_width(_shown_title(box), _NAME_SIZE), sans_width(box.note, _SMALL_SIZE)
    between = 10.0 if (name and (box.op or note)) else 0.0
    header = name + between + _badge_width(box) + note + 2 * _PAD
    rows = [
        (sans_width(caption, _SMALL_SIZE) + 14.0 if caption else 0.0) + mono_width(text, _ROW_SIZE) + 2 * _PAD
        for caption, text in box.rows
    ]
    width = max(_MIN_WIDTH if box.rows else 44.0, header, *rows)
    arrows = diagram.arrows_into(box.id)
    ports = ports_height(len(arrows), texts=any(map(diagram.shown_text, arrows)))
    body = len(box.rows) * _ROW + 8.0 if box.rows else 0.0
    return (max(width, ports), _HEADER + body) if diagram.down else (width, max(_HEADER + body, ports))


def _line(route: Route, diagram: Diagram, name: str) -> str:
    def point(along: float, across: float) -> str:
        x, y = (across, along) if diagram.down else (along, across)
        return f"{coordinate(x)} {coordinate(y)}"

    level, tip = ("V", f"l-3.5 {coordinate(-HEAD)}h7z") if diagram.down else ("H", f"l{coordinate(-HEAD)} -3.5v7z")
    start, reached, height = route.runs[0]
    path = [f"M{point(start, height)}"]
    for start, end, across in route.runs[1:]:
        middle = (reached + start) / 2
        path.append(f"C{point(middle, height)} {point(middle, across)} {point(start, across)}")
        path.append(f"{level}{coordinate(end - HEAD if end == route.runs[-1][1] else end)}")
        reached, height = end, across
    return element(
        "g",
        title(diagram.tooltip(route.arrow))
        + element("path", d="".join(path), fill="none", stroke=theme.LINE, stroke_width=1.4)
        + element("path", d=f"M{point(reached, height)}{tip}", fill=theme.MUTED),
        id=name,
    )


def _arrow_text(route: Route, diagram: Diagram) -> str:
    text = diagram.shown_text(route.arrow)
    if not text:
        return ""
    x, y = route.text_at
    return element(
        "text",
        title(diagram.tooltip(route.arrow)) + escape(text),
        x=x,
        y=y,
        text_anchor="end",
        font_family=theme.MONO,
        font_size=_SMALL_SIZE,
        fill="#475569",
    )


def _card(box: Box, rect: Rect, name: str) -> str:
    palette = theme.PALETTES[box.kind]
    thick = 2.0 if box.kind == "output" else 1.2
    head = _HEADER if box.rows else rect.height
    first = rect.y + head + (rect.height - head - len(box.rows) * _ROW) / 2
    x, y, width, height = rect.x, rect.y, rect.width, rect.height
    shape = {"x": x, "y": y, "width": width, "height": height, "rx": _RADIUS}
    shadow = element("rect", x=x, y=y + 2, width=width, height=height, rx=_RADIUS, fill=theme.INK, fill_opacity=0.08)
    fill = element("rect", **shape, fill=theme.CARD if box.rows else palette.tint)
    frame = element("rect", **shape, fill="none", stroke=palette.border, stroke_width=thick)
    strip = _header_outline(x, y, width, head) if box.rows else ""
    band = element("path", d=strip, fill=palette.tint) if strip else ""
    rows = "".join(
        _row(caption, text, rect, first + (number + 0.5) * _ROW) for number, (caption, text) in enumerate(box.rows)
    )
    return element("g", title(box.text) + shadow + fill + band + _heading(box, rect, head) + rows + frame, id=name)


def _header_outline(x: float, y: float, width: float, height: float) -> str:
    """Return the path of a card's header: rounded corners at the top, square ones at the bottom."""
    right, bottom, r = x + width, y + height, _RADIUS
    corners = [x, bottom, y + r, x, y, x + r, y, right - r, right, y, right, y + r, bottom]
    return "M{} {}V{}Q{} {} {} {}H{}Q{} {} {} {}V{}z".format(*map(coordinate, corners))


def _heading(box: Box, rect: Rect, height: float) -> str:
    palette = theme.PALETTES[box.kind]
    middle = rect.y + height / 2
    base = middle + 0.36 * _NAME_SIZE
    style: dict[str, str | float] = {"font_size": _NAME_SIZE, "fill": palette.accent}
    bold = {**style, "font_weight": "600"}
    right = rect.x + rect.width - _PAD
    elements = []
    if box.title:
        elements.append(element("text", escape(_shown_title(box)), x=rect.x + _PAD, y=base, **bold))
    elif not box.op:
        italic = {**style, "fill": theme.MUTED, "font_style": "italic"}
        elements.append(element("text", "leaf", x=rect.x + _PAD, y=base, **italic))
    if box.op:
        width = _badge_width(box)
        left = right - width + 4.0 if box.title else rect.x + (rect.width - width) / 2
        badge = element("rect", x=left, y=middle - 9, width=width, height=18, rx=9, fill=theme.CARD, fill_opacity=0.85)
        label = element(
            "text", escape(_shown_op(box)), x=left + width / 2, y=base, text_anchor="middle", font_weight="600", **style
        )
        elements += [badge, label]
        right -= width + 2.0
    if box.note:
        small = {**style, "fill": theme.MUTED, "font_size": _SMALL_SIZE}
        elements.append(element("text", escape(box.note), x=right, y=base - 1, text_anchor="end", **small))
    return "".join(elements)


def _row(caption: str, text: str, rect: Rect, middle: float) -> str:
    base = middle + 0.36 * _ROW_SIZE
    code: dict[str, str | float] = {"font_family": theme.MONO, "font_size": _ROW_SIZE, "fill": theme.INK}
    if not caption:
        return element("text", escape(text), x=rect.x + _PAD, y=base, **code)
    left = element(
        "text",
        escape(caption),
        x=rect.x + _PAD,
        y=base,
        font_size=_SMALL_SIZE + 0.5,
        fill=theme.MUTED,
    )
    right = element(
        "text",
        escape(text),
        x=rect.x + rect.width - _PAD,
        y=base,
        text_anchor="end",
        **code,
    )
    return left + right
