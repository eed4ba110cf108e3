"""From places along and across to x and y: rectangles, lines, texts and titles of the finished layout."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from microgradlib.viz.boxes.diagram import Diagram
from microgradlib.viz.layout.along import Along
from microgradlib.viz.layout.flow import Flow
from microgradlib.viz.layout.grid import Grid
from microgradlib.viz.layout.lines import Step, line_of
from microgradlib.viz.layout.placement import Direction, FramePlace, Rect, Route, Spacing
from microgradlib.viz.layout.spacing import Across
from microgradlib.viz.layout.titles import place_title, points_of, with_extent
from microgradlib.viz.layout.wrapping import Rows

_BEFORE_HEAD: Final = 3.0
"""Pixels of line between a text and the arrowhead."""
_INDENT: Final = 10.0
"""Pixels between the side of a frame and its title."""
_BETWEEN_TEXTS: Final = 2.0
_BESIDE_LINE: Final = 1.0
_SAME: Final = 1e-6


@dataclass(frozen=True)
class Places:
    """All that the passes have computed, and how it is turned into x and y."""

    diagram: Diagram
    flow: Flow
    grid: Grid
    across: Across
    along: Along
    rows: Rows
    spacing: Spacing
    direction: Direction

    def rect(self, begin: float, top: float, length: float, breadth: float) -> Rect:
        """Return a rectangle given along and across as one in x and y."""
        return Rect(begin, top, length, breadth) if self.direction == "right" else Rect(top, begin, breadth, length)

    def turned(self, step: Sequence[float]) -> Step:
        """Return points given along and across as points in x and y."""
        if self.direction == "right":
            return tuple(step)
        return tuple(step[i ^ 1] for i in range(len(step)))

    def boxes(self) -> dict[str, Rect]:
        """Return the rectangle of each box by id."""
        rects = {}
        for i, box in enumerate(self.diagram.boxes):
            begin, middle = self.rows.place_of(i, self.grid, self.along, self.across)
            breadth = self.flow.breadths[i]
            rects[box.id] = self.rect(begin, middle - breadth / 2, self.flow.lengths[i], breadth)
        return rects

    def routes(self) -> tuple[Route, ...]:
        """Return the lines of all arrows, with the boxes of their texts."""
        shown = self._shown_texts()
        routes = []
        for i, arrow in enumerate(self.diagram.arrows):
            start, steps = line_of(
                self.grid, i, along=self.along, across=self.across, rows=self.rows, lengths=self.flow.lengths
            )
            text = None
            if i in shown:
                length, breadth = self.flow.texts[i]
                end, place = steps[-1]
                begin = end - self.spacing.head - _BEFORE_HEAD - length
                text = self.rect(begin, place - breadth / 2, length, breadth)
            turned = tuple(map(self.turned, steps))
            x, y = self.turned(start)
            routes.append(Route(arrow, (x, y), turned, text))
        return tuple(routes)

    def _shown_texts(self) -> set[int]:
        """Return the lines whose texts touch neither each other nor other lines, and do not go beyond the box."""
        into: dict[int, list[int]] = {}
        for i, line in enumerate(self.flow.lines):
            into.setdefault(line.head, []).append(i)
        shown = set()
        for box, lines in into.items():
            half = self.flow.breadths[box] / 2
            free = -half
            entries = sorted((self.grid.links[self.grid.last[i]].enters, i) for i in lines)
            places = [place for place, _ in entries]
            for place, i in entries:
                room = self.flow.texts[i][1] / 2
                before, after = bisect_right(places, place - _SAME), bisect_left(places, place + _SAME)
                beside = [*places[max(0, before - 1) : before], *places[after : after + 1]]
                clear = all(abs(other - place) >= room + _BESIDE_LINE for other in beside)
                if room and clear and free <= place - room and place + room <= half:
                    shown.add(i)
                    free = place + room + _BETWEEN_TEXTS
        return shown

    def frames(self, routes: Sequence[Route]) -> dict[str, FramePlace]:
        """Return the place of each frame that holds a box, by id."""
        lines = [with_extent(points_of(route.start, route.steps)) for route in routes]
        places = {}
        for i, frame in enumerate(self.diagram.frames):
            low, high = self.grid.span[i]
            if high < 0:
                continue
            row = self.rows.row_of[low]
            sheets = self.flow.edges[i].sheets
            begin, end = self.along.begins[i], self.along.ends[i] - sheets
            top, bottom = self.across.begins[i], self.across.ends[i]
            rect = self.rect(begin + self.rows.along[row], top + self.rows.across[row], end - begin, bottom - top)
            height = self.spacing.title_height
            above = max(0.0, (self.spacing.bar - height) / 2)
            bar = Rect(rect.x + _INDENT, rect.y + above, rect.width - 2 * _INDENT, height)
            places[frame.id] = place_title(rect, self.flow.titles[i], bar, lines)
        return places
