"""Texts of the user's that mean something to matplotlib: every plot that shows them draws, and shows them."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from microgradlib import (
    Value,
    nn,
    plot_activations,
    plot_decision_boundary,
    plot_gradient_flow,
    plot_history,
    plot_loss_surface,
)
from microgradlib.plots.axes import caption_text
from microgradlib.training import History

pyplot = pytest.importorskip("matplotlib.pyplot")

FRAGMENTS = (
    "$", "$$", r"\$", "\\", "{", "}", "_", "^", "x", "_x", "1", "-", "", " ", r"\alpha", r"\frac{", r"\sqrt[",
    r"\left(", r"\right", r"\hspace{", r"\genfrac{}{}{", r"\overset{a}{", r"\mathcal{", r"\text{", "}{", "9" * 9, "0.5",
    "'", "%", "&", "#", "~", "\n", "\t", "\x00", "\x1b[2J", "\u2028", "\u202e", "\ud800", "梯度", "שלום",
    "👩‍👩‍👧", "e\u0301",
)  # fmt: skip
FORMULAS = st.lists(st.sampled_from(FRAGMENTS), max_size=8).map(lambda parts: f"${''.join(parts)}$")
TEXTS = st.one_of(FORMULAS, st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join), st.text(max_size=20))
KNOWN = ("$x_{$", r"$\genfrac{}{}{999999999}{}{a}{b}$", "_nolegend_", "", "x$" * 8_500, "\x00")


def hostile(test):
    """Run a test on drawn texts and on those that were found once or are known to be hard."""
    for text in KNOWN:
        test = example(text)(test)
    return settings(max_examples=4, deadline=None)(given(TEXTS)(test))


def drawn(axes):
    """Draw the figure of some axes, and close it; a glyph that the font lacks is matplotlib's to report."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        axes.figure.savefig(io.BytesIO(), format="png", dpi=30)
    pyplot.close(axes.figure)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_a_caption_is_short_and_drawn_by_matplotlib(text):
    from matplotlib.figure import Figure  # noqa: PLC0415

    caption = caption_text(text)
    assert 1 <= len(caption.replace(r"\$", "$")) <= (81 if "$" in caption else 41)
    assert not caption.startswith("_")
    figure = Figure()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        size = figure.text(0, 0, caption).get_window_extent(figure._get_renderer())
    assert size.width < 10_000
    assert size.height < 10_000


@pytest.mark.parametrize("name", ["x" * 300, "a name of three hundred letters, " * 9, "M" * 300, "_" * 300])
def test_a_legend_of_long_names_stays_inside_its_axes_and_a_title_inside_its_figure(name):
    axes = plot_history(
        History(loss=[2.0, 1.0], gradient_norms={name: [1.0, 0.5], "other": [2.0, 1.0]}), "gradient_norms"
    )
    axes.figure.draw_without_rendering()
    inner, outer = axes.get_legend().get_window_extent(), axes.get_window_extent()
    assert outer.x0 <= inner.x0 < inner.x1 <= outer.x1
    pyplot.close(axes.figure)


@pytest.mark.parametrize("name", ["x" * 300, "encoder.blocks.11.attention.projection", "M" * 300])
def test_long_names_of_layers_leave_room_for_the_curves_and_do_not_meet(name):
    class Model(nn.Module):
        def __init__(self):
            self.parts = {f"{name}{k}": nn.Layer(1, 1, "linear", rng=0) for k in range(6)}
            self.idle = {f"{name}{k}": nn.Layer(1, 1, "linear", rng=0) for k in range(6, 12)}

        def __call__(self, x):
            for layer in self.parts.values():
                x = [layer(x)]
            return x[0]

    model = Model()
    model([2.0]).backward()
    axes = plot_gradient_flow(model)
    figure = axes.figure
    figure.draw_without_rendering()
    assert axes.get_title().endswith("… (6)")
    assert axes.get_position().height > 0.45
    assert axes.get_position().width > 0.5
    title = axes.title.get_window_extent()
    assert 0 <= title.x0 < title.x1 <= figure.bbox.width
    ends = [label.get_window_extent().x1 for label in axes.get_xticklabels()]
    assert ends == pytest.approx(list(axes.transData.transform([(k, 1) for k in range(12)])[:, 0]), abs=8)
    pyplot.close(figure)


@pytest.mark.parametrize("text", ["$x_{$", "a $ b", "$", r"$\hspace{99999}$", r"$\genfrac{}{}{999999999}{}{a}{b}$"])
def test_what_is_no_formula_of_a_captions_size_is_shown_as_it_is(text):
    assert caption_text(text) == text.replace("$", r"\$")


@pytest.mark.parametrize("text", ["$x_1$", r"loss $\frac{\partial L}{\partial w}$", "plain", r"cost \$5"])
def test_formulas_and_plain_texts_stay(text):
    assert caption_text(text) == text


@hostile
def test_layers(text):
    class Model(nn.Module):
        def __init__(self):
            self.layers = {name: nn.Layer(1, 1, "linear", rng=0) for name in (text, "other")}

        def __call__(self, x):
            return self.layers[text](x)

    model = Model()
    model([2.0]).backward()
    drawn(plot_gradient_flow(model))


@hostile
def test_curves(text):
    history = History(loss=[2.0, 1.0], gradient_norms={text: [1.0, 0.5], "other": [2.0, 1.0]})
    axes = plot_history(history, "gradient_norms")
    assert legend(axes) == [caption_text(text), "other"]
    drawn(axes)
    history.plot("gradient_norms").svg.encode()


@hostile
def test_parameters(text):
    w, b = Value(0.5, label=text), Value(0.0, label=f"{text}{text}")
    drawn(plot_loss_surface((w + b) ** 2, w, b, resolution=3))


@hostile
def test_features_and_classes(text):
    class Examples:
        inputs, targets = [(0.0, 1.0), (1.0, 0.0)], [0, 1]
        feature_names, class_names = (text, f"{text}$"), (text, f"not {text}")

    axes = plot_decision_boundary(lambda row: row[0] - row[1], Examples(), resolution=3)
    assert legend(axes) == list(map(caption_text, Examples.class_names))
    drawn(axes)


@hostile
def test_functions(text):
    def f(z):
        return z * z

    f.__name__ = text.encode("utf-8", "replace").decode()  # Python refuses surrogates in a name
    axes = plot_activations(f)
    assert axes.get_title() == caption_text(f.__name__)
    drawn(axes)


def test_a_label_that_is_quoted_in_an_error_is_short():
    w, b = Value(0.5, label="w" * 17_000), Value(0.0)
    with pytest.raises(ValueError, match="does not depend on w1") as caught:
        plot_loss_surface(2 * b, w, b)
    assert len(str(caught.value)) < 200
    np.testing.assert_equal(pyplot.get_fignums(), [])
