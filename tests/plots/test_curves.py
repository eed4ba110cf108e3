"""plot_activations, plot_gradient_flow, plot_history, plot_derivative_error."""

import math

import numpy as np
import pytest

from microgradlib import (
    Value,
    nn,
    plot_activations,
    plot_derivative_error,
    plot_gradient_flow,
    plot_history,
    sin,
    tanh,
)
from microgradlib.training import History

pytest.importorskip("matplotlib")


def test_activations_with_their_derivatives():
    f, slope = plot_activations("tanh").lines[:2]
    np.testing.assert_allclose(f.get_ydata(), np.tanh(f.get_xdata()), rtol=1e-15)
    np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(slope.get_xdata()) ** 2, rtol=1e-12)


def test_every_activation_of_the_table_is_drawn_once():
    titles = [axes.get_title() for axes in plot_activations()]
    assert {"sigmoid", "relu", "softplus", "step", "hard_tanh", "gelu"} <= set(titles)
    assert len(titles) == len(set(titles))
    assert not {"identity", "logistic"} & set(titles)  # further names of linear and sigmoid


@pytest.mark.parametrize(("name", "curve"), [("step", 0), ("relu", 1), ("hard_tanh", 1)])
def test_jumps_are_left_open(name, curve):
    assert np.isnan(plot_activations(name).lines[curve].get_ydata()).any()
    assert not np.isnan(plot_activations("softplus").lines[curve].get_ydata()).any()


def test_wrong_activations():
    with pytest.raises(ValueError, match="did you mean 'relu'"):
        plot_activations(["tanh", "rleu"])
    with pytest.raises(ValueError, match="reach must be"):
        plot_activations("tanh", reach=0)
    with pytest.raises(ValueError, match="name some"):
        plot_activations([])
    with pytest.raises(TypeError, match="names or functions"):
        plot_activations(3)
    with pytest.raises(ValueError, match="one activation, got 2"):
        plot_activations(["tanh", "relu"], ax=plot_activations("tanh"))


def test_gradients_over_time_steps_fall_by_the_factor_of_each_step():
    states = [Value(1.0)]
    for _ in range(6):
        states.append(states[-1] * 0.5)
    states[-1].backward()
    axes = plot_gradient_flow(states)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.5**k for k in range(6, -1, -1)])
    assert axes.get_yscale() == "log"


def test_a_recurrent_network_is_shown_by_time_step():
    states, last = nn.RNN(1, 3, rng=0)([[0.5], [1.0], [-1.0], [0.0]])
    states[-1][0].backward()
    for shown in (states, (states, last)):
        assert len(plot_gradient_flow(shown).lines[0].get_ydata()) == 4


def test_gradients_by_layer_are_root_mean_squares():
    model = nn.MLP([2, 3, 1], activation="tanh", rng=0)
    with pytest.raises(ValueError, match=r"call loss\.backward\(\) first"):
        plot_gradient_flow(model)
    loss = model([0.5, -1.0]) ** 2
    loss.backward()
    axes = plot_gradient_flow(model)
    for numbers, layer in zip(axes.lines[0].get_ydata(), model.layers):
        gradients = [p.grad for p in layer.parameters()]
        assert numbers == pytest.approx(math.sqrt(sum(g * g for g in gradients) / len(gradients)))
    delta = {line.get_label(): line.get_ydata() for line in axes.lines}["outputs, δ"]
    assert delta[1] == pytest.approx(abs(2 * model([0.5, -1.0]).data))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["layers.0", "layers.1"]


def test_layers_without_a_gradient_are_named():
    model = nn.MLP([1, 2, 1], rng=0)
    model.layers[1].neurons[0]([1.0, 1.0]).backward()
    assert plot_gradient_flow(model).get_title() == "not reached: layers.0"
    with pytest.raises(TypeError, match="a Module, or a list"):
        plot_gradient_flow([1.0, 2.0])


def test_history_by_epoch():
    history = History(loss=[1.0, 0.5, 0.25], validation_loss=[2.0, 1.0, 1.5], accuracy=[0.0, 0.5, 1.0], best_epoch=1)
    axes = plot_history(history)
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [history.loss, history.validation_loss]
    assert axes.get_yscale() == "log"
    assert axes.lines[2].get_label() == "kept: epoch 1"
    assert plot_history(history, "accuracy").get_yscale() == "linear"
    assert plot_history(History(loss=[0.0, 1.0])).get_yscale() == "linear"
    assert plot_history(History(loss=[1.0])).lines[0].get_marker() == "o"
    assert axes.yaxis.get_minor_formatter()(0.5) == "0.5"
    assert plot_history(History(loss=[1.0, 0.05])).yaxis.get_minor_formatter()(0.3) == ""
    assert "10^{-4}" in plot_history(History(loss=[1.0, 1e-4])).yaxis.get_major_formatter()(1e-4)
    with pytest.raises(ValueError, match="log axis cannot show"):
        plot_history(History(loss=[0.0, 1.0]), scale="log")
    with pytest.raises(ValueError, match="scale must be"):
        plot_history(history, scale="cubic")
    with pytest.raises(TypeError, match="the History that fit returns"):
        plot_history([1.0, 0.5])


def test_errors_of_differences_fall_by_their_order():
    lines = {line.get_label(): line for line in plot_derivative_error(lambda x: sin(x) * tanh(x), 0.8).lines}
    for method, order, best in (("forward", 1, 1e-7), ("central", 2, 1e-9)):
        steps, errors = lines[method].get_data()
        falling = (steps > 1e-4) & (steps < 1e-1)
        slope = np.polyfit(np.log(steps[falling]), np.log(np.asarray(errors)[falling]), 1)[0]
        assert slope == pytest.approx(order, abs=0.1)
        assert min(errors) < best
    assert max(lines["complex step"].get_ydata()) < 1e-15
    assert max(lines["extrapolated"].get_ydata()) < 1e-10
    with pytest.raises(ValueError, match="choose an x where f has a finite derivative"):
        plot_derivative_error(lambda x: x.log(), 0.0)
    with pytest.raises(TypeError, match="a function of one number"):
        plot_derivative_error(3.0, 1.0)


@pytest.mark.parametrize("name", ["$x_{$", "$$", r"$\nothing$", "a\x00\n\ud800", "y" * 17_000, "$x_1$", "50$"])
def test_any_name_of_a_layer_is_drawn(name):
    class Named(nn.Module):
        def __init__(self):
            self.parts = {name: nn.MLP([1, 2, 1], rng=0)}

        def __call__(self, xs):
            return self.parts[name](xs)

    model = Named()
    model([1.0]).backward()
    axes = plot_gradient_flow(model)
    axes.figure.canvas.draw()
    assert all(label.get_text().isprintable() for label in axes.get_xticklabels())
