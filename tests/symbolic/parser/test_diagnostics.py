"""Errors of typed expressions: carets under the error, and a remedy."""

import pytest
from hypothesis import given, strategies as st

from microgradlib.errors import ExpressionError
from microgradlib.symbolic.parser import build


def message_of(text: str, **variables: float) -> str:
    with pytest.raises(ExpressionError) as caught:
        build(text, variables)
    return str(caught.value)


def number_or_message(text: str, **variables: float) -> float | str:
    try:
        result = build(text, variables)
    except ExpressionError as error:
        return str(error)
    assert isinstance(result, float)
    return result


def marked(text: str, **variables: float) -> str:
    """Return the text above the carets of the message."""
    lines = message_of(text, **variables).splitlines()
    carets = next(index for index, line in enumerate(lines) if line.strip() and not line.strip(" ^"))
    start, end = lines[carets].index("^"), lines[carets].rindex("^") + 1
    return lines[carets - 1][start:end]


@given(st.text(max_size=40) | st.text("x12+-*/()<>=,. \n[]'sin", max_size=40))
def test_any_text_gives_a_number_or_an_expression_error(text: str) -> None:
    result = number_or_message(text, x=1.0, s=2.0)
    assert isinstance(result, float) or "^" in result


@pytest.mark.parametrize(
    ("text", "under", "remedy"),
    [
        ("tnah(x)", "tnah", "Did you mean tanh?"),
        ("1 + ln(x)", "ln", "Did you mean log?"),
        ("x ^ 2", "^", "Write ** for a power"),
        ("x²", "²", "Write **2"),
        ("2x", "2x", "Write 2*x"),
        ("3 (x)", "3 (", "Write 3*(...)"),
        ("(x)(x)", ")(", "an operator is missing"),
        ("x x", "x x", "Write x*x"),
        ("x + slope", "slope", "no number is given for 'slope'"),
        ("x + 1 < pi < 3", "x + 1 < pi < 3", "Compare two numbers at a time"),
        ("tanh(x, x)", "tanh(x, x)", "takes 1 argument, got 2"),
        ("tanh()", "tanh()", "takes 1 argument, got 0"),
        ("atan2(x)", "atan2(x)", "takes 2 arguments, got 1"),
        ("sum()", "sum()", "at least 1"),
        ("tanh + 1", "tanh", "Write tanh(...)"),
        ("x(2)", "x", "Write x*(...)"),
        ("x.data", ".", "Attributes are not allowed"),
        ("().__class__", ".", "Attributes are not allowed"),
        ("lambda q: q", "lambda", "a keyword of Python"),
        ("x if x else 1", "if", "where(condition, a, b)"),
        ("[q for q in x]", "[", "Lists and indexing"),
        ("x[0]", "[", "Lists and indexing"),
        ("{x}", "{", "Sets and dictionaries"),
        ("'x'", "'", "Text is not allowed"),
        ("__import__('os')", "'", "Text is not allowed"),
        ("x := 2", ":", "cannot be used here"),
        ("y = x", "=", "Write only the expression"),
        ("x == 2", "==", "Compare with <"),
        ("x // 2", "//", "floor(a / b)"),
        ("x % 2", "%", "floor(a/b)"),
        ("x × 2", "×", "Write *"),
        ("x − 2", "−", "Write -"),
        ("max(*x)", "*", "a number or a name is missing"),
        ("x * / 2", "/", "a number or a name is missing"),
        ("(x + 1", "(", "never closed"),
        ("x + 1)", ")", "has no matching ("),
        ("0,5", ",", "not 0,5"),
        ("tanh(x,)", ")", "a number or a name is missing"),
        ("1e999", "1e999", "too large"),
        ("x + 007", "007", "Write 7"),
        ("add(x, x)", "add", "unknown function"),
        ("True", "True", "1 and 0 for True and False"),
        ("λ + β*tnah(x)", "λ", "no number is given for 'λ'"),
        ("x*\n(x +\n  tnah(x))", "tnah", "Did you mean tanh?"),
    ],
)
def test_errors_mark_the_text_and_name_a_remedy(text: str, under: str, remedy: str) -> None:
    assert marked(text, x=1.0) == under
    assert remedy in message_of(text, x=1.0)


def test_carets_count_letters_not_bytes() -> None:
    assert message_of("αβγ + tnah(αβγ)", αβγ=1.0).splitlines()[1:3] == [
        "    αβγ + tnah(αβγ)",
        "          ^^^^",
    ]


def test_carets_give_wide_letters_two_columns() -> None:
    assert message_of("重 + tnah(重)", 重=1.0).splitlines()[2] == "         ^^^^"


def test_carets_in_a_text_of_several_lines() -> None:
    assert message_of("ä +\n  b*\n ö ^ 2", ä=1.0, b=1.0, ö=1.0).splitlines()[1:5] == [
        "    ä +",
        "      b*",
        "     ö ^ 2",
        "       ^",
    ]


def test_a_text_that_ends_too_early_is_marked_past_its_end() -> None:
    assert message_of("x + ", x=1.0).splitlines()[:3] == ["the expression ends too early", "    x + ", "       ^"]


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n"])
def test_an_empty_text(text: str) -> None:
    assert message_of(text).startswith("the expression is empty")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1+" * 1999 + "1", ""),
        ("(" * 1999 + "1" + ")" * 1999, "nested more than 100 deep"),
        ("-" * 3000 + "1", "nested more than 100 deep"),
        ("1**" * 1300 + "1", "nested more than 100 deep"),
        ("tanh(" * 500 + "1" + ")" * 500, "nested more than 100 deep"),
        ("1*(2+" * 600 + "1" + ")" * 600, "nested more than 100 deep"),
        ("1+" * 10**6 + "1", "more than the 4000 allowed"),
        ("(" * 10**6, "more than the 4000 allowed"),
    ],
)
def test_huge_texts_are_evaluated_or_raise(text: str, words: str) -> None:
    result = number_or_message(text)
    if isinstance(result, float):
        assert (result, words) == (2000.0, "")
    else:
        assert words in result
        assert max(map(len, result.splitlines()[:-1])) < 100


def test_no_line_of_a_message_is_long() -> None:
    wide = "x + " * 300
    message = number_or_message(f"({wide}\n{wide} tnah(x) +\n\u2028{wide}1)", x=1.0)
    assert max(map(len, message.splitlines()[:-1])) < 100
    assert max(map(len, number_or_message("y" * 3900).splitlines())) < 2_100


def test_the_deepest_allowed_expression_is_computed() -> None:
    assert build("(" * 99 + "1" + ")" * 99, {}) == 1.0
    assert build("tanh(" * 90 + "0" + ")" * 90, {}) == 0.0
    assert build("-" * 100 + "1", {}) == 1.0


def test_a_long_line_is_cut_around_the_error() -> None:
    text = "x + " * 100 + "tnah(x)" + " + x" * 100
    assert marked(text, x=1.0) == "tnah"
