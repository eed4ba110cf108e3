"""Reading: the tensor that holds some numbers of a program, cut out of those that hold whole blocks, and joined."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.onnx.graph import Body, Tensor
from microgradlib.listing.symbols import Symbols

__all__ = ["Reader", "Source"]

CONSTANTS = -1
"""In the place of a block: any number that is known."""


class Source(NamedTuple):
    """A tensor that holds a block of numbers, the lengths of its axes behind the batch, and whether it has a batch."""

    tensor: Tensor
    shape: tuple[int, ...]
    is_batched: bool


class Reader:
    """Tensors of numbers, which are known by their symbols, as in listings. `sources` are the blocks', by number.

    Every tensor that is read has the axes of the array of symbols that asks for it, behind the batch if `batched`.
    """

    def __init__(self, body: Body, symbols: Symbols) -> None:
        self.body, self.symbols = body, symbols
        self.sources: dict[int, Source] = {}
        self.rows: Tensor | None = None
        """An input, whose length is that of the batch."""
        self._known: dict[Any, Tensor] = {}
        self._constants = [number for number, block in enumerate(symbols.blocks) if block.kind == "constant"]

    def owners(self, wanted: Slots) -> Slots:
        """Return the number of the block of each symbol, CONSTANTS for numbers that are known."""
        np, owners = numpy(), self.symbols.owner_numbers(wanted)
        return np.where(np.isin(owners, self._constants), CONSTANTS, owners)

    def whole(self, wanted: Slots) -> Source | None:
        """Return the source whose numbers these are, all in order, if there is one."""
        first = int(self.owners(wanted[:1])[0])
        block = self.symbols.blocks[first]
        is_whole = first != CONSTANTS and numpy().array_equal(wanted, block.symbols)
        return self.sources[first] if is_whole else None

    def is_known(self, wanted: Slots) -> bool:
        """Say whether all these are known numbers."""
        return bool((self.owners(wanted) == CONSTANTS).all())

    def number(self, wanted: Slots) -> float | None:
        """Return the number that all these symbols stand for, if there is one."""
        first = int(wanted[0])
        return self.symbols.constants.get(first) if (wanted == first).all() else None

    def read(self, wanted: Slots, *, batched: bool) -> Tensor:
        """Return the tensor of these numbers."""
        key = wanted.shape, wanted.tobytes(), batched
        if key not in self._known:
            self._known[key] = self._read(wanted, batched=batched)
        return self._known[key]

    def _read(self, wanted: Slots, *, batched: bool) -> Tensor:
        np, owners, lead = numpy(), self.owners(wanted), int(batched)
        if self.is_known(wanted):
            numbers = np.array([self.symbols.constants[s] for s in wanted.ravel().tolist()]).reshape(wanted.shape)
            return self.repeated(numbers, wanted.shape) if batched else self.body.constant(numbers)
        if (owners == owners.flat[0]).all():
            return self._cut(int(owners.flat[0]), wanted, batched=batched)
        for axis in dict.fromkeys((0, wanted.ndim - 1)):
            lines = np.moveaxis(owners, axis, 0).reshape(len(np.moveaxis(owners, axis, 0)), -1)
            if (lines == lines[:, :1]).all():
                cuts = np.flatnonzero(np.diff(lines[:, 0])) + 1
                if len(cuts) < 2 * len(set(lines[:, 0].tolist())):
                    parts = [self.read(part, batched=batched) for part in np.split(wanted, cuts, axis)]
                    return self.body.node("Concat", *parts, axis=axis + lead)
        rows = self._by_rows(wanted, owners, batched=batched)
        return self._gathered(wanted, owners, batched=batched) if rows is None else rows

    def _by_rows(self, wanted: Slots, owners: Slots, *, batched: bool) -> Tensor | None:
        """Return a matrix as its blocks of rows that read the same sources, if there are few."""
        np = numpy()
        cuts = np.flatnonzero((owners[1:] != owners[:-1]).reshape(len(owners) - 1, -1).any(1)) + 1
        if wanted.ndim == 1 or not 0 < len(cuts) < len(np.unique(owners)):
            return None
        parts = [self.read(part, batched=batched) for part in np.split(wanted, cuts)]
        return self.body.node("Concat", *parts, axis=int(batched))

    def _cut(self, owner: int, wanted: Slots, *, batched: bool) -> Tensor:
        """Return numbers of one source: all of it, a range, the transpose of either, or picked one by one."""
        np, source = numpy(), self.sources[owner]
        places, axis = wanted - self.symbols.blocks[owner].start, int(batched)
        flat, size = places.ravel(), math.prod(source.shape)
        if np.array_equal(flat, np.arange(size)):
            return self.reshaped(source.tensor, source.shape, wanted.shape, batched=batched)
        tensor = self.reshaped(source.tensor, source.shape, (size,), batched=batched)
        step = int(flat[1] - flat[0]) if len(flat) > 1 else 1
        if step > 0 and (np.diff(flat) == step).all():
            ends = [np.array([x]) for x in (flat[0], flat[-1] + 1, axis, step)]
            cut = self.body.node("Slice", tensor, *ends)
            return self.reshaped(cut, (len(flat),), wanted.shape, batched=batched)
        turned = wanted.swapaxes(-1, -2) if wanted.ndim > 1 else wanted
        if wanted.ndim > 1 and (np.diff(turned.ravel()) == 1).all():
            order = [*range(wanted.ndim + axis)]
            order[-2:] = order[:-3:-1]
            return self.body.node("Transpose", self.read(turned, batched=batched), perm=order)
        return self.body.node("Gather", tensor, places, axis=axis)

    def _gathered(self, wanted: Slots, owners: Slots, *, batched: bool) -> Tensor:
        """Return numbers of several sources, picked one by one out of all these, side by side."""
        np, flat = numpy(), wanted.ravel()
        groups = {owner: np.unique(flat[owners.ravel() == owner]) for owner in dict.fromkeys(owners.ravel().tolist())}
        whole = [s if o == CONSTANTS else self.symbols.blocks[o].symbols for o, s in groups.items()]
        joined = np.concatenate(whole)
        parts = [self.read(part, batched=batched) for part in whole]
        order = np.argsort(joined, kind="stable")
        places = order[np.searchsorted(joined, wanted, sorter=order)]
        return self.body.node("Gather", self.body.node("Concat", *parts, axis=int(batched)), places, axis=int(batched))

    def reshaped(self, tensor: Tensor, old: tuple[int, ...], new: tuple[int, ...], *, batched: bool) -> Tensor:
        """Return a tensor with other axes behind the batch."""
        if old == new:
            return tensor
        return self.body.node("Reshape", tensor, numpy().array([*[0] * batched, *new], dtype="int64"))

    def repeated(self, tensor: Any, shape: tuple[int, ...]) -> Tensor:
        """Return what is the same for all examples with an axis of the batch: (batch, *shape)."""
        batch = self.body.node("Shape", self.rows, start=0, end=1)
        lengths = batch
        if shape:
            lengths = self.body.node("Concat", batch, numpy().array(shape, dtype="int64"), axis=0)
        return self.body.node("Expand", tensor, lengths)
