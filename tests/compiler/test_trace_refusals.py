"""What users try in functions to be compiled: it works as in the eager engine, or is refused with advice."""

import copy
import math
import pickle
import random
import re
import threading

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.expand import _DEFINED
from microgradlib.compiler.numpy_functions import array_functions
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.errors import SymbolHasNoValueError, TracingError
from microgradlib.nn import MLP
from microgradlib.ops.guards import Undefined

EQUALITIES = {
    "if": lambda x, y: x if y == 1 else -x,
    "unless": lambda x, y: x if y != 1 else -x,
    "a factor": lambda x, y: x * (y == 1),
    "a condition": lambda x, y: mg.where(y == 1, x, -x),
    "membership": lambda x, y: x * (y in (1, 2)),
    "another number": lambda x, y: x if x == y else -x,
    "is it nan": lambda x, y: y if x != x else x,  # noqa: PLR0124  the old test for nan
    "from the other side": lambda x, y: x if 1.0 == y else -x,  # noqa: SIM300
}


@pytest.mark.parametrize("name", EQUALITIES)
def test_equality_of_numbers_that_are_not_known_is_refused(name) -> None:
    fast = mg.compile(EQUALITIES[name])
    with pytest.raises(
        SymbolHasNoValueError, match=r"compared by == .*where\(.* \(at .*test_trace_refusals\.py:\d+, in"
    ):
        fast([1.0], [1.0])


def test_an_index_that_is_not_known_is_refused_with_what_looks_rows_up() -> None:
    rows = [[Value(1.0), Value(2.0)], [Value(3.0), Value(5.0)]]
    for function in (lambda k: rows[k][0], lambda k: mg.sum(Value(1.0) for _ in range(k))):
        with pytest.raises(SymbolHasNoValueError, match=r"an index.*nn\.Embedding.* \(at .*trace_refusals\.py:\d+"):
            mg.compile(function)([1.0, 0.0])
    table = mg.nn.Embedding(2, 2)
    table.w = rows
    assert mg.compile(lambda k: table(k)[1])([1.0, 0.0]).tolist() == [5.0, 2.0]


def test_symbols_are_still_keys_and_members_and_not_equal_to_other_things() -> None:
    def function(x):
        names = {x[0]: 2.0, x[1]: 3.0}
        assert x[0] in names
        assert x[0] != "x0"
        assert len({x[0], x[1], x[0]}) == 2
        return names[x[0]] * x[0] + names[x[1]] * x[1]

    assert mg.compile(function)([[1.0, 10.0]]).tolist() == [32.0]


def test_what_is_computed_without_recording_is_detached() -> None:
    w = Value(2.0)

    def bootstrapped(x):
        with mg.no_grad():
            target, factor = w * x, w * w
        return (w * x - target) ** 2 + target * w * factor

    fast = mg.compile(bootstrapped, [w])
    for number in (2.0, 3.0):
        w.data, w.grad = number, 0.0
        loss = bootstrapped(1.5)
        loss.backward()
        value, gradient = fast.value_and_grad([1.5])
        assert (value, gradient.tolist()) == (loss.data, [w.grad])


