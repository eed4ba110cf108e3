"""Every op of the table against mpmath: values, local derivatives, second derivatives, in every mode."""

import math
from itertools import pairwise

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgradlib import Symbol, Value, evaluate, grad_table, gradients
from microgradlib.ops import TABLE, Op, define_op, forget_op

DIGITS = 30
TOLERANCE = 1e-11
MARGIN = 1e-6  # mpmath's steps at 30 digits are far shorter


def dot(*inputs):
    n = len(inputs) // 2
    return mpmath.fsum([w * x for w, x in zip(inputs[:n], inputs[n : 2 * n])]) + sum(inputs[2 * n :])


def ramp(x):
    return x if x > 0 else mpmath.mpf(0)


def bounded(x, low, high):
    return min(max(x, low), high)


REFERENCE = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "neg": lambda x: -x,
    "identity": lambda x: x,
    "mul": lambda x, y: x * y,
    "strong_mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "exp": mpmath.exp,
    "expm1": lambda x: mpmath.exp(x) - 1,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x),
    "log2": lambda x: mpmath.log(x, 2),
    "log10": mpmath.log10,
    "sqrt": mpmath.sqrt,
    "cbrt": mpmath.cbrt,
    "xlogy": lambda x, y: x * mpmath.log(y),
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "gamma": mpmath.gamma,
    "lgamma": mpmath.loggamma,
    "polygamma": lambda x, order: mpmath.psi(order, x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "atan2": mpmath.atan2,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "hypot": mpmath.hypot,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "logit": lambda x: mpmath.log(x / (1 - x)),
    "relu": ramp,
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, scale: x if x > 0 else scale * (mpmath.exp(x) - 1),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "hard_sigmoid": lambda x: bounded(x / 4 + mpmath.mpf(1) / 2, 0, 1),
    "hard_tanh": lambda x: bounded(x, -1, 1),
    "abs": abs,
    "sign": mpmath.sign,
    "step": lambda x: mpmath.mpf(x >= 0),
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "detach": lambda x: x,
    "where": lambda condition, x, y: x if condition else y,
    "clip": bounded,
    "less": lambda x, y: mpmath.mpf(x < y),
    "less_equal": lambda x, y: mpmath.mpf(x <= y),
    "greater": lambda x, y: mpmath.mpf(x > y),
    "greater_equal": lambda x, y: mpmath.mpf(x >= y),
    "maximum": lambda *xs: max(xs),
    "minimum": lambda *xs: min(xs),
    "sum": lambda *xs: mpmath.fsum(xs),
    "mean": lambda *xs: mpmath.fsum(xs) / len(xs),
    "prod": lambda *xs: mpmath.fprod(xs),
    "dot": dot,
    "logsumexp": lambda *xs: mpmath.log(mpmath.fsum(map(mpmath.exp, xs))),
}


def nearest_two(xs):
    ordered = sorted(xs)
    return min((b - a for a, b in pairwise(ordered)), default=math.inf)


DISTANCE_TO_KINK = {
    **dict.fromkeys(["relu", "leaky_relu", "elu", "abs", "sign", "step"], lambda x, *_: abs(x)),
    **dict.fromkeys(["floor", "ceil"], lambda x: abs(x - round(x))),
    **dict.fromkeys(["less", "less_equal", "greater", "greater_equal"], lambda x, y: abs(x - y)),
    **dict.fromkeys(["maximum", "minimum"], lambda *xs: nearest_two(xs)),
    "hard_sigmoid": lambda x: abs(abs(x) - 2),
    "hard_tanh": lambda x: abs(abs(x) - 1),
    "clip": lambda x, low, high: min(abs(x - low), abs(x - high)),
}
KINK_OUTSIDE_SAMPLE = {"atan2", "hypot", "logsumexp", "pow"}
ARITIES = {name: [1, 2, 3, 5] for name, op in TABLE.items() if op.variadic} | {"dot": [2, 3, 4, 5, 8, 9]}
CASES = [(name, n) for name, op in TABLE.items() for n in ARITIES.get(name, [op.arity])]
NUMBERS_ONLY = {"polygamma"}  # its order is no variable


def points(op: Op, arity: int) -> st.SearchStrategy[list[float]]:
    intervals = [*op.sample, *[op.sample[-1]] * arity][:arity]
    distance = DISTANCE_TO_KINK.get(op.name, lambda *_: math.inf)
    return (
        st.tuples(*[st.floats(*interval) for interval in intervals]).filter(lambda p: distance(*p) > MARGIN).map(list)
    )


def whole_numbers(interval):
    inside = [float(n) for n in range(-3, 5) if interval[0] <= n <= interval[1]]
    return st.sampled_from(inside) if inside else st.nothing()


def modes(op: Op, arity: int) -> list[int]:
    """How many of the inputs are nodes: all of them, and all but the settings."""
    counts = [arity] if op.name not in NUMBERS_ONLY else []
    return counts + ([arity - op.setting_count] if op.setting_count else [])


