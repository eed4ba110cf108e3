"""to_latex writes well-formed LaTeX, with as few parentheses as needed."""

import re

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, gradients, simplify, to_latex
from microgradlib.ops import TABLE
from microgradlib.symbolic import show

A, B, W, X = Symbol("a"), Symbol("b"), Symbol("w1"), Symbol("x")


CLOSING = {"{": "}", r"\left": r"\right"}


def well_formed(latex: str) -> bool:
    opened: list[str] = []
    for piece in re.findall(r"\\left(?=\W)|\\right(?=\W)|\\begin\{\w+\}|\\end\{\w+\}|\\.|[{}]", latex):
        if piece in CLOSING or piece.startswith(r"\begin"):
            opened.append(CLOSING.get(piece, piece.replace("begin", "end")))
        elif (piece in CLOSING.values() or piece.startswith(r"\end")) and (not opened or opened.pop() != piece):
            return False
    return not opened


@pytest.mark.parametrize(
    "broken", ["{a", "a}", r"\left(a", r"\begin{cases} a", r"\begin{cases} a \end{aligned}", "{a\\}"]
)
def test_the_checker_rejects_broken_latex(broken: str) -> None:
    assert not well_formed(broken)


FRAGMENTS = [
    "$",
    "{",
    "}",
    "_",
    "^",
    "'",
    "x",
    "12",
    "(",
    ")",
    "+",
    " ",
    "\\",
    "\\theta",
    "\\hat",
    "\\frac",
    "\\begin{a}",
    "\\left(",
]


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=9).map("".join).filter(str.strip))
def test_any_label_gives_well_formed_latex_with_one_script_of_a_kind(label: str) -> None:
    latex = to_latex(Symbol(label) ** 2)
    assert well_formed(latex)
    assert not re.search(r"\\(begin|hat|frac)(?!\{)|[$&#%]", re.sub(r"\\[$&#%]", "", latex))
    flat, before = latex.replace(r"\{", "").replace(r"\}", "").replace(r"\_", ""), ""
    while flat != before:  # from the inside out, one group after the other
        before, flat = flat, re.sub(r"\{[^{}]*\}", "G", flat)
        assert not re.search(r"[_^]G'*[_^]G'*[_^]|([_^])G\1|'\^", flat)


@pytest.mark.parametrize("label", ["{" + r"\theta" * 40, "x_{" + r"\a" * 60, "$x^(" + "(a" * 90 + "$"])
def test_long_labels_that_are_no_formulas_are_refused_at_once(label: str) -> None:
    assert to_latex(Symbol(label)).startswith(r"\mathrm{")


