"""User-defined ops in numbers, symbols, drawings, copies, to third order, and in property tests."""

import copy
import math
import pickle

import pytest
from hypothesis import given, settings

import microgradlib as mg
from microgradlib.core.autodiff import evaluate, gradients
from microgradlib.testing import assert_derivative_rule, assert_gradients_close, graphs, inputs_for


@pytest.fixture
def swish(temporary_op):
    return temporary_op(
        "swish",
        value=lambda xp, x: x * xp.sigmoid(x),
        derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
        formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
    )


@pytest.fixture
def gaussian(temporary_op):
    """An op with a setting: its width, if that is a plain number."""
    return temporary_op(
        "gaussian",
        value=lambda xp, x, width: xp.exp(-((x / width) ** 2)),
        derivatives=[
            lambda xp, z, x, width: -2 * x / width**2 * z,
            lambda xp, z, x, width: 2 * x**2 / width**3 * z,
        ],
        formula="exp(−x²/s²)",
        defaults=(1.0,),
        setting_count=1,
        sample=((-2.0, 2.0), (0.5, 2.0)),
    )


def test_in_numbers(swish, gaussian) -> None:
    assert swish(2.0) == pytest.approx(2 / (1 + math.exp(-2)))
    x = mg.Value(2.0)
    y = swish(x)
    y.backward()
    s = 1 / (1 + math.exp(-2))
    assert y.data == swish(2.0)
    assert x.grad == pytest.approx(s + 2 * s * (1 - s))
    assert gaussian(1.0) == pytest.approx(math.exp(-1))
    bound = gaussian(mg.Value(1.0), 2.0)
    assert (str(bound.op), len(bound.parents), bound.data) == ("gaussian 2", 1, pytest.approx(math.exp(-0.25)))
    assert len(gaussian(mg.Value(1.0), mg.Value(2.0)).parents) == 2


def test_to_third_order_by_symbols(gaussian) -> None:
    x = mg.Symbol("x")
    derivatives = [gaussian(x)]
    for _ in range(3):
        derivatives += gradients(derivatives[-1], [x])
    t = 0.7
    e = math.exp(-t * t)
    expected = [e, -2 * t * e, (4 * t**2 - 2) * e, (12 * t - 8 * t**3) * e]
    assert evaluate(derivatives, {x: t}) == pytest.approx(expected, rel=1e-14)
    value = mg.Value(t)
    nested = gaussian(value)
    for _ in range(3):
        [nested] = gradients(nested, [value])
    assert nested.data == pytest.approx(expected[3], rel=1e-14)


def test_in_a_drawing(swish) -> None:
    x = mg.Value(2.0, label="x")
    svg = mg.draw(swish(x) + 1).svg
    assert "swish" in svg
    assert "x" in svg


def test_copied_and_pickled(swish) -> None:
    y = swish(mg.Value(2.0))
    assert copy.deepcopy(y).op is swish
    assert pickle.loads(pickle.dumps(y)).op is swish


def test_under_its_own_property_test(swish, gaussian) -> None:
    assert_derivative_rule(swish)
    assert_derivative_rule(gaussian)

    @settings(deadline=None, max_examples=30)
    @given(inputs_for(gaussian))
    def rules(inputs) -> None:
        assert_derivative_rule(gaussian, *inputs)

    @settings(deadline=None, max_examples=50)
    @given(graphs([swish, gaussian, mg.sin]))
    def within_graphs(graph) -> None:
        assert_gradients_close(graph, graph.inputs, order=2)

    rules()
    within_graphs()
