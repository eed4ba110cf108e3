"""NumPy may not turn the nodes of a function that is differentiated into numbers."""

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
        lambda x: np.gradient(x).sum(), lambda x: np.i0(x[0]),
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
