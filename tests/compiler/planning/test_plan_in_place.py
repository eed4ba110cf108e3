"""In place: which operands elementwise steps write over, which they must not."""

import numpy as np
import pytest
from plan_checker import check_plan, rows_of

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.planning import plan
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 40).tolist()]


def layer(x, n=2, first=0):
    """n dots of the first three numbers, with parameters."""
    return [mg.dot(W[first + 3 * i : first + 3 * i + 3], x[:3]) for i in range(n)]


def program_of(function, size=6):
    return vectorize(canonicalize(trace(function, [[0.5] * size], W)))


def taken(program):
    """Return the steps that write over an operand, (op, its number), after the plan has been checked."""
    found = plan(program)
    check_plan(found)
    steps = [step for step in found.steps if step.results in step.operands]
    return [(step.instruction.op.name, step.operands.index(step.results)) for step in steps]


TAKE = {
    "relu": (lambda x: [mg.relu(v) for v in layer(x)], [("relu", 0)]),
    "times a constant": (lambda x: [v * 0.3 for v in layer(x)], [("mul", 1)]),
    "the second operand": (lambda x: [mg.tanh(a) - mg.sum([b, *x[:2]]) for a, b in zip(x, x[3:])], [("sub", 0)]),
    "a chain": (lambda x: [mg.exp(mg.relu(1.0 - v * 0.5)) for v in layer(x)],
                [("mul", 1), ("sub", 1), ("relu", 0), ("exp", 0)]),
    "twice the same": (lambda x: [a * a for a in layer(x)], [("mul", 0)]),
}  # fmt: skip
LEAVE = {
    "inputs": lambda x: [mg.relu(v) for v in x],
    "parameters": lambda x: [mg.relu(w) * x[0] for w in W[:6]][:1],
    "what is read again later": lambda x: [mg.dot([mg.relu(v) for v in layer(x)], layer(x))],
    "a part of what another step writes": lambda x: [mg.relu(layer(x)[0]), layer(x)[1]],
    "an output": lambda x: [*layer(x), *map(mg.relu, layer(x))],
    "one output among them": lambda x: [layer(x)[1], *map(mg.relu, layer(x))],
    "what has no batch axis": lambda x: [mg.exp(mg.tanh(W[0])) * x[0]],
    "what the same step reads elsewhere too": lambda x: [a * b for a, b in zip(layer(x), layer(x)[::-1])],
}
"""Functions of which the last elementwise step writes over nothing."""


@pytest.mark.parametrize("name", TAKE)
def test_rows_are_taken(name):
    function, expected = TAKE[name]
    assert taken(program_of(function)) == expected


@pytest.mark.parametrize("name", LEAVE)
def test_rows_are_left(name):
    program = program_of(LEAVE[name])
    last = [i for i in program.instructions if i.kind == "elementwise"][-1]
    found = plan(program)
    check_plan(found)
    (step,) = [step for step in found.steps if step.instruction is last]
    assert step.results not in step.operands


def test_values_that_the_backward_pass_reads_stay():
    """Of tanh and exp the backward pass reads other things: operands of tanh stay, here; those of exp do not."""
    tanh, exp = (reverse(program_of(lambda x, f=f: mg.sum([f(v) for v in layer(x)]))) for f in (mg.tanh, mg.exp))
    assert ("exp", 0) in taken(exp)[:1]
    assert taken(tanh)[:1] != [("tanh", 0)]


def test_cotangents_are_written_over():
    """From the second relu's adjoint on, all cotangents of equal width have the same rows."""
    model = nn.MLP(3, [4, 4, 4, 1], rng=0)
    joint = reverse(vectorize(canonicalize(trace(lambda x: model(x), [[0.5] * 3], model.parameters()))))
    found = plan(joint)
    check_plan(found)
    adjoints = [step for step in found.steps if step.kind == "elementwise" and step.instruction.wrt == 0]
    assert len(adjoints) == 3
    assert all(step.results == step.operands[0] for step in adjoints)


def test_results_that_are_read_with_others_lie_with_them():
    """[relu(W x); 1] is one matrix: the product is written where the relu must lie, right before the row of ones."""
    model = nn.MLP(2, [3, 1], rng=0)
    found = plan(vectorize(canonicalize(trace(lambda x: model(x), [[0.5] * 2], model.parameters()))))
    check_plan(found)
    matmul, relu, last = found.steps
    assert matmul.results.start == relu.results.start == last.operands[1].start
    assert rows_of(last.operands[1])[-1] in found.one_rows
