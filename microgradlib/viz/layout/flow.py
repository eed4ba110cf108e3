"""A diagram as numbers along and across its arrows: what the passes of the layout are given, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
from microgradlib.viz.layout.along import Ends
from microgradlib.viz.layout.grid import Line
from microgradlib.viz.layout.placement import Direction, Size, Spacing
from microgradlib.viz.layout.ports import breadth_for
from microgradlib.viz.layout.ranks import rank_frames, share_columns
from microgradlib.viz.layout.spacing import Edge

_BESIDE_TEXT: Final = 6.0
"""Pixels between two texts that stand side by side above a box."""
_LEAST_BUS: Final = 40.0


@dataclass(frozen=True)
class Flow:
    """A diagram along and across its arrows; boxes, frames and lines are numbered as in the diagram.

    Args:
        lengths, breadths: of the boxes, along and across.
        ranks: the column of each box.
        frames_of: the frames around each box, outermost first.
        parents: the frame around each frame, or −1.
        kin: for each box, a key that equal ones share.
        pitches: for each box, pixels between two free lines that enter it.
        lines: the arrows.
        texts: for each line, length and breadth of its text; 0 for none.
        edges, ends: the room that each frame needs, across and along.
        titles: the widths of title and formula of each frame.

    """

    lengths: list[float]
    breadths: list[float]
    ranks: list[int]
    frames_of: list[tuple[int, ...]]
    parents: list[int]
    kin: list[tuple[str, str, str] | None]
    pitches: list[float]
    lines: list[Line]
    texts: list[tuple[float, float]]
    edges: list[Edge]
    ends: list[Ends]
    titles: list[tuple[float, float]]

    def longest_texts(self) -> list[float]:
        """Return for each box the length of the longest text on a line into it, 0 for none."""
        texts = [0.0] * len(self.lengths)
        for line, (length, _) in zip(self.lines, self.texts, strict=True):
            texts[line.head] = max(texts[line.head], length)
        return texts


def flow_of(
    diagram: Diagram,
    sizes: Mapping[str, Size],
    direction: Direction,
    spacing: Spacing,
    *,
    text_width: Callable[[str], float],
    title_size: Callable[[Frame], tuple[float, float]],
) -> Flow:
    """Return a diagram as numbers; arguments as those of `layout`, already checked.

    Raises:
        ValueError: the arrows form a cycle.

    """
    number = {box.id: i for i, box in enumerate(diagram.boxes)}
    frames = {frame.id: i for i, frame in enumerate(diagram.frames)}
    parents = [frames.get(frame.parent, -1) for frame in diagram.frames]
    around: list[tuple[int, ...]] = []
    for frame, outer in enumerate(parents):
        around.append((*(around[outer] if outer >= 0 else ()), frame))
    entering: list[list[Arrow]] = [[] for _ in diagram.boxes]
    for arrow in diagram.arrows:
        entering[number[arrow.head]].append(arrow)
    sides = [
        _side(box, arrows, sizes.get(box.id), direction, spacing, text_width=text_width)
        for box, arrows in zip(diagram.boxes, entering, strict=True)
    ]
    _make_alike(diagram.boxes, sides)
    titles = [title_size(frame) for frame in diagram.frames]
    frames_of = [around[frames[box.frame]] if box.frame else () for box in diagram.boxes]
    ends = [(number[arrow.tail], number[arrow.head]) for arrow in diagram.arrows]
    ranks = rank_frames(ends, frames_of, len(parents))
    return Flow(
        lengths=[side.length for side in sides],
        breadths=[side.breadth for side in sides],
        ranks=share_columns(ranks, [box.frame if box.kind == "input" else None for box in diagram.boxes], ends),
        frames_of=frames_of,
        parents=parents,
        kin=[_kin(box) for box in diagram.boxes],
        pitches=[side.pitch for side in sides],
        lines=[_line(arrow, sides[number[arrow.tail]], sides[number[arrow.head]], number) for arrow in diagram.arrows],
        texts=[_text(arrow, sides[number[arrow.head]], direction, spacing, text_width) for arrow in diagram.arrows],
        edges=[_edge(frame, title, direction, spacing) for frame, title in zip(diagram.frames, titles, strict=True)],
        ends=[_ends(frame, title, direction, spacing) for frame, title in zip(diagram.frames, titles, strict=True)],
        titles=titles,
    )


@dataclass
class _Side:
    """A box along and across: its size, where lines enter and leave, how far apart, and whether texts are shown."""

    length: float
    breadth: float
    ports: Sequence[float]
    exits: Sequence[float]
    pitch: float
    texts: bool


def _side(
    box: Box,
    arrows: Sequence[Arrow],
    size: Size | None,
    direction: Direction,
    spacing: Spacing,
    *,
    text_width: Callable[[str], float],
) -> _Side:
    if box.kind == "bus" or size is None:
        breadth = breadth_for((), len(arrows), spacing.tight, _LEAST_BUS)
        return _Side(spacing.bus, breadth, (), (), spacing.tight, texts=False)
    length, breadth = (size.width, size.height) if direction == "right" else (size.height, size.width)
    texts = len(arrows) <= spacing.most_texts and any(arrow.text for arrow in arrows)
    fixed = [size.ports[arrow.port or 0] for arrow in arrows if _has(size.ports, arrow.port)]
    if not texts:
        least, pitch = spacing.tight, spacing.tight if fixed else spacing.port
    elif direction == "right":
        least = pitch = spacing.port
    else:
        least = pitch = max(text_width(arrow.text) for arrow in arrows) + _BESIDE_TEXT
    free = len(arrows) - len(fixed)
    breadth = breadth_for(fixed, free, least, breadth)
    if texts and direction == "down":  # the outermost texts end above the box
        widest = max(text_width(arrow.text) for arrow in arrows)
        breadth = max(breadth, free * pitch, widest + _BESIDE_TEXT)
    return _Side(length, breadth, size.ports, size.exits, pitch, texts)


def _has(places: Sequence[float], port: int | None) -> bool:
    return port is not None and 0 <= port < len(places)


def _make_alike(boxes: Sequence[Box], sides: Sequence[_Side]) -> None:
    """Make boxes of one key equally long and broad."""
    groups: dict[str, list[_Side]] = {}
    for box, side in zip(boxes, sides, strict=True):
        if box.alike and box.kind != "bus":
            groups.setdefault(box.alike, []).append(side)
    for group in groups.values():
        length, breadth = max(side.length for side in group), max(side.breadth for side in group)
        for side in group:
            side.length, side.breadth = length, breadth


def _kin(box: Box) -> tuple[str, str, str] | None:
    if box.kind == "input":
        return ("input", box.frame, "")
    if box.alike or box.kind in {"card", "closed", "table"}:
        return ("alike", box.frame, box.alike)
    return None


def _line(arrow: Arrow, tail: _Side, head: _Side, number: Mapping[str, int]) -> Line:
    leaves = tail.exits[arrow.tail_port or 0] - tail.breadth / 2 if _has(tail.exits, arrow.tail_port) else None
    enters = head.ports[arrow.port or 0] - head.breadth / 2 if _has(head.ports, arrow.port) else None
    trunk = (arrow.source, arrow.tail_port) if leaves is not None else (arrow.source, None)
    return Line(number[arrow.tail], number[arrow.head], trunk, leaves, enters)


def _text(
    arrow: Arrow, head: _Side, direction: Direction, spacing: Spacing, text_width: Callable[[str], float]
) -> tuple[float, float]:
    if not (arrow.text and head.texts):
        return (0.0, 0.0)
    width = text_width(arrow.text)
    return (width, spacing.text_height) if direction == "right" else (spacing.text_height, width)


def _bar(frame: Frame, spacing: Spacing) -> float:
    return spacing.bar if frame.title or frame.formula or frame.count > 1 else spacing.frame


def _edge(frame: Frame, title: tuple[float, float], direction: Direction, spacing: Spacing) -> Edge:
    sheets = 2 * spacing.sheet if frame.count > 1 else 0.0
    if direction == "right":
        return Edge(_bar(frame, spacing), spacing.frame, sheets)
    return Edge(spacing.frame, spacing.frame, sheets, title[0])


def _ends(frame: Frame, title: tuple[float, float], direction: Direction, spacing: Spacing) -> Ends:
    sheets = 2 * spacing.sheet if frame.count > 1 else 0.0
    if direction == "right":
        return Ends(spacing.frame, spacing.frame + sheets, title[0])
    return Ends(_bar(frame, spacing), spacing.frame + sheets)
