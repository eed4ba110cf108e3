"""Cotangents: sums of shares over slots that are there several times, of runs as long as they can be."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings, strategies as st

from microgradlib.compiler.cotangents import Cotangents, _width
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Operand, ProgramData


def is_whole(runs, width):
    """Say whether runs of so many consecutive slots are each there whole, begun at the same place of the grid."""
    starts = runs[::width]
    is_even = all(runs[i + k] == runs[i] + k for i in range(0, len(runs), width) for k in range(width))
    return is_even and len({start % width for start in starts}) == 1


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=6))
def test_the_width_is_that_of_the_longest_runs_that_are_whole(runs):
    slots = [start + k for start, length in runs for k in range(length)]
    widths = [w for w in range(1, len(slots) + 1) if len(slots) % w == 0 and is_whole(slots, w)]
    assert _width(np.array(slots)) == max(widths)


def program_of_leaves():
    return ProgramData((), (), None, tuple(range(8)), tuple(range(8)), (), (), 8, 8)


def terms_of(writer, slot, space):
    """Return which shares, and how often, a slot's cotangent is the sum of: by the instructions written."""
    for i in writer.instructions:
        if i.space != space or slot not in i.results.slots.tolist():
            continue
        k = i.results.slots.tolist().index(slot)
        if i.kind == "elementwise":
            read = [(operand.space, operand.slots[k]) for operand in i.operands]
        elif i.kind == "reduce":
            [operand] = i.operands
            read = [(operand.space, one) for one in operand.slots[k * i.terms : (k + 1) * i.terms]]
        else:
            [operand], ends = i.operands, np.cumsum([0, *i.counts])
            segment, column = divmod(k, i.width)
            rows = operand.slots.reshape(-1, i.width)[ends[segment] : ends[segment + 1], column]
            read = [(operand.space, one) for one in rows]
        return sorted(term for where, one in read for term in terms_of(writer, int(one), where))
    return [(space, slot)]


SHARES = st.lists(
    st.tuples(st.integers(0, 1), st.lists(st.integers(0, 7), min_size=1, max_size=8)), min_size=1, max_size=3
)


@settings(max_examples=150, deadline=None)
@given(SHARES, st.integers(0, 1), st.sets(st.integers(0, 7), min_size=6))
def test_a_cotangent_is_the_sum_of_all_shares_of_its_slot(shares, space, needed):
    mask = np.zeros(9, bool)
    mask[list(needed)] = True
    writer = Cotangents(program_of_leaves(), (mask, mask))
    expected = {}
    for of, slots in shares:
        share = writer.new(of, len(slots))
        writer.accumulate(Operand.of(space, slots), share)
        for slot, one in zip(slots, share.slots.tolist()):
            if slot in needed:
                expected.setdefault(slot, []).append((of, one))
    found = writer.slots[space]
    assert {slot for slot in range(8) if found[slot] != NOT_REACHED} == set(expected)
    for slot, terms in expected.items():
        assert terms_of(writer, int(found[slot]), space) == sorted(terms)
    for i in writer.instructions:
        assert i.cotangent_of.space == i.space
        assert i.kind == "elementwise" or i.op.name == "sum"
        assert not (i.counts and len(set(i.counts)) == 1)  # that is a "reduce"
        assert i.sums_batch == (i.space == UNBATCHED and i.operands[0].space == BATCHED)


def test_constants_are_written_once_each_and_zeros_apart():
    writer = Cotangents(program_of_leaves(), (np.ones(9, bool), np.ones(9, bool)))
    read = [
        writer.constant(number, count).slots.tolist() for number, count in ((2.0, 1), (0.0, 2), (-0.0, 1), (2.0, 3))
    ]
    assert read == [[8], [9, 9], [10], [8, 8, 8]]
    found = writer.finished()
    assert (list(map(repr, found.constants)), found.constant_slots) == (["2.0", "0.0", "-0.0"], (8, 9, 10))
    assert found.sizes == (11, 8)


def test_sums_of_runs_are_as_wide_as_the_runs():
    writer = Cotangents(program_of_leaves(), (np.ones(9, bool), np.ones(9, bool)))
    slots = [*range(4), *range(4, 8), *range(4), *range(4)]
    writer.accumulate(Operand.of(BATCHED, slots), writer.new(BATCHED, len(slots)))
    [total] = writer.instructions
    assert (total.kind, total.width, total.counts) == ("segment_reduce", 4, (3, 1))
    assert all(b - a == 1 for a, b in pairwise(total.results.slots.tolist()))
