"""Notebooks as pages: copies with their pictures, executed or not, solutions folded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from docwriters.course import NOTEBOOKS, notebooks
from docwriters.files import write_if_new

__all__ = ["EXECUTED", "copy_notebooks"]

EXECUTED = "MICROGRADLIB_EXECUTED_NOTEBOOKS"
"""The environment variable with the folder of notebooks that were executed already, or the word `now`."""


_CHINESE = """

```{toctree}
:hidden:
:glob:

*
```
"""
"""What stands below the front page of the Chinese notebooks: Sphinx's list of them."""


def copy_notebooks(folder: Path) -> str:
    """Copy the notebooks, Chinese ones too, with what they show and link to; return MyST-NB's mode of execution."""
    setting = os.environ.get(EXECUTED, "")
    for path in (*notebooks(), *NOTEBOOKS.glob("zh/*.ipynb")):
        place = path.relative_to(NOTEBOOKS)
        notebook = _read(path)
        done = Path(setting, place)
        if setting not in {"", "now"} and done.exists() and _sources(_read(done)) == _sources(notebook):
            notebook = _read(done)
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        write_if_new(target, json.dumps(_folded(notebook), ensure_ascii=False, indent=1))
    for pattern in ("*.svg", "pictures/*.svg", "networks/*.py", "zh/README.md"):
        for path in NOTEBOOKS.glob(pattern):
            target = folder / path.relative_to(NOTEBOOKS)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_if_new(target, path.read_text(encoding="utf-8") + (_CHINESE if path.name == "README.md" else ""))
    return "force" if setting == "now" else "off"


def _read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def _sources(notebook: dict[str, Any]) -> list[str]:
    """Return the text of the cells: an executed notebook with another one is of another time."""
    return ["".join(cell["source"]) for cell in notebook["cells"]]


WIDGET = "application/vnd.jupyter.widget-view+json"


def _folded(notebook: dict[str, Any]) -> dict[str, Any]:
    """Fold the cells whose source a notebook hides, by the tag that MyST-NB knows; leave out dead widgets."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [output for output in cell["outputs"] if WIDGET not in output.get("data", {})]
        if cell["metadata"].get("jupyter", {}).get("source_hidden"):
            cell["metadata"].setdefault("tags", []).append("hide-input")
    return notebook
