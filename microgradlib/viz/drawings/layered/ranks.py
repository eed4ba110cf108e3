"""The column of each box: the length of its longest path from a leaf, or more if that shortens lines."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

_FAR: Final = 3
"""Inputs of one frame share a column unless their first uses are more than so many columns apart."""


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


def share_columns(ranks: Sequence[int], kin: Sequence[Hashable | None]) -> list[int]:
    """Return the columns after leaves of one kin (not None) have been moved left into the leftmost column among them.

    Those more than 3 columns away stay where they are.

    >>> share_columns([0, 2, 9, 3], ["input", "input", "input", None])
    [0, 0, 9, 3]
    """
    first: dict[Hashable, int] = {}
    for column, key in zip(ranks, kin, strict=True):
        if key is not None:
            first[key] = min(first.get(key, column), column)
    return [
        first[key] if key is not None and column - first[key] <= _FAR else column
        for column, key in zip(ranks, kin, strict=True)
    ]
