"""Drawings in a real browser: JupyterLab, Notebook 7, nbconvert and files, trusted or not, light and dark, clicked."""

import shutil
import subprocess
import sys

import pytest
from browser import browser, jupyter, needs_chromium, open_notebook, write_notebook

from microgradlib import Value, draw, nn
from microgradlib.viz.theme import DARK, LIGHT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
needs_chromium()
pytest.importorskip("jupyterlab")
pytest.importorskip("nbconvert")

SMALL = """
import microgradlib as mg
from microgradlib import Value, draw, nn
w, x = Value(2.0), Value(0.5)
o = mg.tanh(w * x)
o.backward()
draw(o)
"""
LARGE = """
model = nn.MLP(2, [4, 4, 1], activation="tanh", rng=0)
errors = [(model([Value(0.1 * k), Value(0.3)]) - 1.0) ** 2 for k in range(3)]
loss = mg.sum(errors)
loss.backward()
draw(loss)
"""
CHART = """
from microgradlib.viz import line_chart
line_chart({"loss": [1.0, 0.5, 0.3]}, title="Loss")
"""
CELLS = (SMALL, LARGE, CHART, "draw(model)")

SEEN = """() => [...document.querySelectorAll('.mg-picture')].map(picture => {
    const cell = picture.parentElement, shown = [...picture.querySelectorAll('svg, img')]
        .filter(part => part.getBoundingClientRect().width > 0 && !part.closest('[data-mg-group] svg'));
    return {
        what: shown.map(part => part.tagName.toLowerCase()),
        width: shown.map(part => part.getBoundingClientRect().width),
        room: cell.clientWidth,
        cut: cell.scrollWidth > cell.clientWidth,
        loose: [...picture.children].filter(part => part.role !== 'status' && part.checkVisibility())
            .some(part => part.innerText?.includes('Computation')),
    };
})"""
INK = "() => getComputedStyle(document.querySelector('.mg-picture')).getPropertyValue('--mg-ink')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a notebook that has been run elsewhere, so that it is not trusted here, and the same as HTML."""
    folder = tmp_path_factory.mktemp("notebooks")
    write_notebook(folder / "drawings.ipynb", CELLS)
    convert = [sys.executable, "-m", "jupyter", "nbconvert", "drawings.ipynb", "--execute", "--to"]
    subprocess.run([*convert, "notebook", "--inplace"], cwd=folder, check=True, capture_output=True)
    subprocess.run([*convert, "html"], cwd=folder, check=True, capture_output=True)
    return folder


def check(found, what):
    assert len(found) == len(CELLS)
    for picture in found:
        assert picture["what"] == [what]
        assert 0 < picture["width"][0] <= picture["room"]
        assert not picture["cut"]
        assert not picture["loose"]


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_pictures_fit_their_cells_before_and_after_the_notebook_is_trusted(folder, tmp_path, app):
    shutil.copy(folder / "drawings.ipynb", tmp_path)
    with jupyter(tmp_path, app=app) as url, browser(tmp_path / "profile") as context:
        page = context.pages[0]
        open_notebook(page, url("drawings.ipynb"), run=False)
        page.wait_for_selector(".mg-picture")
        page.wait_for_function("document.querySelectorAll('.mg-picture').length === 4")
        check(page.evaluate(SEEN), "img")
        open_notebook(page, url("drawings.ipynb"))
        page.wait_for_function("document.querySelectorAll('.mg-picture svg').length >= 4")
        check(page.evaluate(SEEN), "svg")
        page.locator("[data-mg-group]").first.click()
        page.wait_for_function("document.querySelectorAll('.mg-state[hidden]').length === 1")
        check(page.evaluate(SEEN), "svg")


def test_pictures_are_dark_in_a_dark_jupyterlab(folder, tmp_path):
    shutil.copy(folder / "drawings.ipynb", tmp_path)
    with jupyter(tmp_path, dark=True) as url, browser(tmp_path / "profile") as context:
        page = context.pages[0]
        open_notebook(page, url("drawings.ipynb"))
        page.wait_for_function("document.querySelectorAll('.mg-picture svg').length >= 4")
        assert page.evaluate(INK) == DARK["ink"]


