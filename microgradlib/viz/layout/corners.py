"""Boxes that no arrow joins to others: in a free corner of the drawing, beside it if there is room, or below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from microgradlib.viz.layout.placement import Rect

_LONGEST_ROW: Final = 900.0
"""A drawing as wide as this with the box fits a notebook's cell. Where there is nothing else, boxes without lines stand
in rows of this length."""

Point = tuple[float, float]


def place_in_corners(
    sizes: Sequence[tuple[float, float]],
    taken: Iterable[Rect],
    lines: Iterable[Sequence[Point]],
    whole: tuple[float, float],
    gap: float,
) -> tuple[list[Rect], tuple[float, float]]:
    """Return places for boxes beside a drawing, and the size of the whole with them.

    Args:
        sizes: width and height of each box.
        taken: the rectangles of all other boxes and frames.
        lines: the points of all lines.
        whole: width and height of the drawing so far.
        gap: the least space between two boxes.

    >>> place_in_corners([(30.0, 20.0)], [Rect(0.0, 0.0, 100.0, 40.0)], [], (100.0, 40.0), 10.0)
    ([Rect(x=110.0, y=20.0, width=30.0, height=20.0)], (140.0, 40.0))
    >>> place_in_corners([(30.0, 20.0)], [Rect(0.0, 0.0, 900.0, 40.0)], [], (900.0, 40.0), 10.0)
    ([Rect(x=0.0, y=50.0, width=30.0, height=20.0)], (900.0, 70.0))
    """
    rects = list(taken)
    rects += [
        Rect(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
        for line in lines
        for (x0, y0), (x1, y1) in pairwise(line)
    ]
    width, height = whole
    rest = []
    found: dict[int, Rect] = {}
    for i, (w, h) in enumerate(sizes):
        corners = [Rect(x, y, w, h) for y in (height - h, 0.0) for x in (width - w, 0.0)]
        free = [corner for corner in corners if _is_free(corner, rects, (width, height), gap)]
        if free:
            found[i] = free[0]
            rects.append(free[0])
        elif h <= height and width + gap + w <= _LONGEST_ROW:
            found[i] = Rect(width + gap, height - h, w, h)
            rects.append(found[i])
            width += gap + w
        else:
            rest.append(i)
    x, y, row = 0.0, height + gap if height else 0.0, 0.0
    limit = max([width or _LONGEST_ROW, *(sizes[i][0] for i in rest)])
    for i in rest:
        w, h = sizes[i]
        if x and x + w > limit:
            x, y, row = 0.0, y + row + gap, 0.0
        found[i] = Rect(x, y, w, h)
        x += w + gap
        row = max(row, h)
        width, height = max(width, found[i].x + w), max(height, y + h)
    return [found[i] for i in range(len(sizes))], (width, height)


def _is_free(rect: Rect, rects: Sequence[Rect], whole: tuple[float, float], gap: float) -> bool:
    if rect.x < 0 or rect.y < 0 or rect.x + rect.width > whole[0] or rect.y + rect.height > whole[1]:
        return False
    left, top, right, bottom = rect.x - gap, rect.y - gap, rect.x + rect.width + gap, rect.y + rect.height + gap
    return not any(r.x < right and left < r.x + r.width and r.y < bottom and top < r.y + r.height for r in rects)
