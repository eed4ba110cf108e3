"""The stepper in a real JupyterLab: the widget steps, and its sliders are answered by the kernel; the frame steps."""

import pytest
from browser import browser, jupyter, needs_chromium, open_notebook, write_notebook

from microgradlib import Value, explain, grad_table, tanh
from microgradlib.viz.numbers import number

pytestmark = [pytest.mark.browser, pytest.mark.slow]
needs_chromium()
pytest.importorskip("jupyterlab")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("anywidget")

BUILD = """
import sys
import microgradlib as mg
w, x, b = mg.Value(0.5), mg.Value(3.0), mg.Value(-1.0)
y = mg.tanh(w * x + b)
explanation = mg.explain(y)
"""
WIDGET = BUILD + "explanation"
FRAME = "from IPython.display import HTML\n" + BUILD + "HTML(explanation._repr_mimebundle_()['text/html'])"
WATCH = """
widget = explanation.widget
widget.observe(lambda change: open("leaves.txt", "a").write(str(change["new"]) + "\\n"), "leaves")
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "widget.ipynb", [WIDGET, WATCH])
    write_notebook(folder / "frame.ipynb", [FRAME])
    with jupyter(folder) as url, browser(folder / "profile", width=1500, height=1000) as context:
        page = context.pages[0]
        page.folder, page.notebook = folder, url
        yield page


def gradients():
    """The gradients of w, x and b as they are written."""
    w, x, b = Value(0.5), Value(3.0), Value(-1.0)
    table = grad_table(tanh(w * x + b))
    return [number(table[leaf]) for leaf in (w, x, b)]


def test_the_widget_steps_and_the_kernel_answers_its_sliders(page):
    open_notebook(page, page.notebook("widget.ipynb"))
    output = page.locator(".jp-OutputArea-output").filter(has=page.locator("[data-lm-suppress-shortcuts]")).first
    host = output.locator("[data-lm-suppress-shortcuts]").first
    host.wait_for()
    box, cell = host.bounding_box(), page.locator(".jp-CodeCell").first.bounding_box()
    assert box["width"] <= cell["width"]
    host.locator(".app").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert host.evaluate("element => element.stepper.session.i") == 4
    page.keyboard.press("ArrowLeft")
    assert host.evaluate("element => element.stepper.session.i") == 3
    page.keyboard.press("End")
    text = host.locator(".app").inner_text()
    for gradient in gradients():
        assert gradient in text
    before = host.evaluate("({ stepper }) => stepper.tape.levels[0].nodes.map(node => Number(node.value))")
    host.evaluate("({ stepper }) => stepper.leaves.move(stepper.session.level.inputs[1], 1.5)")
    page.wait_for_function(
        "element => element.stepper.tape.leaves && Object.keys(element.stepper.tape.leaves).length === 1",
        arg=host.element_handle(),
    )
    after = host.evaluate("({ stepper }) => stepper.tape.levels[0].nodes.map(node => Number(node.value))")
    assert after[1] == 1.5
    assert after[-1] == tanh(Value(0.5) * 1.5 - 1.0).data != before[-1]
    assert "1.5" in (page.folder / "leaves.txt").read_text()


def test_the_page_of_the_file_is_hidden_while_the_widget_is_alive(page):
    open_notebook(page, page.notebook("widget.ipynb"))
    page.locator("[data-lm-suppress-shortcuts]").first.wait_for()
    twin = page.locator("[data-mg-twin]")
    twin.wait_for(state="attached")
    page.wait_for_function("element => getComputedStyle(element).display === 'none'", arg=twin.element_handle())


def test_a_notebook_opened_later_without_trust_has_the_steps_in_words(page):
    notebook = nbformat.read(page.folder / "widget.ipynb", 4)
    explanation = explain(Value(2.0, label="x") ** 2)
    twin = nbformat.v4.new_output("display_data", {"text/html": explanation._page("mg-0"), "text/plain": "steps"})
    gone = {"application/vnd.jupyter.widget-view+json": {"model_id": "0"}, "text/plain": "widget"}
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", gone), twin]
    nbformat.write(notebook, page.folder / "later.ipynb")
    open_notebook(page, page.notebook("later.ipynb"), run=False)
    page.locator(".jp-Notebook details summary").wait_for()
    assert page.locator(".jp-Notebook details summary").inner_text() == "The steps in words"


def test_the_frame_steps_without_a_kernel(page):
    open_notebook(page, page.notebook("frame.ipynb"))
    frame = page.frame_locator("iframe[srcdoc]")
    frame.locator(".app").wait_for()
    frame.locator(".app").focus()
    page.keyboard.press("End")
    text = frame.locator(".app").inner_text()
    for gradient in gradients():
        assert gradient in text
