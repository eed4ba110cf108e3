"""assert_same_as_torch: accepts what agrees, over all ops, random graphs and models; rejects planted faults."""

import importlib.util
import math
import random
import sys

import pytest
from hypothesis import given, settings

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.costs import cross_entropy, squared_error
from microgradlib.errors import MissingExtraError
from microgradlib.ops import TABLE, define_op, forget_op
from microgradlib.testing import assert_same_as_torch, graphs

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
COUNTS = {name: [1, 2, 3, 5] for name, op in TABLE.items() if op.variadic} | {"dot": [2, 3, 4, 5]}
WHOLE_ORDERS = {"polygamma"}


def test_without_pytorch_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "microgradlib\[torch\]"'):
        assert_same_as_torch(lambda x: x, [1.0])


@needs_torch
@pytest.mark.parametrize(("name", "n"), [(name, n) for name, op in TABLE.items() for n in COUNTS.get(name, [op.arity])])
def test_every_op(name, n):
    op, rng = TABLE[name], random.Random(f"{name} {n}")
    intervals = [op.sample[min(i, len(op.sample) - 1)] for i in range(n)]
    free = n - (op.setting_count if name in WHOLE_ORDERS else 0)
    for _ in range(5):
        point = [rng.uniform(*interval) for interval in intervals]
        assert_same_as_torch(lambda *xs, rest=point[free:]: op(*xs, *rest), point[:free])


@needs_torch
@settings(max_examples=100, deadline=None)
@given(graphs(inputs=4))
def test_random_graphs(graph):
    assert_same_as_torch(graph, graph.inputs)


@needs_torch
@pytest.mark.parametrize(
    ("f", "xs"),
    [(mg.ndtr, [-5.0]), (TABLE["logsumexp"], [1e8, 1e8, 1.0]), (TABLE["logsumexp"], [-math.inf, 1.0]),
     (TABLE["pow_slope"], [1.0, 0.0]), (TABLE["pow_slope"], [0.0, 2.0])],
)  # fmt: skip
def test_where_pytorchs_own_function_or_a_rules_branch_has_no_digits(f, xs):
    assert_same_as_torch(f, xs)


@needs_torch
def test_a_program_with_branches_loops_and_methods():
    def program(x, y):
        z = 2 * x + 2 + x
        q = z.relu() + z * x
        h = (z * z).relu()
        total = h + q + q * x - y // 1 + y % 2
        for _ in range(3):
            total = total.tanh() * y if total > 0 else -total / 3
        return total

    for xs in ([-4.0, 2.5], [1.0, -0.5], [0.25, 3.0]):
        assert_same_as_torch(program, xs)


@needs_torch
def test_models_costs_and_nested_arguments():
    model = nn.MLP([2, 4, 3], activation="gelu", rng=0)
    assert_same_as_torch(lambda x: cross_entropy(model(x), 2), [[0.5, -1.0]])
    parameters = [p.data for p in model.parameters()]
    assert_same_as_torch(lambda p, x: squared_error(nn.functional_call(model, p, x), [0.0, 1.0, 2.0]),
                         [parameters, [0.5, -1.0]])  # fmt: skip
    assert_same_as_torch(lambda a: [a["w"] * a["x"][0], mg.softmax(a["x"])], [{"w": 2.0, "x": (0.5, -1.0)}])


@needs_torch
def test_a_function_written_for_pytorch():
    import torch  # noqa: PLC0415

    def theirs(w, x):
        return torch.sigmoid(torch.stack(list(w)) @ torch.stack(list(x)))

    assert_same_as_torch(lambda w, x: mg.sigmoid(mg.dot(w, x)), [[0.5, -1.0], [2.0, 3.0]], theirs)
    assert_same_as_torch(lambda x: [x, x * x], [3.0], lambda x: torch.stack([x, x * x]))
    assert_same_as_torch(lambda x: 2.0, [3.0], lambda x: 2.0)
    with pytest.raises(AssertionError, match="f gives 1 numbers, by PyTorch 2"):
        assert_same_as_torch(lambda x: x, [3.0], lambda x: torch.stack([x, x]))


@needs_torch
@pytest.mark.parametrize("fault", [1e-11, 1e-6, 0.5])
@pytest.mark.parametrize("place", ["value", "derivative"])
def test_a_wrong_op_is_rejected(fault, place):
    factor = {"value": 1.0, "derivative": 1.0, place: 1.0 + fault}
    op = define_op(
        "cube_with_a_fault",
        value=lambda xp, x: x * x * x,
        derivatives=[lambda xp, z, x: 3 * x * x * factor["derivative"]],
        formula="x³",
    )
    try:
        with pytest.raises(AssertionError, match=r"(?s)f differs from PyTorch .*∂f/∂x\[0\]"):
            assert_same_as_torch(lambda x: mg.tanh(op(x)), [0.5], lambda x: (x**3 * factor["value"]).tanh())
        factor["derivative"] = factor["value"] = 1.0
        assert_same_as_torch(lambda x: mg.tanh(op(x)), [0.5])
    finally:
        forget_op("cube_with_a_fault")


@needs_torch
def test_the_report_names_kinks_and_both_numbers():
    with pytest.raises(AssertionError, match=r"(?s)∂f/∂x\[0\] +0.0 +1.0 .*<-.*sits on a kink of relu"):
        assert_same_as_torch(mg.relu, [0.0], lambda x: x)


@needs_torch
@pytest.mark.parametrize("x", [20.0, 300.0, -800.0, 1e300, math.inf, -0.0])
def test_saturation_and_overflow(x):
    for f in (mg.tanh, mg.sigmoid, mg.softplus, mg.log_sigmoid, mg.exp):
        assert_same_as_torch(lambda a, f=f: f(a) * 3, [x])


@needs_torch
def test_a_step_at_nan_is_nan():
    assert_same_as_torch(lambda x: mg.ops.TABLE["heaviside"](mg.acosh(x), 1.0), [-3.0])


@needs_torch
def test_one_argument_or_several():
    pytest.importorskip("torch")
    assert_same_as_torch(mg.sin, 3.0)
    with pytest.raises(TypeError, match="expected a real number, got str"):
        assert_same_as_torch(mg.sin, "text")


def test_nodes_of_pytorch_behave_as_numbers():
    torch = pytest.importorskip("torch")
    nodes = pytest.importorskip("microgradlib.testing.torch_nodes")
    x = nodes.TorchNode(torch.tensor(2.5, dtype=torch.float64, requires_grad=True))
    assert (float(x), int(x), bool(x), x > 2, x <= Value(2.5), x < 1, x >= 3) == (
        2.5,
        2,
        True,
        True,
        True,
        False,
        False,
    )
    assert (x * 2).op is TABLE["mul"]
    assert not x.detach().tensor.requires_grad
    assert repr(x * Value(2.0)) == "TorchNode(5.0)"
