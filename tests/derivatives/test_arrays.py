"""The transforms over NumPy arrays: shapes, dtypes, nesting, SciPy's solvers."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize

import microgradlib as mg
from microgradlib import Symbol, Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from microgradlib._support.pytree import flatten, same_shape, unflatten

numbers = st.floats(-2, 2)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3).filter(lambda shape: np.prod(shape) < 9)
arrays = shapes.flatmap(lambda shape: hnp.arrays(float, shape, elements=numbers))
trees = st.recursive(
    arrays | numbers,
    lambda inner: st.lists(inner, max_size=2) | st.tuples(inner) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


def curved(leaves):
    """Return a function of all the leaves with a full Hessian."""
    total = sum(((i + 1.5) * x for i, x in enumerate(leaves)), start=0.0)
    return mg.sin(total) + sum((x * x * x for x in leaves), start=0.0)


def several(leaves):
    return [mg.sin(x * leaves[0]) for x in leaves] if leaves else []


@given(trees)
@settings(max_examples=30)
def test_derivatives_by_arrays_are_those_by_lists(tree):
    """Whatever the nesting and the shapes: the same numbers, in arrays of float64 of the shapes of the argument."""
    leaves = [float(x) for x in flatten(tree)]
    by_tree = lambda t: curved(flatten(t))  # noqa: E731
    value, gradient = value_and_grad(by_tree)(tree)
    assert (value, flatten(gradient)) == value_and_grad(curved)(leaves)
    assert type(value) is float
    assert same_shape(gradient, tree)
    assert all(a.dtype == float for a in arrays_in(gradient))
    assert flatten(hvp(by_tree, tree, gradient)) == hvp(curved, leaves, flatten(gradient))
    rows = jacobian(several)(leaves)
    pushed = jvp(lambda t: unflatten(t, several(flatten(t))), (tree,), (gradient,))[1]
    assert same_shape(pushed, tree)
    assert flatten(pushed) == jvp(several, (leaves,), (flatten(gradient),))[1]
    nested = jacobian(lambda t: unflatten(t, several(flatten(t))))(tree)
    assert sorted(map(float, flatten(nested))) == sorted(flatten(rows))


def arrays_in(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, (list, tuple)):
        return [a for branch in tree for a in arrays_in(branch)]
    return [tree] if isinstance(tree, np.ndarray) else []


@given(arrays, arrays)
@settings(max_examples=20)
def test_shapes_of_jacobians_and_hessians(x, w):
    """out.shape + in.shape and in.shape + in.shape, with the numbers of the flat matrices."""
    f = lambda x: np.sum(np.multiply.outer(np.sin(x), w)) * w + np.sum(x * x)  # noqa: E731
    flat = lambda xs: flatten(f(np.array([*xs, None], dtype=object)[:-1].reshape(x.shape)))  # noqa: E731
    found = jacobian(f)(x)
    assert found.shape == w.shape + x.shape
    assert found.dtype == float
    assert found.ravel().tolist() == flatten(jacobian(flat)(x.ravel().tolist()))
    g = lambda x: mg.sum([a * b for a in flatten(np.cos(x)) for b in flatten(x)])  # noqa: E731
    curvature = hessian(g)(x)
    assert curvature.shape == x.shape + x.shape
    matrix = curvature.reshape(x.size, x.size)
    assert np.allclose(matrix, matrix.T, rtol=1e-12, atol=1e-12)


A = np.array([[2.0, 1.0], [0.0, 3.0]])


@given(hnp.arrays(float, 2, elements=numbers))
@settings(max_examples=20)
def test_a_quadratic_form(x):
    f = lambda x: x @ A @ x  # noqa: E731
    assert grad(f)(x) == pytest.approx((A + A.T) @ x, abs=1e-12)
    assert hessian(f)(x) == pytest.approx(A + A.T, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint64, bool, np.longdouble, object, ">f8"])
def test_numbers_of_any_kind_give_float64(dtype):
    x = np.array([[1, 0], [0, 1]], dtype=dtype, order="F")
    gradient = grad(lambda x: (x * x * [[1, 2], [3, 4]]).sum())(x)
    assert gradient.dtype == float
    assert gradient.tolist() == [[2.0, 0.0], [0.0, 8.0]]


@pytest.mark.parametrize(("entry", "words"), [(1j, r"\.real"), ("one", r"float\(text\)"), ([1, 2], "each element")])
def test_other_entries_are_refused(entry, words):
    x = np.empty(1, dtype=object)
    x[0] = entry
    with pytest.raises(TypeError, match=words):
        grad(lambda x: x.sum())(x)


def test_several_argnums_as_in_jax():
    f = lambda x, y: x * y**2  # noqa: E731
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    by_x, by_y = jacobian(f, (0, 1))(x, y)
    assert by_x.tolist() == [[9.0, 0.0], [0.0, 16.0]]
    assert by_y.tolist() == [[6.0, 0.0], [0.0, 16.0]]
    assert jacobian(f, (0, -1))(2.0, 3.0) == (9.0, 12.0)
    assert hessian(f, (0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    assert hessian(f, (1,))(2.0, 3.0) == ((4.0,),)
    assert jacobian(lambda x, y: [x * y, x], (1, 0))(2.0, 3.0) == [(2.0, 3.0), (0.0, 1.0)]
    blocks = hessian(lambda x, d: (x @ x) * d["b"], (0, 1))(x, {"b": 3.0})
    assert blocks[0][0].tolist() == [[6.0, 0.0], [0.0, 6.0]]
    assert blocks[0][1]["b"].tolist() == blocks[1]["b"][0].tolist() == [2.0, 4.0]
    assert blocks[1]["b"][1] == {"b": 0.0}
    for transform in (grad, jacobian, hessian):
        with pytest.raises(ValueError, match="argnums must be positions"):
            transform(lambda x, y: x * y, (0, 2))(1.0, 2.0)


@given(hnp.arrays(float, 3, elements=numbers), hnp.arrays(float, 3, elements=numbers))
@settings(max_examples=25)
def test_nested_transforms_over_arrays(x, w):
    slope = lambda x: np.sum(w * grad(lambda y: np.sum(x * y**3))(x))  # noqa: E731
    assert grad(slope)(x) == pytest.approx(9 * w * x**2, abs=1e-12)  # Σ 3 w x · x²
    value, pullback = vjp(np.sin, x)
    _, forward = jvp(np.sin, (x,), (w,))
    assert value.tolist() == [mg.sin(a) for a in x]
    assert pullback(w)[0].tolist() == forward.tolist() == pytest.approx(w * np.cos(x))


def test_values_and_symbols_in_arrays_give_graphs():
    v, s = Value(2.0), Symbol("s")
    gradient = grad(lambda x: (x**3).sum())(np.array([v, s]))
    assert gradient.dtype == object
    assert mg.grad_table(gradient[0])[v] == 12.0
    assert mg.evaluate(gradient[1], {s: 2.0}) == 12.0


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2).sum() + 100 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def test_scipy_minimises_with_the_derivatives():
    start = np.array([-1.0, 2.0, 0.5])
    for result in (
        optimize.minimize(value_and_grad(rosenbrock), start, jac=True),
        optimize.minimize(rosenbrock, start, jac=grad(rosenbrock), hess=hessian(rosenbrock), method="trust-exact"),
        optimize.minimize(
            rosenbrock, start, jac=grad(rosenbrock), hessp=lambda x, v: hvp(rosenbrock, x, v), method="Newton-CG"
        ),
    ):
        assert result.success
        assert result.x == pytest.approx(1.0, abs=1e-4)
        assert result.x.dtype == float
        assert isinstance(result.fun, float)
    assert hessian(rosenbrock)(start) == pytest.approx(optimize.rosen_hess(start))
    curve = lambda p: np.array([p[0] - 1, p[0] * p[1] - 2])  # noqa: E731
    for result in (
        optimize.least_squares(curve, [3.0, 3.0], jac=jacobian(curve)),
        optimize.root(curve, [3.0, 3.0], jac=jacobian(curve)),
    ):
        assert result.x == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: np.log(np.maximum(x, 0.1)).sum(), [1.0, 0.0]),
        (lambda x: np.sqrt(np.where(x > 0, x, 1.0)).sum(), [0.5, 0.0]),
        (lambda x: np.exp(np.clip(x, -1, 0)).sum(), [0.0, 0.0]),
        (lambda x: (np.clip(x, 0, None) ** 2).sum() + np.clip(x[1], None, a_max=0.0), [2.0, 1.0]),
        (lambda x: (np.clip(x, a_min=-3, a_max=None) * np.clip(x, None, [2.0, -2.0])).sum(), [2.0, -4.0]),
        (lambda x: np.linalg.norm(x), [1 / 5**0.5, -2 / 5**0.5]),
        (lambda x: np.var(x), [1.5, -1.5]),
        (lambda x: x[x > 0].sum(), [1.0, 0.0]),
        (lambda x: np.concatenate([x, 2 * x]).sum(), [3.0, 3.0]),
        (lambda x: np.hypot([0.0, 0.0], x).sum(), [1.0, -1.0]),
        (lambda x: np.stack([x[0], x[1] * x[0]]).sum(), [-1.0, 1.0]),
        (lambda x: np.poly(x) @ [1.0, 2.0, 3.0] + np.vstack(x).sum() + np.hstack(x)[0], [-6.0, 2.0]),
        (lambda x: np.array(x.max()), [1.0, 0.0]),  # an array without axes is a number
        (lambda x: 0.0, [0.0, 0.0]),
    ],
)
def test_programs_over_arrays(f, slope):
    value, gradient = value_and_grad(f)(np.array([1.0, -2.0]))
    assert type(value) is float
    assert gradient == pytest.approx(slope)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: grad(lambda x: x)(x), TypeError, r"array of shape \(2,\): use jacobian"),
        (lambda x: hessian(lambda x: x[:1] * 2)(x), TypeError, r"array of shape \(1,\): use jacobian"),
        (lambda x: hvp(lambda x: x @ x, x, np.ones(3)), ValueError, "same nesting"),
        (lambda x: hvp(lambda x: x @ x, x, [1.0, 2.0]), ValueError, "same nesting"),
        (lambda x: jvp(lambda x: x, (x,), (np.ones((2, 1)),)), ValueError, "same nesting"),
        (lambda x: jvp(lambda x: x, x, x), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda x: jvp(lambda x: x, 1.0, [1.0]), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda x: vjp(lambda x: x, x)[1](np.ones(3)), ValueError, "shape of the output"),
        (lambda x: vjp(lambda x: x, x)[1](1.0), ValueError, "shape of the output"),
    ],
)
def test_invalid_use_raises(make, error, words):
    with pytest.raises(error, match=words):
        make(np.array([1.0, 2.0]))
