"""What a picture shows, and the brush that paints it: the colours of a theme, ids and buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.viz.boxes.diagram import Box, Diagram
    from microgradlib.viz.layout.placement import Layout
    from microgradlib.viz.painting.glyphs import Colour
    from microgradlib.viz.routes.text import CaptionLine

MARGIN: Final = 14.0
"""Around the layout, in pixels."""
_DEEPEST: Final = 2


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Args:
        diagram: boxes, frames and arrows.
        layout: their places.
        styles: of each arrow its style under a highlight, see `routes.arrow_styles`; empty without one.
        caption: the lines below the picture.
        marked: the indices of the nodes at the two ends of a highlight.

    """

    diagram: Diagram
    layout: Layout
    styles: tuple[str, ...] = ()
    caption: tuple[CaptionLine, ...] = ()
    marked: tuple[int, ...] = ()

    def style(self, place: int) -> str:
        """Return the style of an arrow under a highlight."""
        return self.styles[place] if self.styles else ""

    @cached_property
    def box_of(self) -> dict[str, Box]:
        """The boxes by their ids."""
        return {box.id: box for box in self.diagram.boxes}

    @cached_property
    def depths(self) -> dict[str, int]:
        """How many frames are around each frame; -1 for the page, whose id is empty."""
        depths = {"": -1}
        for frame in self.diagram.frames:
            depths[frame.id] = depths[frame.parent] + 1
        return depths


@dataclass(frozen=True)
class Brush:
    """What the parts of a picture are painted with.

    Args:
        scene: what is painted.
        colour: from a role to its colour.
        prefix: the start of all ids.
        buttons: for the groups that open and close by click, whether they are open.

    """

    scene: Scene
    colour: Colour
    prefix: str
    buttons: Mapping[str, bool] = field(default_factory=dict)

    def ground(self, frame: str) -> str:
        """Return the colour inside a frame, or of the page."""
        depth = self.scene.depths[frame]
        return self.colour(f"frame{min(depth, _DEEPEST)}" if depth >= 0 else "paper")
