"""Rolling: what instructions networks become, and that what they read lies together."""

import math

import numpy as np
import pytest
from eager_oracle import assert_matches_eager

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.instructions import BATCH, FIXED
from microgradlib.compiler.reading import grid


def program_of(function, parameters, row):
    fast = compiled(function, parameters)
    fast([row])
    return fast.program


def shapes(program):
    return [(i.kind, i.op.name, i.size) for i in program.instructions]


def values(*numbers):
    return [Value(x) for x in numbers]


def test_an_mlp_becomes_a_product_and_a_map_for_each_layer() -> None:
    model = nn.MLP([3, 5, 4, 2], activation="tanh", rng=0)
    program = program_of(model, model.parameters(), [0.0] * 3)
    assert shapes(program) == [
        ("product", "dot", 5), ("map", "tanh", 5), ("product", "dot", 4), ("map", "tanh", 4), ("product", "dot", 2)
    ]  # fmt: skip
    assert program.inputs == 3
    assert program.batch_size == 3 + 5 + 5 + 4 + 4 + 2 + len(program.ones) == 26  # ones below each X
    assert program.fixed_size == len(model.parameters())
    assert sorted(program.parameter_order) == list(range(len(model.parameters())))


def test_all_that_an_mlp_reads_is_read_in_place() -> None:
    model = nn.MLP([3, 5, 4, 2], activation="tanh", rng=0)
    program = program_of(model, model.parameters(), [0.0] * 3)
    for instruction in program.instructions:
        x = instruction.operands[-2 if instruction.kind == "product" else 0]
        assert grid(x.slots, (len(x.slots),)) is not None
        if instruction.kind == "product":  # [W b] is a matrix, and a one stands below x
            w, _, b = instruction.operands
            rows = np.hstack([np.reshape(w.slots, (instruction.rows, -1)), np.reshape(b.slots, (-1, 1))])
            assert grid(rows.ravel(), rows.shape) is not None
            assert x.slots[-1] + 1 in program.ones


def test_a_convolution_is_one_product_with_a_column_for_each_place() -> None:
    conv = nn.Conv2d(2, 3, 2, rng=0)
    [product] = program_of(conv, conv.parameters(), np.zeros((2, 4, 5)).tolist()).instructions
    assert (product.kind, product.rows, product.terms, product.size) == ("product", 3, 8, 3 * 3 * 4)


def test_a_recurrent_network_repeats_its_instructions_over_time() -> None:
    rnn = nn.RNN(2, 3, rng=0)
    program = program_of(lambda xs: rnn(xs)[1], rnn.parameters(), [[0.0, 0.0]] * 6)
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

    programs = [program_of(f, attention.parameters(), rows) for f in (attention, written_out)]
    assert shapes(programs[0]) == shapes(programs[1])
    fast = compiled(lambda x: mg.sum([mg.exp(y) for row in written_out(x) for y in row]), attention.parameters())
    assert_matches_eager(
        lambda x: mg.sum([mg.exp(y) for row in attention(x) for y in row]), fast.parameters, [rows, rows], fast=fast
    )


def test_what_does_not_depend_on_the_inputs_is_in_the_fixed_bank() -> None:
    v, w = Value(2.0), Value(3.0)
    program = program_of(lambda x: x * mg.exp(v * w), [v, w], 0.0)
    assert [(i.op.name, i.bank) for i in program.instructions] == [("mul", FIXED), ("exp", FIXED), ("mul", BATCH)]


def test_equal_ops_of_one_level_make_one_instruction() -> None:
    program = program_of(lambda x: [mg.tanh(x_i) for x_i in x] + [mg.exp(x_i) for x_i in x], [], [0.0] * 4)
    assert shapes(program) == [("map", "tanh", 4), ("map", "exp", 4)]


def test_settings_tell_instructions_apart() -> None:
    program = program_of(lambda x: [x[0] ** 2, x[1] ** 3, x[2] ** 2], [], [0.0] * 3)
    assert [(i.op.name, i.op.settings, i.size) for i in program.instructions] == [
        ("pow", (2.0,), 2),
        ("pow", (3.0,), 1),
    ]


