"""Labels set as mathematics, and those that are names of variables and stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.viz.math_text import Piece, pieces, plain, width


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("x_1^(2)", [("x", 0), ("1", -1), ("(2)", 1)]),
        ("w_{20}^{(1)}", [("w", 0), ("20", -1), ("(1)", 1)]),
        ("h_t", [("h", 0), ("t", -1)]),
        ("h_{t-1}", [("h", 0), ("t−1", -1)]),
        (r"\theta", [("θ", 0)]),
        (r"\sigma'", [("σ′", 0)]),
        (r"\theta_1", [("θ", 0), ("1", -1)]),
        (r"\partial L/\partial w_1", [("∂L/∂w", 0), ("1", -1)]),
        (r"\hat{y}", [("y\u0302", 0)]),
        (r"\frac{\partial L}{\partial w_1}", [("∂L/∂w", 0), ("1", -1)]),
        (r"\frac{a + b}{2}", [("(a + b)/2", 0)]),
        (r"\sqrt{x}", [("√x", 0)]),
        (r"\log p", [("log p", 0)]),
        (r"\mathbf{w}_1", [("w", 0), ("1", -1)]),
        ("$x_1$", [("x", 0), ("1", -1)]),
        ("x^2", [("x", 0), ("2", 1)]),
        ("x^-1", [("x", 0), ("−1", 1)]),
        ("x_1'", [("x", 0), ("1", -1), ("′", 0)]),
        ("z_k^*", [("z", 0), ("k", -1), ("*", 1)]),
        ("(x + y)^2", [("(x + y)", 0), ("2", 1)]),
        ("log softmax(z)_y", [("log softmax(z)", 0), ("y", -1)]),
    ],
)
def test_what_is_set(label: str, expected: list[tuple[str, int]]) -> None:
    assert [(piece.text, piece.level) for piece in pieces(label)] == expected


@pytest.mark.parametrize(
    "label",
    [
        "w_out", "my_var_name", "x_train", "a_b_c", "x_i_j", "x_1_2", "x_", "_x", "__init__", "W_xh", "x_12a", "a_1_",
        "d_1x", "it's", "layers.0.w.1", "", " ", "^2", "x^", "x^{2", "x_{}", "x_{{1}}", r"C:\new", r"\foo_1", r"\hat y",
        r"\frac{a}", r"\frac{a}{",
        "_", "\\", "$", "x_1" * 100,
    ],
)  # fmt: skip
def test_what_stays_as_it_is(label: str) -> None:
    assert pieces(label) == (Piece(label),)
    assert plain(label) == label


@pytest.mark.parametrize(
    ("label", "text"),
    [("x_1^(2)", "x₁⁽²⁾"), ("w_{20}", "w₂₀"), (r"\theta^{a,b}", "θ^{a,b}"), ("z_k^*", "zₖ^*"), ("z_y", "z_y")],
)
def test_terminals_get_unicode_where_all_of_it_exists(label: str, text: str) -> None:
    assert plain(label) == text


WORD = st.text("abkxyz012", min_size=2, max_size=5)


@settings(max_examples=50)
@given(st.builds("{}{}_{}".format, st.sampled_from("awX"), WORD, WORD))
def test_names_of_variables_stay_as_they_are(name: str) -> None:
    assert pieces(name) == (Piece(name),)


@given(st.text(alphabet="xy1_^{}()\\ $'αθ", max_size=12) | st.text(max_size=20))
def test_any_text_is_set_without_loss(label: str) -> None:
    found = pieces(label)
    assert found
    letters = [c for c in label if c.isalnum() and c.isascii()]
    if "\\" not in label:
        assert [c for piece in found for c in piece.text if c.isalnum() and c.isascii()] == letters
    assert width(label, 10) >= 0
    assert isinstance(plain(label), str)


def test_scripts_are_narrower_than_the_same_text_on_the_line() -> None:
    assert width("x_1", 10) < width("x1", 10)
    assert width("x_1", 10, mono=True) < width("x1", 10, mono=True)
