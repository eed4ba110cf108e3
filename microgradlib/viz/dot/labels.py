"""Boxes as HTML-like labels of Graphviz: tables of cells, in which every text is shown as it was written."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from microgradlib._support.printable import one_line, shorten
from microgradlib.viz import math_text
from microgradlib.viz.markup import element, escape
from microgradlib.viz.painting.view import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from microgradlib.viz.boxes.diagram import Box, Frame, Row, Strip, Table

    Colours = Callable[[str], str]

MAX_CHARACTERS: Final = 40
"""Longer names, operations and numbers are shortened."""
MAX_TOOLTIP: Final = 400
"""The same for tooltips, and for lines of a caption."""
_MAX_CODE: Final = 200
"""The same for lines of code."""
_SMALL: Final = 9
_SPACE: Final = "&#160;&#160;"
_TINY: Final = '<FONT POINT-SIZE="1"> </FONT>'
"""The content of a square: a cell may not be empty, and text must fit into it."""
_SQUARES_IN_ROW: Final = 16
_MOST_SQUARES: Final = 256
_STYLES: Final = {"input": "ROUNDED", "target": "DASHED", "elided": "DASHED"}
_LEVELS: Final = {1: "SUP", -1: "SUB"}


def text_markup(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Return markup that shows exactly this text, with LaTeX-like labels set as in the other drawings.

    Its middle is left out if it is longer than `limit`.

    >>> print(text_markup("x_1 <b>"), text_markup(r"a\N"))
    x<SUB>1</SUB> &lt;b&gt; a\\N
    """
    pieces = math_text.pieces(shorten(one_line(text), limit))
    parts = [(piece.level, _literal(piece.text)) for piece in pieces if piece.text]
    return "".join(element(_LEVELS[level], part) if level else part for level, part in parts) or " "


def font(
    text: str, colour: str, *, size: int | None = None, face: str = "", tag: str = "", limit: int = MAX_CHARACTERS
) -> str:
    """Return markup for a text in a colour, and in another size, face or style if they are given.

    >>> font("w", "#000000", tag="B")
    '<FONT COLOR="#000000"><B>w</B></FONT>'
    """
    if not text:
        return ""
    content = element(tag, text_markup(text, limit)) if tag else text_markup(text, limit)
    attributes: dict[str, str | float] = {"COLOR": colour}
    attributes |= {"POINT_SIZE": size} if size else {}
    return element("FONT", content, **attributes, **({"FACE": face} if face else {}))


