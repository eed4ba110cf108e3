"""Derivatives as books write them: the forms themselves, held to the rules that compute them, in every notation."""

import random
import re

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, draw, evaluate, explain_gradient, gradients, to_text
from microgradlib._support.floats import IEEE
from microgradlib.ops import TABLE
from microgradlib.ops.formula import Formula
from microgradlib.symbolic import local_derivative_formula, value_formula
from microgradlib.symbolic.book import Book
from microgradlib.symbolic.latex import Latex
from microgradlib.symbolic.local_derivatives import write_local_derivative
from microgradlib.symbolic.text import Text

ARITIES = {"dot": 5, "cross_entropy": 6}


def written_derivative(op, place, output, inputs):
    """Return the written form of a derivative at floats; None if the op has none."""
    if callable(op.written):
        return op.written(IEEE, place, output, *inputs)
    rule = op.written[place] if place < len(op.written) else None
    return rule and rule(IEEE, output, *inputs)


def sampled(op, rng, count=None):
    """Return inputs from the op's sample, none at a kink."""
    count = count or op.arity or ARITIES.get(op.name, 4)
    intervals = [*op.sample, *[op.sample[-1]] * count][:count]
    while True:
        inputs = [rng.uniform(low, high) for low, high in intervals]
        if not (op.kink and op.kink(*inputs)):
            return inputs


def disagreements(op, rng, count=None):
    """Return the places at which the written form of a derivative is not the number that the rule computes."""
    wrong = set()
    for _ in range(5):
        inputs = sampled(op, rng, count)
        output = op.compute(*inputs)
        for place, derivative in enumerate(op.local_derivatives(output, *inputs)):
            written = written_derivative(op, place, output, inputs)
            if written is not None and written != pytest.approx(derivative, rel=1e-9, abs=1e-9):
                wrong.add(place)
    return wrong


@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.written], ids=lambda op: op.name)
def test_what_is_written_is_what_is_computed(op):
    assert disagreements(op, random.Random(op.name)) == set()


@pytest.mark.parametrize("count", [1, 2, 3, 6])
@pytest.mark.parametrize(
    "name", ["sum", "mean", "var", "prod", "norm", "maximum", "minimum", "logsumexp", "neg_log_softmax"]
)
def test_what_is_written_of_any_number_of_inputs(name, count):
    assert disagreements(TABLE[name], random.Random(name), count) == set()


@pytest.mark.parametrize("condition", [0.0, 1.0])
def test_what_is_written_of_a_choice_is_that_of_the_branch_taken(condition):
    op, inputs = TABLE["where"], [condition, 2.0, 3.0]
    output = op.compute(*inputs)
    written = [written_derivative(op, place, output, inputs) for place in (1, 2)]
    assert written == list(op.local_derivatives(output, *inputs))[1:] == [condition, 1.0 - condition]


def test_a_wrong_form_is_found(temporary_op):
    rules = {"value": lambda xp, x, y: x * y, "derivatives": [lambda xp, z, x, y: y, lambda xp, z, x, y: x]}
    op = temporary_op("wrong", **rules, written=(None, lambda xp, z, x, y: x + 1e-6), formula="x y")
    assert disagreements(op, random.Random(1)) == {1}


@pytest.mark.parametrize(
    ("name", "formulas"),
    [
        ("add", ["1", "1"]),
        ("sub", ["1", "−1"]),
        ("mul", ["b", "a"]),
        ("div", ["1/b", "−a/b²"]),
        ("exp", ["u3"]),
        ("log", ["1/a"]),
        ("sqrt", ["1/(2 · u3)"]),
        ("tanh", ["1 − u3²"]),
        ("sigmoid", ["u3 (1 − u3)"]),
        ("relu", ["I(a > 0)"]),
        ("leaky_relu", ["1 if a > 0, else b", "min(a, 0)"]),
        ("elu", ["1 if a > 0, else b · e^a", "I(a ≤ 0) (e^a − 1)"]),
        ("heaviside", ["0", "I(a = 0)"]),
        ("radians", ["π/180"]),
        ("softplus", ["σ(a)"]),
        ("tan", ["1 + u3²"]),
        ("atan", ["1/(1 + a²)"]),
        ("asin", ["1/√(1 − a²)"]),
        ("erf", ["2/√π · e^(−a²)"]),
        ("abs", ["sign(a)"]),
        ("step", ["0"]),
        ("hypot", ["a/u3", "b/u3"]),
        ("silu", ["u3 + σ(a) (1 − u3)"]),
    ],
)
def test_local_derivatives(name, formulas):
    names = ["a", "b"][: TABLE[name].arity]
    assert [local_derivative_formula(TABLE[name], i, names, "u3") for i in range(len(names))] == formulas


