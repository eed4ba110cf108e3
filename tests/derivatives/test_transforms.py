"""grad, jvp, vjp, jacobian, hessian, hvp: closed forms, nesting, structures, perturbation confusion."""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from microgradlib.derivatives.linearize import Linearization, argument_positions
from microgradlib.errors import SymbolHasNoValueError

numbers = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)


@given(numbers, st.integers(1, 7))
def test_orders_of_a_power_by_nesting(x, order):
    f = lambda x: x**6  # noqa: E731
    for _ in range(order):
        f = grad(f)
    assert f(x) == pytest.approx(math.perm(6, order) * x ** (6 - order) if order <= 6 else 0.0, rel=1e-12)


def test_five_nested_derivatives_of_sin():
    f = mg.sin
    for expected in (math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin, math.cos):
        f = grad(f)
        assert f(0.7) == pytest.approx(expected(0.7), rel=1e-14)


# Perturbation confusion: what a forward mode whose levels share one infinitesimal gets wrong.


def test_inner_derivative_is_independent_of_the_outer_variable():
    assert grad(lambda x: x * grad(lambda y: x + y)(2.0))(3.0) == 1.0  # confused: 2
    assert grad(lambda x: x * jvp(lambda y: x + y, (2.0,), (1.0,))[1])(3.0) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (2.0,), (1.0,))[1], (3.0,), (1.0,)) == (3.0, 1.0)
    assert jvp(lambda x: x * grad(lambda y: x + y)(2.0), (3.0,), (1.0,)) == (3.0, 1.0)


def test_the_inner_function_may_be_called_at_the_outer_variable():
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0  # x·x; confused: 9, as if y were x
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # 2x²; confused: 18
    assert jvp(lambda x: jvp(lambda y: x * y * y, (x,), (1.0,))[1], (3.0,), (1.0,))[1] == 12.0


def test_inner_derivative_depends_on_the_outer_variable():
    assert grad(lambda x: grad(lambda y: x * x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: x * jvp(lambda y: x * y, (1.0,), (x,))[1])(2.0) == 12.0  # x·x·x


def test_a_curried_difference_operator():
    """Siskind and Pearlmutter's amazing bug: an operator that returns a function, applied twice."""
    shift = lambda u: lambda f: lambda x: f(x + u)  # noqa: E731
    operator = lambda f: lambda h: grad(lambda u: shift(u)(f)(h))(0.0)  # noqa: E731
    assert operator(operator(mg.exp))(1.0) == pytest.approx(math.e, rel=1e-14)


def test_forward_over_reverse_over_forward():
    cubic = lambda x: x**3  # noqa: E731
    slope = lambda x: jvp(cubic, (x,), (1.0,))[1]  # noqa: E731
    assert grad(slope)(2.0) == 12.0
    assert jvp(grad(slope), (2.0,), (1.0,)) == (12.0, 6.0)


@given(st.lists(numbers, min_size=3, max_size=3), st.lists(numbers, min_size=3, max_size=3), numbers, numbers)
def test_jvp_and_vjp_are_adjoint(x, v, a, b):
    f = lambda x: [mg.tanh(x[0] * x[1]), x[2] / (2 + mg.sin(x[0]))]  # noqa: E731
    (_, forward), (_, pullback) = jvp(f, (x,), (v,)), vjp(f, x)
    left = a * forward[0] + b * forward[1]
    right = math.fsum(g * c for g, c in zip(pullback([a, b])[0], v))
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


def test_jacobian_by_rows_and_by_columns():
    wide = lambda x: [x[0] * x[1] + x[2]]  # noqa: E731
    tall = lambda x: {"p": (x[0] ** 2, x[0] * x[1]), "q": [x[1]]}  # noqa: E731
    assert jacobian(wide)([2.0, 3.0, 5.0]) == [[3.0, 2.0, 1.0]]
    assert jacobian(tall)([2.0, 3.0]) == {"p": ([4.0, 0.0], [3.0, 2.0]), "q": [[0.0, 1.0]]}


def test_gradients_have_the_structure_of_the_argument():
    class Point(NamedTuple):
        x: float
        y: float

    assert grad(lambda p: p.x * p.y)(Point(2.0, 3.0)) == Point(3.0, 2.0)
    nested = {"layers": [{"w": [1.0, 2.0], "b": 3.0}], "scale": (4.0,)}
    f = lambda t: t["scale"][0] * (t["layers"][0]["w"][0] * t["layers"][0]["w"][1] + t["layers"][0]["b"])  # noqa: E731
    assert grad(f)(nested) == {"layers": [{"w": [8.0, 4.0], "b": 4.0}], "scale": (5.0,)}


def test_argnums_name_arguments():
    f = lambda x, y, z: x * y**2 + z  # noqa: E731
    assert grad(f, 1)(2.0, 3.0, 5.0) == 12.0
    assert grad(f, (0, -1))(2.0, 3.0, 5.0) == (9.0, 1.0)
    assert value_and_grad(f, (2, 0))(2.0, 3.0, 5.0) == (23.0, (1.0, 9.0))
    assert jacobian(f, 1)(2.0, 3.0, 5.0) == 12.0
    assert hessian(f, 1)(2.0, 3.0, 5.0) == 4.0
    assert grad(lambda x, power=1: x**power)(2.0, power=3) == 12.0


def test_values_and_symbols_give_graphs():
    w = Value(3.0)
    slope = grad(lambda x: x**3)(w)
    assert isinstance(slope, Value)
    assert mg.grad_table(slope)[w] == 18.0
    s = Symbol("s")
    assert evaluate(grad(lambda x: x**3)(s), {s: 2.0}) == 12.0
    assert evaluate(hessian(lambda x: x[0] * x[1] ** 2)([s, 2.0])[0][1], {s: 5.0}) == 4.0


def test_numbers_give_numbers_for_every_kind_of_result():
    assert grad(lambda x: 5)(2.0) == 0.0
    assert value_and_grad(lambda x: 5)(2) == (5.0, 0.0)
    assert jvp(lambda x: [x, 7], (2,), (1,)) == ([2.0, 7.0], [1.0, 0.0])
    assert type(value_and_grad(lambda x: x)(2)[0]) is float
    assert hessian(lambda x: 3 * x[0] + 5)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_transforms_record_inside_no_grad():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert hvp(lambda x: x[0] ** 3, [2.0], [1.0]) == [12.0]
        assert vjp(lambda x: x * x, 3.0)[1](1.0) == (6.0,)


def test_strong_zeros_hold_in_every_transform():
    f = lambda x: mg.where(x > 0, mg.log(x), 0.0)  # noqa: E731
    assert grad(f)(-1.0) == grad(grad(f))(-1.0) == jvp(f, (-1.0,), (1.0,))[1] == 0.0
    assert hessian(f)(-1.0) == hvp(f, -1.0, 1.0) == 0.0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: grad(lambda x: [x, x])(2.0), TypeError, "use jacobian"),
        (lambda: hessian(lambda x: [x, x])(2.0), TypeError, "use jacobian"),
        (lambda: grad(lambda x: x)("two"), TypeError, "str"),
        (lambda: grad(lambda x: "two")(2.0), TypeError, "str"),
        (lambda: grad(lambda x: x, 3)(2.0), ValueError, "argnums"),
        (lambda: jvp(lambda x: x, (2.0,), ([1.0],)), ValueError, "same nesting"),
        (lambda: hvp(lambda x: x[0], [2.0], [1.0, 2.0]), ValueError, "same nesting"),
        (lambda: vjp(lambda x: [x], 2.0)[1](1.0), ValueError, "shape of the output"),
    ],
)
def test_invalid_use_raises(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    "f", [lambda x: x > 1, lambda x: [x, x < 2], lambda x: np.float64(3.0) > 1, lambda x: np.array(x > 1)]
)
@pytest.mark.parametrize(
    "transform", [grad, jacobian, lambda f: lambda x: jvp(f, x, 1.0), lambda f: lambda x: vjp(f, x)]
)
def test_the_result_of_a_comparison_is_refused(transform, f):
    """Its derivatives are 0, and its author meant another number."""
    with pytest.raises(TypeError, match=r"must return numbers: (True|False), as a comparison gives, changes by steps"):
        transform(f)(1.5)


