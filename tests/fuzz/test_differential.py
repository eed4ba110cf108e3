"""Differential fuzzing against PyTorch and JAX: some seconds of it; planted faults are reported, excuses narrow."""

import math
import random

import pytest

pytest.importorskip("torch", reason="the peer")
pytest.importorskip("jax", reason="the peer")
pytest.importorskip("llvmlite", reason="the native engine")

import differential
import module_peers
import peer_functions
from peer_faults import FAULTS, Nature, compared_orders, faults_met

import microgradlib as mg
from microgradlib import Value, gradients
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", module_peers.KINDS)
def test_modules_agree(kind):
    for seed in range(3):
        found = module_peers.ModuleComparison(random.Random(seed), kind)
        found.compiled("numpy")
        found.compiled("native")
        assert found.differences == []


@pytest.mark.parametrize(("fault", "engines"), [(1e-10, {"eager, float64", "numpy, float64"}), (0.0, set())])
def test_a_module_that_differs_is_reported_in_double_precision(monkeypatch, fault, engines):
    wrong = {"tanh": lambda x: module_peers.torch.tanh(x) * (1 + fault)}
    monkeypatch.setattr(module_peers, "ACTIVATIONS", wrong)
    monkeypatch.setattr(random.Random, "randint", lambda self, low, high: high)
    found = module_peers.ModuleComparison(random.Random(0), "MLP")
    found.compiled("numpy")
    assert {line.partition(":")[0] for line in found.differences} == engines


def test_a_module_that_differs_is_reported_in_single_precision():
    found = module_peers.ModuleComparison(random.Random(0), "LSTM")
    found.exact = [part + 1e-5 for part in found.exact]
    found.compiled("numpy")
    assert {line.partition(":")[0] for line in found.differences} == {"numpy, float64", "numpy, float32"}


def comparison(names, at):
    """Return the comparison of ops applied one after another: the first to all inputs, others to their last results."""
    inputs = ("x", "y", "z")[: len(at)]
    steps = [Step("t1", TABLE[names[0]], inputs)]
    for k, name in enumerate(names[1:]):
        steps.append(Step(f"t{k + 2}", TABLE[name], ("x", f"t{k + 1}")[-(TABLE[name].arity or 2) :]))
    return differential.Comparison(ExpressionGraph(inputs, tuple(steps), steps[-1].name, at), random.Random(0))


WITNESSES = [
    ("sign", (math.nan,)), ("acos copysign", (-5.0,)), ("copysign", (1e-199, 1.0)), ("norm", (1e-200, 1e-200)),
    ("std", (-1e200, 1e200)), ("norm", (1e-8, 0.0)), ("norm sin", (1e-8, 3e-8)), ("logsumexp log", (-300.0, 0.0)),
    ("neg_log_softmax log", (0.0, -300.0)), ("logaddexp", (1712.0, 300.0)), ("gamma", (-1.0,)), ("digamma", (0.0,)),
    ("sinc sign", (17.0,)), ("sinc", (1e-8,)), ("mod", (2.9904113631474756, 0.9968037877158252)),
    ("fmod", (2.9904113631474756, 0.9968037877158252)),
]  # fmt: skip


@pytest.mark.slow
def test_every_known_fault_is_one(monkeypatch):
    shown = set()
    for names, at in WITNESSES:
        found = comparison(names.split(), at)
        found.by_jax()
        assert found.differences == [], names
        with monkeypatch.context() as patch:
            patch.setattr(differential, "compared_orders", lambda *_: 3)
            patch.setattr(Nature, "excuses", lambda *_: False)
            found = comparison(names.split(), at)
            found.by_jax()
        for peer in ("torch", "jax"):
            met = {(peer, fault) for fault in faults_met(peer, found.output)}
            shown |= met if any(line.startswith(peer) for line in found.differences) else set()
    assert {(peer, fault) for fault in FAULTS for peer in fault.peers.split()} - shown == set()


@pytest.mark.parametrize(
    ("names", "at"),
    [("sign", [1.0]), ("copysign", [math.nan, 1.0]), ("copysign", [0.01, 1.0]), ("norm", [1e-2, 0.0]),
     ("std", [1e100, 1.0]), ("logsumexp", [-4.0, 0.0]), ("neg_log_softmax", [0.0, -4.0]), ("logaddexp", [700.0, 1.0]),
     ("gamma", [-2.5]), ("digamma", [1.0]), ("sinc", [0.5]), ("mod", [0.35, 0.1]), ("fmod", [0.35, 0.1]),
     ("mod", [0.0, 0.0]), ("mod", [math.inf, 1.0]), ("mod", [math.nan, 1.0]), ("gamma", [-math.inf])],
)  # fmt: skip
def test_a_known_fault_excuses_its_region_alone(names, at):
    output = TABLE[names](*map(Value, at))
    assert compared_orders("torch", output) == compared_orders("jax", output) == 3


@pytest.mark.parametrize(
    ("f", "at", "excused"),
    [
        (mg.log, [-1.0], {"ours 1", "ours 2"}),  # PyTorch's derivative is −1
        (mg.exp, [1.0], set()),
        (lambda x: mg.where(x, 0.0, mg.log(-x)), [1.0], {"ours 1", "ours 2", "theirs 0", "theirs 1", "theirs 2"}),
        (lambda x, y: mg.maximum(x, y * y), [5.0, 1.0], {"theirs 2"}),  # y has no slope at all, so no second one
        (lambda x, y: mg.log(mg.minimum(x, y)), [1.0, -1.0], {"ours 1", "ours 2", "theirs 0", "theirs 1", "theirs 2"}),
        (lambda x, y: x * y * 1e80, [1.0, 1.0], {"theirs 0", "theirs 1", "theirs 2"}),
        (lambda x, y: x * y * 1e60, [1.0, 1.0], set()),
    ],
)
def test_only_a_nan_with_a_cause_is_excused(f, at, excused):
    leaves = list(map(Value, at))
    output = f(*leaves)
    nature = Nature(output, mg.sum(gradients(output, leaves)))
    found = {f"ours {k}" for k in range(3) if nature.excuses(k, math.nan, 1.0)}
    found |= {f"theirs {k}" for k in range(3) if nature.excuses(k, 0.0, math.nan)}
    assert found == excused
    assert not any(nature.excuses(k, 1.0, 2.0) for k in range(3))
