"""Noise on the inputs: the slope found against the closed form, Tikhonov's Ω by formula and in the mean over noise."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import numeric_gradient
from microgradlib.costs import squared_error
from microgradlib.nn import MLP, Neuron


def neuron(w, b):
    model = Neuron(1, "linear")
    model.load_state_dict({"w.0": w, "b": b})
    return model


def test_the_points_lie_on_the_line(script):
    data = script("input_noise").line(50, rng=4)
    assert list(data.targets) == [2 * x for [x] in data.inputs]


@pytest.mark.parametrize("sigma", [0.0, 0.5, 1.0])
def test_the_slope_shrinks_as_the_closed_form_has_it(script, sigma):
    noise = script("input_noise")
    data = noise.line()
    x, y = np.array(data.inputs)[:, 0], np.array(data.targets)
    expected = np.cov(x, y, bias=True)[0, 1] / (np.var(x) + sigma**2)  # Cov(x + ξ, y)/Var(x + ξ)
    assert noise.expected_slope(sigma, data) == pytest.approx(expected, rel=1e-12)
    # The noise is drawn, so the slope found varies: measured within 0.005 of the formula.
    assert noise.fitted_slope(sigma, data, epochs=100) == pytest.approx(expected, abs=1e-6 if sigma == 0 else 0.03)


numbers = st.floats(-3, 3)


@settings(max_examples=20, deadline=None)
@given(w=numbers, b=numbers, sigma=st.floats(0, 2))
def test_for_a_linear_model_noise_is_tikhonovs_regulariser_exactly(script, w, b, sigma):
    noise, model = script("input_noise"), neuron(w, b)
    data = noise.line(8)
    omega = noise.tikhonov(model, data)
    assert omega == pytest.approx(0.5 * w * w, rel=1e-12)
    xi, weight = np.polynomial.hermite_e.hermegauss(4)  # exact for the mean of a square over ξ ~ N(0, 1)
    clean, noisy = (
        sum(
            w_i * squared_error(float(model([x + sigma * scale * xi_i])), y)
            for [x], y in zip(data.inputs, data.targets)
            for xi_i, w_i in zip(xi, weight / weight.sum())
        )
        / len(data)
        for scale in (0, 1)
    )
    assert noisy == pytest.approx(clean + sigma**2 * omega, rel=1e-12, abs=1e-14)


def test_tikhonov_of_a_network_is_half_the_mean_square_of_numeric_slopes(script):
    data, model = script("input_noise").line(6, rng=1), MLP([1, 4, 1], activation="tanh", rng=2)
    slopes = [numeric_gradient(lambda x: model([x]), list(row))[0] for row in data.inputs]
    assert script("input_noise").tikhonov(model, data) == pytest.approx(0.5 * np.mean(np.square(slopes)), rel=1e-8)


def test_a_network_is_smoother_for_more_noise(script):
    omega = [script("input_noise").tikhonov_after_training(sigma, rng=1, epochs=60) for sigma in (0.0, 0.5, 1.0)]
    # Measured: 0.24, 0.17, 0.08.
    assert omega[0] > 1.1 * omega[1]
    assert omega[1] > 1.5 * omega[2]


@pytest.mark.slow
def test_it_is_so_for_every_seed(script):
    for rng in range(3):
        omega = [script("input_noise").tikhonov_after_training(sigma, rng) for sigma in (0.0, 0.25, 0.5, 1.0)]
        assert all(more < less for less, more in pairwise(omega))
        assert omega[-1] < 0.4 * omega[0]  # measured: 0.23, 0.17, 0.20 times


def test_main(script, capsys):
    script("input_noise").main(sigmas=(0.0, 1.0), seeds=(0,))
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["0.0", "2.000", "2.000"]
    assert len(lines) == 9
    assert lines[6].endswith("seeds 0")
