"""Drawings: display, saving, and Graphviz when it is present, missing, broken or slow."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from microgradlib import Value
from microgradlib.errors import DrawingError, MissingExtraError
from microgradlib.viz import Drawing, draw, graphviz_engine as engine
from microgradlib.viz.diagram import Arrow, Box, Diagram

HAVE_DOT = shutil.which("dot") is not None
HAVE_PYGRAPHVIZ = importlib.util.find_spec("pygraphviz") is not None
needs_graphviz = pytest.mark.skipif(not (HAVE_DOT or HAVE_PYGRAPHVIZ), reason="needs Graphviz")
needs_sh = pytest.mark.skipif(not os.path.exists("/bin/sh"), reason="needs a POSIX shell")  # noqa: PTH110


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own text


@pytest.fixture
def square():
    x = Value(3.0, label="x")
    return x * x


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


def test_a_drawing_is_a_snapshot(square):
    drawing = draw(square)
    before = drawing.svg, drawing.source, drawing.text
    square.backward()
    square.parents[0].data = 5.0
    assert (drawing.svg, drawing.source, drawing.text) == before
    assert "grad 0" in drawing.text
    assert "grad 6" in draw(square).text


def test_notebooks_get_svg_and_text_and_may_choose(square):
    drawing = draw(square)
    assert drawing._repr_svg_() == drawing.svg
    assert drawing._repr_mimebundle_() == {"image/svg+xml": drawing.svg, "text/plain": drawing.text}
    assert drawing._repr_mimebundle_(include={"text/plain"}) == {"text/plain": drawing.text}
    assert drawing._repr_mimebundle_(exclude=["text/plain"]) == {"image/svg+xml": drawing.svg}
    assert repr(drawing) == "<Drawing of 2 boxes and 2 arrows>"
    assert drawing.text.splitlines() == [
        "<Drawing of 2 boxes and 2 arrows>",
        "  n0  x  data 3  grad 0",
        "  n1  ×  data 9  grad 0  from n0, n0",
    ]


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (3.0, r"got 3\.0\. Make one first: x = Value\(2\.0"),
        (None, "got None"),
        ([Value(1.0), Value(2.0)], r"got a list of 2\. Draw one of them, as in draw\(outputs\[0\]\)"),
    ],
)
def test_non_nodes_raise_with_advice(thing, reason):
    with pytest.raises(TypeError, match=f"draw\\(\\) takes one Value or Symbol.*{reason}"):
        draw(thing)


def test_an_unknown_engine_raises(square):
    with pytest.raises(ValueError, match=r"'own' .* or 'dot' .*, got 'neato'"):
        draw(square, engine="neato")


@pytest.mark.parametrize("name", ["g.svg", "g.SVG", "g.dot", "g.gv"])
@pytest.mark.usefixtures("no_graphviz")
def test_saving_svg_and_dot_needs_no_extra(square, tmp_path, name):
    drawing = draw(square)
    path = drawing.save(tmp_path / name)
    assert path == tmp_path / name
    expected = drawing.svg if name.lower().endswith("svg") else drawing.source
    assert path.read_text(encoding="utf-8") == expected
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert drawing.save(str(path)) == path


def test_an_unknown_suffix_lists_the_known_ones(square, tmp_path):
    with pytest.raises(
        ValueError, match=r"'g\.jpg': the suffix '\.jpg' is not one of \.svg, \.png, \.pdf, \.dot, \.gv"
    ):
        draw(square).save(tmp_path / "g.jpg")


@pytest.mark.usefixtures("no_graphviz")
def test_a_failed_save_leaves_only_the_old_file(square, tmp_path):
    target = tmp_path / "g.png"
    target.write_bytes(b"old")
    with pytest.raises(MissingExtraError):
        draw(square).save(target)
    assert target.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["g.png"]


def test_an_interrupted_save_leaves_only_the_old_file(square, tmp_path, monkeypatch):
    target = tmp_path / "g.svg"
    target.write_bytes(b"old")

    def fail(_self, _other):
        raise OSError("disk full")

    monkeypatch.setattr(type(target), "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        draw(square).save(target)
    assert target.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["g.svg"]


def test_a_missing_folder_is_named(square, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*; make it first"):
        draw(square).save(tmp_path / "nowhere" / "g.svg")


@needs_graphviz
@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_png_and_pdf_come_from_graphviz(square, tmp_path, suffix, start):
    assert draw(square).save(tmp_path / f"g.{suffix}").read_bytes().startswith(start)


@needs_graphviz
def test_graphviz_shows_every_label_as_it_was_written():
    label = r'\N \G \\ "q" <b>&amp; {|}'
    diagram = Diagram((Box("n0", "leaf", title=label), Box("n1", "output")), (Arrow("n0", "n1", r'\E "x" <&>'),) * 2)
    svg = Drawing(diagram, engine="dot").svg
    assert svg.startswith("<svg")
    words = ["".join(node.itertext()) for node in parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    words = [word.replace("\xa0", " ") for word in words]
    assert label in words
    assert words.count(r'\E "x" <&>') == 2


@pytest.mark.skipif(not HAVE_PYGRAPHVIZ, reason="needs pygraphviz")
@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_without_dot_pygraphviz_draws_without_output(square, monkeypatch, capfd, form, start):
    monkeypatch.setenv("PATH", "")
    assert engine.render(draw(square).source, form).startswith(start)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("no_graphviz")
def test_missing_graphviz_names_the_command(square):
    with pytest.raises(MissingExtraError, match=r'pip install "microgradlib\[viz\]"'):
        draw(square, engine="dot")


@needs_sh
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho 'no fonts' >&2\nexit 3\n", "status 3: no fonts"),
        ("#!/bin/sh\nexit 0\n", "status 0: no output"),
        ("#!/nowhere/sh\n", "did not start"),
    ],
)
@pytest.mark.usefixtures("without_pygraphviz")
def test_a_broken_dot_raises_drawing_error(square, tmp_path, monkeypatch, script, reason):
    fake_dot(tmp_path, monkeypatch, script)
    with pytest.raises(DrawingError, match=rf"{reason}.*pip install \"microgradlib\[viz\]\""):
        engine.render(draw(square).source, "svg")


@needs_sh
@pytest.mark.usefixtures("without_pygraphviz")
def test_a_dot_without_permission_counts_as_missing(square, tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\n", mode=0o644)
    with pytest.raises(MissingExtraError, match="is not installed"):
        engine.render(draw(square).source, "svg")


@pytest.mark.parametrize("error", [PermissionError(13, "not permitted"), OSError(138, "emscripten has no processes")])
def test_a_platform_without_processes_raises_drawing_error(square, monkeypatch, error):
    monkeypatch.setattr(engine.shutil, "which", lambda name: name)

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(DrawingError, match=r"dot did not start .*pip install"):
        engine.render(draw(square).source, "svg")


@needs_sh
@pytest.mark.skipif(not HAVE_PYGRAPHVIZ, reason="needs pygraphviz")
def test_pygraphviz_replaces_a_broken_dot(square, tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\nexit 3\n")
    assert engine.render(draw(square).source, "png").startswith(b"\x89PNG")


@needs_sh
def test_a_slow_dot_is_stopped(square, tmp_path, monkeypatch):
    fake_dot(tmp_path, monkeypatch, "#!/bin/sh\nsleep 60\n")
    with pytest.raises(DrawingError, match=r"longer than 0\.2 seconds"):
        engine.render(draw(square).source, "svg", seconds=0.2)


def test_drawing_imports_no_extra_and_runs_no_process():
    code = (
        "import sys, microgradlib as mg; from microgradlib.viz import draw, line_chart; "
        "draw(mg.Value(1.0).tanh()); line_chart({'a': [1.0]}); "
        "print([name for name in ('graphviz', 'pygraphviz', 'numpy', 'subprocess') if name in sys.modules])"
    )
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
