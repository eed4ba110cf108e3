"""explain_gradient: every step of the chain rule, with correct numbers."""

import math

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, explain_gradient, grad_table
from microgradlib.errors import GraphTooLargeError
from microgradlib.nn import MLP


def labelled(node: Value, label: str) -> Value:
    node.label = label
    return node


def test_one_product() -> None:
    w, x = Value(1.0, label="w"), Value(2.0, label="x")
    z = labelled(w * x, "z")
    assert explain_gradient(z, w).text.splitlines() == [
        "z = w*x = 2",
        "",
        "grad(z) = 1",
        "∂z/∂w = x = 2",
        "grad(w) = grad(z) · ∂z/∂w = 1 · 2 = 2",
    ]


def test_fan_out_is_a_sum_of_terms() -> None:
    x = Value(3.0, label="x")
    z = labelled(x**2 + -2 * x, "z")
    assert explain_gradient(z, x).text.splitlines() == [
        "u1 = x**2 = 9",
        "u2 = -2*x = -6",
        "z = u1 + u2 = 3",
        "",
        "grad(z) = 1",
        "∂z/∂u2 = 1",
        "grad(u2) = grad(z) · ∂z/∂u2 = 1 · 1 = 1",
        "∂z/∂u1 = 1",
        "grad(u1) = grad(z) · ∂z/∂u1 = 1 · 1 = 1",
        "∂u2/∂x = -2",
        "∂u1/∂x = 2*x = 6",
        "grad(x) = grad(u2) · ∂u2/∂x + grad(u1) · ∂u1/∂x = 1 · (-2) + 1 · 6 = 4",
    ]


def test_an_input_taken_twice_has_the_sum_of_both_derivatives() -> None:
    x = Value(3.0, label="x")
    assert "∂u1/∂x = x + x = 6" in explain_gradient(x * x, x).text


def test_symbols_have_no_numbers_but_a_closed_form() -> None:
    x, y = Symbol("x"), Symbol("y")
    assert explain_gradient(mg.log(x * y), x).text.splitlines() == [
        "u1 = x*y",
        "u2 = log(u1)",
        "",
        "grad(u2) = 1",
        "∂u2/∂u1 = 1/u1",
        "grad(u1) = grad(u2) · ∂u2/∂u1",
        "∂u1/∂x = y",
        "grad(x) = grad(u1) · ∂u1/∂x",
        "grad(x) = 1/(x*y)*y",
    ]


def test_latex_and_markdown() -> None:
    w, x = Value(1.0, label="w"), Value(2.0, label="x")
    explanation = explain_gradient(labelled(w * x, "z"), w)
    assert explanation.latex == (
        r"\begin{aligned} z &= w x = 2 \\ \operatorname{grad}(z) &= 1 \\ \frac{\partial z}{\partial w} &= x = 2 \\ "
        r"\operatorname{grad}(w) &= \operatorname{grad}(z) \cdot \frac{\partial z}{\partial w} = 1 \cdot 2 = 2 "
        r"\end{aligned}"
    )
    assert explanation._repr_latex_() == rf"$\displaystyle {explanation.latex}$"
    assert explanation._repr_markdown_().startswith("The chain rule, from z down to w:\n\n$$\n\\begin{aligned}")
    assert repr(explanation) == str(explanation) == explanation.text


def test_the_numbers_are_those_of_grad_table() -> None:
    model = MLP(2, [3, 1], activation="tanh", rng=1)
    loss = (model([0.5, -1.0]) - 1) ** 2
    table = grad_table(loss)
    for path, parameter in model.named_parameters():
        last = explain_gradient(loss, parameter, digits=12).text.splitlines()[-1]
        assert last.startswith(f"grad({path}) = ")
        assert float(last.split(" = ")[-1].strip("()")) == pytest.approx(table[parameter], rel=1e-10)


def test_an_inner_node_and_the_output_itself() -> None:
    x = Value(2.0, label="x")
    u = labelled(x * 3, "u")
    z = labelled(mg.exp(u), "z")
    assert explain_gradient(z, u, digits=3).text.splitlines()[-2:] == [
        "∂z/∂u = z = 403",
        "grad(u) = grad(z) · ∂z/∂u = 1 · 403 = 403",
    ]
    assert explain_gradient(z, z).text == "grad(z) = 1"


def test_a_parameter_without_influence_has_gradient_0() -> None:
    x, y = Value(2.0, label="x"), Value(1.0)
    assert explain_gradient(labelled(x * 3, "z"), y).text.splitlines()[-2:] == ["grad(z) = 1", "grad(y) = 0"]


def test_a_variable_names_its_value() -> None:
    weight = Value(2.0)
    assert "grad(weight) = grad(u1) · ∂u1/∂weight = 1 · 3 = 3" in explain_gradient(weight * 3, weight).text


def test_a_parameter_without_a_name_is_numbered_as_results_are() -> None:
    u = Value(2.0) * 3
    text = explain_gradient(u, u.parents[0]).text
    assert "grad(u1) = grad(u) · ∂u/∂u1 = 1 · 3 = 3" in text


def test_strong_zeros() -> None:
    x = Value(-1.0, label="x")
    z = mg.where(x > 0, mg.log(x), 0.0)
    assert math.isnan(mg.log(x).data)
    assert explain_gradient(z, x).text.endswith(" = 0")


def test_a_long_path_raises_with_a_remedy() -> None:
    x = Value(1.0, label="x")
    z = x
    for _ in range(100):
        z = z + 1
    with pytest.raises(GraphTooLargeError, match=r"101 nodes .* limit="):
        explain_gradient(z, x)
    assert explain_gradient(z, x, limit=101).text.endswith("= 1")


def test_non_nodes_raise() -> None:
    with pytest.raises(TypeError, match="got 2"):
        explain_gradient(Value(1.0), 2)


def test_numbers_of_results_are_those_of_the_table() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    y = (a * a) * 5 + (b * b) * 7
    text, table = explain_gradient(y, b).text, str(grad_table(y))
    assert "u3 = b*b = 9" in text
    assert "u3 = b · b" in table


def test_equal_labels_are_told_apart_as_in_the_table() -> None:
    first, second = Value(2.0, label="x"), Value(3.0, label="x")
    y = first * second
    assert "y = x*x_2 = 6" in explain_gradient(y, first).text
    assert "y = x · x_2" in str(grad_table(y))


def test_a_long_chain_is_explained_with_the_limit_raised():
    node = x = Value(1.0, label="x")
    for _ in range(1200):
        node = node * 1.0001
    text = explain_gradient(node, x, limit=10**6).text
    assert text.count("\ngrad(") == 1201


def test_local_derivatives_of_too_many_inputs_are_refused():
    x = Value(1.0, label="x")
    output = mg.sum([x * i for i in range(2000)])
    with pytest.raises(GraphTooLargeError, match="4004000 inputs, more than 2000000"):
        explain_gradient(output, x, limit=10**6)
