"""Assign numbers to many Values at once."""

from __future__ import annotations

from collections import deque
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from microgradlib.core.changes import count_assignment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.core.value import Value

__all__ = ["assign"]


def assign(values: Sequence[Value], slot: str, numbers: Iterable[float], *others: tuple[object, str, Any]) -> None:
    """Set the attribute `slot` of each leaf, `_float` or `grad`, to the corresponding float; and others with them.

    `others` are (object, attribute, content). All is one call that runs no Python bytecode, so Ctrl-C cannot leave only
    some of them set.
    """
    if slot == "_float":
        count_assignment(values)
    objects: Iterable[object] = values
    names: Iterable[str] = repeat(slot)
    if others:
        further, further_names, contents = zip(*others)
        objects, names = chain(values, further), chain(repeat(slot, len(values)), further_names)
        numbers = chain(numbers, contents)
    deque(map(setattr, objects, names, numbers), maxlen=0)
