"""Tracing: what a function does on Symbols, and that it does the same each time."""

import math
from itertools import count

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler.trace import trace
from microgradlib.errors import SymbolHasNoValueError, TracingError
from microgradlib.ops import TABLE, ZERO

W = [Value(2.0), Value(3.0), Value(4.0)]
X = [1.0, 2.0, 3.0]

OTHER_EACH_TIME = {
    "a factor": lambda x, n: x[0] * (n + 0.5),
    "an exponent": lambda x, n: x[0] ** (n + 0.5),
    "an exponent, a little": lambda x, n: x[0] ** (2 + n * 1e-15),
    "an exponent beside nan": lambda x, n: [x[0] ** (n + 0.5), x[1] * math.nan],
    "a factor beside nan": lambda x, n: [x[0] * (n + 0.5), x[1] * math.nan],
    "a bound": lambda x, n: x[0].clip(0.0, n + 0.5),
    "an op": lambda x, n: [mg.exp, mg.tanh, mg.sin][n](x[0]),
}
OTHER_GRAPH_EACH_TIME = {
    "an input": lambda x, n: mg.exp(x[n]),
    "a parameter": lambda x, n: x[0] * W[n],
    "which of two is read": lambda x, n: [a := mg.exp(x[0]), b := mg.exp(x[0]), mg.tanh([a, b, a][n])],
    "how many terms": lambda x, n: mg.sum(x[: n + 1]),
    "how many outputs": lambda x, n: x[: n + 1],
    "the order of outputs": lambda x, n: [[x[0] * 2, x[0]], [x[0], x[0] * 2]][n % 2],
}


@pytest.mark.parametrize("other", [*OTHER_EACH_TIME, *OTHER_GRAPH_EACH_TIME])
def test_a_function_that_does_something_else_each_time_is_refused(other) -> None:
    function, calls = {**OTHER_EACH_TIME, **OTHER_GRAPH_EACH_TIME}[other], count()
    with pytest.raises(TracingError, match="run twice, the function did not do the same"):
        trace(lambda x: function(x, next(calls)), [X], W)


@pytest.mark.parametrize("other", OTHER_EACH_TIME)
def test_the_line_of_the_first_difference_is_named(other) -> None:
    calls = count()
    with pytest.raises(TracingError, match=r"\(at .*test_trace\.py:\d+, in <lambda>\)"):
        trace(lambda x: OTHER_EACH_TIME[other](x, next(calls)), [X], W)


def test_what_only_looks_different_is_the_same() -> None:
    same = [
        lambda x: x[0] * float("nan"),
        lambda x: [x[0] ** math.nan, x[0] ** float("nan")],
        lambda x: mg.sum([x[0] ** (1 + i / 5000) for i in range(5000)]),  # more bound ops than are remembered
        lambda x: x[0] * Value(float("inf")) + x[1] * -0.0,
    ]
    for function in same:
        assert len(trace(function, [X], []).nodes) > 2


def test_parameters_and_inputs_come_first_and_operations_after_their_arguments() -> None:
    held = Value(5.0)
    found = trace(lambda x: [W[1] * x[0] + 1.0, held * x[0]], [X], W)
    assert [tuple(node) for node in found.nodes] == [
        *[("parameter", None, (), i, 0.0) for i in range(3)],
        *[("input", None, (), i, 0.0) for i in range(3)],
        ("op", TABLE["mul"], (1, 3), -1, 0.0),
        ("constant", None, (), -1, 1.0),
        ("op", TABLE["add"], (6, 7), -1, 0.0),
        ("parameter", None, (), 3, 0.0),
        ("op", TABLE["mul"], (9, 3), -1, 0.0),
    ]
    assert (found.outputs, found.inputs, found.parameters, found.captured) == ((8, 10), 3, 4, (held,))


def test_nodes_as_text() -> None:
    found = trace(lambda x: (W[1] * x[0] + 1.5) ** 3, [X[:1]], W[:2])
    assert [str(node) for node in found.nodes] == [
        "parameter 0", "parameter 1", "input 0", "mul 1, 2", "constant 1.5", "add 3, 4", "pow 3.0 5",
    ]  # fmt: skip


READS = {
    "data": lambda x, t: x[0] * t.data,
    "float": lambda x, t: x[0] * float(t),
    "int": lambda x, t: x[int(t)],
    "a comparison": lambda x, t: x[0] if t > 1 else x[1],
    "a comparison from the other side": lambda x, t: x[0] if t < 1.0 else x[1],
    "max": lambda x, t: x[0] * max(t, Value(0.5)),
    "rounding": lambda x, t: x[0] * round(t),
    "truth": lambda x, t: x[0] if t else x[1],
}


@pytest.mark.parametrize("read", READS)
def test_the_number_of_a_value_from_outside_is_not_kept(read) -> None:
    temperature = Value(2.0, label="temperature")
    with pytest.raises(
        SymbolHasNoValueError, match=r"number of 'temperature' was read .*test_trace\.py:\d+, in <lambda>"
    ):
        trace(lambda x: READS[read](x, temperature), [X], W)


def test_the_number_of_a_value_made_inside_may_be_read() -> None:
    found = trace(lambda x: x[0] * Value(3.0).data * max(Value(1.0), Value(2.0)), [X], W)
    assert [node.number for node in found.nodes if node.kind == "constant"] == [3.0, 2.0]


def test_a_structural_zero_that_a_function_uses_is_a_plain_one() -> None:
    assert not any(node.number is ZERO for node in trace(lambda x: x[0] * Value(ZERO), [X], []).nodes)


def test_a_detached_value_from_outside_is_looked_up_at_each_call() -> None:
    temperature = Value(2.0)
    fast = mg.compile(lambda x: W[0] * x * temperature.detach(), W)
    assert fast([1.0]).tolist() == [4.0]
    temperature.data = 5.0
    assert fast.value_and_grad([1.0])[0] == 10.0


def test_a_parameter_is_not_assigned_while_a_function_is_compiled():
    w = Value(2.0, label="w")

    def doubled(x):
        w.data = 4.0
        return w * x

    with pytest.raises(TracingError, match=r"the function assigns a number to .*label=.w.*, one of its parameters"):
        mg.compile(doubled, [w])([1.0])
    assert w.data == 2.0
    assert doubled(3.0).data == 12.0
