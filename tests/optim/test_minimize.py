"""SciPy's minimisers on losses with known minimisers, and exceptions during minimisation."""

import math
import subprocess
import sys
from itertools import pairwise

import pytest

from microgradlib import Value, no_grad, softplus
from microgradlib.core.list_functions import sum as total
from microgradlib.errors import LostDerivativeWarning
from microgradlib.optim import minimize
from microgradlib.optim.minimize import METHODS

np = pytest.importorskip("numpy")
optimize = pytest.importorskip("scipy.optimize")

# A table of counts: of the examples with x = 0, 3 in 10 are positive; with x = 1, 8 in 10.
EXAMPLES = [(0.0, 1.0)] * 3 + [(0.0, 0.0)] * 7 + [(1.0, 1.0)] * 8 + [(1.0, 0.0)] * 2
each = pytest.mark.parametrize("method", METHODS)
NEWTON = [name for name, taken in METHODS.items() if "hessp" in taken]


def tight(method):
    """Return options for tighter tolerances than the defaults of the method."""
    if method == "trust-krylov":  # SciPy's may end before a smaller gradient, on its own derivatives too
        return {"options": {"gtol": 1e-6, "inexact": False}}
    if method == "trust-constr":
        return {"options": {"gtol": 1e-10, "xtol": 1e-12}}
    return {"tol": 1e-12 if method in {"SLSQP", "TNC", "L-BFGS-B", "Newton-CG"} else 1e-9}


def rosenbrock(x, y):
    return lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2


@each
def test_rosenbrocks_valley(method):
    x, y = Value(-1.2), Value(1.0)
    x.grad = 7.0
    result = minimize(rosenbrock(x, y), [x, y], method=method, **tight(method))
    assert [x.data, y.data] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert [x.data, y.data] == result.x.tolist()
    assert type(x.data) is float
    assert result.fun == pytest.approx(0.0, abs=1e-12)
    assert x.grad == 7.0


@each
def test_logistic_regression(method):
    """The fitted probabilities are the relative frequencies, so b = logit 0.3 and w + b = logit 0.8."""
    w, b = Value(0.0), Value(0.0)

    def loss():
        return total([softplus(w * x + b) - t * (w * x + b) for x, t in EXAMPLES])

    result = minimize(loss, [w, b], method=method, **tight(method))
    assert [b.data, w.data + b.data] == pytest.approx([math.log(3 / 7), math.log(4)], abs=1e-6)
    entropy = -(0.3 * math.log(0.3) + 0.7 * math.log(0.7) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2)) * 10
    assert result.fun == pytest.approx(entropy, rel=1e-12)


@pytest.fixture
def fed(monkeypatch):
    """Count the calls of fun, jac and hessp by name, and check their results against formulas."""
    calls = {"fun": 0, "jac": 0, "hessp": 0}
    original = optimize.minimize

    def watched(fun, x0, **keywords):
        def counting(name, function):
            def counted(*arguments):
                calls[name] += 1
                answer = function(*arguments)
                np.testing.assert_allclose(answer, TRUTH[name](*arguments), rtol=1e-9, atol=1e-9)
                return answer

            return counted

        for name in ("jac", "hessp"):
            if name in keywords:
                keywords[name] = counting(name, keywords[name])
        return original(counting("fun", fun), x0, **keywords)

    monkeypatch.setattr(optimize, "minimize", watched)
    return calls


TRUTH = {
    "fun": lambda x: optimize.rosen(x),
    "jac": lambda x: optimize.rosen_der(x),
    "hessp": lambda x, v: optimize.rosen_hess_prod(x, v),
}


@each
def test_scipy_receives_exact_derivatives(method, fed):
    x, y = Value(-1.2), Value(1.0)
    minimize(rosenbrock(x, y), [x, y], method=method)
    assert fed["fun"] > 0
    assert fed["jac"] > 0
    assert (fed["hessp"] > 0) == (method in NEWTON)


@each
def test_each_point_is_evaluated_once(method, fed):
    x, y = Value(-1.2), Value(1.0)
    loss, seen = rosenbrock(x, y), []

    def counted():
        seen.append((x.data, y.data))
        return loss()

    minimize(counted, [x, y], method=method)
    assert all(one != next_one for one, next_one in pairwise(seen))
    assert len(seen) <= fed["fun"] + 1


def test_a_trust_region_reuses_the_previous_point(fed):
    x, y = Value(-1.2), Value(1.0)
    loss, seen = rosenbrock(x, y), []
    minimize(lambda: (seen.append((x.data, y.data)), loss())[1], [x, y], method="trust-ncg")
    assert len(seen) == len(set(seen))


