"""The legend below a drawing: what its colours and shapes mean, those that occur in it, and its note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.markup import coordinate, element
from microgradlib.viz.painting.glyphs import text
from microgradlib.viz.typography import mono_width, sans_width

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Arrow, Diagram
    from microgradlib.viz.painting.glyphs import Colour

LINE: Final = 20.0
_SIZE: Final = 11.0
_SWATCH: Final = 16.0
_KINDS: Final = ("input", "parameter", "target", "constant", "output")
_SIGNS: Final = ("plus", "minus")


@dataclass(frozen=True)
class Entry:
    """One sign and its meaning.

    Args:
        sign: a kind of box; "value", "grad", "local" or "stale", whose text shows the colour; "zero" or "many", lines;
            "plus" or "minus", squares; "note", text alone.
        words: what it means.

    """

    sign: str
    words: str

    @property
    def width(self) -> float:
        """Its width in pixels, with the space behind it."""
        if self.sign in ("value", "grad", "local"):
            return mono_width(self.words, _SIZE) + 12.0
        swatch = {"note": 0.0, "stale": 9.0, "plus": 14.0, "minus": 14.0, "zero": 29.0}.get(self.sign, _SWATCH + 5.0)
        return swatch + sans_width(self.words, _SIZE) + 10.0


def entries(diagram: Diagram) -> tuple[Entry, ...]:
    """Return the entries for what occurs in a diagram.

    A small graph whose rows name themselves needs no words for values and gradients, and none for kinds that its boxes
    name; its legend may be empty.

    >>> from microgradlib.viz.boxes.diagram import Box, Diagram, Row
    >>> boxes = (Box("n0", "input", "x", rows=(Row(value="2"),)), Box("n1", "output", op="exp"))
    >>> [entry.sign for entry in entries(Diagram(boxes, ()))]
    ['value', 'input', 'output']
    """
    rows = [row for box in diagram.boxes for row in box.rows]
    rows += [row for box in diagram.boxes if box.table for _, cells in box.table.rows for row in cells]
    strips = [strip for box in diagram.boxes for strip in box.strips]
    found = []
    if not diagram.captions:
        found += [Entry("value", "value")] if any(row.value and row.kind in _NUMBERS for row in rows) else []
        found += [Entry("grad", "gradient")] if any(row.gradient for row in rows) else []
        found += [Entry("local", "local derivative")] if any(map(has_local_derivative, diagram.arrows)) else []
    kinds = {box.kind for box in diagram.boxes} | {row.kind for row in rows}
    kinds |= {"output" for box in diagram.boxes if box.output}
    kinds |= {"parameter" for box in diagram.boxes if box.table and box.table.parameters}
    if not diagram.captions or len(kinds & set(_KINDS)) > 2:
        found += [Entry(kind, kind) for kind in _KINDS if kind in kinds]
    numbers = [v for strip in strips if not strip.image or min(map(_known, strip.numbers)) < 0 for v in strip.numbers]
    found += [Entry("plus", "positive")] if any(_known(v) > 0 for v in numbers) else []
    found += [Entry("minus", "negative")] if any(_known(v) < 0 for v in numbers) else []
    if not all(arrow.passes for arrow in diagram.arrows):
        found.append(Entry("zero", "no gradient passes"))
    if any(row.stale for row in rows):
        found.append(Entry("stale", "stale"))
    if diagram.note:
        found.append(Entry("note", diagram.note))
    return tuple(found)


_NUMBERS: Final = ("number", "parameter")


def _known(number: float | None) -> float:
    return 0.0 if number is None or number != number else number  # noqa: PLR0124  nan


def has_local_derivative(arrow: Arrow) -> bool:
    """Tell whether the text of an arrow is a local derivative, and not how many arrows it stands for, as in ×100."""
    return bool(arrow.text) and not arrow.text.startswith("×")


def lines(found: tuple[Entry, ...], width: float) -> list[list[Entry]]:
    """Return the entries in lines, none wider than `width` pixels unless it is a single entry."""
    result: list[list[Entry]] = []
    used = width
    for entry in (part for one in found for part in _parts(one, width)):
        if used + entry.width > width or not result:
            result.append([])
            used = 0.0
        result[-1].append(entry)
        used += entry.width
    return result


def _parts(entry: Entry, width: float) -> list[Entry]:
    """Return an entry; of a note that is wider than `width`, the parts that are not."""
    if entry.sign != "note" or entry.width <= width:
        return [entry]
    parts = [""]
    for word in entry.words.split(" "):
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and Entry("note", longer).width > width:
            parts.append(word)
        else:
            parts[-1] = longer
    return [Entry("note", part) for part in parts]


def legend_markup(found: list[list[Entry]], x: float, y: float, colour: Colour) -> str:
    """Return the markup of the lines of a legend whose top left corner is (x, y)."""
    parts = []
    for number, line in enumerate(found):
        left = x
        for entry in line:
            parts.append(_entry(entry, left, y + LINE * number, colour))
            left += entry.width
    return "".join(parts)


def _entry(entry: Entry, x: float, y: float, colour: Colour) -> str:
    sign = entry.sign
    base = y + 9.5
    if sign == "note":
        return text(x, base, entry.words, _SIZE, colour("muted"), italic=True)
    if sign in ("value", "grad", "local"):
        return text(x, base, entry.words, _SIZE, colour("ink" if sign == "value" else sign), mono=True)
    if sign == "stale":
        mark = text(x, base + 1.0, "*", _SIZE + 1, colour("stale"), mono=True)
        return mark + text(x + 9.0, base, entry.words, _SIZE, colour("muted"))
    if sign == "zero":
        line = element(
            "path",
            d=f"M{coordinate(x)} {coordinate(y + 6)}h23",
            fill="none",
            stroke=colour("zero"),
            stroke_width=1.3,
            stroke_dasharray="4 3",
        )
        return line + text(x + 29.0, base, entry.words, _SIZE, colour("muted"))
    if sign in _SIGNS:
        square = element("rect", x=x, y=y + 1.5, width=9, height=9, fill=colour(sign))
        return square + text(x + 14.0, base, entry.words, _SIZE, colour("muted"))
    style: dict[str, str | float] = {"stroke": colour(f"{sign}_edge"), "stroke_width": 2.0 if sign == "output" else 1.0}
    if sign == "target":
        style["stroke_dasharray"] = "3 2"
    radius = {"input": 5.5, "target": 1.0}.get(sign, 2.5)
    box = element("rect", x=x, y=y + 0.5, width=_SWATCH, height=11, rx=radius, fill=colour(sign), **style)
    if sign == "parameter":
        box += element("rect", x=x + 2.2, y=y + 3, width=1.8, height=6, fill=colour("parameter_edge"))
    return box + text(x + _SWATCH + 5.0, base, entry.words, _SIZE, colour("muted"))
