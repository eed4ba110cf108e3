"""Assign numbers to many Values at once."""

from __future__ import annotations

from collections import deque
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from microgradlib._support.interrupts import at_once
from microgradlib.core.changes import count_assignment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from microgradlib.core.value import Value

__all__ = ["assign"]


def assign(values: Sequence[Value], slot: str, numbers: Iterable[float], *calls: Callable[[], Any]) -> None:
    """Set the attribute `slot` of each leaf, `_data` or `grad`, to the corresponding float; then make the calls.

    All is one call that runs no Python bytecode, if the calls run none, so Ctrl-C cannot leave only some of them set.
    """
    if slot == "_data":
        count_assignment(values)
    at_once([partial(deque, map(setattr, values, repeat(slot), numbers), 0), *calls])
