"""The canonical form: however a computation is written, the same program comes out."""

import operator
import random
from functools import reduce
from itertools import starmap

import pytest
from eager_oracle import assert_matches_eager
from hash_seeds import outputs_by_hash_seed
from scalar_evaluator import vectorized as program_of

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.trace import trace
from microgradlib.ops import TABLE


def ops_of(function, parameters, *rows):
    form = canonicalize(trace(function, rows, parameters))
    return [node.op.name for node in form.nodes if node.op]


def values(*numbers):
    return [Value(x) for x in numbers]


W = values(0.5, -1.0, 2.0)
B = Value(0.25)
X = [1.0, 2.0, 3.0]


def added_up(terms):
    total = 0.0
    for term in terms:
        total = total + term
    return total


DOTS = {
    "dot": lambda x: mg.dot(W, x, B),
    "sum of a generator": lambda x: sum(w * x_i for w, x_i in zip(W, x)) + B,
    "from the bias": lambda x: sum((w * x_i for w, x_i in zip(W, x)), B),
    "by the functional sum": lambda x: mg.sum([w * x_i for w, x_i in zip(W, x)]) + B,
    "products the other way round": lambda x: sum(x_i * w for w, x_i in zip(W, x)) + B,
    "nested to the right": lambda x: W[0] * x[0] + (W[1] * x[1] + (W[2] * x[2] + B)),
    "nested to the left": lambda x: ((B + W[0] * x[0]) + W[1] * x[1]) + W[2] * x[2],
    "a bias in the middle": lambda x: (W[0] * x[0] + B) + (W[1] * x[1] + W[2] * x[2]),
    "a dot and a product": lambda x: mg.dot(W[:2], x[:2]) + W[2] * x[2] + B,
    "two dots": lambda x: mg.dot(W[:2], x[:2], B) + mg.dot(W[2:], x[2:]),
    "reduced": lambda x: reduce(operator.add, map(operator.mul, W, x)) + B,
}


@pytest.mark.parametrize("written", DOTS)
def test_a_net_input_however_written(written) -> None:
    assert ops_of(DOTS[written], [*W, B], X) == ["dot"]
    assert program_of(DOTS[written], [*W, B], X) == program_of(DOTS["dot"], [*W, B], X)


SUMS = {
    "sum": lambda x: mg.sum(x),
    "builtin": lambda x: sum(x),
    "in a tree": lambda x: (x[0] + x[1]) + x[2],
    "to the right": lambda x: x[0] + (x[1] + x[2]),
    "sums of sums": lambda x: mg.sum([mg.sum(x[:2]), mg.sum(x[2:])]),
}


@pytest.mark.parametrize("written", SUMS)
def test_a_sum_however_written(written) -> None:
    assert program_of(SUMS[written], [], X) == program_of(SUMS["sum"], [], X)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_an_mlp_written_out(activation) -> None:
    model, x = nn.MLP([3, 5, 4, 2], activation=activation, rng=0), X

    def written_out(x):
        for layer in model.layers:
            x = [n.f(sum(w_i * x_i for w_i, x_i in zip(n.w, x)) + n.b) for n in layer.neurons]
        return x

    assert program_of(written_out, model.parameters(), x) == program_of(model, model.parameters(), x)


def test_an_expanded_mlp() -> None:
    programs = [
        program_of(model, model.parameters(), X)
        for model in (nn.MLP([3, 5, 2], rng=0, expand=expand) for expand in (False, True))
    ]
    assert programs[0] == programs[1]


def test_softmax_written_out() -> None:
    def written_out(x):
        shift = mg.maximum(*x).detach()
        exponentials = [mg.exp(x_i - shift) for x_i in x]
        total = sum(exponentials)
        return [e / total for e in exponentials]

    assert program_of(written_out, [], X) == program_of(mg.softmax, [], X)


def test_a_convolution_written_out() -> None:
    conv = nn.Conv1d(2, 3, 2, rng=0, activation="tanh")
    signal = [[0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]]

    def written_out(x):
        return [
            [mg.tanh(sum(w[c][i] * x[c][t + i] for c in range(2) for i in range(2)) + b) for t in range(3)]
            for w, b in zip(conv.w, conv.b)
        ]

    assert program_of(written_out, conv.parameters(), signal) == program_of(conv, conv.parameters(), signal)


