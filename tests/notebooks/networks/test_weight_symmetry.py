"""Weight-space symmetry: M!·2^M equivalent weight vectors of a tanh layer, and what other activations keep."""

import math

import pytest
from hypothesis import given, settings, strategies as st


def test_all_48_candidates_of_three_tanh_units_are_equivalent_and_distinct(script):
    symmetry = script("weight_symmetry")
    weights = symmetry.random_weights(units=3)
    found = symmetry.equivalents(weights, "tanh")
    assert len(found) == len(set(found)) == math.factorial(3) * 2**3 == 48
    assert weights in found


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softplus"])
def test_only_the_orders_of_the_units_are_left_without_an_odd_function(script, activation, units):
    symmetry = script("weight_symmetry")
    weights = symmetry.random_weights(units)
    found = symmetry.equivalents(weights, activation)
    assert len(set(found)) == math.factorial(units)
    assert all(sorted(candidate[0]) == sorted(weights[0]) for candidate in found)


def test_the_flips_of_a_sigmoid_layer_come_back_when_the_output_bias_moves(script):
    symmetry = script("weight_symmetry")
    weights = symmetry.random_weights()
    found = symmetry.equivalents(weights, "sigmoid", move_bias=True)
    assert len(found) == len(set(found)) == 48
    assert len({c for _, c in found}) == 8
    assert len(symmetry.equivalents(weights, "tanh", move_bias=True)) == 6
    assert len(symmetry.equivalents(weights, "relu", move_bias=True)) == 6


def test_outputs_are_those_of_the_formula(script):
    symmetry = script("weight_symmetry")
    units, c = weights = symmetry.random_weights()
    expected = [
        c + math.fsum(u.v * math.tanh(u.w[0] * x + u.w[1] * y + u.b) for u in units) for x, y in symmetry.POINTS
    ]
    assert symmetry.outputs(weights, "tanh") == pytest.approx(expected, abs=1e-14)


@settings(max_examples=20, deadline=None)
@given(rng=st.integers(0, 1000), point=st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_no_point_tells_the_equivalent_networks_apart(script, rng, point):
    symmetry = script("weight_symmetry")
    weights = symmetry.random_weights(units=2, rng=rng)
    [expected] = symmetry.outputs(weights, "tanh", [point])
    for candidate in symmetry.candidates(weights):
        assert symmetry.outputs(candidate, "tanh", [point]) == pytest.approx([expected], abs=1e-13)


def test_main(script, capsys):
    script("weight_symmetry").main()
    counts = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]]
    assert counts == [["tanh", "48"], ["sigmoid", "6"], ["relu", "6"], ["sigmoid", "48"]]
