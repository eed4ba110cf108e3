"""Prepare a data set for training: split it, standardise its features."""

import math
from collections.abc import Iterable
from dataclasses import replace

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import fraction
from microgradlib._support.rng import Rng, as_random
from microgradlib.data.checks import check_dataset
from microgradlib.data.dataset import AnyDataset, Dataset, RegressionDataset, Row
from microgradlib.data.standard_scores import standard_score


@in_plain_words
def split(dataset: AnyDataset, held_out: float = 0.2, rng: Rng = 0) -> tuple[AnyDataset, AnyDataset]:
    """Split the examples at random; return the training part and the held-out part.

    The split of a `Dataset` is stratified: of each class of n examples, n · `held_out` (rounded, at
    least one, never all) are drawn for the held-out part. A `RegressionDataset` has no classes, so
    they are drawn from all its examples at once. Both parts keep the order of `dataset`.

    Args:
        dataset: the data set; every class that occurs needs two examples or more.
        held_out: the fraction of the examples in the held-out part, 0 < held_out < 1.
        rng: a seed or a `random.Random`; the same seed gives the same parts.

    Raises:
        TypeError: `dataset` is no data set, `held_out` is not a number, or `rng` neither a seed nor a `random.Random`.
        ValueError: `held_out` is not between 0 and 1, or a class, or a `RegressionDataset`, has a single example.

    >>> from microgradlib.data import iris, sine
    >>> train, test = split(iris(), held_out=0.2)
    >>> len(train), [test.targets.count(k) for k in range(3)]
    (120, [10, 10, 10])
    >>> [len(part) for part in split(sine(50), held_out=0.3)]
    [35, 15]
    """
    check_dataset(dataset)
    held_out = fraction(held_out, "held_out", zero=False, example=0.2)
    generator, groups = as_random(rng), _groups(dataset)
    for name, members in groups:
        if len(members) == 1:
            message = f"{name} has one example, too few to split; give at least two of each class"
            raise ValueError(message)
    drawn: list[int] = []
    for _, members in groups:
        if members:
            count = min(max(math.floor(len(members) * held_out + 0.5), 1), len(members) - 1)
            drawn.extend(generator.sample(members, count))
    test = frozenset(drawn)
    indices = range(len(dataset))
    return _subset(dataset, (i for i in indices if i not in test)), _subset(dataset, (i for i in indices if i in test))


@in_plain_words
def standardise(train: AnyDataset, other: AnyDataset) -> tuple[AnyDataset, AnyDataset]:
    """Return both parts with every feature shifted and scaled by its mean and standard deviation in `train`.

    z = (x − mean) / std, with std² the mean squared deviation (divided by n, not n − 1). `other` is transformed
    with the mean and std of `train`, so that no information about it enters training. A feature that is
    constant in `train` is only shifted. Targets are unchanged. Each z is the exact one, rounded once, whatever the
    scale and the offset of its feature.

    Raises:
        TypeError: one of them is no data set.
        ValueError: the two parts have different features, or a z of `other` is beyond the range of floats.

    >>> from microgradlib.data import Dataset
    >>> line = Dataset(((1.0,), (3.0,)), (0, 1), ("x",), ("low", "high"))
    >>> far = Dataset(((7.0,),), (1,), ("x",), ("low", "high"))
    >>> [part.inputs for part in standardise(line, far)]
    [((-1.0,), (1.0,)), ((5.0,),)]
    """
    check_dataset(train, "train")
    check_dataset(other, "other")
    if train.feature_names != other.feature_names:
        message = (
            f"the training part has features {train.feature_names}, the other {other.feature_names}; "
            "give two parts of one data set"
        )
        raise ValueError(message)
    scores = [standard_score(column) for column in zip(*train.inputs, strict=True)]

    def standardised(row: Row) -> Row:
        return tuple(score(x) for x, score in zip(row, scores, strict=True))

    return (
        replace(train, inputs=tuple(map(standardised, train.inputs))),
        replace(other, inputs=tuple(map(standardised, other.inputs))),
    )


def _groups(dataset: Dataset | RegressionDataset) -> list[tuple[str, list[int]]]:
    """Return (name, indices of the examples) of each class, or of the whole of a `RegressionDataset`."""
    if isinstance(dataset, RegressionDataset):
        return [("the data set", list(range(len(dataset))))]
    return [
        (f"class {name!r}", [index for index, target in enumerate(dataset.targets) if target == label])
        for label, name in enumerate(dataset.class_names)
    ]


def _subset(dataset: AnyDataset, indices: Iterable[int]) -> AnyDataset:
    """Return the examples at these indices, as a data set of the same class."""
    kept = tuple(indices)
    return replace(
        dataset,
        inputs=tuple(dataset.inputs[index] for index in kept),
        targets=tuple(dataset.targets[index] for index in kept),
    )
