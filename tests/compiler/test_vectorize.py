"""Vectorizing: what instructions networks become, that what they read lies together, and that they compute it."""

import itertools
import math

import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from hypothesis import given, settings, strategies as st
from program_checker import check_program
from scalar_evaluator import evaluate, outputs_by_both, vectorized

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.cotangents import Writer
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.ops import TABLE
from microgradlib.testing import graphs


def kinds(program):
    return [(i.kind, i.op.name, i.size) for i in program.instructions]


def values(*numbers):
    return [Value(x) for x in numbers]


def is_strided(slots, shape):
    """Whether slots lie evenly along each axis of a shape."""
    slots = np.reshape(slots, shape)
    steps = [np.diff(slots, axis=axis) for axis in range(slots.ndim)]
    return all((step == step.flat[:1]).all() for step in steps)


def test_an_mlp_becomes_a_matmul_and_an_elementwise_instruction_for_each_layer() -> None:
    model = nn.MLP([3, 5, 4, 2], activation="tanh", rng=0)
    program = vectorized(model, model.parameters(), [0.0] * 3)
    assert [(*kind, i.shape) for kind, i in zip(kinds(program), program.instructions)] == [
        ("matmul", "dot", 5, (1, 5, 4, 1)),
        ("elementwise", "tanh", 5, (1, 1, 1, 1)),
        ("matmul", "dot", 4, (1, 4, 6, 1)),
        ("elementwise", "tanh", 4, (1, 1, 1, 1)),
        ("matmul", "dot", 2, (1, 2, 5, 1)),
    ]
    assert program.inputs == 3
    assert program.batched_size == 3 + 5 + 5 + 4 + 4 + 2 + len(program.ones) == 26  # a one below each X
    assert program.unbatched_size == len(model.parameters())
    assert sorted(program.parameter_order) == list(range(len(model.parameters())))


def test_all_that_an_mlp_reads_are_strided_views_of_neighbours() -> None:
    model = nn.MLP([3, 5, 4, 2], activation="tanh", rng=0)
    program = vectorized(model, model.parameters(), [0.0] * 3)
    for instruction in program.instructions:
        assert all((np.diff(operand.slots) == 1).all() for operand in instruction.operands)
    ends = [i.operands[1].slots[-1] for i in program.instructions if i.kind == "matmul"]
    assert list(program.ones) == ends


