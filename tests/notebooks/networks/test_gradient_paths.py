"""Fig. 6.11: the paths of the gradient against the matrix form of Algorithms 6.3 and 6.4 in NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st


def matrices(paths, model):
    return [np.array([[w.data for w in row] for row in paths.weight_matrix(model, layer)]) for layer in (0, 1)]


def by_matrices(x, y, w1, w2):
    """J_MLE, ∂J_MLE/∂W⁽¹⁾ = Xᵀ G′ and ∂J_MLE/∂W⁽²⁾ = Hᵀ G, as 6.5.7 has them."""
    x, y_one_hot = np.array(x), np.eye(w2.shape[1])[list(y)]
    u1 = x @ w1
    h = np.maximum(0, u1)
    u2 = h @ w2
    probabilities = np.exp(u2) / np.exp(u2).sum(axis=1, keepdims=True)
    mle = -np.log((probabilities * y_one_hot).sum(axis=1)).mean()
    g = (probabilities - y_one_hot) / len(x)
    g_prime = (g @ w2.T) * (u1 > 0)
    return mle, x.T @ g_prime, h.T @ g


@settings(max_examples=15, deadline=None)
@given(rng=st.integers(0, 1000), lam=st.floats(0, 1))
def test_both_paths_into_both_matrices(script, rng, lam):
    paths = script("gradient_paths")
    model = paths.network(rng)
    w = matrices(paths, model)
    mle, *through_cross_entropy = by_matrices(paths.X, paths.Y, *w)
    j = paths.cost(model, lam=lam)
    omega = sum((w_layer**2).sum() for w_layer in w)
    assert (j.mle.data, j.decay.data) == pytest.approx((mle, lam * omega), abs=1e-14)
    assert j.total.data == j.mle.data + j.decay.data
    for layer in (0, 1):
        found = paths.gradient_paths(model, j, layer)
        np.testing.assert_allclose(found.through_cross_entropy, through_cross_entropy[layer], rtol=0, atol=1e-14)
        np.testing.assert_allclose(found.through_decay, 2 * lam * w[layer], rtol=0, atol=1e-14)
        np.testing.assert_allclose(found.total, through_cross_entropy[layer] + 2 * lam * w[layer], rtol=0, atol=2e-14)


def test_what_the_consumers_of_a_weight_send_back_are_the_two_paths(script):
    paths = script("gradient_paths")
    model = paths.network()
    j = paths.cost(model)
    for layer in (0, 1):
        found = paths.gradient_paths(model, j, layer)
        for i, row in enumerate(paths.weight_matrix(model, layer)):
            for k, w in enumerate(row):
                sent = paths.contributions(j, w)
                assert [path for path, _ in sent] == ["cross-entropy"] * len(paths.X) + ["decay"] * 2
                by_path = {name: sum(part for path, part in sent if path == name) for name, _ in sent}
                assert by_path["cross-entropy"] == pytest.approx(found.through_cross_entropy[i][k], abs=1e-15)
                assert by_path["decay"] == pytest.approx(2 * paths.LAMBDA * w.data, abs=1e-15)


def test_without_decay_that_path_carries_nothing(script):
    paths = script("gradient_paths")
    model = paths.network()
    found = paths.gradient_paths(model, paths.cost(model, lam=0.0), 0)
    assert found.total == found.through_cross_entropy
    assert not np.any(found.through_decay)


def test_main(script, capsys):
    script("gradient_paths").main()
    text = capsys.readouterr().out
    assert text.startswith("J = J_MLE + λΩ = ")
    assert text.count("cross-entropy ") == 6 + 2
