"""Where the titles of frames stand: in the frame's bar, where no line passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from microgradlib.viz.layout.placement import FramePlace, Rect

_INDENT: Final = 10.0
_BESIDE: Final = 5.0
"""Pixels between a text and the nearest line."""
_BETWEEN: Final = 14.0
"""Pixels between title and formula."""
_SAMPLES: Final = 12
"""Points of a curve that are looked at."""

Point = tuple[float, float]
Line = tuple[Sequence[Point], Rect]
"""The points of a line, and its extent."""


def points_of(start: Point, steps: Sequence[tuple[float, ...]]) -> list[Point]:
    """Return points along a line, close enough to see what it passes.

    >>> points_of((0.0, 0.0), [(10.0, 0.0)])
    [(0.0, 0.0), (10.0, 0.0)]
    """
    points = [start]
    for step in steps:
        if len(step) == 2:
            points.append((step[0], step[1]))
            continue
        (x0, y0), (x1, y1, x2, y2, x3, y3) = points[-1], step
        for i in range(1, _SAMPLES + 1):
            t = i / _SAMPLES
            s = 1 - t
            a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
            points.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return points


def with_extent(points: Sequence[Point]) -> Line:
    """Return the points of a line with the smallest rectangle around them.

    >>> with_extent([(0.0, 5.0), (10.0, 1.0)])[1]
    Rect(x=0.0, y=1.0, width=10.0, height=4.0)
    """
    xs, ys = zip(*points, strict=True)
    left, top = min(xs), min(ys)
    return points, Rect(left, top, max(xs) - left, max(ys) - top)


def place_title(frame: Rect, widths: tuple[float, float], bar: Rect, lines: Iterable[Line]) -> FramePlace:
    """Return a frame with its title at the left of its bar, and its formula behind the title if there is room.

    Args:
        frame: its rectangle.
        widths: of the title and of the formula; 0 for none.
        bar: the place for both, of the height of a title.
        lines: those that may pass.

    """
    title, formula = widths
    taken = sorted(_passed(bar, lines))
    at = _first_gap(taken, bar.x, bar.x + bar.width, title)
    if at is None:
        at = bar.x
    place = Rect(at, bar.y, title, bar.height)
    if not formula:
        return FramePlace(frame, place)
    behind = _first_gap(taken, at + title + _BETWEEN, bar.x + bar.width, formula)
    return FramePlace(frame, place, None if behind is None else Rect(behind, bar.y, formula, bar.height))


def _first_gap(taken: Sequence[tuple[float, float]], begin: float, end: float, width: float) -> float | None:
    """Return the first place between `begin` and `end` with room for `width`, between the intervals that are taken."""
    at = begin
    for low, high in taken:
        if low - at >= width:
            break
        at = max(at, high)
    return at if at + width <= end else None


def _passed(bar: Rect, lines: Iterable[Line]) -> list[tuple[float, float]]:
    """Return the intervals of a bar that lines pass, with some room beside them."""
    intervals = []
    top, bottom = bar.y, bar.y + bar.height
    for points, around in lines:
        if around.y + around.height < top or around.y > bottom:
            continue
        for (x0, y0), (x1, y1) in pairwise(points):
            low, high = (y0, y1) if y0 <= y1 else (y1, y0)
            left, right = (x0, x1) if x0 <= x1 else (x1, x0)
            if high < top or low > bottom or right < bar.x or left > bar.x + bar.width:
                continue
            intervals.append((left - _BESIDE, right + _BESIDE))
    return intervals
