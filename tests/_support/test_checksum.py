"""Checksums: of what a file says, not how; another number, name or place gives another."""

import copy
import json
import math

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib._support.checksum import checksum

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
PARTS = st.recursive(
    st.none() | NUMBERS | st.text(max_size=5) | st.sampled_from(["nan", "inf"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=50)
@given(part=PARTS, indent=st.sampled_from([None, 2]), escaped=st.booleans())
def test_spaces_escapes_and_the_order_of_keys_do_not_matter(part, indent, escaped):
    written = json.dumps(part, sort_keys=True, indent=indent, ensure_ascii=escaped)
    for text in (written, written.replace("\n", "\r\n"), written.replace("\n", "\n\t")):
        assert checksum("a", json.loads(text)) == checksum("a", part)


@settings(derandomize=True, max_examples=50)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=5), place=st.integers(0, 4), bit=st.integers(0, 62))
def test_each_number_matters(numbers, place, bit):
    place %= len(numbers)
    changed = [*numbers]
    changed[place] = math.nextafter(numbers[place], math.inf if bit % 2 else -math.inf)
    for one, other in ((numbers, changed), ({"w": numbers}, {"w": changed}), ([None, *numbers], [None, *changed])):
        assert checksum("a", one) != checksum("a", other)


def variants():
    """Parts of which no two say the same."""
    return [
        [], {}, None, "", 0, -0.0, 1, "1", [0], [[0]], [[], 0], [0, []], [0, 0], [[0], [0]], [[0, 0]], [[[0, 0]]],
        {"a": 0}, {"b": 0}, {"a": [0]}, {"a": 0, "b": 1}, {"a": 1, "b": 0}, {"ab": 0, "": 1}, {"a": "b"},
        {"a": {"b": 0}},
        ["a", "b"], ["ab"], ["a b"], ["a", 0], ["a", "0"], [None], [None, None], ["null"], ["inf"], [math.inf], ["nan"],
        [[0, 1], [2]], [[0], [1, 2]], [["a"], 0], [["a", 0]], {"a": None},
        10**400, -(10**400), [10**400, 1], [10**400, 2], 2**1000, [1, 2**60],
    ]  # fmt: skip


def test_no_two_are_confused():
    parts = variants()
    assert len({checksum("a", part) for part in parts}) == len(parts)
    assert checksum("a", parts[0]) != checksum("b", parts[0])


def test_nothing_is_changed():
    part = variants()
    before = copy.deepcopy(part)
    checksum("a", part)
    assert repr(part) == repr(before)


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, 0.0), (True, 1), (-3, -3.0), (2**53, 2.0**53)])
def test_whole_numbers_are_those_of_floats(one, other):
    assert checksum("a", one) == checksum("a", other)
    assert checksum("a", {"a": [one, "b"]}) == checksum("a", {"a": [other, "b"]})
