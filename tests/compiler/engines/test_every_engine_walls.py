"""Random functions full of branches and infinities: an execution is right or not finite, and calls are right."""

from types import SimpleNamespace

import numpy as np
import pytest
from engine_checks import assert_none, engines
from random_walls import Walls

from microgradlib.compiler import compile as compiled

SLOW = pytest.mark.slow
NUDGE = 1 + 1e-9


def differs(ours, theirs, within=1e-8):
    """Return where numbers are not near; nan is near nan."""
    with np.errstate(invalid="ignore"):
        near = np.abs(ours - theirs) <= within * np.maximum(np.abs(theirs), 1.0)
    return ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)) | (near & np.isfinite(theirs)))


def executed(function, backend, row):
    """Return the outputs and the gradient of the first, by one execution on one example."""
    engine, given = compiled(function, function.parameters, backend=backend)._ready(([row],))
    with np.errstate(all="ignore"):
        outputs, (found,) = engine.execute(engine.joint("gradient"), *given, (1.0,))
    return SimpleNamespace(outputs=outputs[:, 0], gradient=found[np.argsort(engine.program.parameter_order)])


def faults(ours, theirs, nudged):
    """Return what is wrong in results of `executed`, unless the row's numbers, a little other, give other results too.

    A gradient may be wrong where a call would see that, as a number of it or of the first output is not finite.
    """
    if differs(nudged.outputs, theirs.outputs, 1e-4).any() or differs(nudged.gradient, theirs.gradient, 1e-4).any():
        return []
    found = ["a value"] if differs(ours.outputs, theirs.outputs).any() else []
    is_seen = not np.isfinite([ours.outputs[0], *ours.gradient]).all()
    return found + (["a gradient"] if differs(ours.gradient, theirs.gradient).any() and not is_seen else [])


def check(backend, seed):
    """Return what is wrong in a random function at one row."""
    function = Walls(seed)
    row = function.rows(12)[seed % 12]
    return [
        f"{what} of Walls({seed})({row.tolist()})"
        for what in faults(
            executed(function, backend, row),
            executed(function, "reference", row),
            executed(function, "reference", row * NUDGE),
        )
    ]


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[SLOW]))
def test_single_executions(backend):
    assert_none([fault for seed in range(8) for fault in check(backend, seed)])


@SLOW
@pytest.mark.parametrize("backend", engines("numpy", "native"))
@pytest.mark.parametrize("block", range(20))
def test_a_thousand_functions(backend, block):
    assert_none([fault for seed in range(50 * block, 50 * (block + 1)) for fault in check(backend, seed)])


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax", marks=[SLOW]))
@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=SLOW), pytest.param(4, marks=SLOW)])
def test_calls_on_batches(backend, seed):
    """The mean over a batch, its gradient and the Jacobian, whatever examples had to be run again."""
    function = Walls(seed)
    rows = function.rows(30)
    fast, exact = (compiled(function, function.parameters, backend=b) for b in (backend, "reference"))
    kept = ~differs(exact.jacobian(rows * NUDGE), exact.jacobian(rows), 1e-4).any((1, 2))
    rows = rows[kept]
    assert len(rows) > 10
    for found, wanted in zip(fast.rows_and_grad(rows), exact.rows_and_grad(rows)):
        assert not differs(found, wanted).any()
    assert not differs(fast.jacobian(rows), exact.jacobian(rows)).any()


def test_wrong_results_are_faults():
    function, row = Walls(0), [0.5, 1.0, -2.0]
    right = executed(function, "reference", row)
    assert faults(right, right, right) == []
    change = np.array([0, 1e-6, 0, 0])
    wrong = SimpleNamespace(outputs=right.outputs + change, gradient=right.gradient)
    assert faults(wrong, right, right) == ["a value"]
    wrong = SimpleNamespace(outputs=right.outputs, gradient=right.gradient + change)
    assert faults(wrong, right, right) == ["a gradient"]
    assert faults(wrong, right, SimpleNamespace(outputs=right.outputs, gradient=right.gradient + 1)) == []
    wrong.gradient[0] = np.nan
    assert faults(wrong, right, right) == []
