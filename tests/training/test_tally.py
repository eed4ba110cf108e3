"""Counting correct classes on arrays against metrics.accuracy of each example's decision."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib._support.pytree import flatten, unflatten
from microgradlib.costs import decision
from microgradlib.metrics import accuracy
from microgradlib.training import tally
from microgradlib.training.examples import Examples
from microgradlib.training.tally import Tally, _lengths, classes_of

numbers = st.sampled_from([-2.0, -0.5, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0])
labels = st.integers(0, 2)
shares = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def rows(entry, lengths):
    for n in reversed(lengths):
        entry = st.lists(entry, min_size=n, max_size=n)
    return entry


CASES = [
    (decision.argmax, (3,), labels, ()),
    (decision.argmax, (3,), shares, (3,)),
    (decision.argmax, (4, 3), labels, (4,)),
    (decision.argmax, (2, 3), shares, (2, 3)),
    (decision.threshold_logit, (), labels, ()),
    (decision.threshold_logit, (), shares, ()),
    (decision.threshold_probability, (), shares, ()),
    (decision.threshold_probability, (3,), shares, (3,)),
    (decision.threshold_logit, (), shares, (2,)),
    (decision.sign_of_score, (), st.sampled_from([-1, 1]), ()),
    (decision.sign_of_score, (2,), st.sampled_from([-1, 1]), (2,)),
    (lambda output: int(output[0] > output[1]), (2,), labels, ()),
]


@settings(max_examples=8)
@pytest.mark.parametrize("case", CASES)
@given(data=st.data(), layout=st.sampled_from("CF"))
def test_the_count_is_that_of_accuracy(case, data, layout):
    rule, lengths, target, target_lengths = case
    outputs = data.draw(st.lists(rows(numbers, lengths), min_size=1, max_size=12))
    targets = data.draw(st.lists(rows(target, target_lengths), min_size=len(outputs), max_size=len(outputs)))
    expected = accuracy([rule(output) for output in outputs], targets)
    counted = Tally(rule, outputs[0], Examples.of(outputs, targets, "x"), np.array(targets, float))
    flat = np.array([flatten(output) for output in outputs], float, order=layout)
    for part in (slice(0, None, 2), slice(1, None, 2)):
        if len(flat[part]):
            counted.add(flat[part], np.arange(len(flat))[part])
    assert counted.accuracy() == expected
    counted.reset()
    counted.add(flat, np.arange(len(flat)))
    assert counted.accuracy() == expected


def test_most_cases_are_counted_on_arrays():
    on_arrays = [tally.array_rule(rule, unflatten_example(lengths))[0] is not None for rule, lengths, *_ in CASES]
    assert on_arrays == [True] * 11 + [False]


def unflatten_example(lengths):
    return np.zeros(lengths).tolist()


def test_outputs_that_are_no_lists_and_no_rule():
    nested = {"scores": [0.0, 1.0]}
    targets = [1, 1, 0]
    flat = np.array([[0.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    counted = Tally(lambda output: decision.argmax(output["scores"]), nested, Examples.of(targets, targets, "x"), None)
    counted.add(flat, np.arange(3))
    assert counted.accuracy() == 2 / 3
    assert unflatten(nested, [1.0, 2.0]) == {"scores": [1.0, 2.0]}
    silent = Tally(None, nested, Examples.of(targets, targets, "x"), None)
    silent.add(flat, np.arange(3))
    assert silent.accuracy() is None


@pytest.mark.parametrize("largest", [np.inf, 1.7e308])
def test_infinite_outputs_and_those_whose_sum_overflows(largest):
    targets = [1, 0]
    counted = Tally(decision.argmax, [0.0, 0.0], Examples.of(targets, targets, "x"), np.array(targets, float))
    counted.add(np.array([[0.0, largest], [largest, 0.0]]), np.arange(2))
    assert counted.accuracy() == 1.0


def test_a_label_that_is_no_position_counts_as_wrong():
    targets = [1, -100]
    counted = Tally(decision.argmax, [0.0, 0.0], Examples.of(targets, targets, "x"), np.array(targets, float))
    counted.add(np.array([[0.0, 1.0], [0.0, 1.0]]), np.arange(2))
    assert counted.accuracy() == 0.5


@pytest.mark.parametrize(
    ("targets", "shape", "expected"),
    [
        ([0.2, 0.7, 2.0], (), [0, 1, 2]),
        ([0.5, 0.4999], (), [1, 0]),
        ([[0.2, 0.8], [0.9, 0.1]], (), [1, 0]),
        ([[0.2, 0.8], [0.9, 0.1]], (3,), None),
        ([math.nan, 1.0], (), None),
        ([math.inf, 1.0], (), None),
    ],
)
def test_classes_of_targets(targets, shape, expected):
    found = classes_of(np.array(targets), shape)
    assert (found if found is None else found.tolist()) == expected


def test_no_classes_without_targets():
    assert classes_of(None, ()) is None


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (3.0, ()),
        ([1, 2], (2,)),
        ([[1, 2], [3, 4], [5, 6]], (3, 2)),
        ([[1, 2], [3]], None),
        ({"a": 1}, None),
        ([{"a": 1}], None),
    ],
)
def test_lengths_of_nested_outputs(output, expected):
    assert _lengths(output) == expected
