"""to_text: exact strings, and round trips through the parser."""

import functools
import math
import operator
import tracemalloc

import pytest
from hypothesis import assume, given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, gradients, simplify, to_text
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops import TABLE, arithmetic, derivative_graph
from microgradlib.symbolic import write_graph
from microgradlib.symbolic.parser import build
from microgradlib.symbolic.text import Text

A, B, C, X = Symbol("a"), Symbol("b"), Symbol("c"), Symbol("x")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (A + B * C, "a + b*c"),
        ((A + B) * C, "(a + b)*c"),
        (A + (B + C), "a + b + c"),
        (A - (B - C), "a - (b - c)"),
        (A - B - C, "a - b - c"),
        (A + (-B), "a - b"),
        (A + (-B) * C, "a - b*c"),
        (A - (-B), "a - (-b)"),
        (A * (B * C), "a*b*c"),
        (A / (B * C), "a/(b*c)"),
        (A / B / C, "a/b/c"),
        (A / (B / C), "a/(b/c)"),
        (A * (B / C), "a*b/c"),
        (-(A + B), "-(a + b)"),
        (-A * B, "-a*b"),
        (A * -B, "a*(-b)"),
        (arithmetic.neg(-A), "-(-a)"),
        (A**2, "a**2"),
        ((-A) ** 2, "(-a)**2"),
        (-(A**2), "-a**2"),
        (A**B**C, "a**b**c"),
        ((A**B) ** C, "(a**b)**c"),
        (A ** (-B), "a**(-b)"),
        (A**-1, "a**-1"),
        (Value(-2.0) ** A, "(-2)**a"),
        (A + -2, "a - 2"),
        (2.5 * A + 1e-7, "2.5*a + 1e-07"),
        ((A + B) ** 2 / mg.exp(-A), "(a + b)**2/exp(-a)"),
        (mg.tanh(A * X + B), "tanh(a*x + b)"),
        (mg.leaky_relu(A), "leaky_relu(a)"),
        (mg.leaky_relu(A, 0.2), "leaky_relu(a, 0.2)"),
        (mg.maximum(A, B, 0), "max(a, b, 0)"),
        (mg.sum([A, B, -C]), "a + b - c"),
        (mg.mean([A, B, C]), "(a + b + c)/3"),
        (mg.prod([A, B, C]), "a*b*c"),
        (mg.dot([A, B], [C, X], bias=1), "a*c + b*x + 1"),
        (mg.where(A > B, A, B - 1), "where(a > b, a, b - 1)"),
        ((A > B) * C, "(a > b)*c"),
        (mg.where(A > B, 1, 0), "a > b"),
        (derivative_graph.strong_mul(A, B), "a*b"),
        (A.detach() * B, "detach(a)*b"),
        (mg.where(A >= 0, 1 / A, math.nan), "1/a"),
        (2.0, "2"),
        (Value(3.0, label="w"), "w"),
    ],
)
def test_exact_strings(expression: Symbol, text: str) -> None:
    assert to_text(expression) == text


@pytest.mark.parametrize(
    ("expression", "slope"),
    [
        (mg.log(X), "1/x"),
        (mg.sqrt(X), "0.5/sqrt(x)"),
        (mg.sigmoid(X), "sigmoid(x)*(1 - sigmoid(x))"),
        (mg.relu(X), "x > 0"),
        (A - 3 * X, "-3"),
        (X**3, "3*x**2"),
        (mg.tanh(mg.tanh(mg.tanh(X))), "(1 - tanh(tanh(tanh(x)))**2)*(1 - tanh(tanh(x))**2)*(1 - tanh(x)**2)"),
    ],
)
def test_text_of_derivatives(expression: Symbol, slope: str) -> None:
    assert to_text(simplify(gradients(expression, [X]))) == slope


def test_figure_6_10_f_of_f_of_f(temporary_op) -> None:
    df = temporary_op("df", lambda xp, x: xp.exp(x), [lambda xp, z, x: z], formula="f′", symbol="f′")
    f = temporary_op("f", lambda xp, x: xp.exp(x), [lambda xp, z, x: df(x)], formula="f")
    z = f(f(f(X)))
    assert to_text(gradients(z, [X])) == "f′(f(f(x)))*f′(f(x))*f′(x)"


def test_shared_subexpressions_get_names_that_are_free() -> None:
    t1 = Symbol("t1")
    u = mg.tanh(A * X + B) / (1 + t1)
    assert to_text([u * u, u]) == "t2 = tanh(a*x + b)/(1 + t1)\nt2*t2\nt2"
    assert to_text(u * u, name_above=99) == "tanh(a*x + b)/(1 + t1)*tanh(a*x + b)/(1 + t1)"


def test_repeated_squaring_stays_short() -> None:
    z = X
    for _ in range(500):
        z = z * z + 1
    lines = to_text(z).splitlines()
    assert len(lines) > 100
    assert max(map(len, lines)) < 100