def reference_partial(reference, point, orders, *, flat=False):
    inputs = [i for i, n in enumerate(orders) if n]

    def along(*moved):
        full = dict(enumerate(map(mpmath.mpf, point))) | dict(zip(inputs, moved))
        return reference(*full.values())

    with mpmath.workdps(DIGITS):
        start, wanted = [tuple(xs[i] for i in inputs) for xs in (point, orders)]
        slope = mpmath.diff(along, start, wanted) if len(start) > 1 else mpmath.diff(along, start[0], wanted[0])
        return 0.0 if flat else float(slope)


def close(got, expected):
    return abs(got - expected) <= TOLERANCE * max(1.0, abs(expected))


def check(op: Op, reference, point, node_count: int, *, flat=False) -> None:
    """Hold one op at one point to its reference: value, first and second derivatives, Values and Symbols."""
    numbers = point[node_count:]
    values = [Value(x) for x in point[:node_count]]
    symbols = [Symbol(f"x{i}") for i in range(node_count)]
    bound = dict(zip(symbols, point))
    out, expression = op(*values, *numbers), op(*symbols, *numbers)

    with mpmath.workdps(DIGITS):
        assert close(out.data, float(reference(*[mpmath.mpf(x) for x in point])))
    assert evaluate(expression, bound) == out.data == op(*point)

    table = grad_table(out)
    slopes = gradients(out, values)
    formulas = gradients(expression, symbols)
    for i, x in enumerate(values):
        orders = [int(i == k) for k in range(len(point))]
        assert close(table[x], reference_partial(reference, point, orders, flat=flat)), ("first", i)
        assert slopes[i].data == table[x]
        assert evaluate(formulas[i], bound) == table[x]

    curvatures = [gradients(formula, symbols) for formula in formulas]
    for i in range(node_count):
        second_table = grad_table(slopes[i])
        for j, x in enumerate(values):
            orders = [int(i == k) + int(j == k) for k in range(len(point))]
            expected = reference_partial(reference, point, orders, flat=flat)
            assert close(second_table.get(x, 0.0), expected), ("second", i, j)
            assert close(evaluate(curvatures[i][j], bound), expected), ("second, symbols", i, j)


def test_every_op_has_a_reference():
    assert set(TABLE) == set(REFERENCE)


def test_every_kink_is_kept_away_from():
    assert {name for name, op in TABLE.items() if op.kink} == set(DISTANCE_TO_KINK) | KINK_OUTSIDE_SAMPLE


@pytest.mark.parametrize(("name", "arity"), CASES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_against_mpmath(name, arity, data):
    op = TABLE[name]
    point = data.draw(points(op, arity))
    for node_count in modes(op, arity):
        check(op, REFERENCE[name], point, node_count, flat=name == "detach")


@pytest.mark.parametrize(("name", "arity"), CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_numeric_and_symbolic_agree_float_for_float_on_kinks_too(name, arity, data):
    op = TABLE[name]
    intervals = [*op.sample, *[op.sample[-1]] * arity][:arity]
    point = [data.draw(st.floats(*interval) | whole_numbers(interval)) for interval in intervals]
    for node_count in modes(op, arity):
        values = [Value(x) for x in point[:node_count]]
        symbols = [Symbol(f"x{i}") for i in range(node_count)]
        numeric = op(*values, *point[node_count:])
        symbolic = gradients(op(*symbols, *point[node_count:]), symbols)
        expected = numeric.local_derivatives
        assert evaluate(symbolic, dict(zip(symbols, point))) == list(expected)
        assert [slope.data for slope in gradients(numeric, values)] == list(expected)


@pytest.fixture
def temporary_op():
    names = []

    def define(name, value, derivative):
        names.append(name)
        return define_op(name, value=value, derivatives=[derivative], formula="for this test")

    yield define
    for name in names:
        forget_op(name)


def test_the_checker_accepts_a_right_rule(temporary_op):
    op = temporary_op("square_for_a_test", lambda xp, x: x * x, lambda xp, z, x: 2 * x)
    check(op, lambda x: x * x, [1.5], 1)


@pytest.mark.parametrize(
    ("value", "derivative", "fault"),
    [
        (lambda xp, x: x * x, lambda xp, z, x: 2.001 * x, "first"),
        (lambda xp, x: x * x, lambda xp, z, x: 2 * xp.detach(x), "second"),
        (lambda xp, x: 1.0001 * x * x, lambda xp, z, x: 2 * x, "close"),
    ],
)
def test_the_checker_catches_a_wrong_rule(temporary_op, value, derivative, fault):
    op = temporary_op("square_for_a_test", value, derivative)
    with pytest.raises(AssertionError, match=fault):
        check(op, lambda x: x * x, [1.5], 1)
