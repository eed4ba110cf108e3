"""fit(backend="jax"): the same run as by NumPy, with the state on the device; what it refuses."""

from functools import partial

import numpy as np
import pytest

from microgradlib import log, nn, where
from microgradlib.costs import cross_entropy
from microgradlib.errors import DivergedError
from microgradlib.optim import SGD, Adam, Optimiser
from microgradlib.training import fit

pytest.importorskip("jax", reason="fit by JAX")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(45, 3))
Y = (X[:, 0] > 0).astype(int)


def trained(backend, optimizer, **settings):
    model = nn.MLP([3, 4, 2], rng=0)
    optimizer = optimizer(model.parameters())
    settings = {"epochs": 3, "batch_size": 16, **settings}
    return model, optimizer, fit(model, cross_entropy, X, Y, optimizer=optimizer, backend=backend, **settings)


@pytest.mark.parametrize(
    ("optimizer", "settings"),
    [
        (partial(Adam, lr=0.01), {"validation": 0.2}),
        (partial(SGD, lr=lambda t: 0.1 / (1 + t), momentum=0.9, dampening=0.25), {"clip_norm": 0.5, "clip_value": 0.1}),
        (partial(Adam, lr=0.01), {"callbacks": lambda model, history: None}),
    ],
)
def test_a_run_is_numpy_s(optimizer, settings):
    (model, one, history), (other, two, found) = (trained(b, optimizer, **settings) for b in ("numpy", "jax"))
    assert "by JAX on 1 cpu device" in found.engine
    assert [p.data for p in other.parameters()] == pytest.approx([p.data for p in model.parameters()], rel=1e-12)
    assert [p.grad for p in other.parameters()] == pytest.approx([p.grad for p in model.parameters()], abs=1e-13)
    assert found.loss == pytest.approx(history.loss, rel=1e-12)
    assert (found.accuracy, found.steps) == (history.accuracy, history.steps)
    assert found.validation_loss == pytest.approx(history.validation_loss)
    for name, norms in history.gradient_norms.items():
        assert found.gradient_norms[name] == pytest.approx(norms, nan_ok=True)
    assert two.steps == one.steps
    for name, buffer in one.buffers.items():
        assert two.buffers[name] == pytest.approx(buffer, abs=1e-13)


def test_a_step_behind_a_closed_branch_is_done_exactly():
    def loss(output, y):
        return where(y > 0, log(where(y > 0, output[0] ** 2 + y, y)), output[0] ** 2)

    targets = np.where(np.arange(45) % 7 == 0, 0.0, 1.0)
    runs = [
        fit(nn.MLP([3, 1], rng=0), lambda o, y: loss([o], y), X, targets, epochs=2, backend=backend).loss
        for backend in ("numpy", "jax")
    ]
    assert runs[1] == pytest.approx(runs[0], rel=1e-12)


def test_divergence_leaves_the_parameters_before_the_step():
    model = nn.MLP([3, 4, 2], rng=0)
    with pytest.raises(DivergedError, match="step 2") as caught:
        fit(model, cross_entropy, X, Y, optimizer=SGD(model.parameters(), lr=1e308), backend="jax", batch_size=16)
    assert caught.value.history.steps == 1
    assert max(abs(p.data) for p in model.parameters()) > 1e300


def test_refusals():
    class Own:
        def step(self):
            """Do nothing."""

    class Branching(Optimiser):
        def update(self, xp, t, lr, p, g):
            return (p - lr if g.sum() > 0 else p,)

    with pytest.raises(ValueError, match=r"take an optimizer of microgradlib\.optim"):
        trained("jax", lambda _: Own())
    with pytest.raises(ValueError, match=r"write xp\.where"):
        trained("jax", partial(Branching, lr=0.1))
    with pytest.raises(ValueError, match="augment draws each example in Python"):
        trained("jax", Adam, augment=lambda x, rng: x)
    with pytest.raises(ValueError, match="leave out compiled=False"):
        trained("jax", Adam, compiled=False)
    with pytest.raises(ValueError, match='options of backend="jax"'):
        trained("numpy", Adam, devices=2)
