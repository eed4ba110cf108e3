"""Checks of what functions of data take: data sets, examples, augmentations; before anything is drawn for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib._support.calling import call
from microgradlib._support.number import as_operand
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.data.dataset import Dataset, RegressionDataset

__all__ = ["check_augmentation", "check_dataset", "checked_row", "transformed_row"]


def check_dataset(dataset: Any, name: str = "dataset") -> None:
    """Raise `TypeError` unless this is a data set.

    >>> check_dataset([[1.0], [2.0]])
    Traceback (most recent call last):
    TypeError: dataset must be a Dataset or a RegressionDataset, as data.moons() gives, got [[1.0], [2.0]]
    """
    if not isinstance(dataset, (Dataset, RegressionDataset)):
        message = f"{name} must be a Dataset or a RegressionDataset, as data.moons() gives, got {shown(dataset)}"
        raise TypeError(message)


def check_augmentation(augmentation: Any, name: str) -> None:
    """Raise `TypeError` unless the augmentation is a function."""
    if not callable(augmentation):
        message = (
            f"{name} must be a function (x, rng) → x′, such as data.gaussian_noise(0.1), got {shown(augmentation)}"
        )
        raise TypeError(message)


def transformed_row(augmentation: Any, name: str, x: Any, rng: Any) -> Any:
    """Return augmentation(x, rng). Raises `TypeError` if it takes other arguments, or returns no list of numbers."""
    row = call(augmentation, f"{name}(x, rng)", x, rng)
    if row is None or isinstance(row, (str, bytes, dict, set, frozenset)):
        message = f"{name}(x, rng) must return the numbers of an example, got {shown(row)} from {shown(augmentation)}"
        raise TypeError(message)
    return row


def checked_row(x: Any) -> Sequence[Any]:
    """Return the numbers of an example. Raises `TypeError` for anything else, so that nothing is drawn for it."""
    if not hasattr(x, "__iter__") or isinstance(x, (str, bytes, dict)):
        message = f"an augmentation takes the list of an example's numbers, got {shown(x)}"
        raise TypeError(message)
    numbers = x if isinstance(x, (list, tuple)) else list(x)
    if not all(issubclass(kind, (float, int, Node)) for kind in set(map(type, numbers))):
        return [as_operand(number) for number in numbers]
    return numbers