def test_every_parameter_and_input_has_a_slot_whether_read_or_not() -> None:
    w = values(1.0, 2.0, 3.0)
    program = vectorized(lambda x: w[1] * x[2], w, [4.0, 5.0, 6.0])
    assert (program.parameter_order, program.input_order) == ((1, 0, 2), (0, 1, 2))
    assert (program.unbatched_size, program.batched_size) == (3, 4)
    assert evaluate(program, [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == [12.0]


def test_a_convolution_is_one_matmul_with_a_column_for_each_place() -> None:
    conv = nn.Conv2d(2, 3, 2, rng=0)
    program = vectorized(conv, conv.parameters(), np.zeros((2, 4, 5)).tolist())
    [product] = program.instructions
    assert (product.kind, product.shape) == ("matmul", (1, 3, 2 * 2 * 2 + 1, 3 * 4))
    windows = product.operands[1].slots[: 8 * 12]
    assert is_strided(windows, (2, 2, 2, 3, 4))  # channel, place in the window, place of the window
    assert sorted(program.ones) == product.operands[1].slots[8 * 12 :].tolist()


def test_a_bias_that_differs_along_a_row_is_added() -> None:
    table = nn.Layer(3, 4, "linear", bias=False, rng=0)
    places = [values(1.0, 2.0, 3.0, 4.0), values(5.0, 6.0, 7.0, 8.0)]

    def function(rows):
        return [[a + b for a, b in zip(table(row), place)] for row, place in zip(rows, places)]

    program = vectorized(function, [*table.parameters(), *places[0], *places[1]], [[0.0] * 3] * 2)
    product, added = program.instructions
    assert (product.kind, product.shape, program.ones) == ("matmul", (1, 4, 3, 2), ())
    assert (added.kind, added.op.name, added.operands[0]) == ("elementwise", "add", product.results)
    assert added.operands[1].space == UNBATCHED


def test_an_lstm_reads_its_gates_as_neighbours_and_its_weights_as_one_matrix() -> None:
    lstm = nn.LSTM(2, 3, rng=0)
    program = vectorized(lambda xs: lstm(xs)[0][-1], lstm.parameters(), [[0.0, 0.0]] * 4)
    steps = [i for i in program.instructions if i.kind == "matmul"]
    assert [i.shape for i in steps] == [(1, 12, 6, 1)] * 4
    assert len({i.operands[0] for i in steps}) == 1
    assert (np.diff(steps[0].operands[0].slots) == 1).all()
    gates = [i for i in program.instructions[10:] if i.op.name == "sigmoid"]
    assert [(np.diff(i.operands[0].slots) == 1).all() for i in gates] == [True] * len(gates)


def test_a_gru_multiplies_weights_by_batched_numbers_and_copies_none_into_the_batch() -> None:
    gru = nn.GRU(2, 3, rng=0)
    program = vectorized(lambda xs: gru(xs)[0][-1], gru.parameters(), [[0.0, 0.0]] * 4)
    assert sum(i.size for i in program.instructions if i.op.name == "identity") <= 1  # the first state, 0
    assert {i.operands[0].space for i in program.instructions if i.kind == "matmul"} == {UNBATCHED}


def test_dots_with_weights_and_inputs_of_their_own_are_one_reduction() -> None:
    w = values(*range(8))
    program = vectorized(lambda x: [mg.dot(w[2 * i : 2 * i + 2], x[2 * i : 2 * i + 2]) for i in range(4)], w, [0.0] * 8)
    assert [(i.kind, i.terms) for i in program.instructions] == [("reduce", 2)]


def test_causal_attention_is_two_batch_matmuls_with_padding() -> None:
    attend = nn.CausalSelfAttention(8, heads=2, rng=0)
    program = vectorized(attend, attend.parameters(), [[0.0] * 8] * 6)
    check_program(program)
    scores, read = [i for i in program.instructions if i.kind == "matmul" and i.operands[0].space == BATCHED]
    assert (scores.shape, read.shape) == ((2, 6, 4, 6), (2, 6, 6, 4))
    assert [is_strided(o.slots, s) for o, s in zip(scores.operands, [(2, 6, 4), (2, 4, 6)])] == [True, True]
    assert is_strided(read.operands[1].slots, (2, 6, 4))
    weights = read.operands[0].slots.reshape(2, 6, 6)
    assert ((weights < 0) == np.triu(np.ones((6, 6), bool), 1)).all()  # −1: no weight of a later token


def test_a_recurrent_network_repeats_its_instructions_over_time() -> None:
    rnn = nn.RNN(2, 3, rng=0)
    program = vectorized(lambda xs: rnn(xs)[1], rnn.parameters(), [[0.0, 0.0]] * 6)
    assert len(program.instructions) == 2 * 6 + 1  # dot and tanh each time; the zero state is copied to the batch once
    assert {i.size for i in program.instructions} == {3, 1}


def test_causal_attention_written_out_with_plus_and_times() -> None:
    rows = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [-0.1, -0.2, -0.3, -0.4]]
    attention = nn.CausalSelfAttention(4, heads=2, rng=0)

    def weighted(weights, x):
        return sum(w * x_i for w, x_i in zip(weights, x, strict=True))

    def written_out(xs):
        keys, values, outputs = [], [], []
        for x in xs:
            query, key, value = (
                [weighted(neuron.w, x) for neuron in layer.neurons] for layer in (attention.q, attention.k, attention.v)
            )
            keys.append(key)
            values.append(value)
            read = []
            for head in attention.heads:
                scores = [weighted(query[head], key[head]) * (1 / math.sqrt(2)) for key in keys]
                shift = mg.maximum(*scores).detach()
                powers = [mg.exp(score - shift) for score in scores]
                shares = [power / sum(powers) for power in powers]
                read += [weighted(shares, column) for column in zip(*[value[head] for value in values])]
            outputs.append([weighted(neuron.w, read) for neuron in attention.o.neurons])
        return outputs

    programs = [vectorized(f, attention.parameters(), rows) for f in (attention, written_out)]
    assert kinds(programs[0]) == kinds(programs[1])
    fast = compiled(lambda x: mg.sum([mg.exp(y) for row in written_out(x) for y in row]), attention.parameters())
    assert_matches_eager(
        lambda x: mg.sum([mg.exp(y) for row in attention(x) for y in row]), fast.parameters, [rows, rows], fast=fast
    )


def test_what_does_not_depend_on_the_inputs_is_unbatched() -> None:
    v, w = Value(2.0), Value(3.0)
    program = vectorized(lambda x: x * mg.exp(v * w), [v, w], 0.0)
    assert [(i.op.name, i.space) for i in program.instructions] == [
        ("mul", UNBATCHED),
        ("exp", UNBATCHED),
        ("mul", BATCHED),
    ]


def test_equal_ops_of_one_level_make_one_instruction() -> None:
    program = vectorized(lambda x: [mg.tanh(x_i) for x_i in x] + [mg.exp(x_i) for x_i in x], [], [0.0] * 4)
    assert kinds(program) == [("elementwise", "tanh", 4), ("elementwise", "exp", 4)]


def test_settings_tell_instructions_apart() -> None:
    program = vectorized(lambda x: [x[0] ** 2, x[1] ** 3, x[2] ** 2], [], [0.0] * 3)
    assert [(i.op.name, i.op.settings, i.size) for i in program.instructions] == [
        ("pow", (2.0,), 2),
        ("pow", (3.0,), 1),
    ]


@settings(max_examples=200, deadline=None)
@given(graphs(list(TABLE.values()), inputs=5, max_nodes=24), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_random_program_evaluated_scalar_by_scalar(graph, roles) -> None:
    roles = roles[: len(graph.names)]
    parameters = [Value(x) for x, role in zip(graph.inputs, roles) if role]
    row = [x for x, role in zip(graph.inputs, roles) if not role]

    def function(numbers):
        sides = iter(numbers), iter(parameters)
        return graph(*[next(sides[role]) for role in roles])

    check_program(vectorized(function, parameters, row))
    got, eager = outputs_by_both(function, parameters, row)
    assert got == pytest.approx(eager, rel=1e-10, abs=1e-10, nan_ok=True)


LSTM, GRU = nn.LSTM(2, 3, rng=0), nn.GRU(2, 3, rng=0)
NETWORKS = {
    "mlp": (nn.MLP([3, 5, 2], activation="tanh", rng=0), [0.1, -0.2, 0.3]),
    "convolution": (nn.Conv2d(1, 2, 2, rng=0), [[[0.1, 0.2, -0.3], [0.4, -0.5, 0.6], [0.7, 0.8, 0.9]]]),
    "lstm": (LSTM, [[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]]),
    "gru": (GRU, [[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]]),
    "attention": (nn.CausalSelfAttention(8, heads=2, rng=0), [[0.1 * (i - j) for i in range(8)] for j in range(6)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_evaluated_scalar_by_scalar(name) -> None:
    function, row = NETWORKS[name]
    got, eager = outputs_by_both(function, [], row)  # the weights are captured
    assert got == pytest.approx(eager, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_dots_with_weights_and_inputs_of_their_own_are_one_reduction(count) -> None:
    w = values(*range(1, 2 * count + 1))

    def dots(x):
        return [w[2 * i] * x[2 * i] + w[2 * i + 1] * x[2 * i + 1] for i in range(count)]

    assert kinds(vectorized(dots, w, [0.5] * 2 * count)) == [("reduce", "dot", count)]


def test_maxima_of_several_lengths_are_one_instruction_in_the_batch_alone() -> None:
    w = values(1.0, 2.0, 3.0)

    def function(x):
        of_the_batch = [mg.maximum(*x[:2]), mg.maximum(*x), mg.logsumexp(x[:2]), mg.logsumexp(x)]
        return [*of_the_batch, mg.maximum(*w[:2]) * x[0], mg.maximum(*w) * x[1]]

    found = [kind for kind in kinds(vectorized(function, w, [0.5] * 3)) if kind[0] != "elementwise"]
    assert sorted(found) == [
        ("reduce", "logsumexp", 1),
        ("reduce", "logsumexp", 1),
        ("reduce", "maximum", 1),
        ("reduce", "maximum", 1),
        ("segment_reduce", "maximum", 2),
    ]


def test_what_reads_all_results_of_an_instruction_says_their_order() -> None:
    """Of softmaxes of 1 to 5 numbers: squares are added up in the order of the quotients, which is that of the sums."""

    def function(x: list[list[Value]]) -> Value:
        return mg.sum([mg.sum([p * p for p in mg.softmax(row[:n])]) for n in (1, 2, 3, 4, 5) for row in x])

    program = vectorized(function, [], [[0.1 * i + j for i in range(5)] for j in range(3)])
    exponentials, quotients = (next(i for i in program.instructions if i.op.name == name) for name in ("exp", "div"))
    assert quotients.size == exponentials.size == 45
    assert quotients.operands[0] == exponentials.results
    sums = next(i for i in program.instructions if i.kind == "segment_reduce" and i.op.name == "sum")
    assert is_strided(sums.operands[0].slots, 45)


def test_a_constant_has_one_slot_however_often_it_is_read() -> None:
    writer = Writer(vectorized(lambda x: x * 2.5, [], 0.5), [])
    first, second, again = writer.constant(7.5, 3), writer.constant(8.5, 1), writer.constant(7.5, 1)
    assert (set(first.slots - first.slots[0]), second.slots[0] - first.slots[0]) == ({0}, 1)
    assert again.slots[0] == first.slots[0]


def test_the_last_node_keeps_its_slot_where_results_have_none_of_their_own() -> None:
    """Dots before their biases, and padding of products, have no nodes; the last node has one, made before them."""
    weights, rows = values(*range(1, 9)), np.random.default_rng(0).normal(size=(3, 16))

    def biased(x):
        inner = [mg.tanh(a) for a in x[:4]]
        dots = [mg.dot(weights[2 * i : 2 * i + 2], inner[2 * i : 2 * i + 2]) + weights[4 + i] for i in range(2)]
        return [*dots, mg.exp(x[0])]

    def causal(x):
        queries, keys = ([[f(a) for a in x[4 * i : 4 * i + 4]] for i in range(4)] for f in (mg.tanh, mg.sin))
        return [*[mg.dot(queries[i], keys[k]) for i in range(4) for k in range(i + 1)], mg.exp(x[0])]

    assert ("reduce", "dot", 2) in kinds(vectorized(biased, weights, [0.0] * 4))
    assert ("matmul", "dot", 16) in kinds(vectorized(causal, [], [0.0] * 16))
    assert_matches_eager(biased, weights, rows[:, :4].tolist())
    assert_matches_eager(causal, [], rows.tolist())


def test_a_layer_of_inputs_and_of_results_has_its_ones_behind_the_last() -> None:
    layer, rows = nn.Layer(2, 3, "linear", rng=0), np.random.default_rng(0).normal(size=(3, 2)).tolist()
    for number, parameter in enumerate(layer.parameters()):
        parameter.data = number - 4.5  # biases too, which are 0 at first
    made = [lambda x: x, lambda x: [mg.tanh(a) for a in x], lambda x: [mg.exp(a) for a in x]]
    for order in itertools.permutations(made):
        assert_matches_eager(lambda x, order=order: [y for f in order for y in layer(f(x))], layer.parameters(), rows)
