"""The elementary functions on arrays, and what passes need beside them, against plain Python and C's pow."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.compiler.numpy_functions import array_functions, as_column, grouped, is_finite
from microgradlib.ops import TABLE

BASES = [-math.inf, -2.0, -1.0, -0.0, 0.0, 0.25, 1.0, 3.0, math.inf, math.nan]


@given(st.lists(st.integers(-3, 3), max_size=12))
def test_numbers_are_grouped_in_order(numbers):
    unique, order, counts = (part.tolist() for part in grouped(np.array(numbers, int)))
    assert unique == sorted(set(numbers))
    assert order == sorted(range(len(numbers)), key=numbers.__getitem__)
    assert counts == [numbers.count(number) for number in unique]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1.0, -2.0], True),
        ([[1e200, 0.0], [0.0, -1e200]], True),  # the sum of their squares is not
        ([1e200, math.inf], False),
        ([[0.0, -math.inf]], False),
        ([math.nan], False),
        ([], True),
    ],
)
def test_numbers_are_finite_if_all_are(numbers, expected):
    with np.errstate(over="ignore", invalid="ignore"):
        assert is_finite(np.array(numbers)) is expected


@pytest.mark.parametrize(("shape", "expected"), [((2,), (2,)), ((2, 3), (2, 3)), ((2, 3, 4), (2, 12))])
def test_a_column_has_at_most_one_axis_behind_the_batch(shape, expected):
    array = np.zeros(shape)
    assert as_column(array).shape == expected
    assert (as_column(array) is array) == (shape == expected)


@pytest.mark.parametrize("power", [0.5, 1.5, -0.5, 2.0, 0.0, 1.0])
@pytest.mark.parametrize("form", [float, lambda y: np.array([y]), lambda y: np.array([[y]]), lambda y: np.full(10, y)])
def test_powers_are_those_of_the_op(power, form):
    x, function = np.array(BASES), TABLE["pow"].compute
    with np.errstate(all="ignore"):
        found = np.ravel(array_functions().pow(x, form(power)))
    for one, base in zip(found.tolist(), BASES):
        expected = function(base, power)
        assert one == pytest.approx(expected, rel=1e-15, nan_ok=True)
        assert math.isnan(expected) or math.copysign(1.0, one) == math.copysign(1.0, expected)


@pytest.mark.parametrize("name", ["erf", "gamma", "lgamma", "sigmoid", "maximum", "minimum"])
def test_functions_that_numpy_lacks_are_those_of_the_ops(name):
    op, x = TABLE.get(name), np.array([0.5, 1.5, -0.25])
    if op is None:
        assert getattr(array_functions(), name)(x).tolist() == [getattr(math, name)(number) for number in x.tolist()]
        return
    arguments = (x, x[::-1]) if op.variadic else (x,)
    found = getattr(array_functions(), name)(*arguments)
    assert found.tolist() == pytest.approx([op.compute(*numbers) for numbers in zip(*[a.tolist() for a in arguments])])


def test_functions_of_three_are_reduced():
    x, y, z = np.array([1.0, 5.0]), np.array([2.0, 4.0]), np.array([3.0, 3.0])
    assert array_functions().maximum(x, y, z).tolist() == [3.0, 5.0]
    assert array_functions().minimum(x, y, z).tolist() == [1.0, 3.0]
    assert array_functions().polygamma(np.array([1.0]), np.array([1.0]))[0] == pytest.approx(math.pi**2 / 6)
    assert array_functions().undefined(x).tolist() == pytest.approx([math.nan] * 2, nan_ok=True)
    assert array_functions().detach(x) is array_functions().closed_at_zero(x) is x
