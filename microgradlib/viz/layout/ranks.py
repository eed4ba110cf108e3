"""The column of each box: the length of its longest path from a leaf, or more if that shortens lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

_FAR: Final = 3
"""Leaves do not move left by more than so many columns to stand beside others, or outside a frame that they feed."""
_MOST_PASSES: Final = 8
_MOST_BOUNDS: Final = 2_000


def rank(boxes: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Return the column of each box, numbered from 0.

    A box is moved right, next to its first use, if it has more outgoing than incoming lines, or if no other box uses
    its inputs (leaves aside), which can then be moved too.

    Args:
        boxes: how many; they are numbered from 0.
        arrows: pairs (tail, head).

    Raises:
        ValueError: the arrows form a cycle.

    >>> rank(4, [(0, 1), (1, 2), (3, 2)])
    [0, 1, 2, 1]
    """
    heads: list[list[int]] = [[] for _ in range(boxes)]
    pending = [0] * boxes
    for tail, head in arrows:
        heads[tail].append(head)
        pending[head] += 1
    inputs = tuple(pending)
    movable = [True] * boxes
    ranks = [0] * boxes
    ready = [box for box in range(boxes) if not pending[box]]
    for box in ready:  # the list grows during the iteration
        for head in heads[box]:
            movable[head] &= not inputs[box] or (movable[box] and len(heads[box]) == 1)
            ranks[head] = max(ranks[head], ranks[box] + 1)
            pending[head] -= 1
            if not pending[head]:
                ready.append(head)
    if len(ready) < boxes:
        message = f"{boxes - len(ready)} boxes lie on or behind a cycle of arrows; remove one of them"
        raise ValueError(message)
    for box in reversed(ready):
        if heads[box] and (movable[box] or len(heads[box]) > inputs[box]):
            ranks[box] = min([ranks[head] for head in heads[box]]) - 1
    return ranks


def share_columns(ranks: Sequence[int], kin: Sequence[Hashable | None], arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Return the columns after leaves of one kin (not None) have been moved left into the leftmost column among them.

    Those more than 3 columns away stay where they are; so do those with a single use if they are more than 1 away.

    >>> share_columns([0, 2, 9, 3], ["input", "input", "input", None], [(1, 3), (1, 3)])
    [0, 0, 9, 3]
    """
    uses = Counter(tail for tail, _ in arrows)
    first: dict[Hashable, int] = {}
    for column, key in zip(ranks, kin, strict=True):
        if key is not None:
            first[key] = min(first.get(key, column), column)
    moved = list(ranks)
    for box, key in enumerate(kin):
        if key is not None and ranks[box] - first[key] <= (_FAR if uses[box] > 1 else 1):
            moved[box] = first[key]
    return moved


def rank_frames(arrows: Sequence[tuple[int, int]], frames_of: Sequence[tuple[int, ...]], frames: int) -> list[int]:
    """Return the column of each box: as `rank`, and frames beside one another where that only moves leaves.

    A frame whose boxes all follow the last ones of another begins behind it, leaves and all, if leaves alone would
    stand beside it. A leaf outside a frame that it feeds stands in front of it.

    Args:
        arrows: pairs (tail, head).
        frames_of: for each box, the frames around it, outermost first.
        frames: how many frames there are.

    Raises:
        ValueError: the arrows form a cycle.

    >>> rank_frames([(0, 1), (1, 3), (2, 3)], [(), (0,), (1,), (1,)], 2)
    [0, 1, 2, 3]
    """
    boxes = len(frames_of)
    inner = {head for _, head in arrows}
    leaves: list[list[int]] = [[] for _ in range(frames)]
    for box, around in enumerate(frames_of):
        for frame in around if box not in inner else ():
            leaves[frame].append(box)
    ranks = rank(boxes, arrows)
    bounds: dict[tuple[int, int], None] = {}  # pairs (box, leaf): the leaf stands behind the box
    for _ in range(_MOST_PASSES if any(leaves) else 0):
        known = len(bounds)
        for one, other, tails in _followers(arrows, frames_of):
            last = _last(frames_of, ranks, one)
            beside = [leaf for leaf in leaves[other] if ranks[leaf] <= last]
            if all(ranks[tail] == last for tail in tails):
                few = tails if len(tails) * len(beside) <= _MOST_BOUNDS else tails[:1]
                bounds.update(((tail, leaf), None) for tail in few for leaf in beside)
        if len(bounds) == known:
            break
        try:
            ranks = rank(boxes, [*arrows, *bounds])
        except ValueError:  # a way leads back from the frame behind to the one in front
            break
    return _leaves_in_front(arrows, frames_of, ranks, inner)


def _followers(
    arrows: Sequence[tuple[int, int]], frames_of: Sequence[tuple[int, ...]]
) -> list[tuple[int, int, list[int]]]:
    """Return pairs of frames of one frame that arrows join one way only, with the boxes that they come from."""
    tails: dict[tuple[int, int], dict[int, None]] = {}
    for tail, head in arrows:
        one, other = frames_of[tail], frames_of[head]
        k = 0
        while k < min(len(one), len(other)) and one[k] == other[k]:
            k += 1
        if k < min(len(one), len(other)):
            tails.setdefault((one[k], other[k]), {})[tail] = None
    return [(*pair, list(found)) for pair, found in tails.items() if pair[::-1] not in tails]


def _last(frames_of: Sequence[tuple[int, ...]], ranks: Sequence[int], frame: int) -> int:
    return max(column for column, around in zip(ranks, frames_of, strict=True) if frame in around)


def _leaves_in_front(
    arrows: Sequence[tuple[int, int]], frames_of: Sequence[tuple[int, ...]], ranks: Sequence[int], inner: set[int]
) -> list[int]:
    """Return the columns after leaves have moved in front of the frames that they feed from outside."""
    low: dict[int, int] = {}
    for column, around in zip(ranks, frames_of, strict=True):
        for frame in around:
            low[frame] = min(low.get(frame, column), column)
    moved = list(ranks)
    for tail, head in arrows:
        depth = len(frames_of[tail])
        if tail not in inner and frames_of[head][:depth] == frames_of[tail]:
            for frame in frames_of[head][depth:]:
                if ranks[tail] - low[frame] < _FAR:
                    moved[tail] = min(moved[tail], low[frame] - 1)
    first = min(moved, default=0)
    return [column - first for column in moved]
