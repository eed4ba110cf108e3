"""The notebooks in a browser without Python on the machine: the site of JupyterLite, built here and used offline."""

import functools
import http.server
import importlib.util
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from browser import browser, needs_chromium, open_notebook

from microgradlib.viz.stepper.words import say

pytestmark = [pytest.mark.browser, pytest.mark.slow]
needs_chromium()
for package in ("jupyterlite_core", "jupyterlite_pyodide_kernel"):
    pytest.importorskip(package, reason='needs the extra "docs"')
if shutil.which("npm") is None:
    pytest.skip("Pyodide comes from npm, which is not there", allow_module_level=True)

BUILD = Path(__file__).parents[2] / ".docs" / "lite" / "build.py"
RUN = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code});
    let said = "";
    future.onIOPub = message => said += message.content.text ?? message.content.evalue ?? "";
    await future.done;
    return said;
}"""
SHOWN = """() => [...document.getElementById('stepper').stepper.shadow.querySelectorAll('.graph > svg, .msg')]
    .map(part => part.outerHTML).join("")"""
TRAINING = """
from microgradlib.nn import MLP
model = MLP(2, [4, 1], activation="tanh", rng=0)
inputs, targets = [(0, 0), (0, 1), (1, 0), (1, 1)], [-1, 1, 1, -1]
for step in range(200):
    loss = mg.sum((model(x) - t) ** 2 for x, t in zip(inputs, targets))
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
print([round(model(x).data) for x in inputs])
"""


class Site(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path):
        kinds = {".mjs": "text/javascript", ".wasm": "application/wasm"}
        return kinds.get(Path(path).suffix) or super().guess_type(path)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    subprocess.run([sys.executable, BUILD, folder, "--offline"], check=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def notebook(address, tmp_path_factory):
    """The second notebook, run from top to bottom, and what was asked of other hosts meanwhile."""
    elsewhere = []
    with browser(tmp_path_factory.mktemp("profile"), height=1000) as context:
        page = context.new_page()
        page.set_default_timeout(90_000)
        near = (address, "blob:", "data:")
        page.on("request", lambda request: None if request.url.startswith(near) else elsewhere.append(request.url))
        open_notebook(page, f"{address}/lab/index.html?path=02_the_grad_table.ipynb")
        yield page, elsewhere


def test_a_notebook_runs_and_draws_without_another_host(notebook):
    page, elsewhere = notebook
    texts = page.locator(".jp-OutputArea-output").all_inner_texts()
    assert not [text for text in texts if "Traceback" in text or "Error:" in text]
    assert page.locator(".mg-picture").count() >= 2
    assert elsewhere == []


def test_pictures_in_text_are_shown(notebook):
    page, _ = notebook
    page.evaluate("document.querySelector('.jp-MarkdownCell').scrollIntoView()")
    picture = page.locator(".jp-RenderedMarkdown img").first
    picture.wait_for()
    assert picture.evaluate("img => img.naturalWidth") > 100


def test_the_stepper_steps(notebook):
    page, _ = notebook
    frame = page.locator(".jp-OutputArea-output iframe").first
    frame.scroll_into_view_if_needed()
    inside = frame.content_frame
    inside.locator("#stepper").wait_for()
    before = inside.locator("body").evaluate(SHOWN)
    inside.get_by_label(say("en", "next")).first.click()
    end = time.monotonic() + 10
    while (after := inside.locator("body").evaluate(SHOWN)) == before and time.monotonic() < end:
        time.sleep(0.1)
    assert after != before


def test_a_network_trains(notebook):
    page, _ = notebook
    assert page.evaluate(RUN, TRAINING).strip() == "[-1, 1, 1, -1]"


def test_what_needs_numpy_says_so(notebook):
    if importlib.util.find_spec("numpy") is None:
        pytest.skip("the message is compared with this interpreter's")
    page, _ = notebook
    said = page.evaluate(RUN, "mg.compile(lambda x: x * x, [])([1.0])")
    assert "microgradlib[" in said
