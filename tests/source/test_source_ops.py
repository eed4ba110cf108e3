"""Every op of the table as text: values at samples, and what the header says of derivatives at kinks."""

import importlib
import itertools
import math
import random

import numpy as np
import pytest
from emitted_source import array_of, load, results

from microgradlib import compile  # noqa: A004  the library's own
from microgradlib.ops import TABLE, ZERO, define_op, forget_op

FRAMEWORKS = ["numpy", "torch", "jax"]
SETTINGS = {"polygamma": (1.0,), "pow_log": (1.0,), "clip": (-1.0, 1.0), "leaky_relu": (0.1,), "elu": (0.7,)}
SMOOTH = {"leaky_relu", "elu"}
"""Ops whose settings are samples like any."""


def variants(op):
    """Yield an op with its settings, and with inputs in their place if it takes these, and how many inputs it has."""
    count = op.arity or 4
    if op.setting_count:
        settings = SETTINGS.get(op.name, (0.5,) * op.setting_count)
        yield op.bind(*settings), count - op.setting_count
        if op.name == "pow":
            yield from ((op.bind(exponent), 1) for exponent in (-1.0, 0.0, 2.0, 3.0))
    if op.name not in {"polygamma", "pow_log"}:
        yield op, count


def compiled(op, count):
    return compile(lambda x: op(*[x[i] for i in range(count)]), backend="numpy")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_every_op_at_samples(op, framework):
    draw = random.Random(op.name)
    for variant, count in variants(op):
        ranges = [op.sample[min(i, len(op.sample) - 1)] for i in range(count)]
        rows = [[draw.uniform(*interval) for interval in ranges] for _ in range(5)]
        fast = compiled(variant, count)
        np.testing.assert_allclose(results(fast, framework, rows), fast(rows), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_inputs_of_different_arrays_and_numbers(framework):
    """Functions of two arguments take numbers too, which PyTorch's do not."""
    names = ("hypot", "atan2", "copysign", "logaddexp", "fmod", "maximum", "minimum", "where", "unit", "less", "xlogy")
    for name in names:
        op = TABLE[name]
        for one, other in ((lambda x: x[0], lambda x: 1.5), (lambda x: 1.5, lambda x: x[0])):
            first = [lambda x: x[0] > 0.7] * (name == "where")
            fast = compile(lambda x, f=(*first, one, other), op=op: op(*[part(x) for part in f]), backend="numpy")
            rows = [[0.5], [2.0]]
            np.testing.assert_allclose(results(fast, framework, rows), fast(rows), rtol=1e-12)


def derivatives(fast, framework, row):
    """Return the derivatives of the text at a row, nan where the framework has none."""
    array, function = array_of(framework), load(fast.program.to_source(framework))["forward"]
    x = array([row])
    if framework == "jax":
        jax = importlib.import_module("jax")
        return jax.grad(lambda x: function(x).sum())(x)[0].tolist()
    x.requires_grad_()
    value = function(x).sum()
    if value.requires_grad:
        value.backward()
    return [0.0] * len(row) if x.grad is None else x.grad[0].tolist()


HIDDEN = "    {}: finite or infinite where the value is nan, in microgradlib nan too\n"


def check_notes(op, framework):
    """Check that the header has a note of an op if the framework's derivatives differ from ours at a kink."""
    for variant, count in variants(op):
        fast = compiled(variant, count)
        fast([[0.5] * count])
        text = fast.program.to_source(framework)
        noted = f"    {op.name}: " in text and HIDDEN.format(op.name) not in text
        if any(is_kink(variant, row) for row in rows_of(count)):
            assert noted == differs(fast, variant, count, framework)


def rows_of(count):
    points = [0.0, 1.0, -1.0] if count > 2 else [0.0, 1.0, -1.0, 2.0, -2.0, 0.5]
    return itertools.product(points, repeat=count)


def is_kink(op, row):
    """Say whether a row is a kink inside the op's domain."""
    output = op.compute(*row)
    finite = not math.isnan(output) and all(map(math.isfinite, op.local_derivatives(output, *row)))
    return finite and op.kink(*row, *op.settings)


def differs(fast, op, count, framework):
    """Say whether derivatives of the framework differ from ours at a kink."""
    for row in rows_of(count):
        if is_kink(op, row):
            ours = [0.0 if d is ZERO else d for d in op.local_derivatives(op.compute(*row), *row)]
            if not np.allclose(derivatives(fast, framework, list(row)), ours, rtol=1e-9):
                return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.kink], ids=str)
def test_the_header_says_which_derivatives_differ(op, framework):
    if op.name in {"maximum", "minimum"}:
        pytest.skip("that of two arrays agrees; that of an array and a number has a test of its own")
    check_notes(op, framework)


UNDEFINED = [-3.0, -2.5, -1.0, -0.5, 0.0, 0.5, 1.5]


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.domain != "all numbers"], ids=str)
def test_the_header_says_which_derivatives_hide_a_nan(op, framework):
    """Of log at -1, say, the value is nan, and the derivative -1 in PyTorch and JAX."""
    hidden = noted = False
    for variant, count in variants(op):
        fast = compiled(variant, count)
        fast([[0.5] * count])
        noted = noted or HIDDEN.format(op.name) in fast.program.to_source(framework)
        for row in itertools.product(UNDEFINED, repeat=count):
            if not hidden and math.isnan(output := variant.compute(*row)):
                pairs = zip(variant.local_derivatives(output, *row), derivatives(fast, framework, list(row)))
                hidden = any(math.isnan(ours) and not math.isnan(theirs) for ours, theirs in pairs)
    assert noted == hidden


def test_the_larger_of_an_array_and_a_number():
    fast = compile(lambda x: TABLE["maximum"](x[0], 1.0), backend="numpy")
    fast([[1.0]])
    assert derivatives(fast, "torch", [1.0]) == [1.0]
    assert fast.jacobian([[1.0]]).tolist() == [[[0.5]]]
    assert "    maximum: 1 where x is equal to a number, in microgradlib 1/2\n" in fast.program.to_source("torch")
    assert "maximum:" not in fast.program.to_source("jax")


@pytest.fixture
def own_ops():
    swish = define_op(
        "swish",
        value=lambda xp, x, beta: x * xp.sigmoid(beta * x),
        derivatives=[lambda xp, z, x, beta: z, lambda xp, z, x, beta: z],
        formula='x σ(βx) """ \\ \n import os',
        defaults=(1.0,),
        setting_count=1,
    )
    spread = define_op(
        "spread",
        value=lambda xp, *xs: xp.maximum(*xs) - xp.minimum(*xs),
        derivatives=lambda xp, z, *xs: (0.0,) * len(xs),
        formula="max − min",
    )
    yield swish, spread
    forget_op("swish")
    forget_op("spread")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_ops_of_the_users_are_written_by_their_rules(own_ops, framework):
    swish, spread = own_ops
    fast = compile(lambda x: swish(x[0]) + swish.bind(2.0)(x[1]) * spread(*x), backend="numpy")
    rows = [[0.5, -1.0], [2.0, 0.3]]
    np.testing.assert_allclose(results(fast, framework, rows), fast(rows), rtol=1e-12)


def test_a_rule_that_cannot_be_written_names_the_op():
    odd = define_op(
        "odd", value=lambda xp, x: math.floor(x), derivatives=[lambda xp, z, x: 0.0], formula="whole numbers"
    )
    try:
        fast = compile(lambda x: odd(x[0]), backend="reference")
        program = fast.lower([[1.0]])
        with pytest.raises(ValueError, match="the op 'odd' cannot be written as source"):
            program.to_source("numpy")
    finally:
        forget_op("odd")
