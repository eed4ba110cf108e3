"""Saved programs: the same numbers after loading, and no damaged file gets through."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, define_op
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.costs import cross_entropy
from microgradlib.errors import SavedFileError
from microgradlib.nn import GRU, MLP, Layer
from microgradlib.ops import forget_op

X = np.random.default_rng(0).normal(size=(5, 4))
Y = np.array([0.0, 1.0, 2.0, 1.0, 0.0])


def saved(tmp_path, function, parameters, *arguments, **options):
    fast = compiled(function, parameters, **options)
    fast(*arguments)
    return fast, load_program(fast.save(tmp_path / "program.json"))


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_values_and_gradients_are_those_of_the_compiled_function(tmp_path, dtype):
    model = MLP([4, 8, 3], activation="elu", rng=0)
    scale = Value(2.0)  # not among the parameters
    fast, program = saved(
        tmp_path, lambda x, y: scale * cross_entropy(model(x), y), model.parameters(), X, Y, dtype=dtype
    )
    assert program(X, Y).tolist() == fast(X, Y).tolist()
    assert program(X, Y).dtype == dtype
    (one, gradient), (other, expected) = program.value_and_grad(X, Y), fast.value_and_grad(X, Y)
    assert one == other
    assert gradient.tolist() == expected.tolist()
    assert program.program == fast.program
    assert program.program.arguments == fast.program.arguments  # printed by their names
    vector = np.linspace(-1, 1, len(model.parameters()))
    assert program.hvp(X, Y, vector=vector).tolist() == fast.hvp(X, Y, vector=vector).tolist()
    assert program.hvp(X, Y, vector=vector).dtype == dtype
    assert program.jacobian(X, Y).tolist() == fast.jacobian(X, Y).tolist()
    fast.set_parameters(np.linspace(-1, 1, len(model.parameters())))
    program.set_parameters(np.linspace(-1, 1, len(model.parameters())))
    assert program(X, Y).tolist() == fast(X, Y).tolist()


def test_sequences_nested_results_and_parameters_listed_twice(tmp_path):
    gru, out, w = GRU(2, 3, rng=0), Layer(3, 2, "linear", rng=0), Value(0.5)
    rows = np.random.default_rng(1).normal(size=(20, 6, 2))
    listed = [w, *gru.parameters(), *out.parameters(), w]
    fast, program = saved(tmp_path, lambda xs: [out(h) for h in gru(xs)[0]] + [[w, w]], listed, rows)
    assert program(rows).shape == (20, 7, 2)
    assert program(rows).tolist() == fast(rows).tolist()
    assert program.values_and_grad(rows)[1].tolist() == fast.values_and_grad(rows)[1].tolist()


def test_infinite_numbers_and_settings(tmp_path):
    w = Value(float("inf"))
    fast, program = saved(tmp_path, lambda x: mg.clip(w, 0.0, 3.0) * x**2.5 + mg.leaky_relu(x, 0.2), [w], [1.0, 4.0])
    assert program([1.0, 4.0]).tolist() == fast([1.0, 4.0]).tolist() == [4.0, 100.0]


@pytest.mark.parametrize("key", [1, (1, 2), None, True])
def test_keys_that_json_would_change_are_refused(tmp_path, key):
    fast = compiled(lambda x: {key: x, "b": x})
    fast([1.0])
    with pytest.raises(TypeError, match="can return dicts with names as keys only, got the key"):
        fast.save(tmp_path / "p.json")
    assert list(tmp_path.iterdir()) == []


def test_nested_results_with_names(tmp_path):
    fast, program = saved(tmp_path, lambda x: {"π": x, "b": [x, (x, {"c": x * x})]}, [], [1.0, 3.0])
    assert repr(program([1.0, 3.0])) == repr(
        {"π": fast([1.0, 3.0])["π"], "b": [*fast([1.0, 3.0])["b"][:1], [*fast([1.0, 3.0])["b"][1]]]}
    )


def test_a_program_uses_ops_of_ones_own(tmp_path):
    cube = define_op(
        "cube_of_a_test", value=lambda xp, x: x * x * x, derivatives=[lambda xp, z, x: 3 * x * x], formula="x³"
    )
    try:
        fast, program = saved(tmp_path, lambda x: cube(x), [], [2.0])
        assert program([2.0]).tolist() == fast([2.0]).tolist() == [8.0]
    finally:
        forget_op("cube_of_a_test")
    with pytest.raises(SavedFileError, match="uses the op 'cube_of_a_test', which is not defined here"):
        load_program(tmp_path / "program.json")


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    model = MLP([2, 3, 1], rng=0)
    path = tmp_path_factory.mktemp("programs") / "p.json"
    fast = compiled(lambda x, y: (model(x) - y) ** 2 + mg.logsumexp(x), model.parameters())
    fast(X[:, :2], Y)
    return json.loads(fast.save(path).read_text(encoding="utf-8"))


def load(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("programs") / "p.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return load_program(path, check=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(format="other"), "not a file that save wrote"),
        (
            lambda c: c.update(version=4),
            "has version 4 of the format, but this library reads version 3 .* later microgradlib",
        ),
        (lambda c: c.pop("instructions"), "damaged: the file has no 'instructions'"),
        (lambda c: c["numbers"].pop(), "a parameter has no number"),
        (lambda c: c["parameter_order"].__setitem__(0, 3), "the order of the parameters does not fit"),
        (lambda c: c["constant_slots"].append(3), "the constants are not as many as their slots"),
        (lambda c: c["numbers"].__setitem__(0, None), "None is not a number that a float can hold"),
        (lambda c: c["parameters"].__setitem__(0, 99), "a parameter has no number"),
        (lambda c: c["arguments"].pop(), "the order of the inputs does not fit their number"),
        (lambda c: c["instructions"][0].update(kind="run"), "there is no instruction 'run'"),
        (lambda c: c["instructions"][0].update(op=["__import__"]), "uses the op '__import__', which is not defined"),
        (lambda c: c["instructions"].pop(0), "the slots that are written are not those of the spaces"),
        (lambda c: c["instructions"].reverse(), "a slot is read before it is written"),
        (lambda c: c["instructions"][0]["operands"][1].__setitem__(1, 500), "a slot is read before it is written"),
        (lambda c: c["instructions"][0]["operands"][1].__setitem__(1, -1), "a slot is read before it is written"),
        (lambda c: c["instructions"][0]["operands"][1].pop(), "operands or results of matmul dot do not fit"),
        (lambda c: c["instructions"][0]["shape"].__setitem__(1, 0), "of matmul dot do not fit"),
        (lambda c: c["instructions"][0]["operands"].reverse(), "do not fit"),
        (lambda c: c["instructions"][0]["results"].__setitem__(1, 0), "the slots that are written are not those"),
        (lambda c: c["instructions"][-1].update(terms=0), "of elementwise add do not fit"),
        (lambda c: c["outputs"].__setitem__(0, [2, 0]), "an operand names a space, 0 or 1"),
        (
            lambda c: c.update(unbatched_size=float(c["unbatched_size"])),
            "something else than whole numbers stands in a list",
        ),
        (lambda c: c.update(batched_size=10**12), "the slots that are written are not those of the spaces"),
        (lambda c: c.update(batched_size=-1), "the slots that are written are not those of the spaces"),
        (lambda c: c["instructions"][0].update(terms=True), "something else than whole numbers"),
        (lambda c: c["instructions"][0]["operands"][0].__setitem__(1, "0"), "something else than whole numbers"),
        (lambda c: c["instructions"][0]["operands"][0].__setitem__(1, 10**30), "something else than whole numbers"),
        (lambda c: c["instructions"][0].update(shape=[1, 2, 3]), "the shape of an instruction is no four numbers"),
        (lambda c: c["instructions"][0]["op"].append(1.0), "the op dot has 0 settings, not 1"),
        (lambda c: c["instructions"][0].update(op="dot"), "'dot' stands in the place of a list"),
        (lambda c: c["instructions"][0].update(op=[]), "None stands in the place of a word"),
        (lambda c: c["instructions"].append(None), "an instruction has no 'kind'"),
        (lambda c: c["arguments"][0].__setitem__(0, "x, y"), "the names of the arguments are no names"),
        (
            lambda c: c["arguments"][0].__setitem__(0, "y"),
            "the names of the arguments are no names, or one occurs twice",
        ),
        (lambda c: c["arguments"][0].append(1), "an argument is no name and lengths of axes"),
        (lambda c: c.update(shape=[3]), "3 stands in the place of a list"),
        (lambda c: c.update(shape=[None, None]), "the outputs are not as many as the result has numbers"),
        (lambda c: c.update(outputs={}), "stands in the place of a list"),
        (lambda c: c.update(dtype="object"), "damaged: programs compute with float64 or float32, not 'object'"),
    ],
)
def test_damaged_files(tmp_path_factory, content, change, message):
    damaged = copy.deepcopy(content)
    change(damaged)
    with pytest.raises(SavedFileError, match=message):
        load(tmp_path_factory, damaged)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"format": "microgradlib program"', "[" * 100_000])
def test_foreign_files(tmp_path_factory, text):
    with pytest.raises(SavedFileError):
        load(tmp_path_factory, text)


def numbers_in(thing, path=()):
    """The paths of all whole numbers in a nested structure."""
    if isinstance(thing, dict):
        return [p for key, child in thing.items() for p in numbers_in(child, (*path, key))]
    if isinstance(thing, list):
        return [p for key, child in enumerate(thing) for p in numbers_in(child, (*path, key))]
    return [path] if isinstance(thing, int) else []


@settings(max_examples=75, deadline=None)
@given(data=st.data())
def test_any_whole_number_may_be_wrong(tmp_path_factory, content, data):
    damaged = copy.deepcopy(content)
    *path, last = data.draw(st.sampled_from(numbers_in(content)))
    place = damaged
    for key in path:
        place = place[key]
    place[last] = data.draw(st.integers(-3, 60))
    try:
        program = load(tmp_path_factory, damaged)
    except SavedFileError:
        return
    assert program(X[:, :2], Y).shape == (5,)  # another program, but one that can be run


def test_rows_of_another_shape(tmp_path):
    _, program = saved(tmp_path, lambda x: x[0], [], X)
    with pytest.raises(ValueError, match=r"takes rows of the shapes \(\(4,\),\), got \(\(3,\),\)"):
        program(X[:, :3])
    with pytest.raises(ValueError, match=r"there are 0 parameters, got an array of shape \(2,\)"):
        program.set_parameters([1.0, 2.0])


def test_nothing_to_save_before_the_first_call(tmp_path):
    with pytest.raises(ValueError, match="nothing has been compiled yet"):
        compiled(lambda x: x).save(tmp_path / "program.json")
