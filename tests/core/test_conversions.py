"""In a function that is differentiated, a node becomes a number only where the program says so."""

import array
import builtins
import math
import re
import warnings

import numpy as np
import pytest

from microgradlib import Value, grad, hessian, jacobian, jvp, vjp
from microgradlib.errors import LostDerivativeWarning


def stored(x):
    out = np.zeros(2)
    out[0] = x[0]
    return out.sum()


def stored_as_a_slice(x):
    out = np.zeros(2)
    out[:] = x
    return out.sum()


def added_in_place(x):
    out = np.zeros(2)
    out += x
    return out.sum()


def filled(x):
    out = np.zeros(2)
    out.fill(x[0])
    return out.sum()


@pytest.mark.parametrize(
    "f",
    [
        stored, stored_as_a_slice, added_in_place, filled, lambda x: np.asarray(x, dtype=float).sum(),
        lambda x: np.array([x[0], x[1]], dtype=float).sum(), lambda x: (x * 2).astype(float).sum(),
        lambda x: np.gradient(x).sum(), lambda x: np.i0(x[0]), lambda x: np.full(2, x[0], dtype=float).sum(),
        lambda x: np.copyto(np.zeros(2), x, casting="unsafe") or x.sum(), lambda x: np.add.at(np.zeros(2), [0, 0], x),
    ],
)  # fmt: skip
def test_numpy_may_not_turn_nodes_into_numbers(f):
    """Each of these would have derivative 0, without notice."""
    with pytest.raises(TypeError, match=r"derivative|array of objects"):
        grad(f)(np.array([1.0, 2.0]))


def test_numbers_may_be_read_where_that_is_said():
    def f(x):
        number = x[0].data + x[1].data + int(x[0].data)
        out = np.zeros(2, dtype=object)
        out[0] = x[0] * number
        listed = [0.0]
        listed[0] = x[1]
        return out.sum() + listed[0] if f"{x[0]:.1f} {x[1]}" else 0.0

    assert grad(f)(np.array([1.0, 2.0])).tolist() == [4.0, 1.0]
    history = np.zeros(1)
    history[0] = Value(3.0)  # outside a transform nothing is lost without notice
    assert history[0] == 3.0


class Settings:
    of_class = float

    def __init__(self):
        self.of_instance = float

    def chosen(self):
        return math.exp


SETTINGS = Settings()
CONSTANT = Value(3.0)
FUNCTIONS = {"exp": math.exp}
WARNED = {
    "float": lambda x: float(x[0] * x[1]),
    "a choice": lambda x: float(x[0] if x[0] > 0 else x[1]),
    "builtins": lambda x: builtins.float(x[0]),
    "attributes": lambda x: SETTINGS.of_instance(x[0]) + Settings.of_class(x[1]),
    "method": lambda x: x[0].__float__(),
    "NumPy's scalars": lambda x: np.float64(x[0]) + np.float32(x[1]),
    "int": lambda x: int(x[0]),
    "round": lambda x: round(x[0], 1),
}
MEANT = {
    "a detached copy": lambda x: float(x[0].detach()),
    "a constant": lambda x: float(CONSTANT) + int(CONSTANT * 2.0),
    "text": lambda x: len("%f" % x[0] + f"{x[0]:.2f} {x[1]}" + "{:.1f}".format(x[1]) + format(x[0], ".1f")),  # noqa: UP031, UP032
    "questions": lambda x: math.isnan(x[0]) + math.isfinite(x[1]) + math.isclose(x[0], 3.0) + bool(x[1]),
}


@pytest.mark.parametrize("name", WARNED)
def test_numbers_that_are_seldom_meant_warn_of_the_line(name):
    """Each would have derivative 0 without notice; printing still works."""
    here = rf"in a function that is being differentiated \(at {re.escape(__file__)}:\d+, in <lambda>\)"
    with pytest.warns(LostDerivativeWarning, match=here) as warned:
        assert grad(lambda x: x[0] * WARNED[name](x) * 0 + x[1])([1.0, 2.0]) == [0.0, 1.0]
    assert all(warning.filename == __file__ for warning in warned)
    WARNED[name]([Value(1.0), Value(2.0)])  # outside a transform nothing is lost without notice


TRANSFORMED = {
    "grad": lambda f: grad(f)(3.0),
    "hessian": lambda f: hessian(f)(3.0),
    "jacobian": lambda f: jacobian(f)(3.0),
    "jvp": lambda f: jvp(f, (3.0,), (1.0,))[1],
    "vjp": lambda f: vjp(f, 3.0)[1](1.0)[0],
    "grad of grad": lambda f: grad(lambda x: x * grad(f)(x))(3.0),
}


@pytest.mark.parametrize("transform", TRANSFORMED.values(), ids=TRANSFORMED)
@pytest.mark.parametrize("f", [lambda x: x.data**2, lambda x: Value(x.data) ** 2, lambda x: float(x) ** 2])
def test_a_result_that_depends_on_the_argument_by_its_number_alone_warns(transform, f):
    with pytest.warns(LostDerivativeWarning, match="derivative 0"):
        assert transform(f) == 0.0


