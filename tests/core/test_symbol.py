"""Symbols: evaluation, mixing with Values, comparisons, and errors that name the alternative."""

import math

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients
from microgradlib.errors import SymbolHasNoValueError


def test_evaluate_several_outputs_and_constants():
    x, y = Symbol("x"), Symbol("y")
    c = Value(10.0)
    outputs = [x * y, x + c, c]
    assert evaluate(outputs, {x: 2.0, y: 3.0}) == [6.0, 12.0, 10.0]
    assert evaluate(tuple(outputs), {x: 2, y: 3, c: 1}) == [6.0, 3.0, 1.0]
    assert evaluate([], {}) == []


def test_evaluate_by_an_inner_node():
    x = Symbol("x")
    square = x * x
    assert evaluate(square + x, {square: 5.0, x: 1.0}) == 6.0


def test_evaluate_recomputes_eager_graphs():
    x = Value(3.0)
    y = x * x
    assert evaluate(y, {x: 5.0}) == 25.0
    x.data = 4.0
    assert evaluate(y, {}) == 16.0
    assert y.data == 9.0


def test_evaluate_at_values_returns_values():
    x, y = Symbol("x"), Symbol("y")
    v, w = Value(2.0), Value(3.0)
    out = evaluate(x * y + x, {x: v, y: w})
    assert isinstance(out, Value)
    assert (out.data, grad_table(out)[v], grad_table(out)[w]) == (8.0, 4.0, 2.0)


def test_a_missing_symbol_is_named():
    x, y = Symbol("x"), Symbol("height")
    with pytest.raises(SymbolHasNoValueError, match=r"height.*pass \{height: 2\.0\}"):
        evaluate(x * y, {x: 1.0})


def test_a_value_and_a_symbol_give_a_symbol():
    x, v = Symbol("x"), Value(3.0)
    for out in (x + v, v + x, x * v, v * x, v**x, x**v, mg.maximum(v, x), mg.dot([v], [x]), mg.where(v > 0, x, v)):
        assert type(out) is Symbol
    assert evaluate(v * x + v, {x: 2.0}) == 9.0
    dx, dv = gradients(v * x * x, [x, v])
    assert evaluate([dx, dv], {x: 2.0}) == [12.0, 4.0]


def test_comparisons_of_symbols_give_symbols():
    x, y = Symbol("x"), Symbol("y")
    one = 1
    expressions = [x < y, x <= y, x > y, x >= y, x < one, one < x, Value(1.0) < x, x >= Value(2.0)]
    assert all(type(e) is Symbol for e in expressions)
    assert evaluate(expressions, {x: 2.0, y: 2.0}) == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0]


def test_gradients_through_where_on_symbols():
    x = Symbol("x")
    f = mg.where(x > 1, x**3, mg.exp(x))
    [slope] = gradients(f, [x])
    [curvature] = gradients(slope, [x])
    assert evaluate([f, slope, curvature], {x: 2.0}) == [8.0, 12.0, 12.0]
    assert evaluate([f, slope, curvature], {x: 0.0}) == [1.0, 1.0, 1.0]


def test_detach_stops_gradients():
    x = Symbol("x")
    [slope] = gradients(x * x.detach(), [x])
    assert evaluate(slope, {x: 3.0}) == 3.0
    v = Value(3.0, label="v")
    assert grad_table(v * v.detach())[v] == 3.0
    assert (v.detach().label, v.detach() is v) == ("v", False)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda x: x.data, "evaluate"),
        (lambda x: x.grad, "gradients"),
        (lambda x: x.local_derivatives, "gradients"),
        (lambda x: x.backward(), "gradients"),
        (bool, "where"),
        (lambda x: 1 if x > 0 else 2, "where"),
        (lambda x: max(x, 1), "maximum"),
        (float, "evaluate"),
        (int, "evaluate"),
        (round, "evaluate"),
        (math.sin, r"microgradlib\.exp"),
        (math.floor, "microgradlib"),
        (lambda x: x and 1, "where"),
    ],
)
def test_symbol_errors_name_the_alternative(use, instead):
    with pytest.raises(SymbolHasNoValueError, match=instead):
        use(Symbol("x"))
    with pytest.raises(TypeError):  # so that hasattr, callers of float() and the like see what they expect
        use(Symbol("x") + 1)


@pytest.mark.parametrize("label", ["", None, 3.0, Value(1.0)])
def test_a_symbol_needs_a_name(label):
    with pytest.raises(TypeError, match="name"):
        Symbol(label)


@pytest.mark.parametrize("number", [-1.5, 2.0])
def test_methods_with_a_setting_are_those_of_values(number):
    s = Symbol("s")
    for method, settings in (("leaky_relu", ()), ("leaky_relu", (0.3,)), ("elu", ()), ("elu", (2.0,))):
        node = getattr(s, method)(*settings)
        assert (
            evaluate(node, {s: number})
            == getattr(Value(number), method)(*settings).data
            == getattr(mg, method)(number, *settings)
        )


def test_equality_of_symbols_is_identity_and_a_bool():
    s, t = Symbol("s"), Symbol("s")
    assert [s == s, s == t, s == 1.0, s != s, s != t] == [True, False, False, False, True]  # noqa: PLR0124
    assert (s == t) is False


@pytest.mark.parametrize("name", ["elu", "leaky_relu"])
def test_the_defaults_of_methods_are_those_of_functions(name):
    for x in (-1.5, 0.5):
        assert getattr(Value(x), name)().data == getattr(mg, name)(x)
        symbol = Symbol("x")
        assert mg.evaluate(getattr(symbol, name)(), {symbol: x}) == getattr(mg, name)(x)
