"""Every op of the table against mpmath: values, local derivatives, second derivatives, in every mode."""

import random
from functools import partial

import mpmath
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from microgradlib import Symbol, Value, evaluate, grad_table, gradients
from microgradlib.ops import TABLE, Op, define_op, forget_op

DIGITS = 30
TOLERANCE = 1e-11
MARGIN = 1e-6  # mpmath's steps at 30 digits are far shorter
JUMP = 1e-3


def reference_of(op: Op):
    """Return the function of mpmath for the op's value: its `reference`, or the function of the same name."""
    return partial(op.reference, mpmath) if op.reference else getattr(mpmath, op.name)


ARITIES = {name: [1, 2, 3, 5] for name, op in TABLE.items() if op.variadic} | {"dot": [2, 3, 4, 5, 8, 9]}
CASES = [(name, n) for name, op in TABLE.items() for n in ARITIES.get(name, [op.arity])]
NUMBERS_ONLY = {"polygamma"}  # its order is no variable


def outcomes(op: Op, point):
    output = op.compute(*point)
    return (output, *op.local_derivatives(output, *point))


def is_near_kink(op: Op, point) -> bool:
    """Return whether the value or a derivative jumps within MARGIN of the point, along a coordinate."""
    if op.kink and min(map(abs, point)) < MARGIN:  # elu with a scale near 1 jumps by less
        return True
    intervals = [*op.sample, *[op.sample[-1]] * len(point)]
    for i in [i for i in range(len(point)) if intervals[i][0] < intervals[i][1]]:  # the others are not varied
        left, right = [[*point[:i], point[i] + step, *point[i + 1 :]] for step in (-MARGIN, MARGIN)]
        if any(abs(a - b) >= JUMP for a, b in zip(outcomes(op, left), outcomes(op, right))):
            return True
    return False


def points(op: Op, arity: int) -> st.SearchStrategy[list[float]]:
    intervals = [*op.sample, *[op.sample[-1]] * arity][:arity]
    return (
        st.tuples(*[st.floats(*interval) for interval in intervals]).map(list).filter(lambda p: not is_near_kink(op, p))
    )


def whole_numbers(interval):
    inside = [float(n) for n in range(-3, 5) if interval[0] <= n <= interval[1]]
    return st.sampled_from(inside) if inside else st.nothing()


def modes(op: Op, arity: int) -> list[int]:
    """Return the possible numbers of inputs that are nodes: all, and all but the settings."""
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
    """Compare one op at one point with its reference: value, first and second derivatives, Values and Symbols."""
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
    missing = [name for name, op in TABLE.items() if not (op.reference or hasattr(mpmath, name))]
    assert missing == []


def test_sample_points_avoid_kinks():
    assert all(is_near_kink(TABLE[name], [0.0]) for name in ("relu", "abs", "sign", "step", "floor", "ceil"))
    assert is_near_kink(TABLE["maximum"], [1.0, 2.0, 2.0])
    assert not is_near_kink(TABLE["maximum"], [1.0, 2.0, 2.1])
    assert is_near_kink(TABLE["mod"], [2.0, 0.5])
    assert not is_near_kink(TABLE["exp"], [2.0])


@pytest.mark.parametrize(("name", "arity"), CASES)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_against_mpmath(name, arity, data):
    op = TABLE[name]
    point = data.draw(points(op, arity))
    for node_count in modes(op, arity):
        check(op, reference_of(op), point, node_count, flat=name == "detach")


@pytest.mark.parametrize(("name", "arity"), CASES)
def test_values_against_mpmath_at_many_points(name, arity):
    """Each half of each unit interval of the sample of an op of one input, and as many points for the others."""
    op, rng = TABLE[name], random.Random(name)
    reference = reference_of(op)
    intervals = [*op.sample, *[op.sample[-1]] * arity][:arity]
    for k in range(24):
        point = [
            low + (high - low) * ((k + rng.random()) / 24 if i == 0 else rng.random())
            for i, (low, high) in enumerate(intervals)
        ]
        with mpmath.workdps(DIGITS):
            assert close(op.compute(*point), float(reference(*[mpmath.mpf(x) for x in point]))), point


@pytest.mark.parametrize(("name", "arity"), CASES)
@settings(max_examples=10, deadline=None)
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


def test_the_checker_accepts_a_correct_rule(temporary_op):
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
def test_the_checker_rejects_a_wrong_rule(temporary_op, value, derivative, fault):
    op = temporary_op("square_for_a_test", value, derivative)
    with pytest.raises(AssertionError, match=fault):
        check(op, lambda x: x * x, [1.5], 1)
