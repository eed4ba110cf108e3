"""Plans: of any program, no two live values share a row; how much memory they take; wrong plans are told from right."""

import random
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from plan_checker import check_plan, rows_of
from random_networks import Network

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand, ProgramData
from microgradlib.compiler.planning import plan
from microgradlib.compiler.planning.fusion import fusible
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value
from microgradlib.ops import TABLE
from microgradlib.testing import graphs

MOST = 3
"""How many times the slots of the forward program all rows of a joint one may be, copies and all."""


def program_of(function, parameters, *rows):
    return vectorize(canonicalize(trace(function, list(rows), list(parameters))))


def check_all(program, *, second=True):
    """Check the plans of a program and of its joint programs."""
    joint = reverse(program)
    for each in (program, joint, reverse(program, wrt="inputs"), *([reverse(joint)] if second else [])):
        check_plan(plan(each))


def mlp():
    model = nn.MLP(3, [8, 8, 1], rng=0)
    return lambda x, y: (model(x) - y) ** 2, model.parameters(), [0.5] * 3, 1.0


def conv():
    model = nn.Sequential(nn.Conv2d(2, 3, 3, activation="relu", rng=0), nn.AvgPool2d(2), nn.Flatten())
    return lambda x: mg.sum([mg.tanh(v) for v in model(x)]), model.parameters(), np.ones((2, 6, 6)).tolist()


def lstm():
    model, readout = nn.LSTM(4, 8, rng=0), nn.Layer(8, 1, "linear", rng=0)
    parameters = [*model.parameters(), *readout.parameters()]
    return lambda xs, y: (readout(model(xs)[0][-1]) - y) ** 2, parameters, [[0.5] * 4] * 6, 1.0


def attention():
    model = nn.CausalSelfAttention(8, heads=2, rng=0)
    return lambda xs: mg.sum([mg.tanh(v) for row in model(xs) for v in row]), model.parameters(), [[0.5] * 8] * 6


def late_parameters():
    """Numbers of parameters alone, which are scheduled after the first step of the batch."""
    w = [Value(i / 8) for i in range(6)]

    def function(x):
        u = [mg.tanh(weight) for weight in w]
        for _ in range(4):
            u = [mg.exp(one) * weight for one, weight in zip(u, w)]
        return mg.sum([mg.tanh(mg.sin(x[0]) * one + x[1]) for one in u])

    return function, w, [0.0, 0.0]


MODELS = [mlp, conv, lstm, attention, late_parameters]


