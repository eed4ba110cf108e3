"""Walls and numbers: a closed branch stops inf and nan, a computed 0 does not; the same in every mode and engine."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, costs, evaluate, grad_table, gradients, kinks, tangent_table
from microgradlib.compiler import compile as compiled
from microgradlib.errors import AnomalyError
from microgradlib.ops import TABLE, ZERO, define_op, forget_op
from microgradlib.ops.derivative_graph import detach

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, math.inf, -math.inf, math.nan]
SMOOTH = {
    "sqrt": mg.sqrt, "cbrt": mg.cbrt, "log": mg.log, "acos": mg.acos, "asin": mg.asin, "exp": mg.exp, "sin": mg.sin,
    "square": lambda x: x * x, "cube": lambda x: mg.pow(x, 3), "root": lambda x: mg.pow(x, 0.5),
    "reciprocal": mg.reciprocal, "tanh": mg.tanh, "atanh": mg.atanh, "log1p": mg.log1p, "abs": mg.abs,
    "times 0": lambda x: 0.0 * x,
}  # fmt: skip
CLOSED = {
    "where": lambda h: mg.where(0.0, h, 1.0),
    "where, second": lambda h: mg.where(1.0, 1.0, h),
    "relu": lambda h: mg.relu(-mg.abs(detach(h)) - 1 + (h - detach(h))),
    "detach": detach,
    "step": mg.step,
    "sign": mg.sign,
    "floor": mg.floor,
    "less": lambda h: mg.less(h, 0.5),
    "power 0": lambda h: h**0,
    "floordiv": lambda h: h // 2.0,
}
OFF = {
    "relu": lambda h: mg.relu(h - 9e99),
    "clip, above": lambda h: mg.clip(h + 9e99, -1.0, 1.0),
    "clip, low > high": lambda h: mg.clip(h, 2.0, 1.0),
    "maximum": lambda h: mg.maximum(h, 9e99),
    "minimum": lambda h: mg.minimum(h, -9e99),
    "hard_tanh": lambda h: mg.hard_tanh(h - 9e99),
    "hard_sigmoid": lambda h: mg.hard_sigmoid(h + 9e99),
    "list maximum": lambda h: mg.maximum([h, 9e99, 1.0]),
}
inner = st.lists(st.sampled_from(sorted(SMOOTH)), min_size=1, max_size=4)
# Smaller numbers underflow in one order of the factors and not in another.
points = st.sampled_from(SPECIAL) | st.floats(1e-3, 3) | st.floats(-3, -1e-3)


def composed(names):
    def function(x):
        for name in names:
            x = SMOOTH[name](x)
        return x

    return function


def same(x, y):
    return (math.isnan(x) and math.isnan(y)) or x == y or abs(x - y) <= 1e-12 * abs(x)


def slopes(f, at):
    """Return df/dx by backward(), the table, new Values, Symbols, forward mode, nested forward mode, and compiled."""
    x = Value(at)
    out = f(x)
    table = grad_table(out)
    out.backward()
    symbol = Symbol("x")
    return {
        "backward": x.grad,
        "table": table.get(x, 0.0),
        "new Values": gradients(out, [x])[0].data,
        "Symbols": evaluate(gradients(f(symbol), [symbol])[0], {symbol: at}),
        "forward": tangent_table(out, {x: 1.0})[out],
        "jvp": mg.jvp(f, [at], [1.0])[1],
    }


def compiled_slopes(f, at):
    fast = compiled(lambda row: f(row[0]))
    return fast.jacobian([[x] for x in at])[:, 0, 0].tolist()


@settings(max_examples=200, deadline=None)
@given(inner, points)
@example(["cbrt", "cube"], 0.0)
@example(["acos", "square"], 1.0)
@example(["square", "sqrt"], 0.0)
def test_every_mode_gives_the_same_slope(names, at):
    by_mode = slopes(composed(names), at)
    assert all(same(slope, by_mode["table"]) for slope in by_mode.values()), by_mode


@settings(max_examples=30, deadline=None)
@given(inner)
@example(["cbrt", "cube"])
def test_compiled_slopes_are_those_of_the_eager_engine(names):
    f = composed(names)
    expected = [mg.grad(f)(x) for x in SPECIAL]
    np.testing.assert_allclose(compiled_slopes(f, SPECIAL), expected, rtol=1e-12)


def power_of(x, exponents):
    for exponent in exponents:
        x = mg.cbrt(x) if exponent == 1 / 3 else mg.sqrt(x) if exponent == 0.5 else x**exponent
    return x


@given(st.lists(st.sampled_from([1 / 3, 0.5, 2.0, 3.0, 1.5, 4.0]), min_size=1, max_size=5))
def test_powers_of_powers_at_0_have_the_true_slope_or_nan(exponents):
    exponent = math.prod(exponents)
    true = 0.0 if exponent > 1 + 1e-12 else math.inf if exponent < 1 - 1e-12 else 1.0
    for slope in slopes(lambda x: power_of(x, exponents), 0.0).values():
        assert math.isnan(slope) or slope == true


@pytest.mark.parametrize("wall", sorted(CLOSED))
@settings(max_examples=25, deadline=None)
@given(inner, points)
def test_what_is_closed_passes_nothing(wall, names, at):
    f = composed(names)
    assume(wall != "relu" or math.isfinite(f(at)))
    for slope in slopes(lambda x: CLOSED[wall](f(x)) + 3 * x, at).values():
        assert slope == 3.0
    x = Value(at)
    table = grad_table(CLOSED[wall](f(x)))
    assert table.get(x, ZERO) is ZERO
    assert x not in table.reached


@pytest.mark.parametrize("wall", sorted(OFF))
@settings(max_examples=25, deadline=None)
@given(inner, points)
def test_a_branch_that_is_off_passes_nothing(wall, names, at):
    f = composed(names)
    assume(abs(f(at)) < 1e99)
    for slope in slopes(lambda x: OFF[wall](f(x)) + 3 * x, at).values():
        assert slope == 3.0


@pytest.mark.parametrize("wall", [*sorted(OFF), "where", "step", "power 0"])
def test_closed_branches_in_compiled_functions_and_to_second_order(wall):
    closed = OFF.get(wall) or CLOSED[wall]
    at = [0.0, 1.0, -1.0, 0.25]
    f = lambda x: closed(mg.sqrt(x * x) - mg.where(x > 0, mg.log(x), 0.0)) + x * x  # noqa: E731
    assert compiled_slopes(f, at) == [2 * x for x in at]
    assert [mg.grad(mg.grad(f))(x) for x in at] == [2.0] * 4
    assert [mg.hessian(f)(x) for x in at] == [2.0] * 4
    assert [mg.hvp(f, x, 1.0) for x in at] == [2.0] * 4


def test_a_zero_seed_tangent_or_cotangent_reaches_nothing():
    f = lambda x, y: x * x + mg.sqrt(y)  # noqa: E731
    assert mg.jvp(f, (1.0, 0.0), (1.0, 0.0)) == (1.0, 2.0)
    assert mg.vjp(lambda x: [x * x, mg.sqrt(x)], 0.0)[1]([1.0, 0.0]) == (0.0,)
    x = Value(0.0)
    assert grad_table(mg.sqrt(x), 0.0)[x] == 0.0
    mg.sqrt(x).backward(0.0)
    assert x.grad == 0.0
    assert tangent_table(mg.sqrt(x), {x: 0.0}).reached == frozenset()
    assert mg.hvp(lambda v: v[0] ** 2 + mg.sqrt(v[1]), [1.0, 0.0], [1.0, 0.0]) == [2.0, 0.0]


def symbols_slopes(f, at):
    """Return the gradient of f(list) by Symbols."""
    symbols = [Symbol(f"x{i}") for i in range(len(at))]
    return evaluate(gradients(f(symbols), symbols), dict(zip(symbols, at)))


DOMAINS = [
    mg.log,
    mg.logit,
    mg.atanh,
    mg.asin,
    mg.sqrt,
    mg.log1p,
    lambda h: mg.relu(h * math.nan),
    lambda h: mg.mod(h, 0),
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DOMAINS), st.sampled_from([*sorted(OFF), "where", "step", "power 0"]), points)
def test_nan_from_outside_a_domain_stops_at_what_is_closed(outer, wall, at):
    closed = OFF.get(wall) or CLOSED[wall]
    assume(abs(at) < 1e99)
    for slope in slopes(lambda x: outer(closed(x) - 9.5) + 3 * x, at).values():
        assert slope == 3.0


MANY = [name for name, op in TABLE.items() if op.arity is None or op.arity > 1]


@pytest.mark.parametrize("name", MANY)
def test_ops_of_several_inputs_have_one_gradient(name):
    op = TABLE[name]
    n = op.arity or 4
    rows = [[SPECIAL[(i * (j + 1) + j) % len(SPECIAL)] for j in range(n)] for i in range(len(SPECIAL))]
    fast = compiled(lambda row: op(*row))
    jacobian = fast.jacobian(rows).reshape(len(rows), n)
    for at, value, by_kernels in zip(rows, fast(rows).tolist(), jacobian.tolist()):
        xs = [Value(x) for x in at]
        output = op(*xs)
        expected = [grad_table(output)[x] for x in xs]
        assert same(value, output.data), at
        assert all(map(same, symbols_slopes(lambda v: op(*v), at), expected)), at
        assert all(map(same, by_kernels, expected)), at


SOFTMAX = {
    "log_softmax": lambda v: mg.log_softmax(v)[0],
    "log_softmax of another": lambda v: mg.log_softmax(v)[2],
    "softmax": lambda v: mg.softmax(v)[1],
    "cross_entropy": lambda v: costs.cross_entropy(v, 1),
    "cross_entropy of a distribution": lambda v: costs.cross_entropy(v, [0.0, 0.25, 0.75]),
    "nll of log_softmax": lambda v: costs.nll(mg.log_softmax(v), [0.0, 0.5, 0.5]),
}


@pytest.mark.parametrize("name", sorted(SOFTMAX))
def test_softmax_has_one_gradient_at_infinite_logits(name):
    f = SOFTMAX[name]
    rows = [[a, b, c] for a in (-math.inf, 0.0, math.inf, math.nan) for b in (1.0, -math.inf) for c in (1.0, math.inf)]
    jacobian = compiled(f).jacobian(rows).reshape(len(rows), 3)
    for at, by_kernels in zip(rows, jacobian.tolist()):
        xs = [Value(x) for x in at]
        output = f(xs)
        table = grad_table(output)
        expected = [table.get(x, 0.0) for x in xs]
        assert all(map(same, symbols_slopes(f, at), expected)), at
        assert all(map(same, by_kernels, expected)), at
        if math.isnan(output.data):
            assert any(map(math.isnan, expected)), at


def test_a_closed_branch_inside_a_domain_is_closed_for_symbols_too():
    assert symbols_slopes(lambda v: mg.maximum(v[0] // v[0], mg.hard_sigmoid(v[0])), [math.inf]) == [0.0]
    slope = symbols_slopes(lambda v: mg.atanh(mg.maximum(v[0], v[1])), [1.0, 9.0])
    assert slope[0] == 0.0
    assert math.isnan(slope[1])
    x, y = Symbol("x"), Symbol("y")
    [by_y] = gradients(x * mg.hard_tanh(y), [y])
    assert math.isnan(evaluate(gradients(by_y, [x])[0], {x: 2.0, y: math.nan}))


def binary(v):
    return costs.binary_cross_entropy(v[0], v[1])


@pytest.mark.parametrize(("p", "label", "value", "slope"), [(0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 0.0, -1.0)])
def test_a_class_that_is_impossible_and_not_the_label_costs_nothing(p, label, value, slope):
    x, y = Value(p), Value(label)
    assert binary([x, label]).data == value
    assert mg.grad(lambda q: binary([q, label]))(p) == slope
    assert grad_table(binary([x, y]))[x] == slope
    assert gradients(binary([x, y]), [x])[0].data == slope
    assert symbols_slopes(binary, [p, label])[0] == slope
    fast = compiled(lambda q, k: binary([q, k]))
    assert fast([p, 0.5], [label, label])[0] == value
    assert fast.jacobian([p, 0.5], [label, label])[0, 0, 0] == slope


@pytest.mark.parametrize("label", [0.0, 1.0, 0.25])
def test_a_weight_of_0_keeps_its_mixed_derivative(label):
    logits = mg.hessian(lambda v: costs.binary_cross_entropy_with_logits(v[0], v[1]))([0.5, label])
    assert logits[0][1] == pytest.approx(-1.0)
    assert logits[1][0] == pytest.approx(-1.0)
    assert mg.hessian(binary)([0.25, label])[0][1] == pytest.approx(-16 / 3)
    nll = mg.hessian(lambda v: costs.nll([v[0], v[1]], [v[2], 1 - v[2]]))([-0.25, -1.5, label])
    assert nll[2] == nll[0][2:] + nll[1][2:] + [0.0] == [-1.0, 1.0, 0.0]
    x, y = Symbol("x"), Symbol("y")
    [by_label] = gradients(mg.ops.GRAPH.strong_mul(y, mg.sqrt(x)), [y])
    [by_x] = gradients(mg.ops.GRAPH.strong_mul(y, mg.sqrt(x)), [x])
    at = {x: 0.0, y: 0.0}
    assert evaluate([by_label, by_x, *gradients(by_x, [x, y])], at) == [0.0, 0.0, 0.0, math.inf]


def test_a_label_of_weight_0_costs_nothing_however_impossible():
    assert costs.cross_entropy([-math.inf, 1.0], 0, weight=[0.0, 1.0]) == 0.0
    assert costs.nll([Value(-math.inf), Value(0.0)], 0, weight=[0.0, 1.0]).data == 0.0
    p = [Value(0.0), Value(1.0)]
    table = grad_table(costs.cross_entropy_from_probabilities(p, 0, weight=[0.0, 1.0]))
    assert table.get(p[0], ZERO) is ZERO


def test_a_smooth_hessian_that_cannot_be_had_is_nan():
    hessian = mg.hessian(lambda v: mg.sqrt(v[0] * v[0] + v[1] * v[1]) ** 2)([0.0, 0.0])
    assert np.isnan(hessian).all()


def test_the_note_says_why_and_what_to_write_instead():
    x = Value(0.0, label="x")
    square = x * x
    found = kinks(mg.sqrt(square))
    assert list(found) == [square]
    assert found.notes[square].startswith("indeterminate, 0 · inf")
    assert all(name in str(found) for name in ("sqrt(0.0)", "abs(x)", "hypot(x, y)"))
    with (
        mg.detect_anomaly(),
        pytest.raises(AnomalyError, match=r"local derivative of sqrt.* is inf; .*abs\(x\).*hypot"),
    ):
        mg.sqrt(square).backward()
    with mg.detect_anomaly(), pytest.raises(AnomalyError, match=r"x = 1.0 is nan; .*0 · inf: .*acos\(1.0\)"):
        (mg.acos(Value(1.0, label="x")) ** 2).backward()


def test_a_zero_can_be_reached_or_not():
    x, y, z = Value(2.0), Value(3.0), Value(4.0)
    table = grad_table(x * 0.0 + mg.step(y) + mg.relu(-z))
    assert (table[x], table[y], table[z]) == (0.0, 0.0, 0.0)
    assert {x, y, z} & table.reached == {x}


@pytest.fixture
def gate():
    yield define_op(
        "gate_for_a_test",
        value=lambda xp, x: xp.where(x > 0, x, 0.0),
        derivatives=[lambda xp, z, x: xp.where(x > 0, 1.0, ZERO)],
        formula="x where x > 0",
    )
    forget_op("gate_for_a_test")


def test_ops_of_users_state_walls_too(gate):
    assert all(slope == 3.0 for slope in slopes(lambda x: gate(mg.sqrt(x)) + 3 * x, 0.0).values())
    constant = define_op(
        "constant_for_a_test", lambda xp, x: 0.0 * x + 1, [lambda xp, z, x: 0.0], formula="1, derivative 0"
    )
    try:
        assert all(slope == 3.0 for slope in slopes(lambda x: constant(mg.sqrt(x)) + 3 * x, 0.0).values())
    finally:
        forget_op("constant_for_a_test")


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.arity == 2])
def test_hessians_of_ops_are_symmetric(name):
    op = TABLE[name]
    if name == "pow_slope":  # itself a derivative: its Hessian is one of third derivatives
        return
    for x in SPECIAL:
        for y in SPECIAL:
            (_, mixed), (other, _) = mg.hessian(lambda v: op(*v))([x, y])
            assert same(mixed, other), (x, y)


UNARY = [name for name, op in TABLE.items() if op.arity == 1]


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_outside_its_domain_every_derivative_of_an_op_is_nan(name, order):
    op = TABLE[name]
    derivative = op
    for _ in range(order):
        derivative = mg.grad(derivative)
    if derivative(0.3) == derivative(0.7):  # a constant: of a step, or of a polynomial
        return
    for x in [math.nan, *[x for x in (-9.5, 9.5, -math.inf, math.inf) if math.isnan(op(x))]]:
        assert math.isnan(derivative(x)), x
