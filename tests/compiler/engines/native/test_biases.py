"""Biases in products: sums start from them, and their gradients are additions beside a product's."""

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines.native import code
from microgradlib.compiler.llvm.matrices import MANY_REGISTERS
from microgradlib.nn import MLP

INPUTS, UNITS = (1, 2, 3, 4, 5, 9), (1, 3, 4, 5, 8, 17)


def gradients(loss, parameters, rows, dtype):
    """Return the mean and gradient by native code and by NumPy."""
    found = []
    for backend in ("native", "numpy"):
        fast = compiled(loss, parameters, backend=backend, dtype=dtype)
        mean, gradient = fast.value_and_grad(rows)
        found.append(np.append(gradient, mean))
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("inputs", "units"), [*zip(INPUTS * 2, UNITS[::-1] + UNITS)])
def test_layers_of_any_size(inputs, units, dtype):
    model = MLP(inputs, [units, 3], activation="tanh", rng=inputs)
    rows = np.random.default_rng(units).normal(size=(37, inputs)).astype(dtype)
    ours, theirs = gradients(lambda x: mg.sum(y * y for y in model(x)), model.parameters(), rows, dtype)
    np.testing.assert_allclose(
        ours, theirs, rtol=0, atol=(1e-13 if dtype == "float64" else 1e-5) * np.abs(theirs).max()
    )


def test_a_bias_that_is_not_finite_is_no_number_times_one():
    model = MLP(2, [5, 1], activation="relu", rng=0)
    model.parameters()[2].data = np.inf
    rows = np.random.default_rng(1).normal(size=(20, 2))
    for ours, theirs in zip(*gradients(lambda x: mg.tanh(model(x)), model.parameters(), rows, "float64")):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def test_they_are_in_tiles(monkeypatch):
    texts, write = [], code.write_module
    monkeypatch.setattr(code, "write_module", lambda *given: texts.append(write(*given)) or texts[-1])
    monkeypatch.setattr(code, "cached", lambda _, make: make())
    model = MLP(3, [16, 2], rng=0)
    gradients(lambda x: mg.sum(model(x)), model.parameters(), np.ones((9, 3)), "float64")
    tiles = [line for line in texts[-1].text.split("\n") if "define internal void @tile" in line]
    assert sum(".start" in line for line in tiles) == 2
    assert any(".ones" in line for line in tiles) == (code.host().registers == MANY_REGISTERS)