def test_dollar_signs_in_names_are_not_taken_for_mathematics_by_jupyterlab(tmp_path):
    names = ("from $5 to $6", r"$\oint x$", r"$\frac{a}{b}$")
    drawing = f"draw(mg.sum([Value(1.0, label=name) for name in {names}]))"
    chart = f"viz.line_chart(dict.fromkeys({names}, [1.0, 0.5]))"
    table = f"mg.grad_table(mg.sum([Value(1.0, label=name) for name in {names}]))"
    formula = "from IPython.display import HTML\nHTML('<p>$x^2$</p>')"
    imports = "import microgradlib as mg\nfrom microgradlib import Value, draw, viz\n"
    write_notebook(tmp_path / "names.ipynb", [imports + drawing, chart, table, formula])
    with jupyter(tmp_path) as url, browser(tmp_path / "profile") as context:
        page = context.pages[0]
        open_notebook(page, url("names.ipynb"))
        page.wait_for_selector("mjx-container")  # of the last cell: MathJax has been at work
        for text in page.locator(".mg-state svg").all_text_contents():
            for name in ("from $5 to $6", r"$\oint x$", "a/b"):
                assert name in text
        assert page.locator(".mg-state svg").count() == 2
        cells = page.locator("tbody td").all_text_contents()
        assert "from $5 to $6" in cells
        assert r"$\oint x$" in cells
        assert page.locator("tbody mjx-mfrac").count() > 0  # one symbol as LaTeX writes it is set


def test_pictures_in_nbconverts_html_are_light_as_its_page_is(folder, tmp_path):
    with browser(tmp_path / "profile", dark=True) as context:
        page = context.pages[0]
        page.goto((folder / "drawings.html").as_uri())
        page.wait_for_function("document.querySelectorAll('.mg-picture svg').length >= 4")
        check(page.evaluate(SEEN), "svg")
        assert page.evaluate(INK) == LIGHT["ink"]


def drawn():
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    loss = (model([Value(0.5), Value(-1.0)]) - 1.0) ** 2
    loss.backward()
    return draw(loss)


@pytest.mark.parametrize("dark", [False, True])
def test_a_saved_page_opens_and_closes_by_mouse_and_keyboard(tmp_path, dark):
    drawing = drawn()
    with browser(tmp_path / "profile", dark=dark) as context:
        page = context.pages[0]
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(drawing.save(tmp_path / "g.html").as_uri())
        assert page.evaluate(INK) == (DARK["ink"] if dark else LIGHT["ink"])
        assert len(requests) == 1
        button = '.mg-state:not([hidden]) [data-mg-group][aria-label^="layers.0:"]'
        page.locator(button).click()
        page.wait_for_selector(f'{button}[aria-expanded="false"]')
        closed = page.locator("[role=status]").inner_text()
        assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
        page.keyboard.press("Enter")
        page.wait_for_selector(f'{button}[aria-expanded="true"]')
        page.keyboard.press(" ")
        page.wait_for_selector(f'{button}[aria-expanded="false"]')
        assert page.locator("[role=status]").inner_text() == closed
        assert len(page.locator(".mg-state:not([hidden])").all()) == 1


def test_two_copies_on_one_page_open_each_for_itself(tmp_path):
    html = drawn().html
    (tmp_path / "two.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{html}{html}", encoding="utf-8")
    with browser(tmp_path / "profile") as context:
        page = context.pages[0]
        page.goto((tmp_path / "two.html").as_uri())
        page.locator("[data-mg-group]").first.click()
        page.wait_for_selector(".mg-state[hidden]", state="attached")
        assert page.evaluate("[...document.querySelectorAll('.mg-picture')].map(p => p.children.length)") == [6, 5]


PAGES = (
    ("document.body.className = 'vscode-dark'", DARK),
    ("document.body.className = 'vscode-light'", LIGHT),
    ("document.body.className = 'vscode-high-contrast'", DARK),
    ("document.body.className = 'vscode-high-contrast vscode-high-contrast-light'", LIGHT),
    ("document.body.dataset.jpThemeLight = 'false'", DARK),
    ("document.body.dataset.jpThemeLight = 'true'", LIGHT),
    ("document.documentElement.setAttribute('theme', 'dark')", DARK),
    ("document.documentElement.dataset.theme = 'light'", LIGHT),
)
"""What pages do to say their themes: VS Code, JupyterLab, Colab, sites made with Sphinx."""


def test_a_page_that_says_its_theme_overrides_the_readers(tmp_path):
    with browser(tmp_path / "profile") as context:
        page = context.pages[0]
        url = drawn().save(tmp_path / "g.html").as_uri()
        for make, expected in PAGES:
            page.emulate_media(color_scheme="dark" if expected is LIGHT else "light")
            page.goto(url)
            page.evaluate(make)
            assert page.evaluate(INK) == expected["ink"], make