BY_ARGNUMS = {
    "grad": grad, "value_and_grad": value_and_grad, "jacobian": jacobian, "hessian": hessian,
    "elementwise_grad": mg.elementwise_grad,
}  # fmt: skip


@pytest.mark.parametrize("transform", BY_ARGNUMS.values(), ids=BY_ARGNUMS)
def test_the_first_argument_is_the_default(transform):
    def f(x, y, z):
        return x**3 * y**2 * z

    by_x, *others = [transform(f, i)(2.0, 3.0, 5.0) for i in (0, 1, 2)]
    assert transform(f)(2.0, 3.0, 5.0) == by_x
    assert by_x not in others
    with pytest.raises(TypeError, match="nothing to differentiate by: the function was called without an argument"):
        transform(lambda: 3.0)()


@pytest.mark.parametrize("count", range(5))
@pytest.mark.parametrize("argnums", [-5, -3, -2, -1, 0, 1, 2, 4, (), (0, 0), (1, -1), [2, 0], (0, 3), (-4,)])
def test_argnums_are_the_positions_of_a_list(argnums, count):
    """As Python's indices."""
    positions = list(range(count))
    try:
        expected = [positions[i] for i in ([argnums] if isinstance(argnums, int) else argnums)]
    except IndexError:
        limits = f"{count} argument" + (f"s: write integers from {-count} to {count - 1}" if count > 1 else ": write 0")
        error, words = (ValueError, f"call with {limits}") if count else (TypeError, "without an argument by position")
        with pytest.raises(error, match=words):
            argument_positions(argnums, count)
    else:
        assert argument_positions(argnums, count) == expected


