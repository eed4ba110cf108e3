"""Errors of costs: wrong labels, lengths and settings; the message names the value and the example."""

import math

import pytest

from microgradlib import Value
from microgradlib.costs import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_from_probabilities,
    gaussian_nll,
    hinge,
    squared_error,
)
from microgradlib.errors import LabelError
from microgradlib.nn.labels import class_index, distribution, one_hot

Z = [[0.0, 1.0, 2.0]] * 3


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (3, r"example 1: the label is 3.0, but the 3 classes are 0 to 2"),
        (-1, r"example 1: the label is -1.0"),
        (0.5, r"example 1: the label is 0.5"),
        (math.nan, r"example 1: the label is nan"),
        ([1, 1, 0], r"example 1: the target \[1.0, 1.0, 0.0\] is not a distribution .* sums to 2.0"),
        ([0, 0, 0], r"example 1: .* sums to 0.0"),
        ([2, -1, 0], r"example 1: .* below 0"),
        ([math.nan, 1, 0], r"example 1: .* nan"),
        ([1, 0], r"example 1: the target has 2 entries, but there are 3 classes"),
    ],
)
@pytest.mark.parametrize("cost", [cross_entropy, cross_entropy_from_probabilities])
def test_wrong_classes(cost, label, message):
    with pytest.raises(LabelError, match=message):
        cost(Z, [0, label, 2])


@pytest.mark.parametrize("label", [2, -0.1, math.nan, math.inf])
@pytest.mark.parametrize("cost", [binary_cross_entropy, binary_cross_entropy_with_logits])
def test_wrong_labels_of_two_classes(cost, label):
    with pytest.raises(LabelError, match=r"example 2: the label is .* labels of two classes are 0 and 1"):
        cost([[0.5], [0.5], [0.5]], [[0], [1], [label]])


@pytest.mark.parametrize("label", [0, 2, math.nan])
def test_hinge_labels_are_plus_or_minus_one(label):
    with pytest.raises(LabelError, match=r"labels of hinge are −1 and \+1; for 0 and 1 write 2 \* y − 1"):
        hinge(0.5, label)


@pytest.mark.parametrize("target", [math.nan, math.inf])
def test_targets_are_finite(target):
    with pytest.raises(LabelError, match="example 0: the target is"):
        squared_error([[1.0]], [[target]])
    with pytest.raises(LabelError, match="the target is"):
        gaussian_nll((0.0, 1.0), target)


def test_text_as_label_raises():
    with pytest.raises(TypeError, match="expected a real number, got str 'cat'"):
        cross_entropy([0.0, 1.0], "cat")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_error([1.0, 2.0], [1.0]), "2 components, so the target must have as many, got 1 entries"),
        (lambda: squared_error([1.0, 2.0], 1.0), "2 components, so the target must have as many, got 1.0"),
        (lambda: squared_error(1.0, [1.0, 2.0]), "one number but the target has 2 entries"),
        (lambda: squared_error([[1.0]], [[1.0], [2.0]]), "1 outputs but 2 targets"),
        (lambda: gaussian_nll([], []), "no examples"),
        (lambda: gaussian_nll(1.0, 2.0), r"takes the pair \(mean, precision\)"),
        (lambda: gaussian_nll(([1.0], [1.0, 2.0]), [2.0]), "1 means but 2 precisions"),
        (lambda: cross_entropy([1.0], 0), "one number for each class, and at least two"),
        (lambda: cross_entropy(1.0, 0), "one number for each class"),
        (lambda: cross_entropy([1.0, 2.0], 0, weight=[1.0]), "weight must have one number >= 0 for each of the 2"),
        (lambda: cross_entropy([1.0, 2.0], 0, weight=[1.0, -1.0]), ">= 0"),
        (lambda: binary_cross_entropy(2.0, 1), r"a probability must be between 0 and 1, got 2\.0; for logits use"),
        (lambda: binary_cross_entropy(Value(-1.0), 0), r"between 0 and 1, got -1\.0"),
        (lambda: cross_entropy_from_probabilities([1.5, -0.5], 1), r"between 0 and 1, got -0\.5"),
        (lambda: gaussian_nll((0.0, -1.0), 0.0), r"a precision β = 1/σ² must be above 0, got -1\.0"),
        (lambda: gaussian_nll([1.0, 2.0], 3.0), r"takes a tuple \(mean, precision\)|tuple"),
        (lambda: binary_cross_entropy_with_logits(0.0, 1, pos_weight=-1.0), "pos_weight must be .* >= 0, got -1.0"),
        (lambda: cross_entropy([1.0, 2.0], 0, reduction="avg"), "no reduction 'avg'; known: none, sum, mean"),
    ],
)
def test_mismatched_lengths_raise(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_weights_that_are_not_a_list_raise():
    with pytest.raises(TypeError, match="weight must be a list of one number for each of the 2 classes, got 3"):
        cross_entropy([1.0, 2.0], 0, weight=3)


def test_checks_of_single_labels():
    assert class_index(2.0, 3) == 2
    assert one_hot(0, 2) == [1.0, 0.0]
    assert distribution((0.25, 0.75), 2) == [0.25, 0.75]


def test_weights_that_sum_to_zero_raise_for_mean():
    assert math.isnan(cross_entropy([[1.0, 2.0]], [1], weight=[1, 0], reduction="mean"))


def test_targets_of_a_batch_are_a_list():
    with pytest.raises(TypeError, match="the targets of a batch must be a list, one for each of 1 examples"):
        squared_error([[1.0]], iter([[1.0]]))
