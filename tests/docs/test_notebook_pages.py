"""Notebooks as pages: folded solutions, outputs of executed ones, nothing of another time."""

import json

import pytest

pytest.importorskip("sklearn", reason="the modules of the pages read all public names")
from docwriters.course import NOTEBOOKS, notebooks
from docwriters.notebooks import EXECUTED, WIDGET, copy_notebooks, folded

FIRST = notebooks()[0]
OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["hello\n"]}


def code(source, outputs=(), **metadata):
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": list(outputs)}


def written(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_solutions_are_folded_and_widgets_left_out():
    widget = {"output_type": "display_data", "data": {WIDGET: {}, "text/plain": "<Explanation>"}, "metadata": {}}
    solution = code("# A solution", jupyter={"source_hidden": True}, tags=["solution"])
    shown = folded({"cells": [solution, code("explain(y)", [widget, OUTPUT])]})
    assert shown["cells"][0]["metadata"]["tags"] == ["solution", "hide-input"]
    assert shown["cells"][1]["outputs"] == [OUTPUT]


def test_copies_have_their_pictures_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.delenv(EXECUTED, raising=False)
    (tmp_path / "00_old.ipynb").write_text("{}")
    assert copy_notebooks(tmp_path) == "off"
    names = {path.name for path in tmp_path.glob("*.ipynb")}
    assert names == {path.name for path in notebooks()}
    assert {path.name for path in (NOTEBOOKS / "pictures").iterdir()} == {p.name for p in tmp_path.glob("pictures/*")}


@pytest.mark.parametrize("changed", [False, True])
def test_an_executed_notebook_is_taken_if_its_text_is_that_of_the_repository(tmp_path, monkeypatch, changed):
    done = json.loads(FIRST.read_text(encoding="utf-8"))
    cells = [cell for cell in done["cells"] if cell["cell_type"] == "code"]
    cells[0]["outputs"] = [OUTPUT]
    if changed:
        cells[1]["source"] = ["another = 1"]
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / FIRST.name).write_text(json.dumps(done), encoding="utf-8")
    monkeypatch.setenv(EXECUTED, str(tmp_path / "done"))
    copy_notebooks(tmp_path / "pages")
    outputs = [cell["outputs"] for cell in written(tmp_path / "pages", FIRST.name)["cells"] if "outputs" in cell]
    assert outputs[0] == ([] if changed else [OUTPUT])
