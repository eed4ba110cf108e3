"""Metrics of classification: accuracy and the confusion matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, check_order, whole_number
from microgradlib._support.lookup import missing_names
from microgradlib._support.number import as_float
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.errors import LabelError
from microgradlib.nn.labels import class_index
from microgradlib.nn.sequences import is_sequence

if TYPE_CHECKING:
    from collections.abc import Collection

    from microgradlib.nn.vectors import Number, Vector

__all__ = ["accuracy", "confusion_matrix"]


def _check_lengths(predicted: Collection[Any], targets: Collection[Any]) -> None:
    for name, classes in (("predicted", predicted), ("targets", targets)):
        check_order(classes, name)
        if not hasattr(classes, "__len__"):
            message = f"{name} must be a list with one entry for each example, got {shown(classes)}"
            raise TypeError(message)
    if len(predicted) != len(targets):
        message = f"{len(predicted)} predictions but {len(targets)} targets: give one target for each example"
        raise ValueError(message)
    if len(predicted) == 0:
        raise ValueError("metrics of no examples are not defined: give at least one example")


def _target_class(target: Any) -> float:
    """Return the class of a target: a class, alone or in a row; a row's largest probability; a probability of 1."""
    if is_sequence(target) and len(target) == 1:
        target = target[0]
    if is_sequence(target):
        numbers = [_number(y) for y in target]
        return float(numbers.index(max(numbers)))
    number = _number(target)
    return number if number % 1 == 0 else float(number >= 0.5)


def _number(label: Any) -> float:
    number = as_float(label.data if isinstance(label, Node) else label)
    if not math.isfinite(number):
        message = f"the label is {number}, which is not a class"
        raise LabelError(message)
    return number


def _predicted_class(predicted: Any) -> float:
    number = _number(predicted)
    if number % 1:
        message = (
            f"the predicted class is {number}, which is not a class but a score or probability: predict classes, such "
            "as int(p >= 0.5) for a probability p"
        )
        raise LabelError(message)
    return number


def _is_correct(predicted: Any, target: Any) -> bool:
    if not is_sequence(predicted):
        return _predicted_class(predicted) == _target_class(target)
    if not is_sequence(target) or len(target) != len(predicted):
        message = (
            f"the prediction {shown(predicted)} has several entries, but the target is {shown(target)}: predict one "
            "class, such as the index of the largest output"
        )
        raise ValueError(message)
    return all(_predicted_class(p) == _target_class(t) for p, t in zip(predicted, target))


def accuracy(predicted: Collection[Number | Vector], targets: Collection[Number | Vector]) -> float:
    """Return the fraction of examples whose predicted class is the target, 0 to 1.

    A class is a number. A target may also be a row of probabilities, one-hot or not, whose largest entry is the class,
    or one probability of class 1. If an example has several labels, lists of 0 and 1, all must agree. Raises
    `ValueError` for no examples and for different numbers of predictions and targets, `TypeError` for anything but
    lists, `LabelError` for nan, and for a prediction that is no whole number, as probabilities are.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    _check_lengths(predicted, targets)
    return sum(map(_is_correct, predicted, targets)) / len(targets)


@in_plain_words
def confusion_matrix(
    predicted: Collection[Number], targets: Collection[Number | Vector], n: WholeNumber | None = None
) -> list[list[int]]:
    """Return counts C for n classes: C[i][j] examples of class i were predicted as j; the diagonal counts correct ones.

    `n` is by default one more than the largest class that occurs. Raises `LabelError` for a class outside 0 to n − 1,
    and `ValueError` as `accuracy` does.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    """
    _check_lengths(predicted, targets)
    classes = [_target_class(target) for target in targets]
    n = 1 + int(max(*classes, *map(_number, predicted))) if n is None else whole_number(n, "n")
    counts = [[0] * n for _ in range(n)]
    for j, i in zip(predicted, classes):
        counts[class_index(i, n)][class_index(j, n)] += 1
    return counts


if not TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = missing_names(__name__, __all__)
