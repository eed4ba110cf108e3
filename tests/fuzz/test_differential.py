"""Differential fuzzing against PyTorch and JAX: some seconds of it, and it reports a planted wrong derivative."""

import random

import pytest

pytest.importorskip("torch", reason="the peer")
pytest.importorskip("jax", reason="the peer")
pytest.importorskip("llvmlite", reason="the native engine")

import differential
import peer_functions

from microgradlib.ops import TABLE, define_op, forget_op
from microgradlib.testing.expression_graph import ExpressionGraph, Step


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 192, 64))
def test_programs_agree(first):
    found = {seed: differential.compare(seed).differences for seed in range(first, first + 64)}
    assert {seed: lines for seed, lines in found.items() if lines} == {}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [1e-10, 0.5])
def test_a_wrong_derivative_is_reported_by_both_peers(monkeypatch, fault):
    wrong = define_op(
        "exp_with_a_fault",
        value=lambda xp, x: xp.exp(x),
        derivatives=[lambda xp, z, x: z * (1 + fault)],
        formula="exp(x)",
    )
    try:
        monkeypatch.setitem(peer_functions.JAX, "exp_with_a_fault", peer_functions.JAX["exp"])
        steps = Step("t1", wrong, ("x",)), Step("t2", TABLE["mul"], ("t1", "y"))
        found = differential.Comparison(ExpressionGraph(("x", "y"), steps, "t2", (0.5, -1.25)), random.Random(0))
        found.by_jax()
        for peer in ("torch", "jax"):
            assert any(line.startswith(f"{peer}: ∂f/∂x[0]") for line in found.differences)
            assert any(line.startswith(f"{peer}: ∂∂f·v/∂x[0]") for line in found.differences)
            assert not any(line.startswith(f"{peer}: f is") for line in found.differences)
    finally:
        forget_op("exp_with_a_fault")


@pytest.mark.slow
def test_an_engine_that_differs_is_reported():
    found = differential.compare(0, engines=False)
    found.expected = [entry._replace(ours=entry.ours + 1e-9) for entry in found.expected]
    found.compiled("numpy")
    assert len(found.differences) >= 2
