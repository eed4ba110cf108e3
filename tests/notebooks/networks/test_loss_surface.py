"""The 1-1-1 network: losses, Hessians and chords against closed forms in NumPy and math."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

weights = st.tuples(st.floats(-5, 5), st.floats(-5, 5))
both = pytest.mark.parametrize("name", ["squared error", "cross-entropy"])


def sigma(a):
    return 1 / (1 + math.exp(-a))


def value(name, w):
    y_hat = sigma(w[1] * sigma(w[0]))
    return (1 - y_hat) ** 2 / 2 if name == "squared error" else -math.log(y_hat)


def hessian_by_hand(name, w):
    """L = g(u) with u = w₂ σ(w₁): H = g″ ∇u ∇uᵀ + g′ ∇²u."""
    s, p = sigma(w[0]), sigma(w[1] * sigma(w[0]))
    s1 = s * (1 - s)
    s2 = s1 * (1 - 2 * s)
    p1 = p * (1 - p)
    p2 = p1 * (1 - 2 * p)
    g1, g2 = ((p - 1) * p1, p1**2 + (p - 1) * p2) if name == "squared error" else (p - 1, p1)
    slope = np.array([w[1] * s1, s])
    return g2 * np.outer(slope, slope) + g1 * np.array([[w[1] * s2, s1], [s1, 0.0]])


@both
@settings(max_examples=40, deadline=None)
@given(w=weights)
def test_loss_and_hessian_are_the_closed_forms(script, name, w):
    surface = script("loss_surface")
    loss = surface.LOSSES[name]
    at, expected = surface.curvature(loss, w), hessian_by_hand(name, w)
    assert loss(w) == pytest.approx(value(name, w), rel=1e-13)
    np.testing.assert_allclose(at.hessian, expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(at.eigenvalues, np.linalg.eigvalsh(expected), rtol=0, atol=1e-13)
    v = np.array(at.direction)
    np.testing.assert_allclose(expected @ v, at.eigenvalues[0] * v, rtol=0, atol=1e-12)
    assert v @ v == pytest.approx(1.0)


@both
def test_the_point_found_has_an_indefinite_hessian_and_a_segment_above_its_chord(script, name):
    surface = script("loss_surface")
    loss = surface.LOSSES[name]
    at = surface.most_indefinite(loss)
    lowest, highest = np.linalg.eigvalsh(hessian_by_hand(name, at.w))
    assert lowest < -0.03
    assert highest > 0.02
    left, middle, right = surface.loss_along(loss, at, (-1.0, 0.0, 1.0))
    ends = [[w + t * v for w, v in zip(at.w, at.direction)] for t in (-1.0, 1.0)]
    assert (left, right) == pytest.approx(tuple(value(name, w) for w in ends), rel=1e-13)
    assert surface.height_above_chord(loss, at) == middle - (left + right) / 2
    assert surface.height_above_chord(loss, at) > 0.01


@both
def test_no_point_of_the_grid_is_bent_further(script, name):
    surface = script("loss_surface")
    grid = [(float(w1), float(w2)) for w1 in range(-5, 6) for w2 in range(-5, 6)]
    eigenvalues = [np.linalg.eigvalsh(hessian_by_hand(name, w)) for w in grid]
    lowest = min(low for low, high in eigenvalues if low < 0 < high)
    assert surface.most_indefinite(surface.LOSSES[name]).eigenvalues[0] == pytest.approx(lowest, abs=1e-13)


def test_a_convex_loss_has_no_such_point(script):
    surface = script("loss_surface")

    def bowl(w):
        return w[0] ** 2 + 2 * w[1] ** 2

    at = surface.curvature(bowl, (1.0, -1.0))
    assert at.eigenvalues == (2.0, 4.0)
    assert surface.height_above_chord(bowl, at) < 0
    with pytest.raises(ValueError, match=r"min\(\)"):
        surface.most_indefinite(bowl)


@both
def test_the_surface_is_the_loss_over_the_grid(script, name):
    surface = script("loss_surface")
    rows = surface.surface(surface.LOSSES[name], [-1.0, 0.0, 2.0])
    assert rows[2][0] == pytest.approx(value(name, (2.0, -1.0)))
    assert np.shape(rows) == (3, 3)


def test_main(script, capsys):
    script("loss_surface").main()
    assert capsys.readouterr().out.count("not convex") == 2
