"""Typed expressions: numbers, graphs and gradients."""

import ast
import math

import pytest
from hypothesis import given, strategies as st

from microgradlib import Symbol, Value
from microgradlib.ops import TABLE
from microgradlib.symbolic.parser import build, variables_in
from microgradlib.symbolic.parser.functions import find, known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", 2.0),
        (" 2 + 3*4 ", 14.0),
        ("2**3**2", 512.0),
        ("-2**2", -4.0),
        ("2**-1", 0.5),
        ("(1 + 2)*3", 9.0),
        ("8/4/2", 1.0),
        ("1 - 2 - 3", -4.0),
        ("--3", 3.0),
        ("+.5e1", 5.0),
        ("pi", math.pi),
        ("2*π", 2 * math.pi),
        ("exp(1) - e", 0.0),
        ("max(1, 4, 2) - min(3, 2)", 2.0),
        ("sum(1, 2, 3)", 6.0),
        ("mean(1, 2, 6)", 3.0),
        ("where(1 < 2, 10, 20)", 10.0),
        ("where(2 <= 1, 10, 20)", 20.0),
        ("3 > 2", 1.0),
        ("(2 >= 3) + 1", 1.0),
        ("1\n+\n2", 3.0),
        ("1 +\r\n2", 3.0),
        ("1/0", math.inf),
        ("exp(1000)", math.inf),
        ("9**9**9**9", math.inf),
        ("relu(-1) + tanh(0) + sigmoid(0)", 0.5),
    ],
)
def test_numbers(text: str, expected: float) -> None:
    assert build(text, {}) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["(-1)**0.5", "log(-1)", "0/0"])
def test_outside_the_domain_is_nan_and_never_complex(text: str) -> None:
    result = build(text, {})
    assert isinstance(result, float)
    assert math.isnan(result)


def test_a_neuron_and_its_gradients() -> None:
    w, x, b = Value(0.5), Value(2.0), Value(-0.8)
    out = build("tanh(w*x + b)", {"w": w, "x": x, "b": b})
    assert isinstance(out, Value)
    out.backward()
    slope = 1 - math.tanh(0.2) ** 2
    assert out.data == pytest.approx(math.tanh(0.2))
    assert (w.grad, x.grad, b.grad) == pytest.approx((2 * slope, 0.5 * slope, slope))
    assert (w.label, x.label, b.label, out.label) == ("w", "x", "b", "")


def test_existing_labels_are_kept() -> None:
    x = Value(1.0, label="petal length")
    build("x*x", {"x": x})
    assert x.label == "petal length"


def test_comparisons_of_values_have_gradient_0() -> None:
    x = Value(-1.0)
    out = build("where(x > 0, x, 0.1*x)", {"x": x})
    assert isinstance(out, Value)
    out.backward()
    assert (out.data, x.grad) == pytest.approx((-0.1, 0.1))


def test_symbols_give_a_symbol() -> None:
    out = build("where(x > 0, log(x), 0)", {"x": Symbol("x")})
    assert isinstance(out, Symbol)
    assert out.op is TABLE["where"]


def test_a_variable_takes_precedence_over_a_constant() -> None:
    assert build("e + pi", {"e": 1.0, "pi": 2.0}) == 3.0


def test_names_are_compared_in_nfkc() -> None:
    assert build("ﬁ + 1", {"fi": 1.0}) == 2.0
    assert build("µ + 1", {"μ": 1.0}) == 2.0


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["x", "y", "1", "2.5", ".5", "3e-1"]))
    left, right = draw(arithmetic(depth=depth - 1)), draw(arithmetic(depth=depth - 1))
    sign = draw(st.sampled_from(["+", "-", "*", " - ", " + -"]))
    return draw(st.sampled_from(["({}{}{})", "{}{}{}", "-({}{}{})"])).format(left, sign, right)


@given(arithmetic(), st.floats(-3, 3), st.floats(-3, 3))
def test_python_reads_the_same_number(text: str, x: float, y: float) -> None:
    expected = eval(compile(ast.parse(text, mode="eval"), "", "eval"), {}, {"x": x, "y": y})  # noqa: S307
    assert build(text, {"x": x, "y": y}) == pytest.approx(expected)
    output = build(text, {"x": Value(x), "y": Value(y)})
    assert float(output) == pytest.approx(expected)


@pytest.mark.parametrize("name", known())
def test_every_known_function_can_be_called(name: str) -> None:
    op = find(name)
    count = op.arity or 2
    numbers = [(low + high) / 2 for low, high in (op.sample * count)[:count]]
    text = f"{name}({', '.join(f'x{k}' for k in range(count))})"
    expected = op(*numbers)
    assert build(text, {f"x{k}": number for k, number in enumerate(numbers)}) == pytest.approx(expected)


def test_further_names_of_functions() -> None:
    names = {"max": "maximum", "min": "minimum", "logistic": "sigmoid", "hard_logistic": "hard_sigmoid"}
    assert {name: find(name).name for name in names} == names


def test_the_names_in_a_text() -> None:
    assert variables_in("tanh(w*x + b)*x + pi") == ("w", "x", "b", "pi")


def test_non_strings_and_non_numbers_raise() -> None:
    with pytest.raises(TypeError, match="an expression must be a str"):
        build(2, {})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a real number"):
        build("x", {"x": "2"})  # type: ignore[dict-item]
