"""Blocks: the training examples as arrays in a random order, some batches at a time, in buffers that are reused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.optim.parameters import numpy
from microgradlib.training.order import random_order_array

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["Block", "Blocks"]

NUMBERS = 1 << 17
"""A block has up to so many numbers, 1 MB, so that it stays in the cache, but at least one batch."""


class Block(NamedTuple):
    """Examples at some positions, and room for what a program computes of them: arrays with a row for each example."""

    positions: Any
    inputs: Any
    targets: Any
    values: Any

    def batches(self, size: int) -> Iterator[Block]:
        """Yield views of `size` examples each, the last of fewer."""
        for start in range(0, len(self.positions), size):
            end = start + size
            yield Block(*[array[start:end] for array in self])


class Blocks:
    """Whole batches of the examples `inputs` and `targets`, C-contiguous arrays, with `width` values for each example.

    >>> from random import Random
    >>> np = numpy()
    >>> blocks = Blocks(np.array([[0.0], [1.0], [2.0]]), np.array([5.0, 6.0, 7.0]), batch_size=2, width=1)
    >>> for block in blocks.shuffled(Random(0)):
    ...     for batch in block.batches(2):
    ...         print(batch.positions.tolist(), batch.inputs.tolist(), batch.targets.tolist())
    [1, 2] [[1.0], [2.0]] [6.0, 7.0]
    [0] [[0.0]] [5.0]
    """

    def __init__(self, inputs: Any, targets: Any, *, batch_size: int, width: int) -> None:
        np, n = numpy(), len(inputs)
        self.inputs, self.targets = inputs, targets
        row = (inputs.size + targets.size) // n + width
        size = min(max(NUMBERS // (row * batch_size), 1) * batch_size, n)
        self.buffers = [np.empty((size, *array.shape[1:])) for array in (inputs, targets)]
        self.values = np.empty((width, size)).T  # number by number, as programs compute them

    def shuffled(self, rng: random.Random) -> Iterator[Block]:
        """Yield blocks of all examples in the order of `random_order`; each overwrites the one before."""
        n, size = len(self.inputs), len(self.values)
        order = random_order_array(n, rng)
        for start in range(0, n, size):
            positions = order[start : start + size]
            inputs, targets = (buffer[: len(positions)] for buffer in self.buffers)
            self.inputs.take(positions, 0, out=inputs, mode="clip")  # the mode "raise" would copy through a buffer
            self.targets.take(positions, 0, out=targets, mode="clip")
            yield Block(positions, inputs, targets, self.values[: len(positions)])
