"""How well classes are told apart: accuracy and the confusion matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.node import Node
from microgradlib.errors import LabelError
from microgradlib.nn.labels import class_index
from microgradlib.nn.sequences import is_sequence

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["accuracy", "confusion_matrix"]


def _check(predicted: Sequence[Any], targets: Sequence[Any]) -> None:
    if len(predicted) != len(targets):
        message = f"{len(predicted)} predictions but {len(targets)} targets: give one target for each example"
        raise ValueError(message)
    if len(predicted) == 0:
        raise ValueError("there is nothing to count: give at least one example")


def _named(target: Any) -> float:
    """Return the class that a target names: itself, the largest of a row, 0 or 1 by which a probability is near."""
    if is_sequence(target):
        numbers = [_number(y) for y in target]
        return float(numbers.index(max(numbers)))
    number = _number(target)
    return number if number % 1 == 0 else float(number >= 0.5)


def _number(thing: Any) -> float:
    number = as_float(thing.data if isinstance(thing, Node) else thing)
    if not math.isfinite(number):
        message = f"the label is {number}, which is no class"
        raise LabelError(message)
    return number


def _same(predicted: Any, target: Any) -> bool:
    if not is_sequence(predicted):
        return _number(predicted) == _named(target)
    if not is_sequence(target) or len(target) != len(predicted):
        message = (
            f"predicted is {predicted!r}, but the target is {target!r}: give the class itself, the most probable one"
        )
        raise ValueError(message)
    return all(_number(p) == _named(t) for p, t in zip(predicted, target))


def accuracy(predicted: Sequence[Any], targets: Sequence[Any]) -> float:
    """Return the share of examples whose predicted class is the target, 0 to 1.

    A class is a number; a target may also be a row of probabilities, one-hot or softer, of which the largest counts, or
    one probability of class 1. Where an example has several labels, lists of 0 and 1, all must agree. Raises
    `ValueError` for no examples or as many targets as do not fit, `LabelError` for nan.

    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    _check(predicted, targets)
    return sum(map(_same, predicted, targets)) / len(targets)


def confusion_matrix(predicted: Sequence[int], targets: Sequence[Any], n: int | None = None) -> list[list[int]]:
    """Return the counts C of n classes: C[i][j] examples of class i were taken for class j; the diagonal is right.

    `n` is by default one more than the largest class that occurs. Raises `LabelError` for a class outside 0 to n − 1,
    and `ValueError` as `accuracy` does.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    """
    _check(predicted, targets)
    named = [_named(target) for target in targets]
    if n is None:
        n = 1 + int(max(*named, *map(_number, predicted)))
    counts = [[0] * n for _ in range(n)]
    for j, i in zip(predicted, named):
        counts[class_index(i, n)][class_index(j, n)] += 1
    return counts
