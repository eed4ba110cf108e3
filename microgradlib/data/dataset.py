"""Data sets as frozen records: `Dataset` with a class per example, `RegressionDataset` with a number per example."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from microgradlib._support import display
from microgradlib._support.absent import lacking
from microgradlib._support.calling import in_plain_words
from microgradlib._support.other_names import ADVICE_ON_DATA
from microgradlib._support.shown import shown

Row = tuple[float, ...]


@lacking(ADVICE_ON_DATA)
@dataclass(frozen=True, slots=True, repr=False)
class Dataset(display.ShowsItself):
    """Examples for classification: `inputs[i]` belongs to the class `class_names[targets[i]]`.

    Each row of `inputs` has one number per name in `feature_names`; each target is the
    index of a class, from 0. For targets that are numbers to predict, see `RegressionDataset`.

    Raises:
        ValueError: there are no rows, rows and targets differ in number, a row differs in length from
            `feature_names`, a number is not finite, or a target is not the index of a class.

    >>> points = Dataset(((0.0,), (1.0,)), (0, 1), ("x",), ("low", "high"))
    >>> len(points), points.class_names[points.targets[1]]
    (2, 'high')
    """

    inputs: tuple[Row, ...]
    targets: tuple[int, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise unless the rows, targets and names are consistent."""
        _arrays_as_tuples(self)
        _check_rows(self.inputs, self.targets, self.feature_names)
        classes = range(len(_checked_names(self.class_names, "class_names")))
        for index, target in enumerate(self.targets):
            if target not in classes:
                message = (
                    f"target {index} is {shown(target)}, but there are {len(classes)} classes; "
                    f"give the index of a class, 0 to {len(classes) - 1}"
                )
                raise ValueError(message)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {_shape(self)}, {_listed(self.class_names, 'class', 'classes')}>"


@in_plain_words
@lacking(ADVICE_ON_DATA)
@dataclass(frozen=True, slots=True, repr=False)
class RegressionDataset(display.ShowsItself):
    """Examples for regression: `targets[i]` is the number to predict from `inputs[i]`.

    The fields are those of `Dataset`, with `target_name`, the name of the predicted quantity, in place of the classes.

    Raises:
        ValueError: there are no rows, rows and targets differ in number, a row differs in length from
            `feature_names`, or an input or target is not finite.

    >>> line = RegressionDataset(((0.0,), (2.0,)), (1.0, 5.0), ("x",), "2x + 1")
    >>> [2 * x + 1 - y for (x,), y in zip(line.inputs, line.targets)]
    [0.0, 0.0]
    """

    inputs: tuple[Row, ...]
    targets: tuple[float, ...]
    feature_names: tuple[str, ...]
    target_name: str = "y"

    def __post_init__(self) -> None:
        """Raise unless the rows, targets and names are consistent."""
        _arrays_as_tuples(self)
        _check_rows(self.inputs, self.targets, self.feature_names)
        for index, target in enumerate(self.targets):
            if not _are_finite([target], f"target {index}"):
                message = (
                    f"target {index} is {shown(target)}: every target must be finite; remove or repair the example"
                )
                raise ValueError(message)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {_shape(self)}, a number {self.target_name} for each>"


AnyDataset = TypeVar("AnyDataset", Dataset, RegressionDataset)
"""`Dataset` or `RegressionDataset`: functions that take one return one of the same class."""


def _shape(data: AnyDataset) -> str:
    count = len(data.inputs)
    return f"{count:,} example{'s' * (count != 1)}, {_listed(data.feature_names, 'input', 'inputs')}"


def _listed(names: Sequence[str], one: str, many: str, most: int = 6) -> str:
    """Return how many there are, with their names; of more than six, the first and the last."""
    shown = names if len(names) <= most else (*names[:2], "…", names[-1])
    return f"{len(names):,} {one if len(names) == 1 else many} ({', '.join(shown)})"


def _checked_names(names: Any, what: str) -> Sequence[str]:
    """Return a list of names. Raises `TypeError` for anything else."""
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        message = f"{what} must be a tuple of names, as in {what}=('x', 'y'), got {shown(names)}"
        raise TypeError(message)
    return names


def _arrays_as_tuples(dataset: Any) -> None:
    """Set inputs and targets that are arrays to tuples of Python's numbers, which compare and hash as the others do."""
    for field in ("inputs", "targets"):
        given = getattr(dataset, field)
        if hasattr(given, "tolist"):
            rows = given.tolist()
            if isinstance(rows, list):
                rows = tuple([tuple(row) if isinstance(row, list) else row for row in rows])
            object.__setattr__(dataset, field, rows)


def _check_rows(inputs: Sequence[Row], targets: Sequence[float], feature_names: Sequence[str]) -> None:
    if not hasattr(inputs, "__len__"):
        message = f"inputs must be a list of rows of numbers, got {shown(inputs)}"
        raise TypeError(message)
    if not inputs:
        message = "a data set needs at least one row, got none; give inputs=((0.0, 1.0), ...)"
        raise ValueError(message)
    if not hasattr(targets, "__len__"):
        message = f"targets must be a list, one for each row, got {shown(targets)}"
        raise TypeError(message)
    if len(inputs) != len(targets):
        message = f"{len(inputs)} rows but {len(targets)} targets; give one target per row"
        raise ValueError(message)
    width = len(_checked_names(feature_names, "feature_names"))
    for index, row in enumerate(inputs):
        if not hasattr(row, "__len__"):
            message = f"row {index} must be a list of numbers, one for each feature, got {shown(row)}"
            raise TypeError(message)
        if len(row) != width:
            message = f"row {index} has {len(row)} numbers, but there are {width} feature names; make them agree"
            raise ValueError(message)
        if not _are_finite(row, f"row {index}"):
            message = f"row {index} is {shown(row)}: every number must be finite; remove or repair the row"
            raise ValueError(message)


def _are_finite(numbers: Sequence[float], what: str) -> bool:
    """Return whether all are finite. Raises `TypeError` if one is no number."""
    try:
        return all(map(math.isfinite, numbers))
    except TypeError:
        message = f"{what} must be numbers, got {shown(numbers)}"
        raise TypeError(message) from None
    except OverflowError:  # an integer beyond the largest float
        return False
