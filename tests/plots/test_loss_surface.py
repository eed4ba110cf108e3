import numpy as np
import pytest

from microgradlib import Symbol, Value, plot_loss_surface
from microgradlib.nn import MLP

pytest.importorskip("matplotlib")


def bowl(w, b):
    return (w - 1) ** 2 + 4 * (b + 0.5) ** 2 + 3


@pytest.mark.parametrize("form", ["graph", "function"])
def test_the_surface_is_the_loss(form):
    w, b = Value(0.0, label="w"), Value(0.0)
    loss = bowl(w, b) if form == "graph" else lambda: bowl(w, b)
    axes = plot_loss_surface(loss, w, b, span=2, resolution=9)  # the grid has the points −2, −1.5, …, 2
    lines = axes.collections[0]
    assert (lines.zmin, lines.zmax) == (bowl(1, -0.5), bowl(-2, 2))
    assert (axes.get_xlabel(), axes.get_ylabel(), w.data, b.data) == ("w", "b", 0.0, 0.0)


def test_the_path_is_drawn_and_fits():
    w, b = Value(5.0), Value(5.0)
    path = [(0.0, 0.0), (0.5, -0.25), (0.9, -0.4)]
    axes = plot_loss_surface(bowl(w, b), w, b, path=path, resolution=5)
    np.testing.assert_array_equal(np.column_stack(axes.lines[0].get_data()), path)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(left < x < right and bottom < y < top for x, y in path)


def test_a_function_is_compiled_unless_it_has_branches_of_its_own():
    model = MLP([2, 3, 1], activation="tanh", rng=0)
    w1, w2 = model.parameters()[:2]
    calls = []

    def loss():
        calls.append(w1)
        return (model([0.5, -1.0]) - 1) ** 2

    def with_a_branch():
        calls.append(w1)
        return loss() if w1.data > 0 else 2 * loss()

    compiled = plot_loss_surface(loss, w1, w2, resolution=9)
    assert len(calls) < 9
    assert compiled.get_xlabel() == "layers.0.neurons.0.w.0"
    eager = plot_loss_surface(with_a_branch, w1, w2, resolution=9)
    assert len(calls) > 81
    assert eager.collections[0].zmax > 1.5 * compiled.collections[0].zmax


def test_an_error_in_the_loss_leaves_the_parameters_as_they_were():
    w, b = Value(1.0), Value(2.0)

    def loss():
        if w.data > 2:
            raise RuntimeError
        return w * b

    with pytest.raises(RuntimeError):
        plot_loss_surface(loss, w, b, resolution=5)
    assert (w.data, b.data) == (1.0, 2.0)


def test_points_without_a_loss_are_left_open():
    w, b = Value(1.0), Value(1.0)
    lines = plot_loss_surface(w.log() + b * b, w, b, span=2, resolution=5).collections[0]
    assert np.isfinite([lines.zmin, lines.zmax]).all()
    with pytest.raises(ValueError, match="inf or nan at every point"):
        plot_loss_surface((w * 0 - 1).log() + b, w, b, resolution=3)


def test_log_levels():
    w, b = Value(1.0), Value(1.0)
    levels = plot_loss_surface(bowl(w, b), w, b, resolution=5, log=True).collections[0].levels
    np.testing.assert_allclose(np.diff(np.log(levels)), np.log(levels[1] / levels[0]))
    with pytest.raises(ValueError, match="greater than 0 everywhere"):
        plot_loss_surface(w - b, w, b, resolution=5, log=True)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (lambda w, b: (w * b, w, w), ValueError, "the same Value"),
        (lambda w, b: (w * 2, w, b), ValueError, "does not depend on w2"),
        (lambda w, b: (w * b, w * 1, b), TypeError, "w1 must be a leaf"),
        (lambda w, b: (3.0, w, b), TypeError, "a Value or a function"),
        (lambda w, b: (Symbol("x"), w, b), TypeError, "a Value or a function"),
    ],
)
def test_wrong_arguments(arguments, error, words):
    with pytest.raises(error, match=words):
        plot_loss_surface(*arguments(Value(1.0), Value(2.0)))
    w, b = Value(1.0), Value(2.0)
    with pytest.raises(ValueError, match="list of pairs"):
        plot_loss_surface(w * b, w, b, path=[(1.0, 2.0, 3.0)])
    with pytest.raises(ValueError, match="list of pairs"):
        plot_loss_surface(w * b, w, b, path=["ab"])
    with pytest.raises(ValueError, match="inf or nan, first at step 1"):
        plot_loss_surface(w * b, w, b, path=[(1.0, 2.0), (float("nan"), 1.0)])
