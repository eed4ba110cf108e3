"""Notebooks as pages: copies with their pictures, executed or not, solutions folded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from docwriters.course import NOTEBOOKS, notebooks
from docwriters.files import write_if_new

__all__ = ["EXECUTED", "copy_notebooks", "folded", "sources"]

EXECUTED = "MICROGRADLIB_EXECUTED_NOTEBOOKS"
"""The environment variable with the folder of notebooks that were executed already, or the word `now`."""


WIDGET = "application/vnd.jupyter.widget-view+json"
"""The form of an output that needs a kernel."""
IN_THE_PAGES = {"../../README.md": "../../index.md", "..": "../../course.md"}
"""Where links of the Chinese front page lead in these pages."""
LISTED = """

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
    pages: dict[Path, str | bytes] = {
        path.relative_to(NOTEBOOKS): _page(path, setting) for path in (*notebooks(), *NOTEBOOKS.glob("zh/*.ipynb"))
    }
    for pattern in ("pictures/*.*", "zh/pictures/*.*", "networks/*.py"):
        pages |= {path.relative_to(NOTEBOOKS): path.read_bytes() for path in NOTEBOOKS.glob(pattern)}
    for path in NOTEBOOKS.glob("zh/README.md"):
        text = path.read_text(encoding="utf-8")
        for there, here in IN_THE_PAGES.items():
            text = text.replace(f"]({there})", f"]({here})")
        pages[path.relative_to(NOTEBOOKS)] = text + LISTED
    for place, content in pages.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        write_if_new(folder / place, content)
    for path in [path for path in folder.glob("**/*.*") if path.is_file() and path.relative_to(folder) not in pages]:
        path.unlink()
    return "force" if setting == "now" else "off"


def _page(path: Path, setting: str) -> str:
    """Return a notebook, executed if the folder `setting` has it so, as text."""
    notebook, done = _read(path), Path(setting, path.relative_to(NOTEBOOKS))
    if setting not in {"", "now"} and done.exists() and sources(_read(done)) == sources(notebook):
        notebook = _read(done)
    return json.dumps(folded(notebook), ensure_ascii=False, indent=1)


def _read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def sources(notebook: dict[str, Any]) -> list[str]:
    """Return the text of the cells: an executed notebook with another one is of another time."""
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def folded(notebook: dict[str, Any]) -> dict[str, Any]:
    """Fold the cells whose source a notebook hides, by the tag that MyST-NB knows; leave out dead widgets."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [output for output in cell["outputs"] if WIDGET not in output.get("data", {})]
        if cell["metadata"].get("jupyter", {}).get("source_hidden"):
            cell["metadata"].setdefault("tags", []).append("hide-input")
    return notebook
