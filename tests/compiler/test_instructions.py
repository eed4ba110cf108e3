"""Operands and instructions: when they are equal, and how they are printed."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.compiler.instructions import (
    BATCHED,
    MOST_RUNS,
    NOT_REACHED,
    UNBATCHED,
    Instruction,
    Operand,
    ProgramData,
    slot_array,
)
from microgradlib.ops import TABLE


@pytest.mark.parametrize(
    "slots", [[3, 1, 2], (3, 1, 2), range(3, 0, -1), np.array([3, 1, 2], "int32"), iter([3, 1, 2])]
)
def test_slots_are_a_read_only_array_of_their_own(slots):
    found = slot_array(slots)
    assert found.dtype == np.intp
    assert set(found.tolist()) == {1, 2, 3}
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0
    if isinstance(slots, np.ndarray):
        slots[0] = 7
        assert found[0] == 3


def test_operands_are_equal_if_they_read_the_same_slots_of_one_space():
    one = Operand.of(BATCHED, [1, 2, 3])
    assert one == Operand.of(BATCHED, range(1, 4))
    assert hash(one) == hash(Operand.of(BATCHED, (1, 2, 3)))
    for other in (Operand.of(UNBATCHED, [1, 2, 3]), Operand.of(BATCHED, [1, 2]), Operand.of(BATCHED, [3, 2, 1])):
        assert one != other
        assert len({one, other}) == 2
    assert one != (BATCHED, [1, 2, 3])


@pytest.mark.parametrize(
    ("slots", "text"),
    [
        ([], ""),
        ([4], "4"),
        ([4, 5], "4:6"),
        ([5, 4], "5, 4"),
        ([0, 1, 2, 5, 5], "0:3, 5, 5"),
        ([-1, -1, 0, 1], "-1, -1:2"),
        (range(0, 2 * MOST_RUNS, 2), "0, 2, 4, 6, 8, 10"),
        (range(0, 2 * MOST_RUNS + 2, 2), "0, 2, 4, 6, 8, … 7 slots"),
    ],
)
def test_an_operand_prints_its_runs(slots, text):
    assert repr(Operand.of(BATCHED, slots)) == f"batched[{text}]"
    assert repr(Operand.of(UNBATCHED, slots)) == f"unbatched[{text}]"


@given(st.lists(st.integers(-1, 9), max_size=9))
def test_printed_runs_are_all_slots_in_order(slots):
    text = repr(Operand.of(BATCHED, slots))[len("batched[") : -1]
    *runs, last = text.split(", ") if text else [""]
    read = []
    for run in [*runs, *([last] if last and "slots" not in last else [])]:
        start, colon, stop = run.partition(":")
        read += range(int(start), int(stop)) if colon else [int(start)]
    if "slots" in last:
        assert len(runs) == MOST_RUNS - 1
        assert last == f"… {len(slots)} slots"
        assert read == slots[: len(read)]
    else:
        assert read == slots


X, Y, W = Operand.of(BATCHED, [0, 1]), Operand.of(BATCHED, [2, 3]), Operand.of(UNBATCHED, [0, 1])
TWO, ONE = Operand.of(BATCHED, [6, 7]), Operand.of(BATCHED, [6])
MUL, EXP, SUM, DOT, SQUARE = *[TABLE[name] for name in ("mul", "exp", "sum", "dot")], TABLE["pow"].bind(2.0)


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        (Instruction("elementwise", MUL, TWO, (W, X)), f"elementwise mul {W}, {X}"),
        (Instruction("elementwise", SQUARE, TWO, (X,)), f"elementwise pow 2 {X}"),
        (Instruction("elementwise", EXP, TWO, (X, Y), wrt=0), f"elementwise exp adjoint 0 {X}, {Y}"),
        (Instruction("reduce", SUM, ONE, (X,), terms=2), f"reduce sum of 2 {X}"),
        (Instruction("reduce", SUM, TWO, (X,), terms=1, wrt=3), f"reduce sum adjoint 3 of 1 {X}"),
        (Instruction("segment_reduce", SUM, TWO, (X,), counts=(3, 1, 2)), f"segment_reduce sum of 1 to 3 {X}"),
        (Instruction("matmul", DOT, ONE, (W, X), shape=(1, 2, 3, 4)), f"matmul dot 1 of 2×3×4 {W}, {X}"),
    ],
)
def test_an_instruction_prints_what_it_does(instruction, text):
    assert str(instruction) == f"{instruction.results!r} = {text}"


def test_what_is_not_said_of_an_instruction_is_one_or_nothing():
    i = Instruction("elementwise", MUL, TWO, (W, X))
    assert (i.terms, i.shape, i.counts, i.width) == (1, (1, 1, 1, 1), (), 1)
    assert (i.wrt, i.reads, i.forward, i.cotangent_of) == (None, (), None, None)


def test_spaces_are_the_numbers_that_saved_programs_name_them_by():
    assert (UNBATCHED, BATCHED, NOT_REACHED) == (0, 1, -1)


def test_what_an_instruction_says_of_itself():
    product = Instruction("matmul", TABLE["dot"], W, (X, Y), shape=(1, 1, 2, 1))
    assert (product.space, product.size, product.sums_batch) == (UNBATCHED, 2, True)
    assert not Instruction("elementwise", TABLE["mul"], TWO, (W, X)).sums_batch
    assert not Instruction("elementwise", TABLE["neg"], W, (W,)).sums_batch
    assert product == Instruction("matmul", TABLE["dot"], W, (X, Y), shape=(1, 1, 2, 1), cotangent_of=TWO)


def test_a_program_knows_its_sizes_and_lists_its_instructions():
    add = Instruction("elementwise", TABLE["add"], TWO, (X, Y))
    program = ProgramData((add, add), (ONE,), None, (0, 1, 2, 3), (0,), (2.0,), (1,), 2, 8)
    assert (program.inputs, program.sizes) == (4, (2, 8))
    assert program.listing().splitlines() == [f"   0  {add}", f"   1  {add}", "      return batched[6]"]
    joint = ProgramData((), (ONE,), None, (), (), (), (), 1, 7, cotangents=(Operand.of(UNBATCHED, [NOT_REACHED]),))
    assert joint.listing() == "      return batched[6], unbatched[-1]"
