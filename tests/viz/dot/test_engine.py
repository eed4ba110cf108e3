"""The Graphviz engine when it is present, missing, broken or slow."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys

import pytest

from microgradlib.errors import DrawingError, MissingExtraError
from microgradlib.viz.dot import engine

HAVE_DOT = shutil.which("dot") is not None
HAVE_PYGRAPHVIZ = importlib.util.find_spec("pygraphviz") is not None
needs_graphviz = pytest.mark.skipif(not (HAVE_DOT or HAVE_PYGRAPHVIZ), reason="needs Graphviz")
needs_sh = pytest.mark.skipif(not os.path.exists("/bin/sh"), reason="needs a POSIX shell")  # noqa: PTH110
SOURCE = 'digraph { "x" -> "y" }'


@pytest.fixture
def without_pygraphviz(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pygraphviz" else find(name))


@pytest.fixture
def no_graphviz(monkeypatch, without_pygraphviz):
    monkeypatch.setenv("PATH", "")


def fake_dot(folder, monkeypatch, script, mode=0o755):
    program = folder / "dot"
    program.write_text(script)
    program.chmod(mode)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin" if mode & stat.S_IXUSR else str(folder))


@needs_graphviz
@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_dot_draws(form, start):
    assert engine.render(SOURCE, form).startswith(start)


@pytest.mark.skipif(not HAVE_PYGRAPHVIZ, reason="needs pygraphviz")
@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_without_dot_pygraphviz_draws_without_output(monkeypatch, capfd, form, start):
    monkeypatch.setenv("PATH", "")
    assert engine.render(SOURCE, form).startswith(start)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_graphviz")
def test_missing_graphviz_names_the_command():
    with pytest.raises(MissingExtraError, match=r'pip install "microgradlib\[viz\]"'):
        engine.render(SOURCE, "svg")


@needs_sh
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho 'no fonts' >&2\nexit 3\n", "status 3: no fonts"),
        ("#!/bin/sh\nexit 0\n", "status 0: no svg"),
        ("#!/bin/sh\necho something else\n", "status 0: no svg"),
        ("#!/nowhere/sh\n", "did not start"),
    ],
)
@pytest.mark.usefixtures("without_pygraphviz")
def test_a_broken_dot_raises_drawing_error(tmp_path, monkeypatch, script, reason):
    fake_dot(tmp_path, monkeypatch, script)
    with pytest.raises(DrawingError, match=rf"{reason}.*pip install \"microgradlib\[viz\]\""):
        engine.render(SOURCE, "svg")


@needs_sh
@pytest.mark.usefixtures("without_pygraphviz")
def test_a_dot_without_permission_counts_as_missing(tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\n", mode=0o644)
    with pytest.raises(MissingExtraError, match="is not installed"):
        engine.render(SOURCE, "svg")


@pytest.mark.parametrize("error", [PermissionError(13, "not permitted"), OSError(138, "emscripten has no processes")])
def test_a_platform_without_processes_raises_drawing_error(monkeypatch, error):
    monkeypatch.setattr(engine.shutil, "which", lambda name: name)

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(DrawingError, match=r"dot did not start .*pip install"):
        engine.render(SOURCE, "svg")


@needs_sh
@pytest.mark.skipif(not HAVE_PYGRAPHVIZ, reason="needs pygraphviz")
def test_pygraphviz_replaces_a_broken_dot(tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\nexit 3\n")
    assert engine.render(SOURCE, "png").startswith(b"\x89PNG")


@needs_sh
def test_a_slow_dot_is_stopped(tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\nsleep 60\n")
    with pytest.raises(DrawingError, match=r"longer than 0\.2 seconds"):
        engine.render(SOURCE, "svg", seconds=0.2)


def test_importing_it_runs_no_process():
    code = "import sys, microgradlib.viz.dot.engine; print('subprocess' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
