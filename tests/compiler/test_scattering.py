"""Scattering: rows brought to the slots they belong to, those of one slot summed, as `numpy.add.at` does it."""

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

from microgradlib.compiler.scattering import Scattering, runs

WITHIN = {np.float64: 1e-13, np.float32: 1e-5}
MOST_SLOTS = 200


@st.composite
def drawn_slots(draw):
    """Slots anyhow, in runs, sorted or not, each once or several times; few or many of them."""
    slots = draw(st.lists(st.integers(0, draw(st.sampled_from([3, 12, 60]))), min_size=1, max_size=60))
    if draw(st.booleans()):
        slots = list(dict.fromkeys(slots))
    if draw(st.booleans()):
        slots.sort()
    width, first = draw(st.sampled_from([1, 1, 2, 3])), draw(st.integers(0, 4))
    return [first + width * slot + k for slot in slots for k in range(width)]


def rows_for(slots, batch, dtype):
    return np.random.default_rng(len(slots)).uniform(-1, 1, (len(slots), batch)).astype(dtype)


def summed(slots, rows):
    """Return the slots, each once, and the sums of their rows."""
    table = np.zeros((MOST_SLOTS, rows.shape[1]))
    np.add.at(table, np.asarray(slots), rows.astype(float))
    found = sorted(set(slots))
    return found, table[found]


def written(found, rows, dtype=float):
    out = np.full((len(found.slots), rows.shape[-1]), np.nan, dtype)
    found.write(rows, out)
    return out


@given(drawn_slots(), st.sampled_from([1, 2, 17]), st.sampled_from([np.float64, np.float32]))
@example([5], 1, np.float64)
@example([3, 2, 1, 0], 2, np.float64)
@example([*range(20), *range(20)], 2, np.float64)
@example([*range(0, 42, 2), *range(0, 42, 2)], 2, np.float64)
@example([4, 5, 0, 1, 4, 5], 2, np.float32)
def test_rows_of_one_slot_are_summed(slots, batch, dtype):
    rows = rows_for(slots, batch, dtype)
    found = Scattering(slots)
    expected_slots, expected = summed(slots, rows)
    assert found.slots.tolist() == expected_slots
    for _ in range(2):
        got = written(found, rows, dtype)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=0, atol=WITHIN[dtype] * len(slots))


@given(drawn_slots())
def test_rows_may_have_several_axes(slots):
    """A gradient of an operand is (rows, terms, batch); the slots go through rows, then terms."""
    rows = rows_for(slots * 2, 3, float)
    found = Scattering([*slots, *slots])
    got = written(found, rows.reshape(2, len(slots), 3))
    np.testing.assert_allclose(got, summed([*slots, *slots], rows)[1], rtol=0, atol=1e-12)


@given(drawn_slots().filter(lambda slots: len(set(slots)) == len(slots)))
def test_slots_read_once_get_their_rows_to_the_last_digit(slots):
    rows = rows_for(slots, 3, float) / 3.0
    got = written(Scattering(slots), rows)
    assert got.tolist() == [rows[slots.index(slot)].tolist() for slot in sorted(slots)]


@pytest.mark.parametrize("slots", [[0, 1, 0, 2], [*range(30), 3], [2, 0, 1]])
def test_what_is_not_finite_is_never_hidden(slots):
    """It may spread to other slots, but not be lost: the check of the result finds it."""
    rows = rows_for(slots, 2, float)
    rows[1, 0] = np.inf
    with np.errstate(invalid="ignore"):
        got = written(Scattering(slots), rows)
    assert not np.isfinite(got[sorted(set(slots)).index(slots[1]), 0])


def test_no_order_and_no_sums_where_there_are_none():
    cases = {(3, 4, 5): (True, False), (5, 3): (False, False), (3, 3, 7): (True, True), (7, 3, 7): (False, True)}
    for slots, (sorted_already, repeats) in cases.items():
        found = Scattering(slots)
        assert (found.order is None, found.repeats) == (sorted_already, repeats)


@pytest.mark.parametrize(("slots", "by_product"), [
    ([0, 1, 0], True), ([1, 0], False), ([*range(20), 0], True), ([*range(21), 0], False),
    ([*range(0, 40, 2), 0], True), ([*range(0, 42, 2), 0], False),
])  # fmt: skip
def test_few_sums_are_a_product(slots, by_product):
    assert (Scattering(slots).members is not None) == by_product


@given(st.sets(st.integers(0, 30), min_size=1))
def test_runs_are_the_stretches_of_slots_that_follow_one_another(slots):
    slots = sorted(slots)
    found = runs(np.array(slots))
    assert [slot for start, end in found for slot in slots[start:end]] == slots
    for start, end in found:
        assert slots[start:end] == list(range(slots[start], slots[end - 1] + 1))
    assert all(slots[end] > slots[end - 1] + 1 for _, end in found[:-1])


@pytest.mark.parametrize(
    ("slots", "expected"), [([4], [(0, 1)]), ([1, 2, 3], [(0, 3)]), ([1, 3, 4, 8], [(0, 1), (1, 3), (3, 4)])]
)
def test_runs_of_a_few(slots, expected):
    assert runs(np.array(slots)) == expected