@pytest.mark.parametrize("model", MODELS)
def test_networks(model):
    check_all(program_of(*model()), second=model in (mlp, conv))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_random_networks(seed):
    network = Network(seed)
    check_all(program_of(network, network.parameters, *[[[0.5] * w] * h for h, w in network.shapes]))


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_many_random_networks(seed):
    network = Network(seed, depth=9)
    check_all(program_of(network, network.parameters, *[[[0.5] * w] * h for h, w in network.shapes]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(list(TABLE.values()), inputs=5, max_nodes=30), st.integers(0, 31))
def test_random_graphs(graph, roles):
    """Some of the graph's inputs are parameters, the others inputs."""
    is_parameter = [bool(roles >> k & 1) for k in range(len(graph.inputs))]
    parameters = [Value(x) for x, is_one in zip(graph.inputs, is_parameter) if is_one]

    def function(xs):
        numbers = {True: iter(parameters), False: iter(xs)}
        return graph(*[next(numbers[is_one]) for is_one in is_parameter])

    row = [x for x, is_one in zip(graph.inputs, is_parameter) if not is_one] or [1.0]
    check_all(program_of(function, parameters, row), second=False)


@pytest.mark.parametrize("model", MODELS)
def test_all_rows_are_at_most_three_times_the_slots_of_the_forward_program(model):
    program = program_of(*model())
    assert plan(reverse(program)).rows[BATCHED] <= MOST * program.batched_size


@pytest.mark.parametrize("layers", [2, 8, 32])
def test_the_backward_pass_takes_the_rows_of_one_layer_more_than_the_forward_pass(layers):
    """Each layer's units, which the backward pass reads, and the one below them; then cotangents of two layers."""
    model = nn.MLP(4, [8] * layers + [1], rng=0)
    program = reverse(program_of(lambda x: model(x), model.parameters(), [0.5] * 4))
    output, seed, zeros = 1, 1, 1
    assert plan(program).rows[BATCHED] <= 4 + 1 + (8 + 1) * layers + output + seed + 8 + zeros


@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_one_run_of_rows(model):
    found = plan(reverse(program_of(*model()))).cotangent_rows[-1]
    assert (np.diff(found) == 1).all()


def small_attention():
    model = nn.CausalSelfAttention(4, heads=2, rng=0)
    return lambda xs: mg.sum([mg.tanh(v) for row in model(xs) for v in row]), model.parameters(), [[0.5] * 4] * 4


@pytest.mark.parametrize("model", [*MODELS, small_attention])
def test_what_a_copy_is_of_is_not_written_over_by_the_steps_that_are_computed_with_it(model):
    found = plan(reverse(program_of(*model())))
    for start, end in fusible(found).items():
        written = set[tuple[int, int]]()
        for step in reversed(found.steps[start:end]):
            if step.kind == "gather":
                assert written.isdisjoint((step.operands[0].space, row) for row in rows_of(step.operands[0]).tolist())
            written.update((step.results.space, row) for row in rows_of(step.results).tolist())


def test_what_parameters_alone_give_is_computed_before_the_batch_and_kept():
    steps = plan(reverse(program_of(*late_parameters()))).steps
    before = [step for step in steps if step.phase == "before"]
    assert [step.instruction.op.name for step in before] == ["tanh"] + ["exp", "mul"] * 4
    kept = np.concatenate([rows_of(step.results) for step in before])
    for step in steps:
        if step.phase != "before" and step.results.space == UNBATCHED:
            assert step.phase == ("batch" if step.instruction.sums_batch else "after")
            assert not np.isin(rows_of(step.results), kept).any()


def test_a_parameter_that_is_not_reached_has_the_row_of_zeros():
    w = [Value(2.0), Value(3.0), Value(4.0)]
    found = plan(reverse(program_of(lambda x: w[2] * x * w[0], w, 1.0)))
    check_plan(found)
    order = found.program.parameter_order
    assert [rows == found.rows[UNBATCHED] - 1 for rows in found.cotangent_rows[-1].tolist()] == [i == 1 for i in order]


def test_functions_of_nothing_but_leaves():
    w = [Value(2.0)]
    for function in (lambda x: w[0], lambda x: x, lambda x: 3.0, lambda x: [x, w[0], x, 1.0]):
        check_all(program_of(function, w, 1.0), second=False)


def test_a_plan_is_frozen_and_its_arrays_are_read_only():
    found = plan(reverse(program_of(*mlp())))
    with pytest.raises(FrozenInstanceError):
        found.rows = (1, 1)
    for array in (*found.seed_rows, *found.output_rows, *found.cotangent_rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_it_is_the_same_each_time():
    program = reverse(program_of(*attention()))
    assert str(plan(program)) == str(plan(program))


def uneven_results():
    """Return a hand-made program with results that no strided view writes."""
    exp = next(i for i in program_of(lambda xs: [mg.exp(x) for x in xs], [], [0.0] * 4).instructions)
    wrong = replace(exp, results=Operand.of(BATCHED, [4, 5, 7, 6]))
    outputs = (Operand.of(BATCHED, [4]),)
    return ProgramData((wrong,), outputs, None, (0, 1, 2, 3), (), (), (), 0, 8)


def test_results_must_be_evenly_spaced():
    with pytest.raises(ValueError, match="evenly spaced slots, got instruction 0"):
        plan(uneven_results())


def shifted(view, by=1):
    return replace(view, start=view.start + by)


def with_step(found, number, **changes):
    return replace(
        found, steps=(*found.steps[:number], replace(found.steps[number], **changes), *found.steps[number + 1 :])
    )


def wrong_plans():
    """Yield plans with one mistake each, and what the checker says of it."""
    found = plan(reverse(program_of(*mlp())))
    matmul = next(n for n, step in enumerate(found.steps) if step.kind == "matmul")
    last = found.steps[-1]
    yield replace(found, output_rows=(found.output_rows[0] + 1,)), "hold something else"
    yield replace(found, cotangent_rows=(found.cotangent_rows[0][::-1],)), "hold something else"
    yield replace(found, steps=found.steps[:-1]), "hold something else"
    yield replace(found, steps=found.steps[1:]), "are read by"
    yield replace(found, one_rows=found.one_rows[::-1]), "are read by"
    yield with_step(found, matmul, results=replace(found.steps[matmul].results, start=0)), "leaves are written over"
    yield with_step(found, matmul, results=replace(found.steps[matmul].results, steps=(0, 0, 0))), "written twice"
    yield with_step(found, len(found.steps) - 1, operands=tuple(map(shifted, last.operands))), "are read by"
    yield with_step(found, matmul, operands=found.steps[matmul].operands[::-1]), "are read by"
    w, x = found.steps[matmul].operands
    yield with_step(found, matmul, operands=(replace(w, sizes=w.sizes[1:], steps=w.steps[1:]), x)), "views of"
    over = replace(found.steps[matmul].results, start=x.start - 2)
    yield with_step(found, matmul, results=replace(over, sizes=(1, 1, 8), steps=(0, 0, 1))), "written over"


@pytest.mark.parametrize("number", range(11))
def test_the_checker_rejects_wrong_plans(number):
    found, message = [*wrong_plans()][number]
    with pytest.raises(ValueError, match=message):
        check_plan(found)


def test_there_are_no_more_wrong_plans():
    assert len([*wrong_plans()]) == 11


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_results_in_other_rows_are_seen(seed):
    """What is read later is not there, or something else is written over."""
    found, rng = plan(reverse(program_of(*lstm()))), random.Random(seed)
    number = rng.randrange(len(found.steps))
    view = found.steps[number].results
    low, high = rows_of(view).min(), rows_of(view).max()
    others = set(range(found.rows[view.space] - (high - low))) - {low}
    moved = replace(view, start=rng.choice(sorted(others)) + view.start - low)
    with pytest.raises(ValueError, match=r"step|hold"):
        check_plan(with_step(found, number, results=moved))