def test_copies_into_the_batch_bank_keep_apart_from_identities_of_parameters() -> None:
    """Σ and max of mixed kinds copy what is fixed; `jvp` makes identities that are fixed themselves."""
    w, v = Value(2.0), Value(-1.0)
    again = mg.ops.TABLE["identity"]
    assert_matches_eager(lambda x: mg.maximum(again(w), x, w), [w], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: mg.sum([again(w) * again(v), x, w, v]) * again(again(w)), [w, v], [1.0, 2.0])


def test_a_dot_of_fixed_numbers_with_a_bias_of_the_batch() -> None:
    a, b, c, d = values(1.0, 2.0, 3.0, 4.0)
    assert_matches_eager(lambda x: a * b + c * d + x, [a, b, c, d], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: mg.dot([a, b], [c, d], x), [a, b, c, d], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: [a * b + c * d + x_i for x_i in x], [a, b, c, d], [[1.0, 2.0]] * 3)


def test_dots_with_the_same_weights_and_inputs_but_another_bias() -> None:
    w = values(1.0, 2.0, 3.0, 4.0)
    assert_matches_eager(
        lambda x: mg.dot(w[:2], x, w[2]) * mg.dot(w[:2], x, w[3]) + mg.dot(w[:2], x), w, [[1.0, -2.0], [0.5, 3.0]]
    )
    assert_matches_eager(lambda x: mg.dot(w[:2], x, x[0]) * mg.dot(w[:2], x, x[1]), w, [[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.parametrize("step", [4, 8, 16, -8])
@pytest.mark.parametrize("f", [lambda x: 1 / x, lambda x: -x, mg.sigmoid, mg.sqrt, lambda x: x**3, lambda x: 2 - x])
def test_results_that_lie_so_many_slots_apart(f, step) -> None:
    """np.negative of NumPy 2.4 misreads arrays of step 8 (of float32: 4); whatever is used here must not."""
    gap = abs(step) - 1
    p = values(*[0.1 * (i + 1) for i in range(gap + 2)])

    def function(x):
        first, last = (mg.exp, mg.tanh) if step > 0 else (mg.tanh, mg.exp)
        a, between, b = first(p[0]), [mg.sin(q) for q in p[1:-1]], last(p[-1])
        a, b = (a, b) if step > 0 else (b, a)
        return mg.sum([f(a), mg.sum(between) * x, f(b)])

    assert_matches_eager(function, p, [1.0])
    assert_matches_eager(function, p, [1.0, 2.0, 3.0])
    single, double = (compiled(function, p, dtype=dtype).value_and_grad([1.0])[1] for dtype in ("f4", "f8"))
    assert single == pytest.approx(double, rel=1e-4)


@pytest.mark.parametrize("lengths", [[1, 2, 3], [2, 2, 5], [4, 1, 4]])
@pytest.mark.parametrize("op", [mg.sum, mg.mean, mg.maximum, mg.minimum, mg.logsumexp, mg.prod])
def test_reductions_of_different_lengths(op, lengths) -> None:
    w = values(0.5, -1.0, 2.0, 1.5, -0.25)
    assert_matches_eager(
        lambda x: sum([op([*w[:n], *x[:n]]) * (k + 1) for k, n in enumerate(lengths)], 0.0),
        w,
        [[3.0, 0.1, -2.0, 1.0, 7.0]] * 2,
    )
    assert_matches_eager(
        lambda x: sum([op(x[:n]) ** 2 + op(w[:n]) for n in lengths], 0.0), w, [[3.0, 0.1, -2.0, 1.0, 7.0]] * 2
    )


@pytest.mark.parametrize("lengths", [[1, 2, 3], [2, 5, 5]])
def test_dots_of_different_lengths_within_the_batch(lengths) -> None:
    w = values(0.5, -1.0, 2.0, 1.5, -0.25)

    def f(x):
        y = [w_i * x_i for w_i, x_i in zip(w, x)]
        return sum([mg.dot(y[:n], x[:n], w[n - 1]) * mg.dot(y[-n:], y[:n]) for n in lengths], 0.0)

    assert_matches_eager(f, w, [[3.0, 0.1, -2.0, 1.0, 7.0], [1.0, 1.0, 0.0, -1.0, 0.5]])
