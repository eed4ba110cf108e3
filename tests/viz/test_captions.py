"""Captions in two languages: every word that a chart or a plot says has its Chinese one."""

import re

import pytest

from microgradlib import Value, data, nn, plots, tanh
from microgradlib.training import History
from microgradlib.viz.captions import CHINESE, LANGUAGES, captions

RUN = History(
    loss=[1.0, 0.5, 0.3],
    validation_loss=[1.1, 0.7, 0.8],
    accuracy=[0.5, 0.6, 0.7],
    gradient_norms={"layers.0": [float("nan"), 1.0, 0.5]},
    dead_relus=[0.0, 0.1, 0.2],
    best_epoch=1,
)
LETTERS = re.compile("[A-Za-z]{2,}")
NAMES = re.compile(r"layers\.\d|ReLU|x₁")
QUANTITIES = ["loss", "accuracy", "gradient_norms", "dead_relus"]


def words_of(axes):
    """All that stands on matplotlib's axes and beside them."""
    figure = axes.figure
    texts = [axes.get_title(), *(label() for a in figure.axes for label in (a.get_xlabel, a.get_ylabel))]
    legend = axes.get_legend()
    return texts + [text.get_text() for text in (legend.get_texts() if legend else [])]


def is_chinese(text):
    return not LETTERS.search(NAMES.sub("", text))


def boundary(lang, columns):
    rows = [[0.1 * k, -0.1 * k][:columns] for k in range(6)]
    return plots.plot_decision_boundary(nn.MLP([columns, 3, 1], rng=0), (rows, [0.1 * k for k in range(6)]), lang=lang)


def surface(lang):
    w, b = Value(0.5, label="w"), Value(0.0, label="b")
    return plots.plot_loss_surface((w + b) ** 2, w, b, path=[(0.0, 0.0)], resolution=5, lang=lang)


def flow(lang, *, model):
    if model:
        network = nn.MLP([2, 2, 1], rng=0)
        network([1.0, 2.0]).backward()
        network.layers[0].zero_grad()
        return plots.plot_gradient_flow(network, lang=lang)
    states = [Value(0.5)]
    for _ in range(3):
        states.append(tanh(states[-1]))
    states[-1].backward()
    return plots.plot_gradient_flow([[s, s] for s in states], lang=lang)


PLOTS = {
    "error": lambda lang: plots.plot_derivative_error(tanh, 0.3, lang=lang),
    "plane": lambda lang: boundary(lang, 2),
    "curve": lambda lang: boundary(lang, 1),
    "surface": surface,
    "layers": lambda lang: flow(lang, model=True),
    "steps": lambda lang: flow(lang, model=False),
    **{what: lambda lang, what=what: plots.plot_history(RUN, what, lang=lang) for what in QUANTITIES},
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_says_all_its_words_in_chinese(plot):
    pytest.importorskip("matplotlib")
    english, chinese = words_of(plot("en")), words_of(plot("zh"))
    assert any(LETTERS.search(text) for text in english)
    assert [text for text in chinese if not is_chinese(text)] == []


@pytest.mark.parametrize("what", QUANTITIES)
def test_a_history_says_all_its_words_in_chinese(what):
    svg = RUN.plot(what, lang="zh").svg
    texts = re.findall(r"<text[^>]*>([^<]*)", svg)
    assert "轮次" in texts
    assert "保留：第 1 轮" in texts
    assert [text for text in texts if not is_chinese(text)] == []


def test_an_unknown_language_is_refused_by_all():
    with pytest.raises(ValueError, match="no language 'fr'"):
        RUN.plot(lang="fr")
    with pytest.raises(ValueError, match="known: en, zh"):
        captions(["zh"])
    assert LANGUAGES == ("en", "zh")


def test_places_are_the_same_in_both_languages():
    for english, chinese in CHINESE.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese))


def test_data_sets_keep_their_own_names():
    pytest.importorskip("matplotlib")
    axes = plots.plot_decision_boundary(nn.MLP([2, 3, 1], rng=0), data.xor(), resolution=9, lang="zh")
    assert axes.get_xlabel() == "a"