def test_a_recurrent_network_written_out() -> None:
    rnn = nn.RNN(2, 3, rng=0)
    cell, sequence = rnn.cell, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]

    def written_out(xs):
        s = [0.0, 0.0, 0.0]
        states = []
        for x in xs:
            s = [
                mg.tanh(sum(starmap(operator.mul, [*zip(u, x), *zip(w, s)])) + b)
                for u, w, b in zip(cell.u, cell.w, cell.b)
            ]
            states.append(s)
        return states, s

    assert program_of(written_out, rnn.parameters(), sequence) == program_of(rnn, rnn.parameters(), sequence)


def test_weights_that_are_unbatched_and_factors_that_are_batched_have_dots_of_their_own() -> None:
    assert ops_of(lambda x: mg.dot([*W, x[0], x[1]], [*x, x[1], x[2]], B), [*W, B], X) == ["dot", "dot", "add"]
    assert ops_of(lambda x: mg.dot(W, x, B) + x[0] * x[1], [*W, B], X) == ["dot", "mul", "add"]
    assert ops_of(lambda x: W[0] * x[0] + x[0] * x[1], [*W, B], X) == ["identity", "dot"]  # one of each: a copy of W[0]


def test_a_bias_stands_in_a_dot_where_it_is_a_column_of_its_weights() -> None:
    assert ops_of(lambda x: mg.dot(W, x, B), [*W, B], X) == ["dot"]
    assert ops_of(lambda x: mg.dot(W, x, x[0]), W, X) == ["dot", "add"]
    assert ops_of(lambda x: mg.dot(x, x, B), [B], X) == ["dot", "add"]
    assert ops_of(lambda x: [mg.dot(W, W, B), x[0]], [*W, B], X) == ["dot", "add"]


def test_arguments_of_nary_ops_are_all_batched_or_none_is() -> None:
    form = canonicalize(trace(lambda x: mg.maximum(W[0], x[0], W[1], W[0]), [X], W))
    ops = [(node.op.name, node.arguments) for node in form.nodes if node.op]
    assert [name for name, _ in ops] == ["identity", "identity", "maximum"]
    assert [form.spaces[a] for a in ops[-1][1]] == [BATCHED] * 4
    assert ops[-1][1][0] == ops[-1][1][3]  # one copy of W[0]


def test_identities_are_gone_but_for_copies_into_the_batch() -> None:
    again = TABLE["identity"]
    assert ops_of(lambda x: again(x[0]) + again(again(W[0])), W, X) == ["add"]
    assert ops_of(lambda x: [again(again(W[0])), x[0]], W, X) == []


def test_a_mean_written_out() -> None:
    assert_matches_eager(lambda x: sum(x) / 3, [], [X, [4.0, 5.0, 6.0]])
    assert ops_of(lambda x: sum(x) / 3, [], X) == ["sum", "div"]


def test_equal_nodes_become_one() -> None:
    w = Value(2.0)
    assert ops_of(lambda x: mg.tanh(w * x[0]) * mg.tanh(x[0] * w), [w], X) == ["mul", "tanh", "mul"]
    assert ops_of(lambda x: [mg.exp(x[0]), mg.exp(x[0]), mg.exp(x[1])], [], X) == ["exp", "exp"]


def test_leaves_are_never_merged() -> None:
    v, w = Value(2.0), Value(2.0)
    assert_matches_eager(lambda x: v * x + 3 * w * x, [v, w], [1.0, 2.0])
    assert_matches_eager(lambda x, y: x * v + y * w, [v, w], [1.0, 2.0], [1.0, 2.0])


def test_constants_are_computed_and_what_is_not_used_is_gone() -> None:
    assert ops_of(lambda x: x[0] * (mg.exp(Value(0.0)) + Value(2.0)), [], X) == ["mul"]
    assert program_of(lambda x: x[0] * (mg.exp(Value(0.0)) + 2.0), [], X).constants == (3.0,)

    def wasteful(x):
        _ = [mg.exp(x_i) for x_i in x]
        return x[0] + 1

    assert ops_of(wasteful, [], X) == ["add"]


