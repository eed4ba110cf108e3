"""Exponentials of softmax's kin are kept from an op to its adjoint, over numbers that nothing else reads."""

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

import microgradlib as mg
from microgradlib import Value, costs
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.native.flow import flows_of
from microgradlib.compiler.planning import plan

W = [[Value(w) for w in row] for row in np.random.default_rng(0).normal(size=(5, 3)).tolist()]
PARAMETERS = [w for row in W for w in row]


def logits(x):
    return [mg.dot(row, x) for row in W]


KEPT = {
    "logsumexp": lambda x: mg.logsumexp(logits(x[:3])),
    "a label": lambda x: costs.cross_entropy(logits(x[:3]), 2),
    "weights": lambda x: costs.cross_entropy(logits(x[:3]), x[3:]),
    "a copy": lambda x: mg.logsumexp(z := logits(x[:3])) + costs.cross_entropy(z, 1),
    "two rows": lambda x: costs.cross_entropy(logits(x[:3]), 1) * costs.cross_entropy(logits(x[2:5]), 1),
}
READ_AGAIN = {
    "in a sum": lambda x: mg.logsumexp(z := logits(x[:3])) + z[1],
    "by another op": lambda x: mg.logsumexp(z := logits(x[:3])) * mg.maximum(*z),
    "its own product": lambda x: mg.dot(z := logits(x[:3]), z) + mg.logsumexp(z),
    "an input": lambda x: mg.logsumexp([*x[:3], *x[3:]]) * W[0][0],
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("name", [*KEPT, *READ_AGAIN])
def test_gradients_are_those_of_numpy(name, batch, dtype):
    x = np.random.default_rng(batch).uniform(0.1, 2, size=(batch, 8)).astype(dtype)
    function = {**KEPT, **READ_AGAIN}[name]
    fast, expected = (compiled(function, PARAMETERS, backend=backend, dtype=dtype) for backend in ("native", "numpy"))
    (mean, gradient), (expected_mean, expected_gradient) = (each.value_and_grad(x) for each in (fast, expected))
    rtol = 1e-12 if dtype == "float64" else 1e-4
    assert mean == pytest.approx(expected_mean, rel=rtol)
    assert gradient == pytest.approx(expected_gradient, rel=rtol, abs=rtol)
    keeps = [flow.keeps for flow in flows_of(plan(fast._last.engine.joint("gradient")))]
    assert sum(keeps) == (2 if name in KEPT else 0)


@pytest.mark.parametrize("name", KEPT)
def test_numbers_that_are_not_finite(name):
    for odd in (np.inf, -np.inf, np.nan, 1e300, 800.0):
        x = np.ones((12, 8))
        x[7, 1] = odd
        results = [compiled(KEPT[name], PARAMETERS, backend=b).value_and_grad(x) for b in ("native", "numpy")]
        (mean, gradient), (expected_mean, expected_gradient) = results
        assert mean == pytest.approx(expected_mean, rel=1e-12, nan_ok=True)
        assert gradient == pytest.approx(expected_gradient, rel=1e-12, abs=1e-12, nan_ok=True)
