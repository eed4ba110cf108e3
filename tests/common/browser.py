"""A headless Chromium, and notebooks in it: JupyterLab or Notebook 7 on a port of this machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SECONDS = 60_000
"""The time limit of one step in the browser, in milliseconds."""
SECONDS_TO_START = 120
"""The time limit of a server's start."""


def needs_chromium():
    """Skip the tests of a module where the browser, or what drives it, is missing."""
    pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH", allow_module_level=True)


@contextmanager
def browser(profile, *, width=1280, height=900, dark=False):
    """A browser context with a profile of its own, in the folder `profile`."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only where there is a browser

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(SECONDS)
        try:
            yield context
        finally:
            context.close()


def write_notebook(path, cells):
    """Write a notebook with code cells of these sources, without outputs."""
    from nbformat import v4, write  # noqa: PLC0415

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}  # asked for without
    write(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells], metadata=kernel), path)


@contextmanager
def jupyter(folder, *, app="lab", dark=False):
    """A server for the notebooks in `folder`, whose own settings are below it; yields a function from name to URL."""
    homes = {
        name: str(Path(folder, ".jupyter", name.lower()))
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "IPYTHONDIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
        )
    }
    _settings(Path(homes["JUPYTERLAB_SETTINGS_DIR"]), dark=dark)
    trait = "LabApp" if app == "lab" else "JupyterNotebookApp"
    options = [
        "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token=t",
        f"--ServerApp.root_dir={folder}", "--ServerApp.allow_root=True", f"--{trait}.expose_app_in_browser=True",
    ]  # fmt: skip
    server, port = _start([sys.executable, "-m", "jupyter", app, *options], {**os.environ, **homes})
    try:
        place = "lab/tree" if app == "lab" else "notebooks"
        yield lambda name: f"http://127.0.0.1:{port}/{place}/{name}?{'reset&' if app == 'lab' else ''}token=t"
    finally:
        _stop(server)


def _start(command, environment, attempts=3):
    """Start a server on a free port and wait until it answers; on another one if that was taken meanwhile."""
    said = b""
    for _ in range(attempts):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryFile() as log:
            server = subprocess.Popen(
                [*command, f"--ServerApp.port={port}"],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            end = time.monotonic() + SECONDS_TO_START
            while server.poll() is None and time.monotonic() < end:
                if _answers(f"http://127.0.0.1:{port}/api/status?token=t"):
                    return server, port
                time.sleep(0.2)
            _stop(server)
            log.seek(0)
            said = log.read()[-1000:]
    message = f"no Jupyter server answered in {attempts} attempts; the last one said: {said.decode(errors='replace')}"
    raise TimeoutError(message)


def _stop(server):
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)  # kernels too, at once
    server.wait()


def _settings(folder, *, dark):
    apputils = folder / "@jupyterlab" / "apputils-extension"
    apputils.mkdir(parents=True)
    (apputils / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    (apputils / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own server
            return True
    except OSError:
        return False


def open_notebook(page, url, *, run=True):
    """Open a notebook, wait for its kernel, and run all cells unless `run` is false."""
    page.goto(url)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    if not run:
        return
    page.evaluate(
        """async () => {
            const session = jupyterapp.shell.currentWidget.sessionContext;
            await session.ready;
            const kernel = session.session.kernel;
            const ready = () => kernel.connectionStatus === 'connected' && kernel.status === 'idle';
            for (let i = 0; i < 600 && !ready(); i++) await new Promise(done => setTimeout(done, 50));
            await kernel.info;
        }"""
    )
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(  # folded cells show no prompt
        """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                  .every(prompt => /^(\\[\\d+\\]:)?$/.test(prompt.textContent.trim()))""",
    )