@pytest.mark.parametrize(
    ("expression", "latex"),
    [
        (W * X + B, "w_{1} x + b"),
        ((A + B) / (A - B), r"\frac{a + b}{a - b}"),
        (A / B / X, r"\frac{a}{b x}"),
        (-(A / B) / B, r"\frac{-a}{b^{2}}"),
        (A / (B / X) / (B + X), r"\frac{a}{\frac{b}{x} (b + x)}"),
        ((A / B) ** 2, r"\left(\frac{a}{b}\right)^{2}"),
        (mg.exp(-(X**2)), "e^{-x^{2}}"),
        (mg.exp(X) ** 2, "(e^{x})^{2}"),
        (mg.expm1(X) * 3, r"(e^{x} - 1) \cdot 3"),
        (mg.sqrt(1 + X), r"\sqrt{1 + x}"),
        (mg.cbrt(X), r"\sqrt[3]{x}"),
        (mg.tanh(W * X), r"\tanh(w_{1} x)"),
        (mg.sigmoid(A / B), r"\sigma\left(\frac{a}{b}\right)"),
        (mg.log1p(-X), r"\ln(1 - x)"),
        (mg.log2(X), r"\log_{2}(x)"),
        (mg.xlogy(A + B, X), r"(a + b) \ln(x)"),
        (mg.maximum(A, B), r"\max(a, b)"),
        (abs(X), r"\left|{x}\right|"),
        (mg.floor(X), r"\left\lfloor{x}\right\rfloor"),
        (mg.asinh(X), r"\operatorname{arsinh}(x)"),
        (mg.relu(X), r"\operatorname{relu}(x)"),
        (mg.sign(X), r"\operatorname{sign}(x)"),
        (mg.sgn(X), r"\operatorname{sgn}(x)"),
        (mg.ndtr(X) + mg.log_sigmoid(X), r"\Phi(x) + \ln \sigma(x)"),
        (mg.heaviside(X, 1), "H_{1}(x)"),
        (mg.logaddexp(A, B), r"\ln(e^{a} + e^{b})"),
        (mg.leaky_relu(X, 0.2), r"\operatorname{leaky\_relu}_{0.2}(x)"),
        (mg.polygamma(X, 1), r"\psi^{(1)}(x)"),
        (X * 2, r"x \cdot 2"),
        (2 * X, "2 x"),
        (X * 1e-7, r"x \cdot 10^{-7}"),
        (2.5e20 * X, r"2.5 \cdot 10^{20} x"),
        (X * -B, "x (-b)"),
        (X + float("inf"), r"x + \infty"),
        (X <= 2, r"x \le 2"),
        ((X > 0) / B, r"\frac{[x > 0]}{b}"),
        (mg.where(X > 0, X, -X), r"\begin{cases} x & \text{if } x > 0 \\ -x & \text{otherwise} \end{cases}"),
        (mg.where(A, X, B), r"\begin{cases} x & \text{if } a \ne 0 \\ b & \text{otherwise} \end{cases}"),
        (Value(1.0, label="alpha") * Value(1.0, label="loss_2"), r"\alpha \mathrm{loss}_{2}"),
        (Value(1.0, label="50% {off}"), r"\mathrm{50\%\ \{off\}}"),
        (Value(1.0, label=r"$\theta$") * Value(1.0, label=r"\hat{y}_2"), r"{\theta} {\hat{y}_{2}}"),
        (Symbol("x_1^(2)") ** 2 + Symbol("w_{20}^{(1)}"), "({x_{1}^{(2)}})^{2} + {w_{20}^{(1)}}"),
        (Symbol(r"$\frac{a}{b}$") ** 2, r"\left({\frac{a}{b}}\right)^{2}"),
        (Symbol("$x$") * Symbol("x'"), "{x} {x'}"),
        (Value(1.0, label="w_1_2") + Value(1.0, label="layers.0.b"), r"w_{1,2} + \mathrm{layers.0.b}"),
    ],
)
def test_exact_strings(expression: Symbol, latex: str) -> None:
    assert to_latex(expression) == latex
    assert well_formed(latex)


def test_dot_products_are_written_out_while_short() -> None:
    def dot(n: int, start: int = 0) -> Symbol:
        w = [Symbol(f"w{i}") for i in range(start, start + n)]
        x = [Symbol(f"x_{i}") for i in range(start, start + n)]
        return mg.dot(w, x, bias=B)

    assert to_latex(dot(2)) == "w_{0} x_{0} + w_{1} x_{1} + b"
    assert to_latex(dot(5)) == r"\sum_{i=0}^{4} w_{i} x_{i} + b"
    assert to_latex(dot(784, start=1)) == r"\sum_{i=1}^{784} w_{i} x_{i} + b"
    assert to_latex(dot(5) * 2) == r"\left(\sum_{i=0}^{4} w_{i} x_{i} + b\right) \cdot 2"


def test_long_sums_without_an_index_have_dots() -> None:
    assert to_latex(mg.sum([Symbol(name) for name in "abcdef"])) == r"a + b + \cdots + f"
    assert to_latex(mg.sum([A, -B, A, B, -A])) == r"a - b + \cdots - a"


def test_shared_subexpressions_have_their_own_lines() -> None:
    u = mg.tanh(A * X + B) / (1 + X)
    assert to_latex(u * u) == (r"\begin{aligned} t_{1} &= \frac{\tanh(a x + b)}{1 + x} \\ & t_{1} t_{1} \end{aligned}")


def test_figure_6_10_with_tanh() -> None:
    [slope] = gradients(mg.tanh(mg.tanh(X)), [X])
    assert to_latex(slope) == r"(1 - \tanh(\tanh(x))^{2}) (1 - \tanh(x)^{2})"


@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_every_op_and_its_derivatives_are_well_formed(op: object) -> None:
    inputs = [Symbol(name) for name in "xyuvw"][: op.arity or 5]
    output = op(*[mg.exp(x) / 2 for x in inputs])
    assert well_formed(to_latex(output))
    assert well_formed(to_latex(simplify(gradients(output, inputs))))


def test_show_typesets_in_notebooks_and_prints_in_terminals() -> None:
    formula = show(X**2 / 3)
    assert formula._repr_latex_() == r"$\displaystyle \frac{x^{2}}{3}$"
    assert str(formula) == repr(formula) == "x**2/3"
