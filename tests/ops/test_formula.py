"""The writer of formulas: parentheses by precedence, checked by Python's parser."""

import math

import pytest
from hypothesis import given, strategies as st

from microgradlib._support.floats import FLOATS
from microgradlib.listing.formula import ArrayFormula
from microgradlib.ops import TABLE
from microgradlib.ops.formula import Formula, write_op
from microgradlib.symbolic.latex import Latex
from microgradlib.symbolic.text import Text

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a ** (b * b),
    "<": lambda a, b: (a < b) * 1.0,
}
NUMBERS = {"a": 1.5, "b": -0.75, "c": 3.0}

leaves = st.sampled_from([*NUMBERS, -2.0, 0.5])
trees = st.recursive(
    leaves,
    lambda inner: st.tuples(st.sampled_from([*OPERATORS]), inner, inner) | st.tuples(st.just("neg"), inner),
    max_leaves=12,
)


def build(tree, leaf):
    if not isinstance(tree, tuple):
        return leaf(tree)
    operands = [build(branch, leaf) for branch in tree[1:]]
    return -operands[0] if tree[0] == "neg" else OPERATORS[tree[0]](*operands)


def attempt(compute):
    try:
        return compute()
    except (ArithmeticError, TypeError):  # 1/0, a float that overflows, and an order of complex numbers
        return None


@pytest.mark.parametrize("dialect", [Formula, Text, ArrayFormula])
@given(tree=trees)
def test_python_evaluates_the_text_to_the_same_tree(dialect, tree):
    formula = build(tree, lambda x: dialect.name(x) if isinstance(x, str) else dialect.number(x))
    expected = attempt(lambda: build(tree, lambda x: NUMBERS.get(x, x)))
    found = attempt(lambda: eval(str(formula), {}, NUMBERS))  # noqa: S307  arithmetic that was just written
    if expected is not None and expected == expected and found is not None:  # noqa: PLR0124  not nan
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_parentheses_only_where_precedence_needs_them():
    a, b, c = Formula("a"), Formula("b"), Formula("c")
    assert str(a + (b + c)) == "a + b + c"
    assert str(a - (b + c)) == "a - (b + c)"
    assert str(a - b * c) == "a - b * c"
    assert str(a + -b) == "a - b"
    assert str(a - (-b)) == "a - (-b)"
    assert str(-a * b) == "-a * b"
    assert str(a * -b) == "a * (-b)"
    assert str((-a) ** 2) == "(-a)**2"
    assert str(a**-2) == "a**-2"
    assert str((a**b) ** c) == "(a**b)**c"
    assert str(a ** (b**c)) == "a**b**c"
    assert str((a @ b) @ c) == "(a @ b) @ c"
    assert str(a - b @ c) == "a - b @ c"
    assert str((a < b) * c) == "(a < b) * c"
    assert str(sum([a, b])) == "a + b"


def test_array_formulas_move_signs_and_numbers_to_the_front():
    a, b = ArrayFormula("a"), ArrayFormula("b")
    assert str(a * -b) == "-a * b"
    assert str(a * 2 * b * -3) == "-6 * a * b"
    assert str(a - -b) == "a + b"
    assert str(-(a + b) * -1) == "a + b"
    assert str(a * (1 / b)) == "a / b"
    assert str(2 * (a @ b)) == "2 * (a @ b)"
    assert str((a < b) < a) == "(a < b) < a"


def test_an_op_is_written_by_its_notation_in_every_dialect():
    expected = {Formula: "w * x + b", Text: "w*x + b", Latex: "w x + b", ArrayFormula: "w * x + b"}
    for dialect, text in expected.items():
        assert str(write_op(dialect, TABLE["dot"], [dialect.name(name) for name in "wxb"])) == text


@pytest.mark.parametrize("dialect", [Formula, Text, Latex, ArrayFormula])
def test_a_choice_of_1_and_0_is_its_condition(dialect):
    x = dialect.name("x")
    assert str(dialect.where(x > 0, 1.0, 0.0)) == "x > 0"


def test_powers_of_numbers_and_choices_between_zeros():
    x = Formula("x")
    assert str(2 ** (x + 1)) == "2**(x + 1)"
    assert str(Formula.where(x > 0, 0.0, 0.0)) == "0"
    assert str(Formula.where(x > 0, 0.0, x)) == str(Formula.where(x <= 0, x, 0.0))


class Counted:
    """The functions that notations call beside those of floats."""

    total, product = staticmethod(math.fsum), staticmethod(math.prod)

    def __getattr__(self, name):
        return getattr(FLOATS, name)


@pytest.mark.parametrize("op", [op for op in TABLE.values() if callable(op.notation)], ids=str)
def test_a_notation_is_a_formula_of_the_value(op):
    count = op.arity or 5
    intervals = [*op.sample, *[op.sample[-1]] * count][:count]
    numbers = [low + (0.9 - 0.1 * i) * (high - low) for i, (low, high) in enumerate(intervals)]
    assert op.notation(Counted(), *numbers) == pytest.approx(op.compute(*numbers), rel=1e-12)
