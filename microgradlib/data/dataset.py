"""A labelled data set as a frozen record: with a class per example, or with a number per example."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples with a class each: `inputs[i]` belongs to the class `class_names[targets[i]]`.

    Each row of `inputs` holds one number per name in `feature_names`; each target is the
    index of a class, from 0. For targets that are numbers to predict, see `RegressionDataset`.

    Raises:
        ValueError: no rows, rows and targets that differ in number, a row of another length
            than `feature_names`, a number that is not finite, or a target that is no class.

    >>> points = Dataset(((0.0,), (1.0,)), (0, 1), ("x",), ("low", "high"))
    >>> len(points), points.class_names[points.targets[1]]
    (2, 'high')
    """

    inputs: tuple[Row, ...]
    targets: tuple[int, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse rows and targets that do not fit together."""
        _check_rows(self.inputs, self.targets, self.feature_names)
        known = range(len(self.class_names))
        for index, target in enumerate(self.targets):
            if target not in known:
                message = (
                    f"target {index} is {target!r}, but there are {len(known)} classes; "
                    f"give the index of a class, 0 to {len(known) - 1}"
                )
                raise ValueError(message)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)


@dataclass(frozen=True, slots=True)
class RegressionDataset:
    """Examples with a number each: `targets[i]` is what a model should answer to `inputs[i]`.

    Read it like a `Dataset`: `data.inputs`, `data.targets`. There are no classes; `target_name`
    says what the numbers are.

    Raises:
        ValueError: no rows, rows and targets that differ in number, a row of another length
            than `feature_names`, or a number, target or input, that is not finite.

    >>> line = RegressionDataset(((0.0,), (2.0,)), (1.0, 5.0), ("x",), "2x + 1")
    >>> [2 * x + 1 - y for (x,), y in zip(line.inputs, line.targets)]
    [0.0, 0.0]
    """

    inputs: tuple[Row, ...]
    targets: tuple[float, ...]
    feature_names: tuple[str, ...]
    target_name: str = "y"

    def __post_init__(self) -> None:
        """Refuse rows and targets that do not fit together."""
        _check_rows(self.inputs, self.targets, self.feature_names)
        for index, target in enumerate(self.targets):
            if not math.isfinite(target):
                message = f"target {index} is {target!r}: every target must be finite; remove or repair the example"
                raise ValueError(message)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)


AnyDataset = TypeVar("AnyDataset", Dataset, RegressionDataset)
"""Either record: what takes one returns the same kind."""


def _check_rows(inputs: Sequence[Row], targets: Sequence[float], feature_names: Sequence[str]) -> None:
    if not inputs:
        message = "a data set needs at least one row, got none; give inputs=((0.0, 1.0), ...)"
        raise ValueError(message)
    if len(inputs) != len(targets):
        message = f"{len(inputs)} rows but {len(targets)} targets; give one target per row"
        raise ValueError(message)
    width = len(feature_names)
    for index, row in enumerate(inputs):
        if len(row) != width:
            message = f"row {index} has {len(row)} numbers, but there are {width} feature names; make them agree"
            raise ValueError(message)
        if not all(map(math.isfinite, row)):
            message = f"row {index} is {row!r}: every number must be finite; remove or repair the row"
            raise ValueError(message)
