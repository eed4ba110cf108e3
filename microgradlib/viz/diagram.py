"""Diagrams: boxes and arrows as plain text, independent of the Values that they describe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["leaf", "op", "output"]

MAX_TEXTS: Final = 9
"""If more arrows end at one box, their texts are shown in tooltips only."""


@dataclass(frozen=True)
class Box:
    """One box: a title, an operation, and rows such as `("data", "0.5")`.

    Args:
        id: a short ASCII name, unique in its diagram, such as `n3`.
        kind: `"leaf"`, `"op"` or `"output"`; determines the colours.
        title: the node's label; may be empty and may contain any characters.
        op: the operation's symbol, such as `tanh` or `×`; empty for leaves.
        rows: pairs of caption and text, top to bottom; a row without a caption is one line of a longer text.
        note: a short addition to the title, such as `1 of 3` on a leaf that is drawn three times.

    >>> Box("n0", "leaf", title="w", rows=(("data", "2"), ("grad", "0"))).text
    'n0  w  data 2  grad 0'
    """

    id: str
    kind: Kind
    title: str = ""
    op: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """The box on one line, for a terminal or a screen reader."""
        lines = " ".join([value for caption, value in self.rows if not caption])
        rows = [f"{caption} {value}" for caption, value in self.rows if caption]
        note = f"({self.note})" if self.note else ""
        return "  ".join(part for part in (self.id, self.title, self.op, lines, *rows, note) if part)


@dataclass(frozen=True)
class Arrow:
    """An arrow from a parent's box to the box computed from it.

    Args:
        tail: id of the parent's box.
        head: id of the box computed from it.
        text: the local derivative ∂head/∂tail; may be empty.

    """

    tail: str
    head: str
    text: str = ""


@dataclass(frozen=True)
class Diagram:
    """Boxes and arrows, both in the topological order of the graph.

    Args:
        boxes: the boxes.
        arrows: from the box of each operand to the box computed from it.
        down: draw arrows downwards instead of to the right; their texts are then shown in tooltips only.

    Raises:
        ValueError: two boxes share an id, or an arrow names an unknown box.

    >>> square = Diagram((Box("n0", "leaf", "x"), Box("n1", "output", op="×")),
    ...                  (Arrow("n0", "n1", "3"), Arrow("n0", "n1", "3")))
    >>> len(square.arrows)
    2
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    down: bool = field(default=False, repr=False)  # kept out of repr, from which `to_svg` derives the ids
    _into: dict[str, tuple[Arrow, ...]] = field(init=False, repr=False, compare=False)
    _names: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = Counter(box.id for box in self.boxes)
        repeated = [name for name, count in known.items() if count > 1]
        if repeated:
            message = f"two boxes share the id {repeated[0]!r}; give every box its own id"
            raise ValueError(message)
        for arrow in self.arrows:
            for end in (arrow.tail, arrow.head):
                if end not in known:
                    message = f"{arrow} names the box {end!r}, which is not among the boxes; add it or drop the arrow"
                    raise ValueError(message)
        into: dict[str, list[Arrow]] = {box.id: [] for box in self.boxes}
        for arrow in self.arrows:
            into[arrow.head].append(arrow)
        object.__setattr__(self, "_into", {name: tuple(arrows) for name, arrows in into.items()})
        object.__setattr__(self, "_names", {box.id: box.title or box.id for box in self.boxes})

    def arrows_into(self, name: str) -> tuple[Arrow, ...]:
        """Return the arrows that end at the box called `name`, in the order of its parents."""
        return self._into[name]

    def shown_text(self, arrow: Arrow) -> str:
        """Return the text to draw beside the arrow: its own, or an empty string if there is no space for it.

        >>> crowded = Diagram(tuple(Box(f"n{i}", "leaf") for i in range(31)),
        ...                 tuple(Arrow(f"n{i}", "n30", "1") for i in range(30)))
        >>> crowded.shown_text(crowded.arrows[0])
        ''
        """
        return arrow.text if len(self._into[arrow.head]) <= MAX_TEXTS and not self.down else ""

    def tooltip(self, arrow: Arrow) -> str:
        """Return the text of an arrow's tooltip, such as `∂y/∂x = 3`; boxes without a title appear by their id."""
        head, tail = self._names[arrow.head], self._names[arrow.tail]
        return f"∂{head}/∂{tail} = {arrow.text}" if arrow.text else f"{tail} → {head}"
