"""Programs from files: those that can be executed pass, and each way not to fit is refused in words."""

from dataclasses import replace

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.saved_checks import check_program
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.ops import TABLE

MUL, EXP, ADD, DOT, SUM, MAXIMUM, IDENTITY, STD, ENTROPY = (
    TABLE[name] for name in ("mul", "exp", "add", "dot", "sum", "maximum", "identity", "std", "cross_entropy")
)
SLOTS = "the slots that are written are not those of the spaces, each once"
ORDER = "a slot is read before it is written"
OUTPUT = "an output is no single number that is computed"
NAMES = "the names of the arguments are no names, or one occurs twice"
COUNT = "the outputs are not as many as the result has numbers"


def batched(*slots):
    return Operand.of(BATCHED, slots)


def unbatched(*slots):
    return Operand.of(UNBATCHED, slots)


FIRST, BOTH = batched(4), batched(4, 5)
"""The first results, of one and of two numbers."""


def program(*instructions, outputs=(FIRST,), shape=None, sizes=(4, 5), **fields):
    """Return a program of three parameters and a constant, of four inputs and what the instructions write."""
    content = {
        "input_order": (2, 0, 1, 3), "parameter_order": (1, 0, 2), "constants": (2.0,), "constant_slots": (3,),
        "unbatched_size": sizes[0], "batched_size": sizes[1], "arguments": (("x", (3,)), ("y", ())),
    }  # fmt: skip
    return ProgramData(instructions, outputs, shape, **content | fields)


GOOD = program(Instruction("elementwise", MUL, batched(4), (unbatched(3), batched(2))))
TWO = Instruction("elementwise", EXP, batched(4, 5), (batched(1, 3),))


def reduced(kind, op, *operands, results=FIRST, **fields):
    return program(Instruction(kind, op, results, operands, **fields), sizes=(4, 4 + results.slots.size))


