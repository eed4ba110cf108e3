"""The examples of a training: taken in, parted for validation, shuffled into mini-batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["Examples", "part"]


@dataclass(frozen=True)
class Examples:
    """Inputs and their targets, as lists; `indices` says which of the caller's examples they are."""

    inputs: list[Any]
    targets: list[Any]
    indices: list[int]

    @staticmethod
    def of(inputs: Any, targets: Any, what: str) -> Examples:
        """Take lists, tuples or arrays of equal length. Raises `ValueError` if they are not, or are empty."""
        x, y = _rows(inputs), _rows(targets)
        if len(x) != len(y):
            message = f"{what}: {len(x)} inputs but {len(y)} targets; give one target for each input"
            raise ValueError(message)
        if not x:
            message = f"{what}: there are no examples; give at least one"
            raise ValueError(message)
        return Examples(x, y, list(range(len(x))))

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield (index, input, target) of each example."""
        return zip(self.indices, self.inputs, self.targets)

    def chosen(self, positions: list[int]) -> Examples:
        """Return the examples at these positions."""
        return Examples(
            [self.inputs[i] for i in positions],
            [self.targets[i] for i in positions],
            [self.indices[i] for i in positions],
        )

    def batches(self, size: int, rng: random.Random) -> Iterator[Examples]:
        """Yield the examples in a new order, `size` at a time; the last batch may be smaller."""
        order = list(range(len(self)))
        rng.shuffle(order)
        for start in range(0, len(order), size):
            yield self.chosen(order[start : start + size])


def _rows(things: Any) -> list[Any]:
    if not hasattr(things, "__len__"):
        message = f"inputs and targets are lists of examples, got {type(things).__name__}"
        raise TypeError(message)
    return things.tolist() if hasattr(things, "tolist") else list(things)


def part(inputs: Any, targets: Any, validation: Any, rng: random.Random) -> tuple[Examples, Examples | None]:
    """Return the training and the validation examples.

    `validation`: the share of the examples to be drawn for it, 0 ≤ share < 1 (at least one, never all), or the pair
    (inputs, targets) itself, or a data set. Raises `ValueError` for another share.
    """
    examples = Examples.of(inputs, targets, "training")
    if hasattr(validation, "inputs") and hasattr(validation, "targets"):
        validation = (validation.inputs, validation.targets)
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            message = f"validation is a share, as in 0.2, or a pair (inputs, targets), got {len(validation)} things"
            raise ValueError(message)
        return examples, Examples.of(validation[0], validation[1], "validation")
    validation = 0.0 if validation is None else as_float(validation)
    if not 0 <= validation < 1:
        message = f"validation is a share of the examples, 0 or more and less than 1, got {validation!r}"
        raise ValueError(message)
    if not validation:
        return examples, None
    if len(examples) < 2:
        raise ValueError("one example cannot be parted for training and validation: give two or more")
    order = list(range(len(examples)))
    rng.shuffle(order)
    count = min(max(round(len(order) * validation), 1), len(order) - 1)
    return examples.chosen(sorted(order[count:])), examples.chosen(sorted(order[:count]))