@pytest.mark.parametrize(
    "draw",
    [lambda: random.random() < 0.9, lambda: np.random.rand() < 0.9, lambda: random.choice([True, True])],  # noqa: NPY002
)
def test_drawing_random_numbers_is_refused_whatever_comes_out(draw) -> None:
    for seed in range(20):
        random.seed(seed)
        with pytest.raises(TracingError, match="random"):
            mg.compile(lambda x: 2 * x if draw() else x)([1.0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", [float, np.float32, int])
def test_changes_of_an_array_of_parameters_of_any_kind_are_seen(dtype, kind) -> None:
    w = [Value(1.0), Value(2.0)]
    fast = mg.compile(lambda x: w[0] * x + w[1], w, dtype=dtype)
    numbers = np.array([3, 4], kind)
    fast.set_parameters(numbers)
    assert fast([10.0]).tolist() == [34.0]
    numbers[0] = 5
    assert fast([10.0]).tolist() == [54.0]
    for wrong in (np.array([1j, 2.0]), ["a", "b"]):
        with pytest.raises(TypeError, match="array of real numbers"):
            fast.set_parameters(wrong)
    assert fast([10.0]).tolist() == [54.0]


def test_a_derivative_at_nan_is_nan() -> None:
    assert np.isnan(mg.compile(mg.relu).jacobian([math.nan, 1.0])[0]).all()


def test_masked_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match=r"masked array.*filled"):
        mg.compile(mg.relu)(np.ma.masked_array([1.0, 99.0], [False, True]))


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_are_refused_with_advice(how) -> None:
    fast = mg.compile(mg.relu)
    with pytest.raises(TypeError, match=r"compile the copy.*fast\.save"):
        how(fast)


def test_a_loss_may_use_methods_of_the_output() -> None:
    xs, ys = [[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]], [1.0, -1.0]
    histories = [
        mg.fit(
            MLP([3, 4, 1], rng=0), lambda o, y: (1 - y * o).relu(), xs, ys, compiled=compiled, epochs=3, progress=False
        )
        for compiled in (True, False)
    ]
    assert histories[0].engine.startswith("compiled")
    np.testing.assert_allclose(histories[0].loss, histories[1].loss, rtol=1e-12)


def test_rounding_is_refused_with_digits_or_without() -> None:
    for function in (round, lambda x: round(x, 2)):
        with pytest.raises(SymbolHasNoValueError, match="cannot become a float"):
            mg.compile(function)([1.0])


def test_the_first_of_several_lines_that_draw_is_named() -> None:
    def function(x):
        first = random.random()
        return x if first + random.random() < 3 else -x

    line = function.__code__.co_firstlineno + 1
    with pytest.raises(TracingError, match=rf"draws random numbers.*test_trace_refusals\.py:{line}\b"):
        mg.compile(function)([1.0])


def test_the_line_of_a_draw_is_named_but_draws_of_other_threads_do_not_count() -> None:
    ended = threading.Event()

    def draw_on() -> None:
        while not ended.is_set():
            random.random()
            np.random.rand()  # noqa: NPY002  the generator that all share

    thread = threading.Thread(target=draw_on)
    thread.start()
    try:
        w = [Value(1.0) for _ in range(300)]
        for _ in range(5):
            assert mg.compile(lambda x: mg.sum([v * x for v in w]), w)([1.0]).tolist() == [300.0]
        with pytest.raises(TracingError, match=r"random numbers.*test_trace_refusals\.py:\d+, in <lambda>"):
            mg.compile(lambda x: x * random.choice([1.0, 1.0]))([1.0])
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    ("function", "parameters", "error", "message"),
    [
        (lambda x: x, 1.0, TypeError, "parameters are a list of Values, .* got 1.0"),
        (3.0, [], TypeError, "compile takes a function of one example, .* got 3.0"),
        (lambda x: x, [Value(1.0) + 1.0], TypeError, "parameters are leaf Values"),
        (lambda x: x, [1.0], TypeError, "parameters are leaf Values"),
        (lambda x: [], [], ValueError, "the function returns no number"),
    ],
)
def test_what_cannot_be_compiled_is_refused(function, parameters, error, message) -> None:
    with pytest.raises(error, match=message):
        mg.compile(function, parameters)([1.0])


def test_one_parameter_stands_for_a_list_of_one() -> None:
    w = Value(3.0)
    mean, gradient = mg.compile(lambda x: w * x, w).value_and_grad([2.0])
    assert (mean, gradient.tolist()) == (6.0, [2.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "got no argument"),
        (([1.0], [2.0]), "a lambda function of x was called with 2 arguments: a compiled function takes one batch"),
        (([None],), "of another kind, None"),
        (([Value(1.0)],), "of a Value pass its data"),
    ],
)
def test_wrong_batches_are_refused_in_plain_words(arguments, words) -> None:
    with pytest.raises(TypeError, match=words):
        mg.compile(lambda x: x * x)(*arguments)


@pytest.mark.parametrize(
    ("rows", "lengths"),
    [
        ([[1.0, 2.0], [3.0]], "differ in length, 1, 2. Pad"),
        ([[0.0] * n for n in (5, 1, 2, 4, 3)], "differ in length, 1, 2, 3, …, 5. Pad"),
        ([[0.0] * n for n in (1, 2, 3, 4)], "differ in length, 1, 2, 3, 4. Pad"),
        ([[1.0, [2.0, 3.0]], [3.0, 4.0]], "differ in length. Pad"),
    ],
)
def test_rows_of_different_lengths_are_refused_with_their_lengths(rows, lengths) -> None:
    with pytest.raises(ValueError, match=re.escape(lengths)):
        mg.compile(lambda x: x[0])(rows)


def test_powers_of_one_half_at_minus_infinity_are_those_of_c() -> None:
    x = np.array([-math.inf, -0.0, 4.0])
    for half in (0.5, np.array(0.5), np.array([0.5]), np.array([[0.5]])):
        with np.errstate(invalid="ignore"):  # as the engine runs it
            found = array_functions().pow(x, half)
        assert found.ravel().tolist() == [math.inf, 0.0, 2.0]
        assert not np.signbit(found).any()


def test_what_is_undefined_outside_a_domain_is_left_out() -> None:
    x, undefined = mg.Symbol("x"), Undefined(1.0)
    assert _DEFINED.where(x, x, undefined) is x
    assert _DEFINED.where(x, undefined, x) is x
    assert _DEFINED.where(x, undefined, undefined) is undefined


def test_a_bias_that_is_added_is_no_operand_of_its_dots() -> None:
    w = [Value(float(i)) for i in range(10)]

    def function(x):
        return [mg.tanh(w[0] * x[0] + w[1] * x[1] + w[2]), w[3] * x[1] + w[4] * x[2] + w[5]]

    program = vectorize(canonicalize(trace(function, [[0.0] * 4], w)))
    assert {len(i.operands) for i in program.instructions if i.op.name == "dot"} == {2}