def test_settings_names_and_templates():
    power = TABLE["pow"].bind(3.0)
    assert local_derivative_formula(power, 0, ["x"], "z") == "3 · x²"
    assert local_derivative_formula(power, 0, ["a + b"], "z") == "3 · (a + b)²"
    assert local_derivative_formula(power, 0, ["x_1^(2)"], "z") == "3 · (x_1^(2))²"
    assert local_derivative_formula(TABLE["tanh"], 0, ["h⁽¹⁾"], "h⁽²⁾") == "1 − (h⁽²⁾)²"
    assert local_derivative_formula(TABLE["tanh"], 0, ["{0}"], "{z}") == "1 − {z}²"
    assert local_derivative_formula(TABLE["mul"], 0, ["x", "w-1"], "z") == "w-1"  # alone, a name stands as it is
    assert value_formula(power, ["x"]) == "x³"
    assert value_formula(TABLE["where"], ["c", "x", "y"]) == "x if c ≠ 0, else y"
    assert value_formula(TABLE["tanh"], ["a + b"]) == "tanh(a + b)"
    assert value_formula(TABLE["tanh_slope"], ["u1"]) == "1 − tanh(u1)²"
    assert value_formula(TABLE["polygamma"].bind(1.0), ["x"]) == "ψ⁽¹⁾(x)"
    assert value_formula(TABLE["polygamma"], ["x", "n"]) == "ψ^(n)(x)"
    assert local_derivative_formula(TABLE["elu"].bind(1.0), 0, ["x"], "z") == "1 if x > 0, else e^x"


def test_many_inputs_stay_short():
    names = [f"w{i}" for i in range(784)] + [f"x{i}" for i in range(784)]
    assert local_derivative_formula(TABLE["dot"], 5, names, "z") == "x5"
    assert value_formula(TABLE["dot"], names) == "w0 · x0 + w1 · x1 + … + w783 · x783"
    assert value_formula(TABLE["maximum"], names[:9]) == "max(w0, w1, …, w8)"


def test_nodes_made_by_hand_have_no_formula():
    x = Value(2.0)
    node = Value(4.0, (x,), (4.0,))
    assert node.op is None or (local_derivative_formula(node.op, 0, ["x"], "z"), value_formula(node.op, ["x"])) == (
        "",
        "",
    )


@pytest.mark.parametrize("dialect", [Formula, Text, Latex])
def test_every_derivative_is_written_in_every_notation(dialect):
    for op in TABLE.values():
        count = op.arity or 4
        inputs = [dialect.name(name) for name in "xyuvwk"[:count]]
        for place in range(count):
            assert write_local_derivative(dialect, op, place, inputs, dialect.name("z")).text


@given(st.text(max_size=30), st.text(max_size=30))
def test_names_are_kept_whatever_they_are(a, b):
    assert re.sub(r"[()]", "", a) in re.sub(r"[()]", "", local_derivative_formula(TABLE["mul"], 1, [a, b], "z"))
    product = value_formula(TABLE["mul"], [a, b])
    assert a in product
    assert b in product


def test_figure_6_10_has_one_node_for_each_factor():
    w = Symbol("w")
    for function, slope in ((mg.tanh, "tanh_slope"), (mg.sigmoid, "sigmoid_slope")):
        [derivative] = gradients(function(function(function(w))), [w])
        ops = [node.op.name for node in mg.topological_sort(derivative) if node.op]
        assert sorted(ops) == sorted([function.name] * 2 + [slope] * 3 + ["mul"] * 2)
        assert "÷" not in draw(derivative).svg


