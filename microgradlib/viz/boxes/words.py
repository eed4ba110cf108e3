"""A diagram in words: for terminals, tooltips and screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib._support.printable import one_line
from microgradlib.viz.math_text import plain

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Box, Diagram, Row


def words_of(box: Box) -> str:
    """Return a box on one line: its name and operation, then its contents.

    >>> from microgradlib.viz.boxes.diagram import Box, Row
    >>> words_of(Box("n0", "op", title="h_1", op="tanh", rows=(Row(value="0.5", gradient="1"),)))
    'h₁  tanh  0.5  gradient 1'
    """
    named = plain(one_line(box.title))
    parts = [
        named,
        plain(one_line(box.op)),
        f"×{box.count:,}" if box.count > 1 else "",
        f"({box.note})" if box.note else "",
    ]
    parts += [row_words(row) for row in box.rows]
    if box.table:
        for name, cells in box.table.rows:
            pairs = zip(box.table.columns, cells, strict=False)
            parts.append(
                f"{plain(name)}: " + ", ".join([f"{plain(column)} {row_words(cell)}" for column, cell in pairs])
            )
    parts += [f"{strip.name or 'image'} of {len(strip.numbers):,} numbers" for strip in box.strips]
    return "  ".join([part for part in parts if part]) or box.kind


def tooltip_of(box: Box) -> str:
    """Return a box on one line, after its full name where its title is shortened."""
    return "  ".join([part for part in (box.tooltip, words_of(box)) if part])


def row_words(row: Row) -> str:
    """Return one row of a box in words.

    >>> from microgradlib.viz.boxes.diagram import Row
    >>> row_words(Row("w.0", "2", "−1", share=True)), row_words(Row("grad", gradient="—"))
    ('w.0 2  share of the gradient −1', 'grad —')
    """
    value = f"{row.value} (stale)" if row.stale and row.value else row.value
    name = plain(one_line(row.name))
    if row.name in ("data", "grad"):
        return f"{row.name} {value or row.gradient}"
    gradient = f"{'share of the gradient' if row.share else 'gradient'} {row.gradient}" if row.gradient else ""
    return "  ".join([part for part in (f"{name} {value}".strip(), gradient) if part])


def text_of(diagram: Diagram) -> str:
    """Return a diagram in words: a line for each box, with the boxes from which it is computed and its frames.

    >>> from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram
    >>> print(text_of(Diagram((Box("n0", "input", "x"), Box("n1", "output", op="exp")), (Arrow("n0", "n1"),))))
      n0  x
      n1  exp  from n0
    """
    tails: dict[str, list[str]] = {}
    for arrow in diagram.arrows:
        tails.setdefault(arrow.head, []).append(arrow.tail)
    places = _places(diagram)
    lines = []
    for box in diagram.boxes:
        words = "joins" if box.kind == "bus" else words_of(box)
        # In a small graph each arrow is an operand; elsewhere several may come from one box.
        from_boxes = tails.get(box.id, []) if diagram.captions else dict.fromkeys(tails.get(box.id, []))
        sources = f"  from {', '.join(from_boxes)}" if from_boxes else ""
        inside = f"  in {places[box.frame]}" if box.frame else ""
        lines.append(f"  {box.id}  {words}{sources}{inside}")
    return "\n".join([*lines, *([f"  {one_line(diagram.note)}"] if diagram.note else [])])


def _places(diagram: Diagram) -> dict[str, str]:
    """Return for each frame its title after those of the frames around it."""
    places: dict[str, str] = {}
    for frame in diagram.frames:
        title = plain(one_line(frame.title)) + (f" ×{frame.count:,}" if frame.count > 1 else "")
        places[frame.id] = f"{places[frame.parent]} › {title}" if frame.parent else title
    return places
