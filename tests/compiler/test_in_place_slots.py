"""In place: whose slots results take, whose they must not, and that nothing but the memory is another for it."""

import random

import numpy as np
import pytest
from eager_oracle import EagerOracle, assert_batches_match, flat, random_columns
from hypothesis import example, given, settings, strategies as st

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.binding import Binding
from microgradlib.compiler.in_place import in_place
from microgradlib.compiler.instructions import BATCH
from microgradlib.core.value import Value

SIZES = [1, 16, 70]
W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 40).tolist()]


def layer(x, n=2, first=0):
    """n dots of the first three numbers, with parameters."""
    return [mg.dot(W[first + 3 * i : first + 3 * i + 3], x[:3]) for i in range(n)]


def program_of(function, *shapes, parameters=W):
    fast = compiled(function, parameters)
    fast(*random_columns(0, 1, *(shapes or [(6,)])))
    return fast.program


def taken(program):
    """Return the results that take slots: (op, whose op's results stand there already), in order."""
    found, owners = [], {}
    for i in in_place(program).instructions:
        if i.bank == BATCH:
            if i.start in owners:
                found.append((i.op.name, owners[i.start]))
            owners[i.start] = i.op.name
    return found


TAKE = {
    "relu": (lambda x: [mg.relu(v) for v in layer(x)], [("relu", "dot")]),
    "exp": (lambda x: [mg.exp(v) for v in layer(x)], [("exp", "dot")]),
    "sqrt": (lambda x: [mg.sqrt(v) for v in layer(x)], [("sqrt", "dot")]),
    "neg": (lambda x: [-v for v in layer(x)], [("neg", "dot")]),
    "times a constant": (lambda x: [v * 0.3 for v in layer(x)], [("mul", "dot")]),
    "a constant times": (lambda x: [0.3 * mg.mean([v, x[0], x[1]]) for v in layer(x)], [("mul", "mean")]),
    "plus": (lambda x: [mg.tanh(a) + mg.mean([b, *x[:2]]) for a, b in zip(x, x[3:])], [("add", "mean")]),
    "minus": (lambda x: [1.0 - a * b for a, b in zip(x, x[3:])], [("sub", "mul")]),
    "the second operand": (lambda x: [mg.tanh(a) - mg.sum([b, *x[:2]]) for a, b in zip(x, x[3:])], [("sub", "sum")]),
    "of parameters times": (lambda x: [mg.exp(v * W[11]) for v in layer(x)], [("exp", "mul")]),
    "neg of sub": (lambda x: [mg.exp(-(mg.tanh(a) - b)) for a, b in zip(x, x[3:])], [("neg", "sub"), ("exp", "neg")]),
    "a chain": (lambda x: [mg.exp(mg.relu(1.0 - v * 0.5)) for v in layer(x)],
                [("mul", "dot"), ("sub", "mul"), ("relu", "sub")]),
    "and no further": (lambda x: [mg.tanh(mg.relu(-mg.relu(v))) for v in layer(x)], [("relu", "dot"), ("relu", "neg")]),
}  # fmt: skip
LEAVE = {
    "what tanh reads": lambda x: [mg.tanh(v) for v in layer(x)],
    "what sigmoid reads": lambda x: [mg.sigmoid(v) for v in layer(x)],
    "what a square reads": lambda x: [v**2 for v in layer(x)],
    "what log reads": lambda x: [mg.log(v) for v in layer(x)],
    "what is divided": lambda x: [v / W[9] for v in layer(x)],
    "results of exp": lambda x: [mg.relu(mg.exp(v)) for v in x],
    "results of div": lambda x: [mg.exp(a / b) for a, b in zip(x, x[3:])],
    "results of tanh": lambda x: [-mg.tanh(v) for v in x],
    "results of sqrt": lambda x: [1.0 - mg.sqrt(v) for v in x],
    "results of maximum": lambda x: [mg.exp(mg.maximum(a, b)) for a, b in zip(x, x[3:])],
    "results of relu": lambda x: [mg.exp(mg.relu(v)) for v in x],
    "inputs": lambda x: [mg.relu(v) for v in x],
    "what is read twice": lambda x: [mg.relu(v) + v for v in layer(x)],
    "what is read twice at once": lambda x: [a * a for a in layer(x)],
    "what is read by others later": lambda x: [mg.sum([mg.exp(mg.relu(v)) for v in layer(x)]), mg.tanh(layer(x)[0])],
    "an output": lambda x: [*layer(x), *map(mg.relu, layer(x))],
    "one output among them": lambda x: [layer(x)[1], *map(mg.relu, layer(x))],
    "what a parameter is multiplied with": lambda x: [v * W[11] for v in layer(x)],
    "what a result of parameters is multiplied with": lambda x: [v * mg.exp(W[11]) for v in layer(x)],
    "a part of the results": lambda x: [mg.relu(layer(x)[0]), mg.tanh(layer(x)[1])],
    "for results read together with others": lambda x: mg.mean([*map(mg.relu, layer(x)), x[0]]),
    "what is not in order": lambda x: mg.dot([mg.relu(v) for v in layer(x, 3)], [x[0], x[4], x[5]]) + mg.sum(
        [mg.relu(v) * 0.5 for v in layer(x, 3)[::-1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKE)
def test_slots_are_taken(name):
    function, expected = TAKE[name]
    program = program_of(function)
    assert taken(program) == expected
    sizes = {(i.start, i.size) for i in in_place(program).instructions if i.bank == BATCH}
    assert in_place(program).batch_size == program.inputs + sum(size for _, size in sizes)


@pytest.mark.parametrize("name", LEAVE)
def test_slots_are_left(name):
    program = program_of(LEAVE[name])
    assert in_place(program) is program or not taken(program)


def test_a_whole_program():
    """relu takes the slots 6 and 7 of the dots, so that all behind moves up by two; inputs and parameters stay."""
    program = program_of(lambda x: [mg.tanh(mg.relu(v)) * v2 for v, v2 in zip(layer(x), x[3:])])
    found = in_place(program)
    assert [(i.op.name, i.start, [o.slots for o in i.operands if o.bank == BATCH]) for i in program.instructions] == [
        ("dot", 6, [(3, 4, 5)]), ("relu", 8, [(6, 7)]), ("tanh", 10, [(8, 9)]), ("mul", 12, [(10, 11), (1, 2)]),
    ]  # fmt: skip
    assert [(i.op.name, i.start, [o.slots for o in i.operands if o.bank == BATCH]) for i in found.instructions] == [
        ("dot", 6, [(3, 4, 5)]), ("relu", 6, [(6, 7)]), ("tanh", 8, [(6, 7)]), ("mul", 10, [(8, 9), (1, 2)]),
    ]  # fmt: skip
    assert [output.slots for output in found.outputs] == [(10,), (11,)]
    assert (program.batch_size, found.batch_size) == (14, 12)


def test_ones_stay_behind_what_they_stand_behind():
    model = nn.MLP(2, [3, 4, 2], rng=0)
    program = program_of(model, (2,), parameters=model.parameters())
    found = in_place(program)
    assert taken(program) == [("relu", "dot"), ("relu", "dot")]
    assert len(found.ones) == len(program.ones) == 3
    for i in [i for i in found.instructions if i.kind == "product"]:
        assert i.operands[1].slots[-1] + 1 in found.ones
    assert not {slot for i in found.instructions for slot in range(i.start, i.start + i.size)} & set(found.ones)


def apart(x, then):
    """A layer, of which something else lies between its results and theirs."""
    between = [mg.dot([W[20 + i], W[24 + i]], [x[0], x[3]]) for i in range(3)]
    return [mg.dot(W[9 + 3 * i : 12 + 3 * i], then(layer(x, 3)), W[30 + i]) for i in range(2)] + between


def test_results_with_ones_behind_them_take_no_slots_elsewhere():
    program = program_of(lambda x: apart(x, lambda h: [mg.relu(v) for v in h]))
    assert program.ones
    assert taken(program) == []


def test_results_with_ones_behind_them_take_no_slots_of_what_took_slots_elsewhere():
    program = in_place(program_of(lambda x: apart(x, lambda h: [mg.relu(-v) for v in h])))
    product = [i for i in program.instructions if i.kind == "product"][-1]
    assert product.operands[1].slots[-1] + 1 in program.ones
    assert not Binding(program, 1, float).banks.gathered


STEPS = {
    "layer": lambda h, early, x: [mg.dot(W[i : i + len(h)], h, W[i]) for i in range(8)],
    "half": lambda h, early, x: [v * 0.5 for v in h],
    "neg": lambda h, early, x: [-v for v in h],
    "from": lambda h, early, x: [0.7 - v for v in h],
    "more": lambda h, early, x: [v + 0.2 for v in h],
    "relu": lambda h, early, x: [mg.relu(v) for v in h],
    "exp": lambda h, early, x: [mg.exp(-v * v) for v in h],
    "exp in place": lambda h, early, x: [mg.exp(0.1 * v) for v in h],
    "root": lambda h, early, x: [mg.sqrt(v * v + 0.5) for v in h],
    "tanh": lambda h, early, x: [mg.tanh(v) for v in h],
    "scaled": lambda h, early, x: [v * W[8] for v in h],
    "times": lambda h, early, x: [v * w for v, w in zip(h, x)],
    "residual": lambda h, early, x: [v + w for v, w in zip(h, early)],
    "early less": lambda h, early, x: [w - v for v, w in zip(h, early)],
    "less early": lambda h, early, x: [v - w for v, w in zip(h, early)],
    "sums": lambda h, early, x: [mg.sum([*h[: 3 + i // 4], early[i]]) * 0.3 for i in range(8)],
    "one less": lambda h, early, x: [v - h[0] for v in h],
}


def chain(names, seed, x):
    """Eight numbers through these steps, some of which go back to an earlier one, read at the end in two parts."""
    rng, past = random.Random(seed), [x]
    for name in names:
        past.append(STEPS[name](past[-1], rng.choice(past), x))
    h = past[-1]
    return [mg.sum([mg.tanh(v) for v in h[:3]] + [mg.sin(v) for v in h[3:]]), h[0], mg.mean(h)]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=7), st.integers(0, 99))
@example(["layer", "half", "from", "relu", "exp in place"], 0)
@example(["layer", "relu", "layer", "relu", "residual"], 1)
@example(["tanh", "times", "early less", "neg", "less early"], 2)
def test_chains_with_residuals_are_the_eager_engine_s(names, seed):
    assert_batches_match(lambda x: chain(names, seed, x), W, random_columns(seed, 3, (8,)), SIZES, within=1e-9)


@pytest.mark.parametrize(
    "names", [["layer", "half", "from", "relu"], ["times", "from", "relu"], ["layer", "neg", "residual"]]
)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 1e200])
def test_what_is_not_finite_is_computed_anew_as_the_eager_engine_does(names, size, number):
    rows = random_columns(3, 2, (8,))
    rows[0][0][2] = rows[0][1][5] = number
    eager, fast = EagerOracle(lambda x: chain(names, 0, x), W, rows), compiled(lambda x: chain(names, 0, x), W)
    places = [i % 2 for i in range(size)]
    values, gradient = fast.values_and_grad([rows[0][i] for i in places])
    with np.errstate(all="ignore"):
        expected = np.array(eager.gradients)[places].sum(axis=0) / size
    assert taken(fast.program)
    np.testing.assert_allclose(flat(values), np.array(eager.values)[places], rtol=1e-11)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)
    jacobian = fast.jacobian([rows[0][i] for i in places])
    np.testing.assert_allclose(jacobian, np.array(eager.jacobian)[places], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("size", [48, 70])
def test_a_gradient_lent_from_slots_that_are_shared_stays(size):
    """Sums of three and of four terms are computed in two pieces; what is taken away from y lies in their slots."""

    def function(x):
        y = [mg.tanh(v) for v in x[:8]]
        sums = [
            mg.sum(x[s : s + n]) for s, n in ((8, 3), (11, 3), (14, 3), (17, 3), (20, 4), (24, 4), (28, 4), (32, 4))
        ]
        z = [a - b for a, b in zip(y, sums)]
        return mg.sum([mg.tanh(v) for v in z[:4]] + [mg.sin(v) for v in z[4:]])

    assert_batches_match(function, W, random_columns(0, 3, (36,)), [size])


def test_taking_the_slots_of_what_a_derivative_needs_would_be_seen(monkeypatch):
    monkeypatch.setattr("microgradlib.compiler.in_place.BY_RESULT", {"tanh", "sin"})
    with pytest.raises(AssertionError):
        assert_batches_match(lambda x: mg.sum([mg.tanh(v) for v in layer(x)]), W, random_columns(0, 3, (3,)), SIZES)


@pytest.mark.parametrize("size", [1, 48, 70])
def test_a_gradient_lent_on_from_slots_that_are_shared_stays(size):
    """As above, with one result more in the same slots: what is lent from there was lent there before."""

    def function(x):
        y, u = ([mg.tanh(v) for v in x[8 * i : 8 * i + 8]] for i in range(2))
        sums = [mg.sum(x[16 + 3 * i : 19 + 3 * i]) for i in range(4)] + [
            mg.sum(x[28 + 4 * i : 32 + 4 * i]) for i in range(4)
        ]
        z = [p + (q - s) for p, q, s in zip(y, u, sums)]
        return mg.sum([mg.tanh(v) for v in z[:4]] + [mg.sin(v) for v in z[4:]])

    rows = np.random.default_rng(0).uniform(-1, 1, (size, 44))
    values = compiled(function).jacobian(rows)[:, 0]
    for row, found in zip(rows[:3], values):
        np.testing.assert_allclose(found, mg.grad(function)(row.tolist()), rtol=1e-11, atol=1e-13)
