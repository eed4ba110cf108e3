"""Krylov methods on the loss of a small network, against its dense Hessian."""

import subprocess
import sys

import pytest

from microgradlib import grad_table, hessian, tanh
from microgradlib.core.list_functions import mean
from microgradlib.core.value import Value
from microgradlib.data import moons
from microgradlib.krylov import hessian_operator, hessian_products
from microgradlib.nn import MLP

numpy = pytest.importorskip("numpy")
linalg = pytest.importorskip("scipy.sparse.linalg")


@pytest.fixture(scope="module")
def problem():
    """Return a network's loss with weight decay, its parameters, and its dense Hessian, column by column."""
    data = moons(20, rng=0)
    model = MLP([2, 4, 1], activation="tanh", rng=0)
    parameters = model.parameters()
    errors = [(model(x) - (2 * t - 1)) ** 2 for x, t in zip(data.inputs, data.targets)]
    loss = mean(errors) + sum(p * p for p in parameters)

    def by_formula(numbers):
        """The same loss, written out without the library's networks."""
        hidden, output = numbers[:12], numbers[12:]
        total = 0.0
        for x, t in zip(data.inputs, data.targets):
            h = [tanh(hidden[3 * i] * x[0] + hidden[3 * i + 1] * x[1] + hidden[3 * i + 2]) for i in range(4)]
            total = total + (sum(w * a for w, a in zip(output, h)) + output[4] - (2 * t - 1)) ** 2
        return total / len(data.inputs) + sum(p * p for p in numbers)

    formed = numpy.array(hessian(by_formula)([p.data for p in parameters]))
    return loss, parameters, formed


def test_products_equal_those_of_the_dense_hessian(problem):
    loss, parameters, formed = problem
    operator = hessian_operator(loss, parameters)
    assert operator.shape == (17, 17)
    numpy.testing.assert_allclose(operator @ numpy.eye(17), formed, rtol=1e-11, atol=1e-12)


def test_conjugate_gradients_solve_a_linear_system(problem):
    loss, parameters, formed = problem
    table = grad_table(loss)
    g = numpy.array([table[p] for p in parameters])
    assert numpy.linalg.eigvalsh(formed).min() > 0  # what conjugate gradients need
    solution, status = linalg.cg(hessian_operator(loss, parameters), g, rtol=1e-12)
    assert status == 0
    numpy.testing.assert_allclose(solution, numpy.linalg.solve(formed, g), rtol=1e-8, atol=1e-10)


def test_lanczos_finds_extreme_eigenvalues(problem):
    loss, parameters, formed = problem
    operator = hessian_operator(loss, parameters)
    start = numpy.ones(17)
    both_ends = linalg.eigsh(operator, k=4, which="BE", v0=start, return_eigenvectors=False)
    expected = numpy.linalg.eigvalsh(formed)
    numpy.testing.assert_allclose(sorted(both_ends), [*expected[:2], *expected[-2:]], rtol=1e-8)


def test_an_unused_input_has_a_zero_row():
    x, y = Value(2.0), Value(3.0)
    assert hessian_operator(x**3, [x, y]).matvec([1.0, 1.0]).tolist() == [12.0, 0.0]


@pytest.mark.parametrize("v", [[1.0], [1.0, 2.0, 3.0], []])
def test_a_vector_of_another_length_raises(v):
    x, y = Value(2.0), Value(3.0)
    with pytest.raises(ValueError, match=f"each of the 2 inputs, got {len(v)}"):
        hessian_products(x * y, [x, y])(v)
    with pytest.raises(ValueError, match="twice"):
        hessian_products(x * y, [x, x])


def test_missing_scipy_names_the_extra():
    program = (
        "import sys; sys.modules['scipy'] = sys.modules['scipy.sparse'] = sys.modules['scipy.sparse.linalg'] = None\n"
        "from microgradlib import Value\nfrom microgradlib.krylov import hessian_operator\n"
        "x = Value(1.0)\nhessian_operator(x * x, [x])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert 'pip install "microgradlib[scipy]"' in result.stderr
