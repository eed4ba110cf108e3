"""to_sympy, and SymPy as an independent reference for every derivative."""

import sys

import mpmath
import pytest
import sympy
from hypothesis import assume, given, settings, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, gradients, to_sympy
from microgradlib.errors import GraphTooLargeError, MissingExtraError
from microgradlib.ops import TABLE

X, Y = Symbol("x"), Symbol("y")
SX, SY = sympy.symbols("x y", real=True)
STEPS = {"floor", "ceil", "trunc", "round", "mod", "floordiv", "fmod", "less", "less_equal", "greater", "greater_equal",
         "detach"}  # fmt: skip


def number(expression: sympy.Expr, values: dict[sympy.Symbol, float]) -> float:
    with mpmath.workdps(30):
        result = sympy.lambdify(list(values), expression, "mpmath")(*map(mpmath.mpf, values.values()))
    return float(result)


@pytest.mark.parametrize(
    ("expression", "exported"),
    [
        (X + 2 * Y, SX + 2 * SY),
        (X**2 / 3, SX**2 / 3),
        (mg.tanh(X) * Value(1.0, label="y"), sympy.tanh(SX) * SY),
        (mg.log1p(X), sympy.log(1 + SX)),
        (mg.sigmoid(X), 1 / (1 + sympy.exp(-SX))),
        (mg.dot([X, Y], [Y, 2], bias=1), SX * SY + 2 * SY + 1),
        (mg.maximum(X, Y, 0), sympy.Max(SX, SY, 0)),
        (mg.where(X > 0, X, Y), sympy.Piecewise((SX, SX > 0), (SY, True))),
        (X.detach(), SX),
        (mg.leaky_relu(X, 0.5), sympy.Piecewise((SX, SX > 0), (0.5 * SX, True))),
        (3, sympy.Integer(3)),
    ],
)
def test_exports(expression: Symbol, exported: sympy.Expr) -> None:
    assert sympy.simplify(to_sympy(expression) - exported) == 0


def test_lists_and_substitutions() -> None:
    t = sympy.Symbol("t")
    assert to_sympy([X, X * Y], {X: t, Y: 2}) == [t, 2 * t]


def test_ops_of_users_are_exported_by_their_value_rule(temporary_op) -> None:
    op = temporary_op(
        "swish",
        lambda xp, x: x * xp.sigmoid(x),
        [lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
        formula="x σ(x)",
    )
    assert to_sympy(op(X)) == SX / (1 + sympy.exp(-SX))


def test_without_sympy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(MissingExtraError, match=r'pip install "microgradlib\[sympy\]"'):
        to_sympy(X)


@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_every_op_and_its_derivatives_agree_with_sympy(op: object) -> None:
    count = op.arity or 3
    inputs = [Symbol(f"x{i}") for i in range(count)]
    sample = [op.sample[min(i, len(op.sample) - 1)] for i in range(count)]
    points = [low + (high - low) * (0.37 + 0.21 * i) for i, (low, high) in enumerate(sample)]
    values = dict(zip(inputs, points))
    symbols = dict(zip(sympy.symbols([x.label for x in inputs], real=True), points))
    output = op(*inputs)
    exported = to_sympy(output)
    assert number(exported, symbols) == pytest.approx(evaluate(output, values), rel=1e-9, abs=1e-12)
    if op.name in STEPS:
        return
    for x, symbol in zip(inputs, symbols):
        if (op.name, x.label) == ("polygamma", "x1"):  # defined for whole orders only
            continue
        [slope] = gradients(output, [x])
        expected = number(exported.diff(symbol).doit(), symbols)
        assert evaluate(slope, values) == pytest.approx(expected, rel=1e-9, abs=1e-12)


SMOOTH = ["add", "sub", "mul", "div", "neg", "tanh", "sin", "cos", "exp", "sigmoid", "softplus", "atan", "asinh", "sum",
          "mean", "dot", "logsumexp", "hypot", "erf"]  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn) -> Symbol:
    pool = [X, Y, Value(0.5), Value(2.0)]
    for _ in range(draw(st.integers(1, 6))):
        op = TABLE[draw(st.sampled_from(SMOOTH))]
        pool.append(op(*[draw(st.sampled_from(pool)) for _ in range(op.arity or draw(st.integers(2, 4)))]))
    return pool[-1]


@settings(max_examples=50, deadline=None)
@given(graphs(), st.floats(0.4, 1.6), st.floats(0.4, 1.6))
def test_derivatives_of_random_graphs_agree_with_sympy(z: Symbol, x: float, y: float) -> None:
    values = {X: x, Y: y}
    slopes = gradients(z, [X, Y])
    nodes = mg.topological_sort(z, *slopes)
    assume(all(1e-4 < abs(value) < 1e4 or value == 0 for value in evaluate(nodes, values)))
    exported = to_sympy(z)
    expected = [number(exported.diff(symbol), {SX: x, SY: y}) for symbol in (SX, SY)]
    assert evaluate(slopes, values) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(graphs(), st.floats(0.4, 1.6), st.floats(0.4, 1.6))
def test_exported_derivatives_are_derivatives_of_the_export(z: Symbol, x: float, y: float) -> None:
    assume(all(1e-3 < abs(value) < 1e3 for value in evaluate(mg.topological_sort(z), {X: x, Y: y})))
    [slope] = to_sympy(gradients(z, [X]))
    point = {SX: x, SY: y}
    assert number(slope, point) == pytest.approx(number(to_sympy(z).diff(SX), point), rel=1e-9, abs=1e-9)


def test_wide_sums_are_flat() -> None:
    xs = [Symbol(f"x{i}") for i in range(2000)]
    assert len(to_sympy(mg.sum(xs)).args) == 2000
    assert len(to_sympy(mg.dot(xs, [2.0] * 2000, 1.0)).args) == 2001
    assert sympy.simplify(to_sympy(mg.mean(xs[:3])) * 3 - to_sympy(mg.sum(xs[:3]))) == 0


def test_what_sympy_cannot_bear_is_refused() -> None:
    deep = X
    for _ in range(201):
        deep = mg.sin(deep)
    with pytest.raises(GraphTooLargeError, match="nested more than 200 deep"):
        to_sympy(deep)
    assert to_sympy(deep.parents[0].parents[0]).count_ops() == 199
    with pytest.raises(GraphTooLargeError, match="201 operations, more than the 200 allowed"):
        to_sympy(deep, limit=200)
    running = X
    for i in range(60):
        running = running + Symbol(f"x{i}")
    with pytest.raises(GraphTooLargeError, match="more than 600 operands together"):
        to_sympy(running, limit=60)