FIT = {
    "elementwise": GOOD,
    "two results": program(TWO, sizes=(4, 6), outputs=(batched(4), batched(5), batched(0)), shape=[None] * 3),
    "an output is a parameter": replace(GOOD, outputs=(unbatched(0),)),
    "an output is a constant": replace(GOOD, outputs=(unbatched(3),)),
    "a row of ones": program(TWO, sizes=(4, 7), ones=(6,)),
    "a copy into the batch": program(Instruction("elementwise", IDENTITY, batched(4), (unbatched(1),))),
    "unbatched": program(
        Instruction("elementwise", EXP, unbatched(4), (unbatched(1),)), sizes=(5, 4), outputs=(unbatched(4),)
    ),
    "a sum": reduced("reduce", SUM, batched(0, 1, 2), terms=3),
    "two sums": reduced("reduce", SUM, batched(0, 1, 2, 3), terms=2, results=batched(4, 5)),
    "a dot": reduced("reduce", DOT, unbatched(0, 1), batched(2, 3), terms=2),
    "a cross-entropy": reduced("reduce", ENTROPY, batched(0, 1), batched(2, 3), terms=2),
    "a cross-entropy of one list": reduced("reduce", ENTROPY, batched(0, 1, 2), terms=3),
    "an op of one length alone": reduced("reduce", STD, batched(0, 1), terms=2),
    "sums of two lengths": reduced("segment_reduce", SUM, batched(0, 1, 2), counts=(1, 2), results=batched(4, 5)),
    "dots of two lengths": reduced(
        "segment_reduce", DOT, unbatched(0, 1, 3), batched(0, 1, 1), counts=(2, 1), results=batched(4, 5)
    ),
    "a product": reduced("matmul", DOT, unbatched(0, 1), batched(0, 1), shape=(1, 1, 2, 1)),
    "a product with padding": reduced("matmul", DOT, batched(0, NOT_REACHED), batched(2, 3), shape=(1, 1, 2, 1)),
    "of matrices": reduced(
        "matmul", DOT, batched(0, 1, 2, 3), batched(0, 1, 2, 3), shape=(1, 2, 2, 2), results=batched(4, 5, 6, 7)
    ),
    "an unbatched product": program(
        Instruction("matmul", DOT, unbatched(4), (unbatched(0, 1), unbatched(1, 2)), shape=(1, 1, 2, 1)),
        sizes=(5, 4), outputs=(unbatched(4),),
    ),
    "nested results": replace(GOOD, outputs=(batched(4), batched(4)), shape={"a": None, "b": [None]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIT)
def test_what_can_be_executed_passes(name):
    assert check_program(FIT[name], 3) is None


@pytest.mark.parametrize("function", [lambda x: mg.softmax(x), lambda x: mg.std(x) * x[0], lambda x: [x[2], 1.0]])
def test_programs_of_functions_pass(function):
    found = vectorize(canonicalize(trace(function, [[1.0, 2.0, 3.0]], [Value(1.0)])))
    assert check_program(replace(found, arguments=(("x", (3,)),)), 1) is None


def unfit(what="elementwise exp"):
    return f"the operands or results of {what} do not fit it"


def of_one(op, *operands, kind="elementwise", results=FIRST, **fields):
    return program(Instruction(kind, op, results, operands, **fields))


def of_two(op, *operands, kind, results=BOTH, **fields):
    return program(Instruction(kind, op, results, operands, **fields), sizes=(4, 6))


UNFIT = [
    (replace(GOOD, parameter_order=(0, 1)), "the order of the parameters does not fit their number"),
    (replace(GOOD, parameter_order=(0, 1, 1)), "the order of the parameters does not fit their number"),
    (replace(GOOD, input_order=(0, 1, 2)), "the order of the inputs does not fit their number"),
    (replace(GOOD, input_order=(0, 1, 2, 4)), "the order of the inputs does not fit their number"),
    (replace(GOOD, arguments=(("x y", (3,)), ("y", ()))), NAMES),
    (replace(GOOD, arguments=(("y", (3,)), ("y", ()))), NAMES),
    (replace(GOOD, constants=()), "the constants are not as many as their slots"),
    (replace(GOOD, constants=(1.0, 2.0)), "the constants are not as many as their slots"),
    (replace(GOOD, constant_slots=(2,)), SLOTS),
    (replace(GOOD, constant_slots=(4,)), SLOTS),
    (replace(GOOD, unbatched_size=5), SLOTS),
    (replace(GOOD, batched_size=6), SLOTS),
    (replace(GOOD, batched_size=4), SLOTS),
    (replace(GOOD, batched_size=-1), SLOTS),
    (replace(GOOD, batched_size=10**12), SLOTS),
    (replace(GOOD, ones=(4,)), SLOTS),
    (replace(GOOD, instructions=()), SLOTS),
    (replace(GOOD, instructions=GOOD.instructions * 2), SLOTS),
    (replace(GOOD, outputs=()), COUNT),
    (replace(GOOD, outputs=(), shape=[]), COUNT),
    (replace(GOOD, outputs=(batched(4), batched(4))), COUNT),
    (replace(GOOD, shape=[None, None]), COUNT),
    (replace(GOOD, outputs=(batched(4, 3),)), OUTPUT),
    (replace(GOOD, outputs=(batched(5),)), OUTPUT),
    (replace(GOOD, outputs=(batched(NOT_REACHED),)), OUTPUT),
    (replace(GOOD, outputs=(unbatched(4),)), OUTPUT),
    (program(TWO, Instruction("elementwise", EXP, batched(6), (batched(6),)), sizes=(4, 7)), ORDER),
    (program(Instruction("elementwise", EXP, FIRST, (batched(5),)), replace(TWO, results=batched(5, 6)), sizes=(4, 7)),
     ORDER),
    (of_one(EXP, batched(5)), ORDER),
    (of_one(EXP, batched(NOT_REACHED)), ORDER),
    (of_one(EXP, batched(-2)), ORDER),
    (of_one(MUL, unbatched(4), batched(0)), ORDER),
    (of_one(DOT, unbatched(0, NOT_REACHED), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), ORDER),
    (of_one(DOT, batched(0, -2), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), ORDER),
    (of_one(DOT, batched(0, 5), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), ORDER),
    (of_one(EXP, batched(0), kind="run"), "there is no instruction 'run'"),
    (of_one(EXP, batched(0), kind="\x0e", counts=(1,)), r"there is no instruction '\x0e'"),
    (of_two(EXP, batched(0, 1), kind="elementwise", results=batched(5, 4)), unfit()),
    (of_one(EXP, batched(0), counts=(1,)), unfit()),
    (of_one(EXP, unbatched(0)), unfit()),
    (program(Instruction("elementwise", EXP, unbatched(4), (batched(0),)), sizes=(5, 4)), unfit()),
    (of_one(EXP), unfit()),
    (of_one(EXP, batched(0), terms=2), unfit()),
    (of_one(EXP, batched(0, 1)), unfit()),
    (of_one(EXP, batched(0), batched(1)), unfit()),
    (of_one(SUM, batched(0)), unfit("elementwise sum")),
    (of_one(EXP, batched(0), kind="reduce"), unfit("reduce exp")),
    (of_one(SUM, batched(0, 1), kind="reduce", terms=3), unfit("reduce sum")),
    (of_one(SUM, batched(0), kind="reduce", terms=0), unfit("reduce sum")),
    (of_one(SUM, batched(0, 1), batched(0, 1), kind="reduce", terms=2), unfit("reduce sum")),
    (of_one(DOT, batched(0, 1), kind="reduce", terms=2), unfit("reduce dot")),
    (of_one(DOT, batched(0, 1), batched(0), kind="reduce", terms=2), unfit("reduce dot")),
    (of_one(DOT, *[batched(0, 1)] * 3, kind="reduce", terms=2), unfit("reduce dot")),
    (of_one(ENTROPY, unbatched(0, 1), batched(0, 1), kind="reduce", terms=2), unfit("reduce cross_entropy")),
    (of_one(SUM, batched(0, 1), kind="reduce", terms=2, counts=(2,)), unfit("reduce sum")),
    (of_one(SUM, batched(0, 1), kind="segment_reduce", terms=2), unfit("segment_reduce sum")),
    (of_two(SUM, batched(0, 1, 2), kind="segment_reduce", counts=(3,)), unfit("segment_reduce sum")),
    (of_two(SUM, batched(0, 1, 2), kind="segment_reduce", counts=(3, 0)), unfit("segment_reduce sum")),
    (of_two(SUM, batched(0, 1, 2), kind="segment_reduce", counts=(1, 1)), unfit("segment_reduce sum")),
    (of_two(STD, batched(0, 1, 2), kind="segment_reduce", counts=(1, 2)), unfit("segment_reduce std")),
    (of_one(MAXIMUM, batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul maximum")),
    (of_one(DOT, unbatched(0, 1), batched(0), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul dot")),
    (of_one(DOT, unbatched(0), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul dot")),
    (of_one(DOT, batched(0, 1), unbatched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul dot")),
    (of_one(MUL, batched(0, 1), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul mul")),
    (of_two(DOT, batched(0, 1), batched(0, 1), kind="matmul", shape=(1, 1, 2, 1)), unfit("matmul dot")),
    (of_one(DOT, batched(0, 1), batched(0, 1), kind="matmul", shape=(-1, -1, 2, -1)), unfit("matmul dot")),
]  # fmt: skip


@pytest.mark.parametrize(("unfit", "words"), UNFIT)
def test_what_cannot_be_executed_is_refused_in_words(unfit, words):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the words are compared below
        check_program(unfit, 3)
    assert words in str(raised.value)


def test_nothing_is_allocated_for_a_size_that_the_file_has_no_slots_for():
    size = np.iinfo(np.int64).max
    with pytest.raises(ValueError, match="the slots that are written"):
        check_program(replace(GOOD, unbatched_size=size), 3)
    with pytest.raises(ValueError, match="the order of the inputs"):
        check_program(replace(GOOD, arguments=(("x", (2**31, 2**31)),)), 3)
