"""A box with its place and all that says how it looks, for the painters of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib.viz.painting.measure import contents

if TYPE_CHECKING:
    from microgradlib.viz.boxes.diagram import Box
    from microgradlib.viz.layout.placement import Rect
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.painting.measure import Contents

_LOOKS: Final = {"card": "op", "closed": "op", "table": "op", "elided": "constant"}
"""The kinds whose colours are those of another kind."""


def look(kind: str) -> str:
    """Return the kind whose colours a box has: `card` looks as `op` does.

    >>> look("closed"), look("input")
    ('op', 'input')
    """
    return _LOOKS.get(kind, kind)


@dataclass(frozen=True)
class BoxView:
    """A box and how it is to be shown.

    Args:
        box: what is in it.
        rect: its place.
        colour: from a role to its colour.
        captions: see `Diagram.captions`.
        opened: of a box that opens and closes by click, whether it is open; None for any other.
        marked: indices of nodes whose rows, or whose boxes, have a thick outline.

    """

    box: Box
    rect: Rect
    colour: Colour
    captions: bool = False
    opened: bool | None = None
    marked: tuple[int, ...] = ()

    @property
    def parts(self) -> Contents:
        """The measures of its parts."""
        return contents(self.box, captions=self.captions)

    @property
    def spare(self) -> float:
        """How far its contents are moved down, to stand in the middle of a box that is higher than they need.

        Contents with rows that lines meet stay at the top.
        """
        several = (len(self.box.rows) > 1 or self.box.table) and not self.captions
        return 0.0 if several or self.bare else max(0.0, self.rect.height - self.parts.height) / 2

    @property
    def bare(self) -> bool:
        """Whether it has a title line and nothing else."""
        return not (self.box.rows or self.box.table or self.box.strips)

    @property
    def ink(self) -> str:
        """The colour of its title."""
        return self.colour(f"{look(self.box.kind)}_text")

    @property
    def sides(self) -> dict[str, float]:
        """Its rectangle as attributes."""
        return self.rect._asdict()