@pytest.mark.parametrize(
    "transformed",
    [
        *[lambda f, transform=transform: transform(f, "x") for transform in BY_ARGNUMS.values()],
        lambda f: jvp(f, {}, 3), lambda f: vjp(f, "x"), lambda f: hvp(f, "x", None),
    ],
    ids=[*BY_ARGNUMS, "jvp", "vjp", "hvp"],
)  # fmt: skip
@pytest.mark.parametrize("wrong", [3.0, "sin", None, Value(2.0), [math.sin]], ids=str)
def test_the_function_is_looked_at_before_all_else(transformed, wrong):
    with pytest.raises(TypeError, match=r"f must be a function of the numbers, as .* is, not its result; got "):
        transformed(wrong)


def test_depth_is_restored_after_an_error():
    def fails(x):
        raise KeyError(x)

    with pytest.raises(KeyError):
        grad(fails)(1.0)
    assert type(grad(lambda x: x * x)(2.0)) is float


BY_EQUALITY = {
    "constant": lambda x: np.sum(np.where(x == 2.0, 5 * x, x)),
    "not equal": lambda x: np.sum(x[x != 3.0]),
    "the largest": lambda x: np.sum(x * (x == np.max(x))),
    "branch": lambda x: 5 * x[0] if x[0] == 2 else x[0],
    "two entries": lambda x: 7 * x[0] if x[1] == x[2] else x[0],
    "both": lambda x: 7 * x[0] if x[0] != x[2] and x[2] != 4.0 else x[0],
    "in": lambda x: 3 * x[0] if x[0] in (1.0, 2.0) else x[0],
    "index": lambda x: [2.0, 3.0].index(x[1]) * x[0],
    "count": lambda x: list(x).count(3.0) * x[0],
    "NumPy's numbers": lambda x: 2 * x[0] if np.float64(2.0) == x[0] and x[1] == np.int64(3) else x[0],
    "np.array_equal": lambda x: 3 * x[0] if np.array_equal(x, [2.0, 3.0, 3.0]) else x[0],
    "np.isin": lambda x: np.sum(x * np.isin(x, [3.0])),
    "a fraction": lambda x: 4 * x[0] if x[0] == Fraction(2) else x[0],
    "made in f": lambda x: 4 * x[0] if x[1] * 2 == x[0] * 3 else x[0],
}


@pytest.mark.parametrize("f", BY_EQUALITY.values(), ids=BY_EQUALITY)
def test_equality_in_a_differentiated_function_is_that_of_numbers(f):
    """== of Values is identity elsewhere: the function took the other branch, in silence."""
    x = np.array([2.0, 3.0, 3.0])
    value, gradient = value_and_grad(f)(x)
    assert value == f(x)
    assert gradient @ x == f(x)  # each is linear in x, on this branch


def test_equality_elsewhere_is_identity():
    x, y = Value(2.0), Value(2.0)
    assert x == x  # noqa: PLR0124
    assert x != y
    assert x != 2.0
    assert len({x, y}) == 2
    nodes = grad(lambda x: len({x, x * 1.0, x + 0.0}) * x)(2.0)
    assert nodes == 3.0  # as members of sets and keys of dicts, nodes are themselves
    with pytest.raises(SymbolHasNoValueError, match="=="):
        grad(lambda x: x if x == 2.0 else -x)(Symbol("x"))


def test_jvp_of_a_function_of_one_number_takes_the_numbers():
    cube = lambda x: x**3  # noqa: E731
    assert jvp(cube, 2.0, 10.0) == jvp(cube, (2.0,), (10.0,)) == (8.0, 120.0)
    value, slope = jvp(cube, Value(2.0), 10.0)
    assert (value.data, slope.data) == (8.0, 120.0)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, vjp])
def test_what_is_no_function_is_refused_at_once(transform):
    with pytest.raises(TypeError, match=r"f must be a function of the numbers, .* got 3\.0"):
        transform(3.0)


def test_a_function_of_other_arguments_is_named():
    with pytest.raises(TypeError, match="a lambda function of x was called with 2 arguments: give as many as it takes"):
        grad(lambda x: x)(1.0, 2.0)
    with pytest.raises(TypeError, match="a lambda function must return numbers: expected a real number, got None"):
        grad(lambda x: None)(1.0)


def test_derivatives_are_by_the_first_argument_unless_another_is_named():
    def f(x, y):
        return x * y * y

    assert value_and_grad(f)(2.0, 3.0) == (18.0, 9.0)
    assert grad(f)(2.0, 3.0) == jacobian(f)(2.0, 3.0) == 9.0


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 3), (3, 1), (2, 2), (2, 5)])
def test_a_jacobian_takes_as_few_passes_as_its_shorter_side(monkeypatch, inputs, outputs):
    passes = []
    for name in ("gradients", "tangents"):
        method = getattr(Linearization, name)
        monkeypatch.setattr(
            Linearization, name, lambda *given, name=name, method=method: passes.append(name) or method(*given)
        )
    point = [float(i + 1) for i in range(inputs)]
    found = jacobian(lambda xs: [sum(xs) * float(k) for k in range(outputs)])(point)
    assert found == [[float(k)] * inputs for k in range(outputs)]
    assert passes == (["gradients"] * outputs if outputs <= inputs else ["tangents"] * inputs)
