"""Linear maps with stated transposes, under JAX's transformations: A(c) u = c³ u, its derivatives stated or JAX's."""

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the JAX engine")

from microgradlib.compiler.engines.jax.linear import LinearMap, along  # noqa: E402


def cubes(factor=1.0):
    """Return u ↦ c³ u, whose transpose is a stated one: u ↦ factor · c³ u."""
    slope = LinearMap(
        lambda cu, d: [3 * cu[0] ** 2 * cu[1] * d[0]], lambda _, d: [d[0]], lambda: slope, lambda wrt: second(wrt)
    )

    def second(wrt):
        return LinearMap(
            lambda cud, e: [
                sum(
                    (6 * cud[0] * cud[1] * cud[2] * e[k] if place == 0 else 3 * cud[0] ** 2 * cud[2] * e[k])
                    for k, place in enumerate(wrt)
                )
            ],
            lambda _, e: [e[0]],
            lambda: second(wrt),
        )

    there = LinearMap(lambda c, u: [c[0] ** 3 * u[0]], lambda _, u: [u[0]], lambda: back, lambda _: slope)
    back = LinearMap(lambda c, w: [factor * c[0] ** 3 * w[0]], lambda _, w: [w[0]], lambda: there, lambda _: slope)
    return there


def test_the_transpose_is_the_stated_one():
    c, u = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    there = cubes(factor=10.0)
    found, pull = jax.vjp(lambda u: there([c], [u])[0], u)
    assert np.asarray(found).tolist() == [3.0, 32.0]
    assert np.asarray(pull(jax.numpy.ones(2))[0]).tolist() == [10.0, 80.0]
    again = jax.vjp(lambda w: pull(w)[0], jax.numpy.ones(2))[1]
    assert np.asarray(again(jax.numpy.ones(2))[0]).tolist() == [1.0, 8.0]


@pytest.mark.parametrize("axes", [(0, 0), (None, 0), (0, None), (1, None), (None, 1)])
def test_over_a_further_axis_and_differentiated_by_both(axes):
    rng = np.random.default_rng(0)
    c, u = [rng.normal(size=(3,) if axis is None else (3, 3)).astype(np.float32) for axis in axes]
    there = cubes()

    def own(c, u):
        return jax.vmap(lambda c, u: there([c], [u])[0], axes)(c, u).sum()

    def plain(c, u):
        return jax.vmap(lambda c, u: c**3 * u, axes)(c, u).sum()

    for transformed in (jax.grad, jax.jacfwd, lambda f, argnums: jax.jacfwd(jax.jacrev(f, argnums), argnums)):
        for found, expected in zip(transformed(own, argnums=(0, 1))(c, u), transformed(plain, argnums=(0, 1))(c, u)):
            for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
                assert np.asarray(a) == pytest.approx(np.asarray(b), rel=1e-5, abs=1e-5)


def test_twice_over_further_axes():
    c, u = np.arange(1.0, 4.0, dtype=np.float32), np.ones((2, 5, 3), np.float32)
    there = cubes()
    gradient = jax.grad(lambda c: jax.vmap(jax.vmap(lambda u: there([c], [u])[0]))(u).sum())
    assert np.asarray(gradient(c)).tolist() == (10 * 3 * c**2).tolist()
    assert np.asarray(jax.jit(jax.hessian(gradient))(c))[0, 0, 0] == 60.0


def test_along():
    found = along(lambda arrays: arrays[0] * arrays[1] ** 2, [np.float32(2.0), np.float32(3.0)], [1], [np.float32(1.0)])
    assert found == 12.0
