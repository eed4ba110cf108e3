"""Memory: pieces that are taken, given back and taken again, the one given back last first."""

from __future__ import annotations

import math
from typing import Any

from microgradlib.compiler.numpy_functions import numpy

__all__ = ["Memory"]

MOST_WASTE = 4
"""A piece is not used for what needs less than this part of it."""


class Memory:
    """Pieces of memory for arrays.

    >>> memory = Memory(float)
    >>> array, piece = memory.take((2, 3))
    >>> memory.give_back(piece)
    >>> memory.take((3, 2))[1] is piece, memory.take((3, 2))[1] is piece
    (True, False)
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self._pieces: list[Any] = []
        self._free: list[Any] = []

    def take(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return an array of this shape, whose numbers are anything, and the piece that it is in."""
        size = math.prod(shape)
        found = [i for i, piece in enumerate(self._free) if size <= piece.size <= MOST_WASTE * size]
        if found:
            piece = self._free.pop(found[-1])
        else:
            piece = numpy().empty(size, self.dtype)
            self._pieces.append(piece)
        return piece[:size].reshape(shape), piece

    def give_back(self, piece: Any) -> None:
        """Let a piece be taken again; what is none, or is free already, is left alone."""
        if self.holds(piece) and not any(free is piece for free in self._free):
            self._free.append(piece)

    def holds(self, piece: Any) -> bool:
        """Say whether it is a piece of this memory."""
        return any(known is piece for known in self._pieces)

    def free_all(self) -> None:
        """Let all pieces be taken again."""
        self._free = list(self._pieces)