def quote(text: str) -> str:
    r"""Return a DOT string literal that shows exactly this text, whatever characters it contains.

    >>> print(quote('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'


def tooltip_literal(text: str) -> str:
    r"""Return the literal of a tooltip, in which Graphviz replaces \N and the like twice."""
    return quote(shorten(one_line(text), MAX_TOOLTIP).replace("\\", "\\\\"))


def box_label(box: Box, colour: Colours, *, captions: bool = False, ends: frozenset[int] = frozenset()) -> str:
    """Return the label of a box: its title and operation, then its rows, table and strips.

    Args:
        box: any box but a bus.
        colour: from roles of the theme to colours.
        captions: whether rows are named `data` and `grad`, as in small graphs.
        ends: the nodes from which and to which routes are highlighted: their rows, or their boxes, are framed.

    """
    role = look(box.kind)
    is_output = box.output or box.kind == "output"
    heading = _heading(box, role, colour)
    lines = [_line(heading)] if heading else []
    is_card = role != box.kind
    is_end = not is_card and not ends.isdisjoint(box.nodes)
    lines += [
        _row(k, row, colour, captions=captions, framed=is_card and row.node in ends) for k, row in enumerate(box.rows)
    ]
    if box.table:
        lines.append(_line(_table(box.table, colour)))
    lines += [_line(_strip(strip, colour)) for strip in box.strips]
    return element(
        "TABLE",
        "".join(lines) or _line(font("?", colour("muted"))),
        BORDER=3 if is_output or is_end else 2 if box.kind == "closed" else 1,
        CELLBORDER=0,
        CELLSPACING=0,
        CELLPADDING=3,
        STYLE=_STYLES.get(box.kind, "SOLID"),
        COLOR=colour("ink" if is_end else "output_edge" if is_output else f"{role}_edge"),
        BGCOLOR=colour(role),
    )


def frame_label(frame: Frame, colour: Colours) -> str:
    """Return the label of a frame: its title, how many equal ones it stands for, and its formula."""
    times = f"× {frame.count:,}" if frame.count > 1 else ""
    words = [
        font(frame.title, colour("muted"), size=12, tag="B"),
        font(times, colour("ink"), size=12, tag="B"),
        font(frame.formula, colour("muted"), size=10, tag="I"),
    ]
    return _SPACE.join(word for word in words if word) or " "


def _heading(box: Box, role: str, colour: Colours) -> str:
    words = [
        font(box.number, colour("muted"), size=_SMALL),
        font(box.title, colour(f"{role}_text"), tag="B"),
        font(box.op, colour(f"{role}_text"), tag="" if box.title else "B"),
        font(f"({box.note})" if box.note else "", colour("muted"), size=_SMALL),
        font(f"× {box.count:,}" if box.count > 1 else "", colour("ink"), tag="B"),
    ]
    return _SPACE.join(word for word in words if word)


def _row(place: int, row: Row, colour: Colours, *, captions: bool, framed: bool = False) -> str:
    port: dict[str, str | float] = {"PORT": f"r{place}", "ALIGN": "LEFT"}
    if row.kind in {"note", "formula", "code"}:
        style = {"face": "Courier", "limit": _MAX_CODE} if row.kind == "code" else {"tag": "I"}
        words = font(row.name, colour("ink" if row.kind == "code" else "muted"), **style)
        return element("TR", element("TD", words or " ", COLSPAN=3, **port))
    fill: dict[str, str | float] = {"BGCOLOR": colour("parameter")} if row.kind == "parameter" else {}
    role = "parameter_text" if row.kind == "parameter" else "muted"
    name = font(row.number, colour("muted"), size=_SMALL) + font(row.name, colour(role), size=11)
    value = font(row.value, colour("stale" if row.stale else "ink"), face="Courier")
    value += _SPACE + font("stale", colour("stale"), size=_SMALL) if row.stale else ""
    gradient = font("share", colour("muted"), size=_SMALL) + _SPACE if row.share else ""
    gradient += font(row.gradient, colour("grad"), face="Courier")
    contents = [value + gradient] if captions else [value, gradient]
    fill |= {"BORDER": 2, "COLOR": colour("ink")} if framed else {}
    cells = element("TD", name or " ", **port, **fill, **_sides(0, len(contents), framed=framed))
    for k, content in enumerate(contents, start=1):
        span: dict[str, str | float] = {"COLSPAN": 2} if captions else {}
        sides = _sides(k, len(contents), framed=framed)
        cells += element("TD", content or " ", ALIGN="RIGHT", **span, **fill, **sides)
    return element("TR", cells)


def _sides(place: int, last: int, *, framed: bool) -> dict[str, str | float]:
    """Return which sides of a cell have a border, so that the cells of a row are framed together."""
    sides = "TB" + "L" * (place == 0) + "R" * (place == last)
    return {"SIDES": sides} if framed else {}


def _table(table: Table, colour: Colours) -> str:
    def cell(content: str, column: int, **attributes: str | float) -> str:
        fill = {"BGCOLOR": colour("parameter")} if column < table.parameters else {}
        return element("TD", content or " ", **attributes, **fill)

    heads = [
        cell(font(name, colour("muted"), size=10, tag="B"), k, PORT=f"c{k}") for k, name in enumerate(table.columns)
    ]
    rows = [element("TR", element("TD", " ") + "".join(heads))]
    for k, (name, numbers) in enumerate(table.rows):
        ports: list[dict[str, str | float]] = [{} for _ in numbers[1:]] + [{"PORT": f"s{k}"}]
        cells = [cell(_numbers(row, colour), i, ALIGN="RIGHT", **ports[i]) for i, row in enumerate(numbers)]
        title = font(name, colour("muted"), size=10, tag="B") or " "
        rows.append(element("TR", element("TD", title, PORT=f"r{k}") + "".join(cells)))
    style = {"BORDER": 0, "CELLBORDER": 1, "CELLSPACING": 0, "CELLPADDING": 3}
    return element("TABLE", "".join(rows), **style, COLOR=colour("rule"))


def _numbers(row: Row, colour: Colours) -> str:
    value = font(row.value, colour("stale" if row.stale else "ink"), face="Courier", size=11)
    gradient = font(row.gradient, colour("grad"), face="Courier", size=11, tag="I" if row.share else "")
    return element("BR").join(part for part in (value, gradient) if part)


def _strip(strip: Strip, colour: Colours) -> str:
    """Return numbers as squares: the sign is the colour, √(|number| / the largest) its strength."""
    numbers = strip.numbers[:_MOST_SQUARES]
    largest = max((abs(x) for x in numbers if x is not None and math.isfinite(x)), default=0.0) or 1.0
    length = math.isqrt(len(numbers)) if strip.image else _SQUARES_IN_ROW
    rows = [
        element("TR", "".join(_square(x, largest, colour, image=strip.image) for x in part))
        for part in _parts(numbers, max(length, 1))
    ]
    plain = {"BORDER": 0, "CELLBORDER": 0, "CELLPADDING": 0}
    ground: dict[str, str | float] = {"CELLSPACING": 1, "BGCOLOR": colour("cell")}
    squares = element("TABLE", "".join(rows) or element("TR", element("TD", " ")), **plain, **ground)
    title = font(strip.name, colour("muted"), size=10)
    lines = [part for part in (title, squares) if part]
    return element("TABLE", "".join(element("TR", element("TD", part)) for part in lines), **plain)


def _parts(numbers: Sequence[float | None], length: int) -> Iterator[Sequence[float | None]]:
    return (numbers[i : i + length] for i in range(0, len(numbers), length))


def _square(x: float | None, largest: float, colour: Colours, *, image: bool) -> str:
    strength = 0.0 if x is None or math.isnan(x) else min(1.0, abs(x) / largest)
    role = "ink" if image else "minus" if x is not None and x < 0 else "plus"
    opacity = round(255 * (strength if image else math.sqrt(strength)))
    return element("TD", _TINY, FIXEDSIZE="TRUE", WIDTH=8, HEIGHT=8, BGCOLOR=f"{colour(role)}{opacity:02x}")


def _line(content: str) -> str:
    return element("TR", element("TD", content, COLSPAN=3))


def _literal(text: str) -> str:
    # Graphviz replaces \N, \G and the like even in HTML-like labels; a doubled backslash is shown as a single one.
    return escape(text).replace("\\", "\\\\")
