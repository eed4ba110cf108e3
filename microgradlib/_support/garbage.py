"""Disable the cyclic garbage collector while a graph is built."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["without_collection"]


@contextmanager
def without_collection() -> Iterator[None]:
    """Disable the cyclic garbage collector in the block, if it is enabled.

    >>> with without_collection():
    ...     gc.isenabled()
    False
    """
    was = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was:
            gc.enable()
