"""Arrays: where each scalar lies, and how any of them are read: a part of an array, several together, a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.source.code import Code
from microgradlib.source.frameworks import Framework
from microgradlib.source.graph import NOTHING
from microgradlib.source.places import CONSTANT, Axis, Places, Strided, fine_axes, padded, strided

__all__ = ["Arrays"]

MOST_PARTS = 4
"""Of so few parts of one array a reading is put together; one of more takes a table."""


class Arrays(Places):
    """Writes how scalars are read.

    `inline(number)` writes an array that is read as a whole, `name(number)` one of which a part is. `rows` is the text
    of the number of examples, `like` that of an array of the same precision. `tables` are the names of places that lie
    in no order, by their text.
    """

    def __init__(
        self, framework: Framework, numbers: dict[int, float], count: int, inline: Callable[[int], Code],
        name: Callable[[int], Code], *, like: str = "",
    ) -> None:  # fmt: skip
        super().__init__(numbers, count)
        self.framework, self.inline, self.name, self.like = framework, inline, name, like
        self.rows, self.tables = "", dict[str, str]()

    def read(self, scalars: Any) -> Code:
        """Write an array of scalars, to be broadcast to (batch, *shape); its axes of equal scalars are left out."""
        scalars = self.filled(scalars)
        kept = [k for k in range(scalars.ndim) if (scalars != scalars.take([0], k)).any()]
        part = scalars[tuple([slice(None) if k in kept else 0 for k in range(scalars.ndim)])]
        code = self.whole(part, alone=len(kept) == scalars.ndim)
        if code.literal is not None or len(kept) == scalars.ndim:
            return code
        new = ["None" if k not in kept else ":" for k in range(scalars.ndim)]
        if not code.batched:
            new = new[kept[0] :] if kept else []
        return code.indexed([":", *new] if code.batched else new)

    def whole(self, scalars: Any, *, alone: bool = True) -> Code:
        """Write an array of scalars with all its axes, a single number if all are the same constant.

        `alone`: nothing is written behind it, so that it may be an expression.
        """
        owners = self.owners(scalars)
        if len(owners) > 1:
            return self._padded(scalars) or self._joined(scalars)
        if owners[0] != CONSTANT:
            return self._part(owners[0], scalars, alone=alone)
        numbers = [self.numbers[scalar] for scalar in scalars.ravel().tolist()]
        if len({repr(number) for number in numbers}) == 1:
            return Code.number(numbers[0])
        values = numpy().array(numbers).reshape(scalars.shape).tolist()
        return self.framework.array(values, self.like)

    def reduced(self, scalars: Any) -> tuple[Code, list[int]] | None:
        """Write scalars (…, terms) of one array in its own order of axes, and say which are terms; None if not so."""
        owner = int(self.owner[scalars.flat[0]])
        if owner < 0 or (scalars == NOTHING).any() or (self.owner[scalars] != owner).any():
            return None
        places = self.coordinates(scalars)
        axes = fine_axes(places)
        found = axes and strided(self.known[owner].lengths, places.reshape(-1, places.shape[-1])[0], axes)
        if not axes or not found:
            return None
        last = scalars.ndim - 1
        if [axis.of for axis in found.axes if axis.of < last] != list(range(last)) or found.windows:
            return None
        lead = int(self.known[owner].batched)
        terms = [lead + k for k, axis in enumerate(found.axes) if axis.of == last]
        whole = len(found.axes) == len(self.known[owner].lengths) == sum(part == ":" for part in found.index)
        code = self.inline(owner) if whole and not found.flips else self._strided(self.name(owner), found, found.axes)
        return code, [-1] if terms == [lead + len(found.axes) - 1] else terms

    def full(self, scalars: Any, *, batched: bool) -> Code:
        """Write an array with all its axes, also that of the batch, where they would be broadcast."""
        code = self.read(scalars)
        kept = [k for k in range(scalars.ndim) if (scalars != scalars.take([0], k)).any()]
        wide = all(length == 1 or k in kept for k, length in enumerate(scalars.shape))
        leads = code.batched or not kept or kept[0] == 0
        if wide and code.batched == batched and code.literal is None and (leads or len(kept) == scalars.ndim):
            return code if code.batched or kept or not scalars.ndim else code.reshaped(scalars.shape)
        shape = ([self.rows] if batched else []) + [str(length) for length in scalars.shape]
        return self.framework.broadcast(code, shape, self.like, batched=batched)

    def dense(self, scalars: Any) -> Code:
        """Write an array with all its axes."""
        return self.full(scalars, batched=self.is_batched(scalars))

    def _part(self, owner: int, scalars: Any, *, alone: bool) -> Code:
        """Write scalars of one array: the array, a part of it, or those places of a table."""
        array, places = self.known[owner], self.place[scalars]
        if places.size == prod(array.lengths) and (places.ravel() == numpy().arange(places.size)).all():
            if scalars.shape == array.lengths:
                return self.inline(owner) if alone else self.name(owner)
            if scalars.shape != tuple([length for length in array.lengths if length > 1]):
                return self.name(owner).reshaped(scalars.shape)
        coordinates = self.coordinates(scalars)
        axes = fine_axes(coordinates)
        first = coordinates.reshape(-1, coordinates.shape[-1])[0].tolist()
        found = None if axes is None else strided(array.lengths, first, axes)
        if axes is None or found is None:
            return self._runs(coordinates, scalars) or self._flat(owner).indexed(["...", self._table(places)])
        code = self._strided(self.name(owner), found, axes)
        merged = len({axis.of for axis in axes}) < len(axes)
        return code.reshaped(scalars.shape) if merged else code

    def windows_beyond(self, scalars: Any) -> tuple[int, Any, list[tuple[int, int]]] | None:
        """Return the array and the coordinates of windows that reach beyond it, where they hold 0, and how far they do.

        None for anything else.
        """
        outside = self.owner[scalars] == CONSTANT
        owners = self.owners(scalars[~outside])
        if len(owners) != 1 or (scalars == NOTHING).any() or not outside.any():
            return None
        if any(repr(self.numbers[scalar]) != "0.0" for scalar in {*scalars[outside].tolist()}):
            return None
        array = self.known[owners[0]]
        if not array.batched or not array.lengths:
            return None
        places = numpy().stack(numpy().unravel_index(self.place[scalars], array.lengths), -1)
        found = padded(places, ~outside, array.lengths)
        return found and (owners[0], *found)

    def _padded(self, scalars: Any) -> Code | None:
        """Write windows that reach beyond one array; None for anything else."""
        found = self.windows_beyond(scalars)
        axes = found and fine_axes(found[1])
        if not found or not axes:
            return None
        owner, places, around = found
        lengths = [low + length + high for length, (low, high) in zip(self.known[owner].lengths, around)]
        part = strided(lengths, places.reshape(-1, len(lengths))[0].tolist(), axes)
        if part is None:
            return None
        code = self._strided(self.framework.pad(self.name(owner), around), part, axes)
        return code if len({axis.of for axis in axes}) == len(axes) else code.reshaped(scalars.shape)

    def _runs(self, coordinates: Any, scalars: Any) -> Code | None:
        """Write a few parts of one array one after another; None where they are many."""
        np, batched = numpy(), self.is_batched(scalars)
        for k in range(scalars.ndim):
            steps = np.moveaxis(np.diff(coordinates, axis=k), k, 0).reshape(scalars.shape[k] - 1, -1)
            common = next(iter(Counter(map(bytes, steps)).most_common(1)), (b"", 0))[0]
            cuts = [0, *[i + 1 for i, step in enumerate(steps) if bytes(step) != common], scalars.shape[k]]
            parts = [scalars.take(range(a, b), k) for a, b in pairwise(cuts)]
            if 1 < len(parts) <= MOST_PARTS and all(fine_axes(self.coordinates(part)) is not None for part in parts):
                return self.framework.concatenate(
                    [self.full(part, batched=batched) for part in parts], k + batched, batched=batched
                )
        return None

    def _strided(self, code: Code, found: Strided, wanted: list[Axis]) -> Code:
        framework = self.framework
        lead = int(code.batched)
        code = code.indexed([":"] * lead + found.index)
        if found.shape is not None:
            code = code.reshaped(tuple(found.shape))
        if found.flips:
            code = framework.flip(code, [lead + k for k in found.flips])
        for axis, size, step, dilation in found.windows:
            code = framework.windows(code, lead + axis, size, step)
            if dilation > 1:
                code = code.indexed(["...", f"::{dilation}"])
        order = [found.axes.index(axis) for axis in wanted]
        return code if order == sorted(order) else framework.permute(code, order)

    def _flat(self, owner: int) -> Code:
        size = prod(self.known[owner].lengths)
        return self.name(owner) if len(self.known[owner].lengths) == 1 else self.name(owner).reshaped((size,))

    def _table(self, places: Any) -> str:
        text = repr(places.tolist())
        return self.tables.setdefault(text, f"I{len(self.tables) + 1}")

    def _joined(self, scalars: Any) -> Code:
        """Write several arrays one after another along an axis, or else all of them flat, and places in that."""
        np, framework, owners = numpy(), self.framework, self.owner[scalars]
        batched = any(self.known[owner].batched for owner in np.unique(owners).tolist() if owner >= 0)
        for k in reversed(range(scalars.ndim)):
            lines = np.moveaxis(owners, k, 0).reshape(owners.shape[k], -1)
            if (lines != lines[:, :1]).any():
                continue
            along = lines[:, 0]
            cuts = [0, *((np.diff(along) != 0).nonzero()[0] + 1).tolist(), len(along)]
            if len(cuts) - 1 == len(along) > 1:
                parts = [self.full(scalars.take(i, k), batched=batched) for i in range(len(along))]
                return framework.stack(parts, k + batched, batched=batched)
            parts = [self.full(scalars.take(range(a, b), k), batched=batched) for a, b in pairwise(cuts)]
            return framework.concatenate(parts, k + batched, batched=batched)
        return self._picked(scalars, batched=batched)

    def _picked(self, scalars: Any, *, batched: bool) -> Code:
        np, owners = numpy(), self.owner[scalars]
        parts, start, places = list[Code](), 0, np.zeros(scalars.shape, int)
        for owner in np.unique(owners).tolist():
            mine = owners == owner
            if owner == CONSTANT:
                distinct = np.unique(scalars[mine])
                places[mine] = start + np.searchsorted(distinct, scalars[mine])
                parts.append(self.full(distinct, batched=batched))
                start += len(distinct)
                continue
            places[mine] = start + self.place[scalars[mine]]
            size, code = prod(self.known[owner].lengths), self._flat(owner)
            start += size
            wide = code.batched == batched
            shape = [self.rows, str(size)]
            parts.append(code if wide else self.framework.broadcast(code, shape, self.like, batched=batched))
        return self.framework.concatenate(parts, -1, batched=batched).indexed(["...", self._table(places)])
