"""Chinese captions in matplotlib's figures, with a Chinese font and without one."""

import io
import warnings

import pytest

from microgradlib.plots import fonts, use_chinese_font

matplotlib = pytest.importorskip("matplotlib")
font_manager = pytest.importorskip("matplotlib.font_manager")


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


def test_an_installed_font_fills_in(monkeypatch, settings):
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font", "DejaVu Sans Mono"))
    assert use_chinese_font() == "DejaVu Sans Mono"
    assert settings["font.family"] == ["sans-serif", "DejaVu Sans Mono"]
    use_chinese_font()
    assert settings["font.family"] == ["sans-serif", "DejaVu Sans Mono"]


def test_without_a_font_the_browser_writes_the_text(monkeypatch, settings):
    monkeypatch.setattr(fonts, "FAMILIES", ())
    with pytest.warns(UserWarning, match="Glyph"):
        assert "损失" not in svg_with("损失").split("</metadata>")[1].split("<!--")[0]
    assert use_chinese_font() is None
    assert ">损失</text>" in svg_with("损失")
    assert settings["svg.fonttype"] == "none"


def test_a_font_installed_after_matplotlib_made_its_list_is_found(monkeypatch):
    manager = font_manager.fontManager
    later = [font for font in manager.ttflist if font.name == "DejaVu Sans Mono"]
    monkeypatch.setattr(manager, "ttflist", [font for font in manager.ttflist if font not in later])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [__file__, later[0].fname])
    monkeypatch.setattr(fonts, "FAMILIES", ("DejaVu Sans Mono",))
    assert use_chinese_font() == "DejaVu Sans Mono"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the kernel machinery's own warnings are not ours to fix
def test_without_a_font_the_figures_of_a_notebook_are_svg_from_the_first_on(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel sets its own
    nbclient = pytest.importorskip("nbclient", reason='needs the extra "notebook"')
    v4 = pytest.importorskip("nbformat.v4")
    first = "from microgradlib.plots import fonts\nfonts.FAMILIES = ()\nassert fonts.use_chinese_font() is None"
    figure = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('损失');"
    notebook = v4.new_notebook(cells=[v4.new_code_cell(first), v4.new_code_cell(figure)])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    [output] = notebook.cells[1].outputs
    assert "损失" in output["data"]["image/svg+xml"]
