"""Every op of the table, compiled: values and gradients are the eager engine's, and fast kernels are the exact ones."""

import random
from itertools import product

import numpy as np
import pytest
from eager_oracle import assert_close, assert_matches_eager

from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

COUNTS = {name: [1, 2, 3, 5] for name, op in TABLE.items() if op.variadic} | {"dot": [2, 3, 4, 5, 9]}
NUMBERS_ONLY = {"polygamma"}  # its order is no variable
BATCH = 5
PARTS = "parameter", "input", "setting"


def roles_of(op, n):
    """Yield what each argument is to be: all ways for few arguments, each alone and all but each for many."""
    settings = [("setting",) * k for k in ([op.setting_count] if op.name in NUMBERS_ONLY else {0, op.setting_count})]
    for tail in settings:
        free = n - len(tail)
        if free <= 3:
            ways = product(PARTS[:2], repeat=free)
        else:
            singles = [[i] for i in range(free)]
            chosen = [*singles, *[[j for j in range(free) if j != i] for i in range(free)], [], list(range(free))]
            ways = [tuple(PARTS[int(i not in some)] for i in range(free)) for some in chosen]
        yield from (way + tail for way in ways)


CASES = [pytest.param(op, n, id=f"{name}-{n}") for name, op in TABLE.items() for n in COUNTS.get(name, [op.arity])]


def numbers_of(op, n, rng):
    if op.name == "where":
        return [float(rng.random() < 0.5), rng.uniform(-3, 3), rng.uniform(-3, 3)]
    intervals = [op.sample[min(i, len(op.sample) - 1)] for i in range(n)]
    return [rng.uniform(*interval) for interval in intervals]


def function_of(op, roles, seed=0):
    """Return op as a function of a row of inputs, with its parameters and a batch of rows, one more input unused."""
    rng = random.Random(f"{op.name} {roles} {seed}")
    numbers = numbers_of(op, len(roles), rng)
    parameters = [Value(x) for x, role in zip(numbers, roles) if role == "parameter"]
    batch = [numbers_of(op, len(roles), rng) for _ in range(BATCH)]
    rows = [[x for x, role in zip(row, roles) if role == "input"] + [0.5] for row in batch]

    def function(row):
        take = {"parameter": iter(parameters), "input": iter(row), "setting": iter(numbers[-op.setting_count :])}
        return op(*[next(take[role]) for role in roles])

    return function, parameters, rows


def compare_with_eager_engine(op, roles):
    function, parameters, rows = function_of(op, roles)
    assert_matches_eager(function, parameters, rows)
    assert_matches_eager(function, parameters, rows[:1])


@pytest.mark.parametrize(("op", "n"), CASES)
def test_value_and_gradient_are_those_of_the_eager_engine(op, n) -> None:
    for roles in roles_of(op, n):
        compare_with_eager_engine(op, roles)


@pytest.mark.parametrize(("op", "n"), CASES)
def test_kernels_agree_with_the_reference_engine(op, n) -> None:
    for roles in roles_of(op, n):
        function, parameters, rows = function_of(op, roles, seed=1)
        columns = [np.array(rows)]
        by_kernels, by_rules = (compiled(function, parameters, backend=b) for b in ("numpy", "reference"))
        assert_close(by_kernels(*columns), by_rules(*columns))
        assert_close(by_kernels.value_and_grad(*columns)[1], by_rules.value_and_grad(*columns)[1])


@pytest.mark.parametrize(("name", "n"), [(name, n) for name, op in TABLE.items() for n in COUNTS.get(name, [op.arity])])
@pytest.mark.parametrize("stride", [1, 3])
def test_an_op_on_whole_vectors_of_shared_arguments(name, n, stride) -> None:
    """Twelve results at once, whose arguments lie in many orders: views, repeats and gathers of every kernel."""
    op = TABLE[name]
    free = n - op.setting_count if name in NUMBERS_ONLY else n
    rng = random.Random(f"{name} {n} {stride}")
    points = [numbers_of(op, n, rng) for _ in range(7)]
    parameters = [[Value(x) for x in column[:4]] for column in zip(*points)][:free]
    rows = [[numbers_of(op, n, rng)[:free] for _ in range(3)] for _ in range(4)]

    def function(row):
        pools = [[*some, *column] for some, column in zip(parameters, zip(*row))]
        results = [
            op(*[pool[(stride * k + i) % 7] for i, pool in enumerate(pools)], *points[0][free:]) for k in range(12)
        ]
        return sum((result * (k % 5 - 1.5) for k, result in enumerate(results)), 0.0)

    assert_matches_eager(function, [p for some in parameters for p in some], rows)


@pytest.mark.parametrize("power", [0, 1, 2, 3, -1, -2, 0.5, -0.5, 2.5])
def test_powers_by_a_number(power) -> None:
    w = Value(1.3)
    assert_matches_eager(lambda x: (w * x) ** power, [w], [0.5, 1.0, 2.5])


@pytest.fixture
def swish(temporary_op):
    return temporary_op(
        "swish_for_a_test",
        value=lambda xp, x: x * xp.sigmoid(x),
        derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
        formula="x σ(x)",
    )


def test_an_op_of_the_users_own(swish) -> None:
    w = Value(0.7)
    assert_matches_eager(lambda x: swish(w * x) - swish(w), [w], [-2.0, 0.0, 3.0])


def test_the_comparison_catches_a_wrong_gradient() -> None:
    w = Value(0.7)
    fast = compiled(lambda x: w * x, [w])
    with pytest.raises(AssertionError, match="compiled, eager"):
        assert_matches_eager(lambda x: w * x + 1e-9 * w, [w], [1.0, 2.0], fast=fast)
