"""elementwise_grad: the diagonal of the Jacobian, and functions that are not element-wise."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from microgradlib import elementwise_grad, jacobian

arrays = hnp.arrays(float, hnp.array_shapes(min_dims=0, max_side=3, min_side=0, max_dims=2), elements=st.floats(-2, 2))


@given(arrays)
@settings(max_examples=25)
def test_elementwise_grad_is_the_diagonal(x):
    f = lambda x: np.sin(x) * x  # noqa: E731
    slopes = elementwise_grad(f)(x)
    assert slopes.shape == x.shape
    assert slopes.ravel().tolist() == np.diagonal(jacobian(f)(x).reshape(x.size, x.size)).tolist()
    assert elementwise_grad(elementwise_grad(f))(x) == pytest.approx(2 * np.cos(x) - x * np.sin(x))


def test_elementwise_grad_of_other_structures():
    assert elementwise_grad(lambda x: x**2)(3.0) == 6.0
    assert elementwise_grad(lambda xs: [x**2 for x in xs])([1.0, 2.0]) == [2.0, 4.0]
    assert elementwise_grad(lambda a, x: a * x, 1)(2.0, np.ones(2)).tolist() == [2.0, 2.0]
    assert elementwise_grad(lambda x: np.ones(2))(np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: elementwise_grad(lambda x: x.sum())(x), "shape of the argument"),
        (lambda x: elementwise_grad(lambda x: x[::-1])(x), "entry 0 of the output depends on other"),
        (lambda x: elementwise_grad(lambda x: x - x.mean())(x), "use jacobian"),
    ],
)
def test_functions_that_are_not_element_wise_raise(make, words):
    with pytest.raises(ValueError, match=words):
        make(np.array([1.0, 2.0]))