def test_the_book_form_in_text_latex_sympy_and_explanations():
    x = Symbol("x")
    [slope] = gradients(mg.tanh(x), [x])
    assert to_text(slope) == "1 - tanh(x)**2"
    assert mg.to_latex(slope) == r"1 - \tanh(x)^{2}"
    assert "∂u1/∂x = 1 - u1**2" in explain_gradient(mg.tanh(x), x).text
    assert "∂u1/∂x = u1*(1 - u1)" in explain_gradient(mg.sigmoid(x), x).text
    assert r"\frac{\partial u_{1}}{\partial x} &= 1 - u_{1}^{2}" in explain_gradient(mg.tanh(x), x).latex


def test_a_formula_that_does_not_give_the_number_is_left_out():
    a, b = Value(2.0, label="a"), Value(2.0, label="b")
    largest = mg.maximum(a, b)
    for text in (explain_gradient(largest, a).text, repr(mg.grad_table(largest))):
        assert "∂largest/∂a = 0.5" in text
    assert "≥" not in draw(largest, local_derivatives="formula").svg
    larger = mg.maximum(a, 1.0)
    assert "∂larger/∂a = (a >= larger) = 1" in explain_gradient(larger, a).text
    assert "I(a ≥ larger) = 1" in repr(mg.grad_table(larger))
    assert "I(a ≥ " in draw(larger, local_derivatives="formula").svg


def test_a_comparison_is_a_number_in_brackets():
    x = Value(2.0, label="x")
    explanation = explain_gradient(mg.relu(x), x)
    assert "∂u1/∂x = (x > 0) = 1" in explanation.text
    assert r"[x > 0] = 1" in explanation.latex


def test_second_derivatives_and_inner_steps_are_written_out():
    x, u = Symbol("x"), Value(0.3, label="u")
    [bend] = gradients(gradients(mg.sigmoid(x), [x])[0], [x])
    assert to_text(bend) == "sigmoid(x)*(1 - sigmoid(x))*(1 - 2*sigmoid(x))"
    assert [line.split("  ")[2] for line in draw(bend).text.splitlines()[1:4]] == ["x", "sigmoid′(x)", "1 − 2 · σ(x)"]
    assert "1 − x²" in draw(gradients(mg.asin(x), [x])).text
    assert "u/hypot(u, 2)" in draw(gradients(mg.hypot(u, 2), [u])).text
    assert not re.search("one_minus|unit|slope", draw(gradients(mg.asin(x) * mg.sigmoid(x), [x])).text)


def test_sympy_gets_the_book_form():
    sympy = pytest.importorskip("sympy")
    x, s = Symbol("x"), sympy.Symbol("x", real=True)
    assert mg.to_sympy(gradients(mg.tanh(x), [x])) == [1 - sympy.tanh(s) ** 2]
    logistic = 1 / (1 + sympy.exp(-s))
    assert mg.to_sympy(gradients(mg.sigmoid(x), [x])) == [logistic * (1 - logistic)]
    [bend] = gradients(gradients(mg.sigmoid(x), [x])[0], [x])
    assert mg.to_sympy(bend) == logistic * (1 - logistic) * (1 - 2 * logistic)
    assert mg.to_sympy(gradients(mg.asin(x), [x])) == [1 / sympy.sqrt(1 - s**2)]


def test_saturated_slopes_keep_their_digits():
    for point in (30.0, -30.0):
        x = Value(point)
        slope = gradients(mg.tanh(x), [x])[0]
        assert slope.data == pytest.approx(3.5026043026144166e-26, rel=1e-14)
        assert gradients(slope, [x])[0].data == pytest.approx(-2 * slope.data * (1 if point > 0 else -1), rel=1e-14)
    w = Symbol("w")
    assert evaluate(gradients(mg.tanh(w), [w]), {w: 300.0}) == [pytest.approx(1.0601586212171225e-260, rel=1e-13)]


@pytest.mark.parametrize(
    ("number", "text"), [(1e20, "10²⁰"), (-1e20, "−10²⁰"), (2e20, "2 · 10²⁰"), (-2.5e-7, "−2.5 · 10⁻⁷"), (0.5, "0.5")]
)
def test_numbers_as_books_write_them(number, text):
    assert str(Book.number(number)) == text


def test_a_choice_between_equal_sides_is_that_side():
    x = Book("x")
    assert str(Book.where(x > 0, 2.0, 2.0)) == "2"