def test_a_large_graph_raises_with_a_remedy() -> None:
    z = X
    for _ in range(1001):
        z = z + 1
    with pytest.raises(GraphTooLargeError, match=r"1001 operations, more than the 1000 allowed.*limit="):
        to_text(z)
    assert to_text(z, limit=1001).startswith("x + 1 + 1")


def test_two_leaves_of_one_label_get_two_names() -> None:
    assert to_text(Symbol("x") - Symbol("x") + Symbol("x_2")) == "x - x_3 + x_2"


def test_digits() -> None:
    assert to_text(X / 3.14159265, digits=3) == "x/3.14"


def test_labels_that_look_like_sums_are_bracketed() -> None:
    assert to_text(Value(1.0, label="a + b") * X) == "(a + b)*x"


def test_invalid_expressions_raise() -> None:
    with pytest.raises(TypeError):
        to_text("x")


def grown(draw: st.DrawFn, names: list[str], most: int) -> list[Symbol]:
    pool = [A, B, Value(2.0), Value(-1.0), Value(3.0)]
    for _ in range(draw(st.integers(1, most))):
        op = TABLE[draw(st.sampled_from(names))]
        count = op.arity or draw(st.integers(2, 5))
        inputs = [draw(st.sampled_from(pool)) for _ in range(count)]
        inputs[-1] = Value(2.0) if op.name == "pow" else inputs[-1]
        pool.append(op(*inputs))
    return pool[-1]


WHOLE = (
    "add sub mul neg pow less less_equal greater greater_equal where maximum minimum abs sum prod dot strong_mul sign"
)
SMOOTH = "add sub mul neg div pow tanh sigmoid sin exp softplus sum mean dot hypot atan2 asinh"
whole_numbers = st.composite(lambda draw: grown(draw, WHOLE.split(), 8))()
smooth = st.composite(lambda draw: grown(draw, SMOOTH.split(), 6))()


@given(whole_numbers, st.integers(-3, 3), st.integers(-3, 3))
def test_text_is_parsed_to_the_same_expression(z: Symbol, a: int, b: int) -> None:
    values = {A: float(a), B: float(b)}
    assume(all(abs(number) < 2**50 for number in evaluate(mg.topological_sort(z), values)))
    text = to_text(z, name_above=10**6)
    assume(len(text) < 4000)
    assert build(text, {"a": a, "b": b}) == evaluate(z, values)


@given(whole_numbers, st.integers(-3, 3), st.integers(-3, 3))
def test_definitions_are_parsed_line_by_line(z: Symbol, a: int, b: int) -> None:
    values = {A: float(a), B: float(b)}
    assume(all(abs(number) < 2**50 for number in evaluate(mg.topological_sort(z), values)))
    *definitions, last = to_text(z, name_above=1).splitlines()
    known: dict[str, float] = {"a": a, "b": b}
    for line in definitions:
        name, text = line.split(" = ")
        known[name] = build(text, known)
    assert build(last, known) == evaluate(z, values)


@given(smooth, st.floats(0.3, 2), st.floats(0.3, 2))
def test_quotients_and_functions_are_parsed(z: Symbol, a: float, b: float) -> None:
    values = {A: a, B: b}
    assume(all(1e-3 < abs(number) < 1e3 for number in evaluate(mg.topological_sort(z), values)))
    text = to_text(z, name_above=10**6)
    assume(len(text) < 4000)
    assert build(text, {"a": a, "b": b}) == pytest.approx(evaluate(z, values), rel=1e-6)


def test_text_grows_with_the_graph_not_with_its_paths() -> None:
    node = Symbol("x")
    for _ in range(200):
        node = node + node
    text = to_text(node, limit=10**9, name_above=10**9)
    assert len(text) < 200_000
    numbers = {"x": 1.0}
    for line in text.splitlines():
        name, _, total = line.rpartition(" = ")
        numbers[name] = sum(numbers[term] for term in total.split(" + "))
    assert numbers[""] == 2.0**200


def test_memory_is_that_of_what_is_returned() -> None:
    node = Value(1.0, label="x")
    for _ in range(3000):
        node = node * 1.0000001
    to_text(node, limit=10**9)
    tracemalloc.start()
    try:
        to_text(node, limit=10**9)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000  # the texts of all operands together have 45 million
    finally:
        tracemalloc.stop()


def test_a_list_of_expressions_with_too_long_formulas_raises(monkeypatch) -> None:
    nodes = [Symbol("x")]
    for _ in range(60):
        nodes.append(nodes[-1] + 1)
    monkeypatch.setattr(write_graph, "LARGEST_TEXT", 60 * 62)
    assert to_text(nodes, name_above=999).endswith("x" + " + 1" * 60)
    with pytest.raises(GraphTooLargeError, match=r"more than 3,720 names and numbers.*name_above="):
        to_text([*nodes, nodes[-1] + 1], name_above=999)


def test_long_sums_and_products_are_written_as_pairs_are() -> None:
    terms = [Text("a"), -Text("b"), Text("c") - Text("d"), Text("e") < 1, -Text("f") * 2, Text.number(-3.0)]
    assert Text.total(terms).text == functools.reduce(operator.add, terms).text
    assert Text.product(terms).text == functools.reduce(operator.mul, terms).text
