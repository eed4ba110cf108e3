"""Structural zeros in native code: −0 in memory is one only where it is written as one, and is never computed."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.native.flow import flows_of
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.planning import plan
from microgradlib.ops import TABLE

TINY = 1e-200
"""Products of two of them are rounded to 0, or −0."""


def both(function, rows, parameters=(), what="jacobian"):
    """Return the derivatives by one execution of native code, and those of the reference engine."""
    fast = compiled(function, parameters, backend="native")
    engine, given = fast._ready((np.array(rows, float),))
    joint = engine.joint(what)
    with np.errstate(all="ignore"):
        [found], [expected] = (each.execute(joint, *given, (1.0,))[1] for each in (engine, engine.exact))
    assert isinstance(engine.exact, ReferenceEngine)
    assert None not in engine._codes.values()
    return found, expected


def wrong(found, expected):
    """Return whether something is finite and not what it should be, in an example in which all is finite."""
    found, expected = (np.atleast_2d(x.T) for x in (found, expected))
    near = np.isclose(found, expected, rtol=1e-9, atol=1e-300)
    return bool((np.isfinite(found).all(-1) & ~near.all(-1)).any())


def test_a_wrong_finite_number_is_found():
    nan, one = np.array([[np.nan, 2.0]]), np.array([[1.0, 2.0]])
    assert wrong(np.array([[0.0, 2.0]]), nan)
    assert wrong(np.array([[0.0, 2.0]]), one)
    assert not wrong(nan, one)
    assert not wrong(one, one)


def product(x):
    """Σ t(W √x): the cotangents of √x are those of W √x times W, by a product of matrices."""
    roots = [mg.sqrt(number) for number in x]
    hidden = [
        mg.dot([-TINY, -TINY, -TINY], roots),
        mg.dot([-TINY, -TINY, 0.0], roots),
        mg.dot([0.0, -TINY, 0.0], roots),
    ]
    return mg.sum([h * TINY for h in hidden]), mg.sum([mg.where(number > 0, root, 0) for number, root in zip(x, roots)])


@pytest.mark.parametrize("batch", [1, 11])
def test_a_zero_that_is_computed_is_not_closed(batch):
    """−0 by underflow, times an infinite slope, is nan; also behind products, sums, copies, a maximum of ordinary."""
    w, tiny, zeros = Value(-TINY), Value(TINY), [[0.0] * 3] * batch
    functions = [
        lambda x: product(x)[0],
        lambda x: mg.sum(product(x)),
        lambda x: mg.sqrt(x[0]) * w * tiny,
        lambda x: mg.sum([mg.sqrt(x[0]) * w * tiny, mg.sqrt(x[0]) * w * tiny, mg.sqrt(x[1]) * w * tiny]),
        lambda x: mg.maximum(mg.sqrt(x[0]) * w, -1.0) * tiny + mg.dot([mg.sqrt(x[0]), x[1]], [w * tiny, w]),
        lambda x: mg.where(x[2] < 1, mg.exp(mg.sqrt(x[0]) * w), x[1]) * tiny,
    ]
    for function in functions:
        found, expected = both(function, zeros, [w, tiny])
        assert np.isnan(expected).any()
        np.testing.assert_array_equal(found, expected)


def closed_parts(x, w, v):
    """Branches not taken where x is 0, whose zeros go through sums, copies, products, segments and a maximum."""
    logs = [mg.log(w * number) for number in x]
    chosen = [mg.where(number > 0, log * v, number) for number, log in zip(x, logs)]
    largest = mg.maximum(*chosen, 5.0)
    return mg.sum(chosen) * w + mg.dot(chosen, [v, w, v]) + largest + mg.where(x[0] > 0, logs[0] + logs[0] * w, v)


@pytest.mark.parametrize("what", ["gradient", "jacobian"])
@pytest.mark.parametrize("batch", [1, 3, 20])
def test_what_is_closed_is_closed_behind_any_steps_but_products_of_matrices(batch, what):
    w, v = Value(1.5), Value(-0.5)
    rows = np.random.default_rng(0).choice([0.0, 1.0, 2.0], (batch, 3))
    rows[-1] = 0.0
    found, expected = both(lambda x: closed_parts(x, w, v), rows, [w, v], what)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_where_a_minus_zero_is_structural():
    """In the seed and the adjoint by it, and in that of relu, but not in the products of matrices between them."""
    w = [[Value(1.0) for _ in range(3)] for _ in range(3)]

    def function(x):
        hidden = [mg.relu(mg.dot(row, [mg.sqrt(number) for number in x])) for row in w]
        return mg.tanh(mg.sum([mg.abs(mg.dot(row, hidden)) for row in w]))

    fast = compiled(function, [x for row in w for x in row], backend="native")
    engine, _ = fast._ready(([[1.0] * 3],))
    found = plan(engine.joint("jacobian"))
    steps = list(zip(found.steps, flows_of(found)))[-6:]
    assert [(step.instruction.op.name, flow.closes) for step, flow in steps] == [
        ("tanh", (True, False)), ("abs", (True, False)), ("dot", (False, True)), ("relu", (False, False)),
        ("dot", (False, True)), ("sqrt", (False, False)),
    ]  # fmt: skip


NUMBERS = [0.0, -0.0, 1.0, -1.0, TINY, -TINY, 1e200, np.inf, -np.inf, np.nan, 0.5]


KINDS = [
    *[lambda a, *_, name=name: [TABLE[name](a)] for name in ("sqrt", "log", "relu", "abs", "exp", "neg")],
    *[lambda a, b, *_, name=name: [TABLE[name](a, b)] for name in ("mul", "add", "sub", "maximum", "div", "sum")],
    lambda a, b, c, *_: [mg.where(a > 0, b, c)],
    lambda a, b, *_: [mg.where(a > 0, b, 0)],
    lambda a, b, c, *_: [mg.maximum(a, b, c)],
    lambda a, b, c, d: [mg.dot([a, b], [c, d])],
    lambda a, b, c, _: [mg.sqrt(x) for x in (a, b, c)],
    lambda a, b, c, d: [mg.dot(row, [mg.sqrt(a), b]) for row in ([c, d], [d, c])],
]
"""What is made of four numbers: one or several, which are then a vector, or a product of matrices."""
GRAPHS = st.lists(st.tuples(st.sampled_from(KINDS), st.tuples(*[st.integers(0, 99)] * 4)), min_size=2, max_size=9)


@settings(max_examples=15)
@given(graph=GRAPHS, rows=st.lists(st.lists(st.sampled_from(NUMBERS), min_size=4, max_size=4), min_size=1, max_size=9))
def test_random_functions_at_tiny_and_infinite_numbers_are_right_or_not_finite(graph, rows):
    w = [Value(-TINY), Value(TINY), Value(-0.5)]

    def function(x):
        known = [*x, *w]
        for kind, places in graph:
            known += kind(*[known[place % len(known)] for place in places])
        return mg.sum(known[-3:])

    assert not wrong(*both(function, rows, w))
