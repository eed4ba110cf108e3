"""In a function that is differentiated, a node becomes a number only where the program says so."""

import array
import builtins
import math

import numpy as np
import pytest

from microgradlib import Value, grad


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
        number = float(x[0]) + np.float64(x[1]) + int(x[0])
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
FUNCTIONS = {"exp": math.exp}
MEANT = {
    "float": lambda x: float(x[0] * x[1]),
    "a choice": lambda x: float(x[0] if x[0] > 0 else x[1]),
    "builtins": lambda x: builtins.float(x[0]),
    "attributes": lambda x: SETTINGS.of_instance(x[0]) + Settings.of_class(x[1]),
    "method": lambda x: x[0].__float__(),
    "NumPy's scalars": lambda x: np.float64(x[0]) + np.float32(x[1]),
    "int, round": lambda x: int(x[0]) + round(x[0], 1),
    "text": lambda x: len("%f" % x[0] + f"{x[0]:.2f} {x[1]}" + "{:.1f}".format(x[1]) + format(x[0], ".1f")),  # noqa: UP031, UP032
    "questions": lambda x: math.isnan(x[0]) + math.isfinite(x[1]) + math.isclose(x[0], 3.0) + bool(x[1]),
}


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
