"""δ by layer and ∂E_T/∂s_k through time against the recursions in NumPy; how they fade."""

import random
from itertools import pairwise

import numpy as np
import pytest

SLOPES = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(0, z), lambda z: (z > 0) * 1.0),
}


def matrix(rows):
    return np.array([[value.data for value in row] for row in rows])


def deltas_by_hand(network, x, y):
    """The second of the four equations: δˡ = (Wˡ⁺¹ᵀ δˡ⁺¹) ⊙ f′(zˡ)."""
    f, slope = SLOPES[network.activation]
    weights = [matrix([neuron.w for neuron in layer.neurons]) for layer in network.layers]
    z = [weights[0] @ x]
    for w in weights[1:]:
        z.append(w @ f(z[-1]))
    deltas = [z[-1] - y]
    for w, z_l in zip(weights[:0:-1], z[-2::-1], strict=True):
        deltas.insert(0, (w.T @ deltas[0]) * slope(z_l))
    return deltas


@pytest.mark.parametrize("activation", sorted(SLOPES))
@pytest.mark.parametrize("rng", [0, 1])
def test_delta_of_every_layer_is_the_recursion(script, activation, rng):
    vanishing = script("vanishing_gradients")
    network = vanishing.deep_network(activation, depth=5, width=6, rng=rng)
    x = [random.Random(rng).uniform(-1, 1) for _ in range(6)]
    expected = deltas_by_hand(network, x, 0.5)
    found = vanishing.deltas(network, x, 0.5)
    assert len(found) == 6
    for delta, delta_by_hand in zip(found, expected, strict=True):
        assert delta == pytest.approx(delta_by_hand, rel=1e-12, abs=1e-14)


def test_sigmoid_fades_by_the_quarter_and_relu_does_not(script):
    vanishing = script("vanishing_gradients")
    fading = {name: vanishing.relative_delta_norms(name) for name in SLOPES}
    sigmoid = fading["sigmoid"]
    assert all(len(ratios) == 10 and ratios[-1] == 1.0 for ratios in fading.values())
    assert all(lower < 0.5 * upper for lower, upper in pairwise(sigmoid))
    assert sigmoid[0] < 1e-4
    assert fading["relu"][0] > 0.1
    assert fading["tanh"][0] > 0.1


def test_the_ratio_shown_is_the_geometric_mean(script):
    vanishing = script("vanishing_gradients")
    logarithms = []
    for seed in (3, 4):
        x = [random.Random(seed).gauss(0.0, 1.0) for _ in range(6)]
        sizes = [np.linalg.norm(d) for d in deltas_by_hand(vanishing.deep_network("tanh", 4, 6, seed), x, 1.0)[:-1]]
        logarithms.append(np.log(np.array(sizes) / sizes[-1]))
    found = vanishing.relative_delta_norms("tanh", depth=4, width=6, seeds=(3, 4))
    assert found == pytest.approx(np.exp(np.mean(logarithms, axis=0)), rel=1e-12)


def test_through_time_the_gradient_is_a_product_of_jacobians(script):
    vanishing = script("vanishing_gradients")
    network = vanishing.recurrent(units=4, classes=3, rng=2)
    u, w, v = map(matrix, network)
    xs = [0.5, -1.0, 0.25, 0.75, -0.5]
    states = [np.zeros(4)]
    for x in xs:
        states.append(np.tanh(u[:, 0] * x + w @ states[-1]))
    o = np.exp(v @ states[-1])
    expected = [v.T @ (o / o.sum() - np.eye(3)[1])]
    for s in states[:0:-1]:
        expected.insert(0, w.T @ ((1 - s**2) * expected[0]))  # ∂s_t/∂s_{t−1} = diag(1 − s_t²) W
    found = vanishing.state_gradients(network, xs, y=1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rng", range(3))
def test_it_shrinks_with_the_distance_in_time(script, rng):
    sizes = script("vanishing_gradients").state_gradient_norms(steps=20, rng=rng)
    assert len(sizes) == 21
    assert all(further < 0.3 * nearer for further, nearer in zip(sizes, sizes[5:]))
    assert sizes[0] < 1e-4 * sizes[-1]


def test_main(script, capsys):
    script("vanishing_gradients").main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["layer", "sigmoid", "tanh", "relu"]
    assert [int(line.split()[0]) for line in lines[2:12]] == list(range(10, 0, -1))
    assert [int(line.split()[0]) for line in lines[-6:]] == [0, 4, 8, 12, 16, 20]