def test_gradients_are_recorded_even_inside_no_grad():
    x, y = Value(-1.2), Value(1.0)
    with no_grad():
        minimize(rosenbrock(x, y), [x, y], method="trust-krylov")
    assert [x.data, y.data] == pytest.approx([1.0, 1.0], abs=1e-3)


def test_options_go_to_scipy():
    x, y, path = Value(-1.2), Value(1.0), []
    result = minimize(
        rosenbrock(x, y), (p for p in (x, y)), "L-BFGS-B", bounds=[(-2, 0.5), (None, None)], callback=path.append
    )
    assert [x.data, y.data] == pytest.approx([0.5, 0.25], abs=1e-5)
    assert len(path) == result.nit
    x.data, y.data = -1.2, 1.0
    assert not minimize(rosenbrock(x, y), [x, y], "BFGS", options={"maxiter": 2}).success
    assert optimize.rosen([x.data, y.data]) < optimize.rosen([-1.2, 1.0])


def test_an_unused_parameter_is_unchanged():
    x, idle = Value(3.0), Value(5.0)
    minimize(lambda: (x - 1) ** 2, [x, idle], "Newton-CG")
    assert x.data == pytest.approx(1.0, abs=1e-9)
    assert idle.data == 5.0
    minimize(lambda: (x - 4) ** 2, x)
    assert x.data == pytest.approx(4.0, abs=1e-6)


def test_bounds_are_pairs_in_a_list_an_array_or_scipys_own():
    for bounds in ([(1, None)], ((1.0, 5.0),), np.array([[1, 5]]), optimize.Bounds([1.0], [5.0])):
        x = Value(3.0)
        minimize(lambda x=x: x * x, [x], bounds=bounds)
        assert x.data == 1.0


def test_a_loss_of_which_nothing_can_be_learnt_is_said():
    x, y = Value(3.0), Value(5.0)
    with pytest.warns(LostDerivativeWarning, match="the loss depends on none of the parameters"):
        minimize(lambda: x * x, [y])
    with pytest.warns(LostDerivativeWarning, match=r"float\(value\) gives a plain number here"):
        minimize(lambda: float(x) * y * y, [x, y])


@each
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_parameters_are_restored_after_an_error(method, error):
    x, y = Value(-1.2), Value(1.0)
    loss, calls = rosenbrock(x, y), []

    def interrupted():
        calls.append(x.data)
        if len(calls) == 4:
            raise error
        return loss()

    with pytest.raises(error):
        minimize(interrupted, [x, y], method=method)
    assert calls[-1] != -1.2
    assert [x.data, y.data] == [-1.2, 1.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: minimize(lambda: x * x, [x], "Nelder-Mead"), ValueError, "no method with derivatives 'Nelder-Mead'"),
        (lambda x: minimize(lambda: x * x, [x], "BFSG"), ValueError, "did you mean 'BFGS'"),
        (lambda x: minimize(x * x, [x]), TypeError, "loss must be a function without arguments"),
        (lambda x: minimize(lambda: 3.0, [x]), TypeError, r"loss\(\) must return the loss as a Value, got 3.0"),
        (lambda x: minimize(lambda: x * x, []), ValueError, "no parameters"),
        (lambda x: minimize(lambda: x * x, [x * x]), ValueError, "was computed by"),
        (lambda x: minimize(lambda: x * x, [x], jac=None), TypeError, "jac"),
        (lambda x: minimize(lambda: x * x, [x], colour="red"), TypeError, "colour"),
        (
            lambda x: minimize(lambda: x * x, [x], bounds=[(0, 1)] * 2),
            ValueError,
            r"pairs .* each of 1 parameters, got",
        ),
        (lambda x: minimize(lambda: x * x, [x], bounds=3), ValueError, r"bounds must be a list of pairs \(low, high\)"),
        (lambda x: minimize(lambda: x * x, [x], bounds=[(1, 0)]), ValueError, r"bounds\[0\] must be a pair .*\(1, 0\)"),
        (
            lambda x: minimize(lambda: x * x, [x], bounds=[("a", 1)]),
            TypeError,
            r"bounds\[0\] must be a number, got 'a'",
        ),
        (lambda x: minimize(lambda: x * x, [x], callback=3), TypeError, "callback must be a function .*, got 3"),
    ],
)
def test_invalid_input_raises(call, error, message):
    x = Value(2.0)
    with pytest.raises(error, match=message):
        call(x)
    assert x.data == 2.0


def test_missing_scipy_names_the_extra():
    program = (
        "import sys; sys.modules['scipy'] = sys.modules['scipy.optimize'] = None\n"
        "from microgradlib import Value, optim\nx = Value(1.0)\noptim.minimize(lambda: x * x, [x])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert 'pip install "microgradlib[scipy]"' in result.stderr
