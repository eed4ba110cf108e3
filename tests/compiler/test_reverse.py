"""Reverse mode as a pass: the joint program's cotangents are the eager engine's gradients, to the second order."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from program_checker import check_program

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib._support.pytree import flatten
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Operand
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.ops import TABLE
from microgradlib.testing import graphs

SMOOTH = [
    TABLE[name]
    for name in ("add", "sub", "mul", "div", "exp", "tanh", "sigmoid", "sin", "sum", "mean", "dot", "logsumexp")
]


def program_of(function, row, parameters=()):
    return vectorize(canonicalize(trace(function, [row], list(parameters))))


def check(function, rows, parameters, *, second=True):
    """Hold the joint programs of a function of a vector to the eager engine, by the reference engine."""
    program = program_of(function, rows[0], parameters)
    engine = ReferenceEngine(program, float)
    for name in ("gradient", "jacobian", "hvp"):
        check_program(engine.joint(name))
    numbers, batch = np.array([p.data for p in parameters]), np.array(rows)
    firsts = [flatten(function(list(row)))[0] for row in rows]
    mean = sum(firsts, Value(0.0)) / len(rows)
    table = mg.grad_table(mean)
    expected = [table.get(p, 0.0) for p in parameters]
    np.testing.assert_allclose(engine.mean_and_gradient(numbers, [batch])[1], expected, rtol=1e-9, atol=1e-12)
    for row, found in zip(rows, engine.jacobian(numbers, [batch])):
        inputs = [Value(x) for x in row]
        tables = [mg.grad_table(output + Value(0.0)) for output in flatten(function(inputs))]
        expected = [[table.get(x, 0.0) for x in inputs] for table in tables]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    if second and parameters:
        vector = np.linspace(-1.0, 1.0, len(parameters))
        slope = sum((g * float(v) for g, v in zip(mg.gradients(mean, parameters), vector)), Value(0.0))
        table = mg.grad_table(slope)
        expected = [table.get(p, 0.0) for p in parameters]
        np.testing.assert_allclose(Engine.hvp(engine, numbers, [batch], vector), expected, rtol=1e-8, atol=1e-10)


def drawn_rows(size, batch=3):
    rng = random.Random(size)
    return [[rng.uniform(0.3, 1.4) for _ in range(size)] for _ in range(batch)]


W = [Value(0.3), Value(-0.7), Value(1.1)]


FUNCTIONS = {
    "a sum of squares": lambda x: (
        mg.dot(x, x) * W[0] + mg.dot(W, W) * mg.dot([W[0] * y for y in x], [W[0] * y for y in x])
    ),
    "unbatched parts and repeated parameters": lambda x: (W[0] * x[0]).exp() + W[1] * W[1] * W[2] + W[0] ** 2,
    "an unbatched output": lambda x: W[0] * W[1].tanh(),
    "several outputs": lambda x: [W[0] * x[0] / x[1], x[1] * x[2], W[2] * 1.0],
    "the output is an input": lambda x: x[0],
    "a maximum": lambda x: mg.maximum(x[0] * W[0], x[1], W[1] * x[2]),
    "log-sum-exp": lambda x: mg.logsumexp([x[0] * W[0], x[1] * W[1], x[2]]) ** 2,
    "prod, mean and std": lambda x: mg.prod([x[0] * W[0], x[1]]) * mg.mean(x) + mg.std([x[0] * W[1], x[1], x[2]]),
    "a choice": lambda x: mg.where(x[0] > 0.7, W[2] * x[0], x[1] * x[0]) / (x[2] + W[1] ** 2),
    "relu and abs": lambda x: (x[0] * W[0] - 0.3).relu() * x[1] + abs(W[1] * x[2]),
    "sums of different lengths": lambda x: [mg.sum([W[0] * x[0] ** 2 for _ in range(k)]) * x[k % 3] for k in (2, 3, 5)],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    check(FUNCTIONS[name], drawn_rows(3), W)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_layers(activation):
    model = nn.MLP(3, [4, 2], activation=activation, rng=0)
    check(lambda x: sum((y - 1) ** 2 for y in model(x)), drawn_rows(3), model.parameters())


def test_time_steps_that_share_their_weights():
    cell = nn.LSTM(2, 2, rng=0)
    check(lambda x: sum(h * h for h in flatten(cell([x[:2], x[2:4], x[4:]]))), drawn_rows(6, 2), cell.parameters())


def test_windows_that_overlap():
    layer = nn.Conv2d(1, 2, 2, rng=0)
    check(
        lambda x: sum(y.tanh() for y in flatten(layer([[x[:3], x[3:6], x[6:]]]))), drawn_rows(9, 2), layer.parameters()
    )


def test_products_of_two_batched_matrices():
    def scores(x):
        queries, keys = [x[k : k + 4] for k in (0, 4, 8, 12)], [x[k : k + 4] for k in (16, 20, 24, 28)]
        return mg.logsumexp([W[0] * mg.dot(q, k) for i, q in enumerate(queries) for k in keys[: i + 1]])

    check(scores, drawn_rows(32, 2), W)
    assert any(i.kind == "matmul" for i in program_of(scores, [0.0] * 32, W).instructions)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(list(TABLE.values()), inputs=4, max_nodes=14), st.integers(0, 4))
def test_first_derivatives_of_random_graphs(graph, parameter_count):
    parameters = [Value(x) for x in graph.inputs[:parameter_count]]
    rows = [list(graph.inputs[parameter_count:]) or [0.5]] * 2
    check(lambda x: graph(*[*parameters, *x][: len(graph.names)]), rows, parameters, second=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(SMOOTH, inputs=4, max_nodes=10))
def test_second_derivatives_of_random_graphs(graph):
    parameters = [Value(x) for x in graph.inputs[:2]]
    rows = [list(graph.inputs[2:]) or [0.5]] * 2
    check(lambda x: graph(*[*parameters, *x][: len(graph.names)]), rows, parameters)


def test_the_forward_pass_is_the_program_itself():
    program = program_of(FUNCTIONS["a choice"], [0.0] * 3, W)
    for wrt in ("parameters", "inputs"):
        joint = reverse(program, wrt=wrt)
        assert joint.instructions[: joint.forward] == program.instructions
        assert joint.outputs == program.outputs


def test_what_the_output_does_not_depend_on_is_not_reached():
    joint = reverse(program_of(lambda x: W[0] * x[0] + (W[1] * x[1]).detach(), [0.0] * 3, W))
    [gradient] = joint.cotangents
    assert [slot == NOT_REACHED for slot, _ in sorted(zip(gradient.slots, joint.parameter_order))].count(True) == 2
    assert len(gradient.slots) == len(W)


def test_only_what_is_needed_is_computed():
    joint = reverse(program_of(lambda x: (x[0] * x[1]).exp() * W[0], [0.0] * 2, W[:1]))
    assert [i.op.name for i in joint.instructions[joint.forward :]] == ["mul", "sum"]


def test_both_kinds_of_leaves_have_the_cotangents_that_each_has_alone():
    program = program_of(lambda x: [(W[0] * x[0]).tanh() * x[1], W[1] * x[1]], [0.0] * 2, W[:2])
    engine, rows, seeds = ReferenceEngine(program, float), [np.array([[0.5, -1.0], [2.0, 0.25]])], np.ones((2, 2))
    numbers = np.array([w.data for w in W[:2]])
    seeds[1] = 0.0
    joint = reverse(program, wrt="both")
    check_program(joint)
    values, (by_parameters, by_inputs) = engine.execute(joint, numbers, rows, [seeds])
    assert np.array_equal(by_parameters, engine.execute(engine.joint("gradient"), numbers, rows, [1.0])[1][0])
    assert np.array_equal(by_inputs, engine.execute(engine.joint("jacobian"), numbers, rows, [seeds])[1][0])
    assert np.array_equal(values, engine.values(numbers, rows).T)


def test_other_leaves_are_refused():
    with pytest.raises(ValueError, match='"parameters", "inputs" or "both", got wrt=\'weights\''):
        reverse(program_of(lambda x: x[0], [0.0]), wrt="weights")


def wrong_programs():
    program = reverse(program_of(lambda x: (W[0] * x[0]).tanh() * x[1], [0.0] * 2, W[:1]))
    first, *rest = program.instructions
    yield "twice", replace(program, instructions=(first, first, *rest))
    yield "before", replace(program, instructions=(*rest, first))
    yield "before", replace(program, outputs=(Operand.of(UNBATCHED, [NOT_REACHED]),))
    yield "operands of", replace(program, instructions=(replace(first, operands=first.operands[:1]), *rest))
    yield "slots, but", replace(program, batched_size=2)
    yield "twice", replace(program, seeds=(*program.seeds, Operand.of(BATCHED, [0])))


@pytest.mark.parametrize(("message", "program"), list(wrong_programs()))
def test_the_checker_refuses_wrong_programs(message, program):
    with pytest.raises(ValueError, match=message):
        check_program(program)


@pytest.mark.parametrize(
    ("wrt", "adjoints"),
    [
        ("parameters", [("mul", 0), ("sum", 0), ("mul", 1), ("exp", 0)]),
        ("inputs", [("mul", 1), ("tanh", 0)]),
        ("both", [("mul", 0), ("sum", 0), ("mul", 1), ("mul", 1), ("tanh", 0), ("exp", 0)]),
    ],
)
def test_no_more_derivatives_than_are_wanted_are_computed(wrt, adjoints) -> None:
    w = Value(2.0)
    program = program_of(lambda x: 3.0 * mg.exp(w) * mg.tanh(x[0]), [1.0], [w])
    joint = reverse(program, wrt=wrt)
    backward = joint.instructions[len(program.instructions) :]
    assert [(i.op.name, i.wrt or 0) for i in backward] == adjoints  # none by the constant


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_adjoint_names_its_forward_instruction_if_that_is_there(name):
    program = program_of(FUNCTIONS[name], [0.5] * 3, W)
    for joint in (reverse(program), reverse(program, wrt="both"), reverse(reverse(program))):
        for i in joint.instructions:
            forward = None if i.forward is None else joint.instructions[i.forward]
            assert forward is None or (forward.op, forward.wrt) == (i.op, None)
            if forward is not None and i.kind == "elementwise":
                everything = (forward.results, *forward.operands)
                assert all(
                    set(read.slots.tolist()) <= set(everything[place].slots.tolist())
                    for place, read in zip(i.reads, i.operands[1:])
                )


def test_cotangents_of_rows_in_windows_are_added_row_by_row():
    """Of three rows of two numbers, dots of those one below the other."""

    def function(x):
        h = [mg.exp(W[0] * v) for v in x]
        return mg.sum(h) + sum(mg.dot(W[:2], [h[j], h[j + 2]]) ** 2 for j in range(4))

    joint = reverse(program_of(function, [0.5] * 6, W))
    assert [(i.width, i.counts) for i in joint.instructions if i.kind == "segment_reduce"] == [(2, (1, 2, 1))]
    check(function, drawn_rows(6), W)
