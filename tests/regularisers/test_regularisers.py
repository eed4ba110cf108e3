"""Penalties: formulas, gradients, coefficients by group, tangent propagation, early stopping."""

import math

import pytest
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib.nn import MLP, Layer, Neuron
from microgradlib.numeric import gradcheck, numeric_gradient
from microgradlib.regularisers import L1, L2, TangentPropagation, l1_norm, l2_norm

numbers = st.floats(-5, 5)


@given(w=st.lists(numbers, min_size=1, max_size=5), coefficient=st.floats(0, 3))
def test_norms_and_their_gradients(w, coefficient):
    values = [Value(x) for x in w]
    square, absolute = l2_norm(values, coefficient), l1_norm(values, coefficient)
    assert square.data == pytest.approx(coefficient / 2 * math.fsum(x * x for x in w), rel=1e-12)
    assert absolute.data == pytest.approx(coefficient * math.fsum(map(abs, w)), rel=1e-12)
    table = grad_table(square)
    assert [table[v] for v in values] == pytest.approx([coefficient * x for x in w], rel=1e-12)
    table = grad_table(absolute)
    assert [table[v] for v in values] == [coefficient * ((x > 0) - (x < 0)) for x in w]


def test_penalties_of_no_parameters():
    assert (l2_norm([], 1.0), l1_norm([], 1.0)) == (0.0, 0.0)


@pytest.mark.parametrize("penalty", [L1, L2])
def test_biases_are_penalised_only_if_named(penalty):
    model = MLP([2, 3, 1], activation="prelu", rng=0)
    for p in model.parameters():
        p.data = 2.0
    per_weight = {L1: 2.0, L2: 2.0}[penalty]  # |2| and ½·2²
    assert penalty(1.0)(model).data == pytest.approx(9 * per_weight)
    assert penalty(1.0, biases=True)(model).data == pytest.approx(len(model.parameters()) * per_weight)
    table = grad_table(penalty(1.0)(model))
    biases = set(model.parameters()) - set(model.weights())
    assert not biases & set(table)


@pytest.mark.parametrize("penalty", [L1, L2])
def test_groups_have_their_own_coefficients(penalty):
    model = MLP([2, 3, 4, 1], rng=0)
    grouped = penalty({"layers.0": 0.5, "layers.2": 3.0})(model).data
    alone = [penalty(c)(model.layers[i]).data for i, c in [(0, 0.5), (2, 3.0)]]
    assert grouped == pytest.approx(sum(alone), rel=1e-14)


def test_a_group_is_a_whole_part_of_the_name():
    model = MLP([1] * 12, rng=0)
    assert len(grad_table(L2({"layers.1": 1.0})(model)).keys() & set(model.parameters())) == 1


@pytest.mark.parametrize("penalty", [L1, L2])
def test_wrong_coefficients(penalty):
    with pytest.raises(ValueError, match=r"coefficient must be a finite number >= 0, got -0\.1"):
        penalty(-0.1)
    with pytest.raises(ValueError, match="coefficient must be a finite number >= 0, got nan"):
        penalty(math.nan)
    with pytest.raises(ValueError, match=r"coefficient\['layers.0'\] must be a finite number >= 0, got -1.0"):
        penalty({"layers.0": -1.0})
    with pytest.raises(ValueError, match=r"names that begin with 'layer\.0'; names are layers.0.neurons.0.w.0"):
        penalty({"layer.0": 1.0})(MLP([2, 3, 1], rng=0))


# Tangent propagation


def test_the_slope_along_a_tangent_is_the_jacobian_times_the_tangent():
    model = MLP([2, 5, 3], activation="tanh", rng=0)
    x, t = [0.3, -0.8], [2.0, -1.0]
    columns = list(zip(*mg.jacobian(model)(x)))
    slopes = [columns[0][k] * t[0] + columns[1][k] * t[1] for k in range(3)]
    assert TangentPropagation(t, 0.5)(model, x).data == pytest.approx(
        0.25 * math.fsum(s * s for s in slopes), rel=1e-12
    )


def test_a_tangent_may_depend_on_the_input():
    model = MLP([2, 4, 1], activation="tanh", rng=0)

    def rotation(x):
        return [-x[1], x[0]]

    fixed = TangentPropagation([0.8, 0.3])(model, [0.3, -0.8])
    assert TangentPropagation(rotation)(model, [0.3, -0.8]).data == fixed.data


def test_its_gradient_is_a_second_derivative():
    model = MLP([2, 3, 2], activation="tanh", rng=1)
    parameters, penalty = model.parameters(), TangentPropagation([1.0, 0.5])
    start = [p.data for p in parameters]

    def at(*given):
        for p, number in zip(parameters, given):
            p.data = number
        return penalty(model, [0.3, -0.8]).data

    numeric = numeric_gradient(at, start)
    at(*start)
    table = grad_table(penalty(model, [0.3, -0.8]))
    assert [table.get(p, 0.0) for p in parameters] == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def test_an_output_that_ignores_the_tangent_costs_nothing():
    neuron = Neuron(2, "linear", rng=0)
    neuron.w[0].data = 0.0
    assert TangentPropagation([1.0, 0.0])(neuron, [0.5, 0.5]).data == 0.0


def test_tangents_of_symbols():
    model, x = Layer(2, 2, "tanh", rng=0), [Symbol("x0"), Symbol("x1")]
    penalty = TangentPropagation([1.0, -1.0])
    assert evaluate(penalty(model, x), dict(zip(x, [0.2, 0.4]))) == pytest.approx(
        penalty(model, [0.2, 0.4]).data, rel=1e-13
    )


def test_a_tangent_of_another_shape():
    with pytest.raises(ValueError, match="a tangent for each primal"):
        TangentPropagation([1.0])(Neuron(2), [0.5, 0.5])


def test_a_penalty_passes_the_gradient_check():
    def f(w0, w1):
        return l2_norm([w0, w1], 0.3) + l1_norm([w0, w1], 0.2)

    assert gradcheck(f, [0.7, -1.3]).ok


# Early stopping is like weight decay: on a quadratic cost with curvature a, τ steps of rate η leave
# w = (1 − (1 − ηa)^τ) w*, and decay λ leaves w = a/(a + λ) w*; they agree where τη ≈ 1/λ (Deep Learning, 7.8).


@pytest.mark.parametrize(("rate", "steps"), [(0.01, 100), (0.001, 500), (0.002, 2000)])
def test_early_stopping_is_like_weight_decay_on_a_quadratic(rate, steps):
    curvatures, best = [1e-3, 1e-2], [2.0, -1.0]  # small beside λ, where the relation holds
    decay = 1 / (rate * steps)

    def cost(w):
        return mg.sum([0.5 * a * (w_i - b) ** 2 for a, w_i, b in zip(curvatures, w, best)])

    stopped = [Value(0.0), Value(0.0)]
    for _ in range(steps):
        table = grad_table(cost(stopped))
        for w in stopped:
            w.data -= rate * table[w]
    decayed = [a / (a + decay) * b for a, b in zip(curvatures, best)]
    table = grad_table(cost(values := [Value(w) for w in decayed]) + l2_norm(values, decay))
    assert [table[v] for v in values] == pytest.approx([0.0, 0.0], abs=1e-15)
    for w, d, a in zip(stopped, decayed, curvatures):
        assert w.data == pytest.approx(d, rel=0.6 * a / decay + 1e-9)