def test_a_number_that_is_read_beside_the_value_itself_is_a_constant():
    assert grad(lambda x: x.data * x)(3.0) == 3.0
    assert grad(lambda x: x.detach() ** 2)(3.0) == 0.0
    assert grad(lambda _: CONSTANT.data)(3.0) == 0.0
    assert grad(lambda x: x * grad(lambda y: x.data * y)(2.0))(3.0) == 3.0


def test_a_place_is_warned_of_once_in_a_run():
    with pytest.warns(LostDerivativeWarning) as warned:
        assert grad(lambda x: sum(v * float(v) for v in x))([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    assert len(warned) == 1


def halved(x):
    while abs(float(x)) > 1:
        x = x / 2
    return x


def checked(x):
    if float(x) > 100:
        raise ValueError("too large")
    return x if int(x) else -x


@pytest.mark.parametrize(
    "f",
    [
        halved, checked, lambda x: print("loss", float(x)) or x, lambda x: f"{float(x):.3f} {round(x, 2)}" and x,
        lambda x: x if float(x) > 0 else -x, lambda x: x if (int(x) == 3 and round(x) > 1) or float(x) <= 0 else -x,
    ],
)  # fmt: skip
def test_numbers_that_are_only_compared_or_printed_do_not_warn(f):
    for _ in range(20):  # Python specialises the bytecode
        assert grad(f)(3.0) in {0.25, 1.0}


LOOKED_AT = [
    "print(float(x))", "print(1, float(x), y, end='')", "print('a', abs(float(x)))", "f'{float(x)} {y}'",
    "f'{y} {float(x):.2f} {y}'",
    "float(x) > 0", "float(x) > y * 2 + 1", "y < float(x)", "float(x) == y", "float(x) < y < 3", "0 < y < float(x)",
    "0 < float(x) < 3", "0 < float(x) < y < 9", "0 < abs(float(x)) <= y", "y + (0 < float(x) < 3)", "not float(x)",
    "not abs(float(x))", "1 if float(x) else 2", "[1, 2][float(x) > 0]", "max(y, 1) if float(x) == y else 0",
]  # fmt: skip
COMPUTED_WITH = [
    "float(x) + 1", "y + float(x)", "[float(x)]", "{'a': float(x)}", "(float(x), y)", "max(float(x), y)",
    "float(x) + 1 > 0", "-float(x) > 0", "round(float(x), 1) > 0", "abs(float(x)) + 1", "0 < 2 * float(x) < 3",
    "max(float(x), 1)", "float(x) or 2", "float(x) and y", "y if y > 9 else float(x)", "[y, 2][int(x) - 3]",
]  # fmt: skip


@pytest.mark.parametrize("expression", [*LOOKED_AT, *COMPUTED_WITH])
def test_a_conversion_warns_where_its_number_is_computed_with(expression):
    names = {}
    exec(f"def f(x, y=1.5):\n    result = {expression}\n    return x * x\n", names)  # noqa: S102
    for _ in range(3):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert grad(names["f"])(3.0) == 6.0
        assert len(caught) == (expression in COMPUTED_WITH)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: abs(float(x)) * x, lambda x: x * (float(x) + (1 if float(x) > 0 else 2)), lambda x: x * -float(x),
        lambda x: x * (float(x) if x > 0 else 2.0), lambda x: x * (float(x) or 1.0), lambda x: max(float(x), 0.0) * x,
        lambda x: x * sum(x.data for _ in range(int(x))),
    ],
)  # fmt: skip
def test_numbers_that_are_computed_with_warn_though_others_are_compared(f):
    for _ in range(20):
        with pytest.warns(LostDerivativeWarning, match="a constant of derivative 0"):
            grad(f)(3.0)


@pytest.mark.parametrize("name", MEANT)
def test_numbers_that_are_asked_for(name):
    assert grad(lambda x: x[0] * MEANT[name](x) * 0 + x[1])([1.0, 2.0]) == [0.0, 1.0]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sum(map(math.exp, x)), lambda x: next(iter([*map(math.sin, x)])), lambda x: math.hypot(*x),
        lambda x: math.fsum(x), lambda x: math.dist(x, [0.0, 0.0]), lambda x: sum(array.array("d", x)),
        lambda x: abs(complex(x[0], x[1])), lambda x: FUNCTIONS["exp"](x[0]), lambda x: SETTINGS.chosen()(x[0]),
        lambda x: np.array([x[0], x[1]]).astype(float).sum(), lambda x: math.exp(x[0] if x[0] > 1 else x[1]),
        lambda x: np.asarray(x if x[0] > 0 else x[::-1], dtype=float).sum(),
        lambda x: float(FUNCTIONS["exp"](x[0])), lambda x: float(SETTINGS.chosen()(x[0] or x[1])),
    ],
)  # fmt: skip
def test_other_numbers_are_refused(f):
    with pytest.raises(TypeError, match=r"derivative be lost|lose the graph"):
        grad(f)([1.0, 2.0])
