"""Programs as JSON has them: what is written is read again, and what is of another form is refused in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from random_networks import Network

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import saved_forms
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED, Operand
from microgradlib.compiler.program import Program
from microgradlib.compiler.saved_checks import check_program
from microgradlib.compiler.saved_forms import (
    LARGEST,
    MOST_SLOTS,
    OLD_KINDS,
    decode_list,
    decode_program,
    decode_wholes,
    encode,
    encode_program,
    of_version_1,
)
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.ops import TABLE


def program_of(function, rows, parameters=(), names=("x", "y", "z")):
    program = vectorize(canonicalize(trace(function, list(rows), list(parameters))))
    return Program.of(program, arguments=tuple(zip(names, [np.shape(row) for row in rows])))


W = [Value(0.5), Value(-1.0)]
FUNCTIONS = {
    "a dict": lambda x: {"a": x[0], "b": [x[1], {"c": x[0] * x[1]}]},
    "settings": lambda x: mg.clip(W[0], 0.0, 3.0) * x[0] ** 2.5 + mg.leaky_relu(x[1], 0.2),
    "constants that JSON has no names for": lambda x: x[0] * float("inf") + x[1] * float("-inf"),
    "sums of different lengths": lambda x: [mg.sum([mg.exp(W[0] * v) for v in x * k]) for k in (1, 2, 4)],
    "a leaf": lambda x: [W[1], x[0]],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_program_is_read_as_it_was_written(name):
    program = program_of(FUNCTIONS[name], [[1.0, 2.0]], W)
    found = decode_program(json.loads(json.dumps(encode_program(program))))
    assert found == program
    assert found.arguments == program.arguments
    assert isinstance(found, Program)
    check_program(found, 2)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_programs_of_random_networks_are_read_as_they_were_written(seed):
    network = Network(seed)
    program = program_of(network, [[[0.5] * width] * height for height, width in network.shapes], network.parameters)
    found = decode_program(json.loads(json.dumps(encode_program(program))))
    assert found == program
    check_program(found, len(network.parameters))


def test_parts_are_lists_of_numbers_and_words():
    assert encode(Operand.of(BATCHED, [3, 4])) == [1, 3, 4]
    assert encode(TABLE["exp"]) == ["exp"]
    assert encode(TABLE["clip"].bind(float("-inf"), 2.0)) == ["clip", "-inf", 2.0]
    assert encode(((1, 2.0), [None, "a"])) == [[1, 2.0], [None, "a"]]
    assert encode({"a": (None,), "b": float("inf")}) == {"a": [None], "b": "inf"}
    with pytest.raises(TypeError, match=r"names as keys only, got the key \(1, 2\): name it"):
        encode({"a": [{(1, 2): None}]})


@pytest.mark.parametrize("part", [None, 1, "ab", {}, ()])
def test_a_list_is_a_list(part):
    assert decode_list([part]) == [part]
    with pytest.raises(ValueError, match="stands in the place of a list"):
        decode_list(part)


@pytest.mark.parametrize("number", [0, 1, -1, LARGEST - 1, 1 - LARGEST])
def test_whole_numbers_are_those_that_json_has_exactly(number):
    assert LARGEST == 2**53
    assert decode_wholes([number]) == decode_wholes([number, number])[1:] == (number,)
    assert decode_wholes([]) == ()


@pytest.mark.parametrize("number", [1.0, True, "1", None, [1], LARGEST, -LARGEST, 10**30])
def test_other_things_are_no_whole_numbers(number):
    for numbers in ([number], [1, number]):
        with pytest.raises(ValueError, match="something else than whole numbers stands in a list of them"):
            decode_wholes(numbers)


CONTENT = encode_program(program_of(lambda x: mg.clip(x[0] * W[0], 0.0, 1.0) + x[1], [[1.0, 2.0]], W))
CLIP = next(k for k, i in enumerate(CONTENT["instructions"]) if i["op"][0] == "clip")


def changed(*path, to):
    """Return the content with one part changed, or without it."""
    content = json.loads(json.dumps(CONTENT))
    *path, last = path
    place = content
    for key in path:
        place = place[key]
    if to is KeyError:
        del place[last]
    else:
        place[last] = to
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "the file has no 'instructions'"),
        ([], "the file has no 'instructions'"),
        *[(changed(name, to=KeyError), f"the file has no '{name}'") for name in CONTENT],
        *[
            (changed("instructions", 0, name, to=KeyError), f"an instruction has no '{name}'")
            for name in CONTENT["instructions"][0]
        ],
        (changed("instructions", 0, to=7), "an instruction has no 'kind'"),
        (changed("instructions", 0, "kind", to=7), "7 stands in the place of a word"),
        (changed("instructions", 0, "shape", to=[1, 1, 1]), "the shape of an instruction is no four numbers"),
        (changed("instructions", 0, "shape", to=[1] * 5), "the shape of an instruction is no four numbers"),
        (changed("instructions", 0, "op", to=[]), "None stands in the place of a word"),
        (changed("instructions", 0, "op", to=["none"]), "it uses the op 'none', which is not defined here"),
        (changed("instructions", CLIP, "op", to=["clip", 1.0]), "the op clip has 2 settings, not 1"),
        (changed("instructions", CLIP, "op", to=["clip", 1.0, 2.0, 3.0]), "the op clip has 2 settings, not 3"),
        (changed("instructions", CLIP, "op", to=["clip", None, 2.0]), "None is not a number that a float can hold"),
        (changed("outputs", 0, to=[]), "an operand names a space, 0 or 1, and slots in it, got []"),
        (changed("outputs", 0, to=[1]), "an operand names a space, 0 or 1, and slots in it, got [1]"),
        (changed("outputs", 0, to=[2, 0]), "an operand names a space, 0 or 1, and slots in it, got [2, 0]"),
        (changed("outputs", 0, to=[-1, 0]), "an operand names a space, 0 or 1, and slots in it, got [-1, 0]"),
        (changed("arguments", 0, to=["x"]), "an argument is no name and lengths of axes"),
        (changed("arguments", 0, to=["x", [2], 1]), "an argument is no name and lengths of axes"),
        (changed("arguments", 0, to=[1, [2]]), "1 stands in the place of a word"),
        (changed("shape", to=[None, {"a": 3}]), "3 stands in the place of a list"),
        (changed("shape", to="ab"), "'ab' stands in the place of a list"),
    ],
)
def test_what_is_of_another_form_is_refused_in_words(content, words):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the words are compared below
        decode_program(content)
    assert words in str(raised.value)


def test_operands_of_both_spaces_and_shapes_of_all_kinds_are_read():
    content = changed("shape", to=[None, {"a": [None], "b": None}])
    content["outputs"] = [[0, 0], [1, 1], [1, 2, 3]]
    found = decode_program(content)
    assert [(output.space, output.slots.tolist()) for output in found.outputs] == [(0, [0]), (1, [1]), (1, [2, 3])]
    assert found.shape == content["shape"]
    assert found.instructions[CLIP].op is not TABLE["clip"]
    assert decode_program(changed("instructions", CLIP, "op", to=["clip"])).instructions[CLIP].op is TABLE["clip"]


def old_record(kind, op, operands, start, size, **fields):
    record = {"kind": kind, "op": op, "settings": [], "operands": operands, "counts": [], "bank": 1, "start": start}
    return {**record, "size": size, "terms": 1, "rows": 1, **fields}


def old_content(*instructions, sizes=(6, 20), **fields):
    content = {"sizes": list(sizes), "numbers": [0.0] * 4, "constants": [2.0, 3.0], "rows": [[2], []]}
    return {**content, "instructions": list(instructions), "result": None, "other": "kept", **fields}


W_X, BIAS = [[0, 0, 1, 2, 3], [1, 0, 1]], [0, 4, 5]


@pytest.mark.parametrize("old", OLD_KINDS)
def test_a_dot_of_version_1_with_a_bias_is_a_dot_and_a_sum(old):
    fields = {"terms": 2, "rows": 2, "counts": [2, 2]}
    found = of_version_1(old_content(old_record(old, "dot", [*W_X, BIAS], 3, 2, **fields)))
    kind = OLD_KINDS[old]
    terms = 2 if kind == "reduce" else 1
    dot, add = found["instructions"]
    both = {"kind": kind, "op": ["dot"], "counts": [2, 2], "terms": terms, "shape": [1, 2, 2, 1]}
    assert dot == {**both, "results": [1, 20, 21], "operands": W_X}
    operands = [[1, 20, 21], BIAS]
    others = {"kind": "elementwise", "op": ["add"], "counts": [], "terms": 1, "shape": [1, 2, 2, 1]}
    assert add == {**others, "results": [1, 3, 4], "operands": operands}
    assert (found["unbatched_size"], found["batched_size"]) == (6, 22)


def test_other_instructions_of_version_1_are_one_each():
    records = [
        old_record("product", "dot", W_X, 3, 6, terms=2, rows=3),
        old_record("map", "pow", [[1, 3, 4]], 9, 2, settings=[2.0], rows=0),
        old_record("map", "add", [[0, 0], [0, 1], [0, 2]], 6, 1, bank=0),
    ]
    found = of_version_1(old_content(*records))
    product, power, add = found["instructions"]
    assert (product["results"], product["shape"]) == ([1, *range(3, 9)], [1, 3, 2, 2])
    assert (power["op"], power["kind"], power["shape"]) == (["pow", 2.0], "elementwise", [1, 0, 1, 2])
    assert (add["results"], add["op"], len(add["operands"])) == ([0, 6], ["add"], 3)
    assert (found["unbatched_size"], found["batched_size"]) == (6, 20)
    assert found["arguments"] == [["x0", [2]], ["x1", []]]
    assert found["constant_slots"] == [4, 5]
    assert (found["shape"], found["other"]) == (None, "kept")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (old_content(sizes=(6,)), "the sizes are not two, or too large"),
        (old_content(sizes=(6, 7, 8)), "the sizes are not two, or too large"),
        (old_content(old_record("map", "exp", [[1, 0]], 1, MOST_SLOTS + 1)), "the sizes are not two, or too large"),
        (old_content(*[old_record("map", "exp", [[1, 0]], 1, -MOST_SLOTS)] * 2), "the sizes are not two"),
        (old_content(old_record("map", "exp", [[1, 0]], 1, 1, bank=2)), "there is no instruction 'map' of space 2"),
        (old_content(old_record("matmul", "exp", [[1, 0]], 1, 1)), "there is no instruction 'matmul' of space 1"),
        ({**old_content(), "rows": None}, "None stands in the place of a list"),
        ({"sizes": [1, 1]}, "the file has no 'numbers'"),
    ],
)
def test_what_is_no_program_of_version_1_is_refused_in_words(content, words):
    with pytest.raises(ValueError) as raised:  # noqa: PT011  the words are compared below
        of_version_1(content)
    assert words in str(raised.value)


def test_a_program_of_version_1_may_have_so_many_results(monkeypatch):
    monkeypatch.setattr(saved_forms, "MOST_SLOTS", 5)
    two, three = (old_record("map", "exp", [[1, 0]], 1, size) for size in (2, 3))
    assert [i["results"] for i in of_version_1(old_content(two, three))["instructions"]] == [[1, 1, 2], [1, 1, 2, 3]]
    with pytest.raises(ValueError, match="too large"):
        of_version_1(old_content(three, three))


def test_the_fields_that_printing_alone_needs_are_not_saved():
    program = program_of(lambda x: x[0], [[1.0]])
    named = replace(program, parameter_names=("a",))
    assert encode_program(named) == encode_program(program)
