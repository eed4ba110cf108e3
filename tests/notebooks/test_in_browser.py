"""The first notebook in a real JupyterLab: it runs, shows its pictures and steps, light and dark."""

import shutil

import pytest
from browser import browser, jupyter, needs_chromium, open_notebook
from notebook_files import FOLDER

pytestmark = [pytest.mark.browser, pytest.mark.slow]
needs_chromium()
pytest.importorskip("jupyterlab")

NAME = "01_numbers_that_remember.ipynb"
SHOWN = "() => [...document.querySelectorAll('.mg-picture')].filter(e => e.getBoundingClientRect().width > 0).length"
CUT = """() => [...document.querySelectorAll('.mg-picture')]
    .filter(picture => picture.parentElement.scrollWidth > picture.parentElement.clientWidth).length"""


@pytest.mark.parametrize("dark", [False, True])
def test_the_first_notebook_runs_and_shows_its_pictures(tmp_path, dark):
    shutil.copy(FOLDER / NAME, tmp_path)
    shutil.copytree(FOLDER / "pictures", tmp_path / "pictures")
    with jupyter(tmp_path, dark=dark) as address, browser(tmp_path / "profile", dark=dark) as context:
        page = context.new_page()
        open_notebook(page, address(NAME))
        assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
        assert page.locator(".jp-OutputArea-output pre:has-text('Traceback')").count() == 0
        assert page.evaluate(SHOWN) >= 2
        assert page.evaluate(CUT) == 0
        stored = page.locator(".jp-RenderedMarkdown img").first
        assert stored.evaluate("img => img.complete && img.naturalWidth") > 100
