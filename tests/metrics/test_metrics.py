"""Accuracy and the confusion matrix, by counting."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib import Value
from microgradlib.errors import LabelError
from microgradlib.metrics import accuracy, confusion_matrix

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


@given(pairs)
def test_the_confusion_matrix_counts_every_pair(cases):
    predicted, targets = zip(*cases)
    matrix = confusion_matrix(predicted, targets, 4)
    for i in range(4):
        for j in range(4):
            assert matrix[i][j] == sum(p == j and t == i for p, t in cases)
    assert accuracy(predicted, targets) == sum(matrix[k][k] for k in range(4)) / len(cases)


def test_targets_may_be_one_hot_or_of_numpy():
    assert accuracy([2, 0], [[0, 0, 1], [0, 1, 0]]) == 0.5
    assert accuracy([1, 0], np.array([1.0, 1.0])) == 0.5
    assert confusion_matrix([1, 0], [[0, 1], [0, 1]]) == [[0, 0], [1, 1]]


def test_multi_label_accuracy_requires_all_labels():
    assert accuracy([[1, 0], [1, 1]], [[1, 0], [1, 0]]) == 0.5


@pytest.mark.parametrize("count", [accuracy, confusion_matrix])
def test_invalid_predictions_raise(count):
    with pytest.raises(ValueError, match="give at least one example"):
        count([], [])
    with pytest.raises(ValueError, match="1 predictions but 2 targets"):
        count([1], [1, 2])
    with pytest.raises(TypeError, match="targets must be a list with one entry for each example, got 1"):
        count([1], 1)


def test_classes_out_of_range():
    with pytest.raises(LabelError, match=r"the label is 3\.0, but the 3 classes"):
        confusion_matrix([3], [0], 3)


def test_values_and_soft_targets_count_by_their_numbers():
    assert accuracy([Value(1.0), Value(0.0)], [1, 0]) == 1.0
    assert accuracy([1, 1, 0], [[0.1, 0.9], 0.75, 0.25]) == 1.0
    assert confusion_matrix([1, 0], [[0.2, 0.8], [0.6, 0.4]]) == [[1, 0], [0, 1]]


def test_nan_classes_and_row_predictions_raise():
    for count in (accuracy, confusion_matrix):
        with pytest.raises(LabelError, match="the label is nan, which is not a class"):
            count([0, float("nan")], [0, 1])
    with pytest.raises(ValueError, match="predict one class, such as the index of the largest output"):
        accuracy([[0.1, 0.9], [0.9, 0.1]], [1, 0])


@pytest.mark.parametrize(
    ("predicted", "targets", "words"),
    [
        ([0.9, 0.1], [1, 0], r"0\.9, which is not a class but a score or probability: .* int\(p >= 0\.5\)"),
        ([[0.9, 0.1]], [[1, 0]], "not a class"),
    ],
)
def test_scores_are_no_classes(predicted, targets, words):
    """Each was an accuracy of 0, without notice."""
    with pytest.raises(LabelError, match=words):
        accuracy(predicted, targets)


def test_targets_in_a_column_are_classes():
    assert accuracy([1, 0], [[1], [0]]) == 1.0
    assert confusion_matrix([1, 0], [[1], [0]]) == [[1, 0], [0, 1]]
