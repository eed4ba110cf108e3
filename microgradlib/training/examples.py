"""The examples of a training run: checked, and split for validation."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import fraction
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from microgradlib.training.types import LabelledData, Rows

__all__ = ["Examples", "checked_examples", "split"]


@dataclass(frozen=True)
class Examples:
    """Inputs and their targets, lists or arrays of numbers; `indices` are their positions in the caller's data."""

    inputs: Any
    targets: Any
    indices: list[int]

    @staticmethod
    def of(inputs: Rows, targets: Rows, name: str) -> Examples:
        """Return the examples of lists, tuples or arrays; `name` is their name in error messages.

        Raises `TypeError` for anything without a length, `ValueError` if the lengths differ or are 0.
        """
        x, y = _rows_of(inputs), _rows_of(targets)
        if len(x) != len(y):
            message = f"{name}: {len(x)} inputs but {len(y)} targets; give one target for each input"
            raise ValueError(message)
        if len(x) == 0:
            message = f"{name}: there are no examples; give at least one"
            raise ValueError(message)
        return Examples(x, y, list(range(len(x))))

    def __len__(self) -> int:
        return len(self.inputs)

    def rows(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield (index, input, target) of each example; rows of arrays as lists of Python's numbers."""
        return zip(self.indices, _as_python(self.inputs), _as_python(self.targets))

    def labels(self) -> Iterator[tuple[int, Any]]:
        """Yield (index, target) of each example."""
        return zip(self.indices, _as_python(self.targets))

    def subset(self, positions: list[int]) -> Examples:
        """Return the examples at these positions."""
        inputs, targets = (
            x[positions] if _is_array(x) else [x[i] for i in positions] for x in (self.inputs, self.targets)
        )
        return Examples(inputs, targets, [self.indices[i] for i in positions])


def _rows_of(entries: Any) -> Any:
    """Return an array of numbers itself, and anything else with a length as a list; tables of columns by their rows."""
    if hasattr(entries, "inputs") and hasattr(entries, "targets"):
        message = f"inputs and targets must be lists of examples, got {shown(entries)}: write data.inputs, data.targets"
        raise TypeError(message)
    if hasattr(entries, "mask") and hasattr(entries, "filled") and entries.mask.any():
        raise TypeError("the mask of a masked array would be lost: pass array.filled(…), or leave these examples out")
    if hasattr(entries, "__array__") and not hasattr(entries, "tolist"):
        entries = entries.__array__()
    if not hasattr(entries, "__len__") or isinstance(entries, (str, bytes, dict, set, frozenset)):
        message = f"inputs and targets must be lists of examples, got {shown(entries)}"
        raise TypeError(message)
    if _is_array(entries) and entries.ndim and entries.dtype.kind in "fiu":
        return entries
    return entries.tolist() if hasattr(entries, "tolist") else list(entries)


def _as_python(entries: Any) -> Iterable[Any]:
    return (row.tolist() for row in entries) if _is_array(entries) else entries


def _is_array(entries: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(entries) is numpy.ndarray


def checked_examples(
    inputs: Rows, targets: Rows, validation: float | tuple[Rows, Rows] | LabelledData | None
) -> tuple[Examples, Examples | float]:
    """Return all examples, and those for validation, or the fraction of them to draw for it.

    `validation` is a fraction, 0 ≤ fraction < 1, None for 0, or the pair (inputs, targets), or a data set. Raises
    `ValueError` for another fraction, and for one example that is to be split.
    """
    examples = Examples.of(inputs, targets, "training")
    pair: Any = validation
    if hasattr(pair, "inputs") and hasattr(pair, "targets"):
        pair = (pair.inputs, pair.targets)
    if isinstance(pair, (tuple, list)):
        if len(pair) != 2:
            message = f"validation must be a fraction, as in 0.2, or a pair (inputs, targets), got {len(pair)} entries"
            raise ValueError(message)
        return examples, Examples.of(pair[0], pair[1], "validation")
    share = 0.0 if pair is None else fraction(pair, "validation", reason="the fraction of the examples", example=0.2)
    if share and len(examples) < 2:
        raise ValueError("one example cannot be split into training and validation: give two or more")
    return examples, share


def split(examples: Examples, held_out: Examples | float, rng: random.Random) -> tuple[Examples, Examples | None]:
    """Return the training and the validation examples from the result of `checked_examples`.

    A fraction is rounded to at least one example, never all.
    """
    if isinstance(held_out, Examples):
        return examples, held_out
    if not held_out:
        return examples, None
    order = list(range(len(examples)))
    rng.shuffle(order)
    count = min(max(round(len(order) * held_out), 1), len(order) - 1)
    return examples.subset(sorted(order[count:])), examples.subset(sorted(order[:count]))
