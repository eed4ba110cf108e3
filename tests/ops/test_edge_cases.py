"""Edge cases: documented values and derivatives, the same for Values and Symbols."""

import pytest
from edge_cases import CASES
from equality import same, same_bits

from microgradlib import Symbol, Value, evaluate, grad_table, gradients, kinks

parametrized = pytest.mark.parametrize("trap", CASES, ids=[c.name for c in CASES])


def test_the_names_are_distinct():
    assert len({c.name for c in CASES}) == len(CASES)


@parametrized
def test_values(trap):
    xs = [Value(x) for x in trap.at]
    out = trap.f(*xs)
    table = grad_table(out)
    assert same_bits(out.data, trap.value)
    assert all(map(same, [table.get(x, 0.0) for x in xs], trap.slopes)), [table.get(x) for x in xs]
    out.backward()
    assert all(map(same, [x.grad for x in xs], trap.slopes))
    assert len(kinks(out)) == trap.kinks


@parametrized
def test_derivatives_as_new_values(trap):
    xs = [Value(x) for x in trap.at]
    slopes = [slope.data for slope in gradients(trap.f(*xs), xs)]
    assert all(map(same, slopes, trap.slopes)), slopes


@parametrized
def test_symbols(trap):
    xs = [Symbol(f"x{i}") for i in range(len(trap.at))]
    out = trap.f(*xs)
    value, *slopes = evaluate([out, *gradients(out, xs)], dict(zip(xs, trap.at)))
    assert same_bits(value, trap.value)
    assert all(map(same, slopes, trap.slopes)), slopes
