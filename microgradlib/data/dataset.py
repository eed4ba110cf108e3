"""A labelled data set as a frozen record, and the two steps before training: split, standardise."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from microgradlib.randomness import Rng, as_random

Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples with a class each: `inputs[i]` belongs to the class `class_names[targets[i]]`.

    Each row of `inputs` holds one number per name in `feature_names`; each target is the
    index of a class, from 0.

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
        if not self.inputs:
            message = "a data set needs at least one row, got none; give inputs=((0.0, 1.0), ...)"
            raise ValueError(message)
        if len(self.inputs) != len(self.targets):
            message = f"{len(self.inputs)} rows but {len(self.targets)} targets; give one target per row"
            raise ValueError(message)
        for index, (row, target) in enumerate(zip(self.inputs, self.targets, strict=True)):
            self._check(index, row, target)

    def __len__(self) -> int:
        """Count the examples."""
        return len(self.inputs)

    def _check(self, index: int, row: Row, target: int) -> None:
        width = len(self.feature_names)
        if len(row) != width:
            message = f"row {index} has {len(row)} numbers, but there are {width} feature names; make them agree"
            raise ValueError(message)
        if not all(math.isfinite(number) for number in row):
            message = f"row {index} is {row!r}: every number must be finite; remove or repair the row"
            raise ValueError(message)
        if target not in range(len(self.class_names)):
            message = (
                f"target {index} is {target!r}, but there are {len(self.class_names)} classes; "
                f"give the index of a class, 0 to {len(self.class_names) - 1}"
            )
            raise ValueError(message)


def split(dataset: Dataset, held_out: float = 0.2, rng: Rng = 0) -> tuple[Dataset, Dataset]:
    """Set a part of each class aside: return the training part and the held-out part.

    The split is stratified: of each class of n examples, n · `held_out` (rounded, at least one,
    never all) are drawn at random for the held-out part. Both parts keep the order of `dataset`.

    Args:
        dataset: what to split; every class that occurs needs two examples or more.
        held_out: the fraction set aside, between 0 and 1, neither included.
        rng: a seed or a `random.Random`; the same seed gives the same parts.

    Raises:
        ValueError: `held_out` is not between 0 and 1, or a class has a single example.

    >>> from microgradlib.data import iris
    >>> train, test = split(iris(), held_out=0.2)
    >>> len(train), [test.targets.count(k) for k in range(3)]
    (120, [10, 10, 10])
    """
    if not 0.0 < held_out < 1.0:
        message = f"held_out must lie between 0 and 1, got {held_out!r}; write held_out=0.2 for a fifth"
        raise ValueError(message)
    source = as_random(rng)
    chosen: list[int] = []
    for label, name in enumerate(dataset.class_names):
        members = [index for index, target in enumerate(dataset.targets) if target == label]
        if len(members) == 1:
            message = f"class {name!r} has one example, too few to split; give at least two of each class"
            raise ValueError(message)
        if members:
            count = min(max(math.floor(len(members) * held_out + 0.5), 1), len(members) - 1)
            chosen.extend(source.sample(members, count))
    aside = frozenset(chosen)
    everyone = range(len(dataset))
    return _part(dataset, (i for i in everyone if i not in aside)), _part(dataset, (i for i in everyone if i in aside))


def standardise(train: Dataset, other: Dataset) -> tuple[Dataset, Dataset]:
    """Shift and scale every feature by the mean and standard deviation it has in `train`.

    z = (x − mean) / std, with std² the mean squared deviation (divided by n, not n − 1). `other`
    is moved by the numbers of `train`, so nothing of it leaks into training. A feature that is
    constant in `train` is only shifted.

    Raises:
        ValueError: the two parts have different features.

    >>> line = Dataset(((1.0,), (3.0,)), (0, 1), ("x",), ("low", "high"))
    >>> far = Dataset(((7.0,),), (1,), ("x",), ("low", "high"))
    >>> [part.inputs for part in standardise(line, far)]
    [((-1.0,), (1.0,)), ((5.0,),)]
    """
    if train.feature_names != other.feature_names:
        message = (
            f"the training part has features {train.feature_names}, the other {other.feature_names}; "
            "give two parts of one data set"
        )
        raise ValueError(message)
    scales = [_mean_and_std(column) for column in zip(*train.inputs, strict=True)]

    def moved(row: Row) -> Row:
        return tuple((x - mean) / std for x, (mean, std) in zip(row, scales, strict=True))

    return (
        replace(train, inputs=tuple(map(moved, train.inputs))),
        replace(other, inputs=tuple(map(moved, other.inputs))),
    )


def _mean_and_std(column: Row) -> tuple[float, float]:
    # Rounding could give a constant column a tiny deviation to divide by.
    if min(column) == max(column):
        return column[0], 1.0
    mean = math.fsum(column) / len(column)
    return mean, math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))


def _part(dataset: Dataset, indices: Iterable[int]) -> Dataset:
    kept = tuple(indices)
    return replace(
        dataset,
        inputs=tuple(dataset.inputs[index] for index in kept),
        targets=tuple(dataset.targets[index] for index in kept),
    )
