"""Tangent propagation: the tangent and the measures of variation by formula; what the penalty brings."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import logit, numeric_gradient
from microgradlib.nn import MLP

coordinates = st.floats(-2, 2)


@settings(max_examples=20, deadline=None)
@given(a=coordinates, b=coordinates, phi=st.floats(-7, 7))
def test_rotated_is_the_rotation_matrix_and_the_tangent_its_derivative_at_0(script, a, b, phi):
    tangents = script("tangent_propagation")
    matrix = np.array([[math.cos(phi), -math.sin(phi)], [math.sin(phi), math.cos(phi)]])
    assert tangents.rotated([a, b], phi) == pytest.approx(matrix @ [a, b], abs=1e-14)
    slopes = [(p - m) / 2e-6 for p, m in zip(tangents.rotated([a, b], 1e-6), tangents.rotated([a, b], -1e-6))]
    assert tangents.tangent([a, b]) == pytest.approx(slopes, abs=1e-8)


def test_slope_along_is_the_derivative_by_the_angle(script):
    tangents, model = script("tangent_propagation"), MLP([2, 5, 1], activation="tanh", rng=3)
    source = random.Random(0)
    points = [(source.gauss(0, 1), source.gauss(0, 1)) for _ in range(6)]
    slopes = [numeric_gradient(lambda phi, x=x: model(tangents.rotated(x, float(phi))), [0.0])[0] for x in points]
    assert tangents.slope_along(model, points) == pytest.approx(np.sqrt(np.mean(np.square(slopes))), rel=1e-7)


def test_variation_of_known_functions(script):
    tangents, points = script("tangent_propagation"), [(0.3, -0.4), (-1.2, 0.5)]

    def radial(x):
        return x[0] * x[0] + x[1] * x[1]

    def steady(x):  # σ of it is ½ + x₀/10: a cosine of amplitude r/10 as the point goes round
        return logit(0.5 + 0.1 * x[0])

    assert tangents.slope_along(radial, points) == pytest.approx(0, abs=1e-15)
    assert tangents.slope_along(lambda x: x[0], points) == pytest.approx(math.sqrt((0.4**2 + 0.5**2) / 2), rel=1e-12)
    assert tangents.spread_along(tangents_as_values(steady), points) == pytest.approx(
        0.1 * 0.9 / math.sqrt(2), rel=1e-9
    )
    assert tangents.spread_along(tangents_as_values(radial), points) == pytest.approx(0, abs=1e-15)


def tangents_as_values(f):
    """A model returns nodes, also of plain numbers."""
    model = MLP([1, 1], init="zeros")
    model.layers[0].neurons[0].w[0].data = 1.0
    return lambda x: model([f(x)])


def test_the_penalty_keeps_the_output_along_the_circle(script):
    run = script("tangent_propagation").train_and_evaluate
    plain, penalised = (run(c, rng=1, points=20, epochs=40) for c in (0.0, 1.0))
    # Measured: slope 0.52 against 0.11, spread 0.052 against 0.012, 73 against 81 per cent of new points. With seeds
    # 0 to 5: 0.20 to 0.38 times the slope, 0.20 to 0.41 times the spread, on average 73 against 75 per cent.
    assert penalised.slope < 0.5 * plain.slope
    assert penalised.spread < 0.5 * plain.spread
    assert penalised.test_accuracy > plain.test_accuracy - 0.03


@pytest.mark.slow
def test_it_costs_no_accuracy_over_several_seeds(script):
    run = script("tangent_propagation").train_and_evaluate
    without, with_penalty = ([run(c, rng) for rng in range(3)] for c in (0.0, 1.0))
    for plain, penalised in zip(without, with_penalty):
        assert penalised.slope < 0.6 * plain.slope  # measured: 0.11, 0.37, 0.21 times
        assert penalised.spread < 0.75 * plain.spread  # measured: 0.16, 0.37, 0.57 times
    mean_accuracy = [sum(r.test_accuracy for r in results) / 3 for results in (without, with_penalty)]
    assert mean_accuracy[1] > mean_accuracy[0]  # measured: 93.3 against 90.8 per cent


def test_main(script, capsys):
    tangents = script("tangent_propagation")
    tangents.main(seeds=(1,), epochs=30)
    rows = [list(map(float, line.replace("%", "").split())) for line in capsys.readouterr().out.splitlines()[3:]]
    assert [row[:2] for row in rows] == [[0.0, 1], [0.1, 1], [1.0, 1]]
    assert rows[0][4] > rows[1][4] > rows[2][4]