def test_a_sum_that_others_read_is_kept_and_not_computed_twice() -> None:
    def f(x):
        s = x[0] + x[1]
        return s + x[2] + mg.exp(s)

    assert ops_of(f, [], X).count("exp") == 1
    assert_matches_eager(f, [], [X])
    assert_matches_eager(lambda x: [x[0] + x[1], (x[0] + x[1]) + x[2]], [], [X, X])


def test_one_node_many_times_in_a_sum() -> None:
    w = Value(1.5)
    assert_matches_eager(lambda x: w * x + w * x + (w * x + w * x) + x + x, [w], [1.0, 2.0])
    assert_matches_eager(lambda x: sum([w * x] * 5) + w + w, [w], [1.0, 2.0])


@pytest.mark.parametrize("start", ["left", "right", "both"])
def test_long_chains_of_additions_become_one_dot(start) -> None:
    w = values(*[1.0] * 5_000)
    rng = random.Random(0)
    sides = [start == "left" or (start == "both" and rng.random() < 0.5) for _ in w]

    def chain(x):
        total = w[0] * x
        for w_i, left in zip(w[1:], sides):
            term = w_i * x
            total = total + term if left else term + total
        return total

    assert ops_of(chain, w, 1.0) == ["dot"]


SCRIPT = """
import hashlib
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
parts = []
for module, row in [
    (nn.MLP([3, 8, 2], rng=0), [0.0] * 3),
    (nn.LSTM(2, 3, rng=0), [[0.0, 0.0]] * 3),
    (nn.CausalSelfAttention(4, heads=2, rng=0), [[0.0] * 4] * 3),
]:
    program = vectorize(canonicalize(trace(module, [row], module.parameters())))
    parts.append([(str(i), [o.slots.tolist() for o in i.operands]) for i in program.instructions])
    parts.append((program.parameter_order, program.constants))
print(hashlib.sha256(repr(parts).encode()).hexdigest())
"""


def test_the_program_is_the_same_in_every_process() -> None:
    digests = outputs_by_hash_seed(SCRIPT, 0, 1, 99)
    assert len(digests) == 1


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_a_product_that_begins_dots_of_two_and_of_three_terms_is_a_dot_too(longest) -> None:
    """As the first entries of causal attention: one op for all of them, so that they make one batched product."""

    def prefixes(x):
        return [mg.sum([x[i] * x[3 + i] for i in range(n)]) if n > 1 else x[0] * x[3] for n in range(1, longest + 1)]

    ops = ops_of(prefixes, [], [0.5] * 6)
    assert ops == [["mul"], ["mul", "dot"], ["dot", "dot", "dot"]][longest - 1]


def softmax_by_functions(xs):
    return [x / mg.sum(xs) for x in xs]


def softmax_by_plus(xs):
    return [x / sum(xs) for x in xs]


@pytest.mark.parametrize("write", [softmax_by_functions, softmax_by_plus])
@pytest.mark.parametrize(
    ("lengths", "sums"), [([1, 2, 3], "sum sum sum"), ([1, 2], "add"), ([1], ""), ([2, 3, 3], "sum sum")]
)
def test_what_is_divided_by_sums_of_any_length_is_divided_by_sums_alone(lengths, sums, write):
    def function(x):
        return [y for length in lengths for y in write([mg.exp(v) for v in x[:length]])]

    names = ops_of(function, [], X)
    assert sorted(name for name in names if name in ("add", "sum")) == sums.split()
    assert names.count("div") == sum({*lengths})
    assert_matches_eager(lambda x: mg.sum([mg.tanh(y * B) for y in function(x)]), [B], [X, X[::-1]])


def test_a_sum_that_a_number_which_is_none_of_its_terms_is_divided_by_is_left():
    assert ops_of(lambda x: [x[0] / (x[1] + x[2]), x[0] / mg.sum(x)], [], X) == ["add", "div", "sum", "div"]
