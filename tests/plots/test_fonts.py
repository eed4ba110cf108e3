"""Chinese captions in matplotlib's figures, with a Chinese font and without one."""

import io
import warnings

import pytest

from microgradlib.plots import fonts, use_chinese_font

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def settings():
    with matplotlib.rc_context(), warnings.catch_warnings():
        yield matplotlib.rcParams


def svg_with(text):
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure()
    figure.add_subplot().set_title(text)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    return buffer.getvalue()


def test_an_installed_font_comes_first(monkeypatch, settings):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font", "DejaVu Sans Mono"))
    assert use_chinese_font() == "DejaVu Sans Mono"
    assert settings["font.sans-serif"][0] == "DejaVu Sans Mono"
    assert "DejaVu Sans" in settings["font.sans-serif"]
    use_chinese_font()
    assert settings["font.sans-serif"].count("DejaVu Sans Mono") == 1


def test_without_a_font_the_browser_writes_the_text(monkeypatch, settings):
    monkeypatch.setattr(fonts, "FAMILIES", ())
    with pytest.warns(UserWarning, match="Glyph"):
        assert "损失" not in svg_with("损失").split("</metadata>")[1].split("<!--")[0]
    assert use_chinese_font() is None
    assert ">损失</text>" in svg_with("损失")
    assert settings["svg.fonttype"] == "none"
