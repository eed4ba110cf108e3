"""Every notebook runs from top to bottom: in this process, and, where nbclient is there, in a kernel of its own."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run_in_process(path):
    namespace = {"__name__": "__main__"}
    for number, source in enumerate(code_cells(path)):
        exec(compile(source, f"{path.name}, code cell {number}", "exec"), namespace)  # noqa: S102


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS][:1] == ["01_numbers_that_remember.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run_in_this_process(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_in_process(path)


def test_a_failing_cell_fails(tmp_path):
    broken = tmp_path / "broken.ipynb"
    cell = {
        "cell_type": "code",
        "source": ["assert 1 + 1 == 3"],
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    broken.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    with pytest.raises(AssertionError):
        run_in_process(broken)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel machinery's own warnings are not ours to fix
def test_runs_in_a_kernel_and_shows_pictures(path, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason='needs the extra "notebook"')
    nbclient = pytest.importorskip("nbclient", reason='needs the extra "notebook"')
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/svg+xml" in output.get("data", {}) for output in outputs)
    assert not any(output["output_type"] == "error" for output in outputs)
