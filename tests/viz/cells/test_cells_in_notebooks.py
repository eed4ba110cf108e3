"""Cells in a real JupyterLab, light and dark: the numbers are grad_table's, nothing is wider than its cell."""

import pytest
from browser import browser, jupyter, needs_chromium, open_notebook, write_notebook

import microgradlib as mg
from microgradlib.nn import MLP
from microgradlib.viz.numbers import number, precision
from microgradlib.viz.theme import DARK, LIGHT

pytestmark = [pytest.mark.browser, pytest.mark.slow]
needs_chromium()
pytest.importorskip("jupyterlab")

CELLS = (
    "import microgradlib as mg\nfrom microgradlib.nn import MLP\nmodel = MLP(2, [3, 1], activation='tanh', rng=0)",
    "mg.grad_table((model([0.5, 1.0]) - 1) ** 2)",
    "model",
    "mg.gradients(mg.tanh(mg.Symbol('w')) * 2, [mg.Symbol('w')])[0]",
    "mg.data.iris()",
    "with mg.detect_anomaly():\n    mg.log(mg.Value(-1.0))",
)
TABLE = "() => [...document.querySelectorAll('.jp-CodeCell')[1].querySelectorAll('tbody tr')].map("
LAST_COLUMN = f"{TABLE}row => row.cells[row.cells.length - 1].innerText)"
COLOUR = f"{TABLE}row => getComputedStyle(row.cells[row.cells.length - 1].querySelector('span')).color)[0]"
TOO_WIDE = """() => [...document.querySelectorAll('.jp-OutputArea-output [id^=mg-]')]
    .filter(shown => shown.scrollWidth > shown.clientWidth + 1).length"""
WIDTH = 1280


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_cells_of_a_notebook(tmp_path, dark):
    model = MLP(2, [3, 1], activation="tanh", rng=0)
    table = mg.grad_table((model([0.5, 1.0]) - 1) ** 2)
    write_notebook(tmp_path / "cells.ipynb", CELLS)
    with jupyter(tmp_path, dark=dark) as url, browser(tmp_path / "profile", width=WIDTH, height=3000) as context:
        page = context.pages[0]
        open_notebook(page, url("cells.ipynb"))
        page.wait_for_selector(".jp-CodeCell:last-of-type .jp-OutputArea-output")
        assert page.evaluate(LAST_COLUMN) == [number(x, precision(len(table))) for x in reversed(table.values())]
        blue = (DARK if dark else LIGHT)["grad"]
        assert page.evaluate(COLOUR) == f"rgb({', '.join(str(int(blue[i : i + 2], 16)) for i in (1, 3, 5))})"
        assert page.evaluate(TOO_WIDE) == 0
        assert "at cell [6], line 2" in page.locator(".jp-CodeCell").nth(5).inner_text()
