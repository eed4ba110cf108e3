"""The notebooks as data: where they lie, their cells, the syntax of their code, and what their execution shows."""

import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
ENGLISH = sorted(FOLDER.glob("*.ipynb"))
CHINESE = sorted((FOLDER / "zh").glob("*.ipynb"))
PICTURES = FOLDER / "pictures"
MAGIC = re.compile(r"^(\s*)%(.*)$", re.MULTILINE)
SECONDS_A_CELL = 60


def cells(path, kind=None):
    """The cells of a notebook file, all or of one kind, as (source, metadata)."""
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [("".join(cell["source"]), cell["metadata"]) for cell in found if kind in (None, cell["cell_type"])]


def plain(source):
    """A code cell as plain Python: a line magic becomes a string."""
    return MAGIC.sub(lambda m: f"{m[1]}{m[2]!r}", source)


def code_of(path):
    """The sources of the code cells as plain Python."""
    return [plain(source) for source, _ in cells(path, "code")]


def execute(path, folder):
    """Run a notebook in a kernel of its own, with the library of this checkout; `folder` is its working directory."""
    import nbclient  # noqa: PLC0415  only where the extra is
    import nbformat  # noqa: PLC0415

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    nbclient.NotebookClient(notebook, timeout=SECONDS_A_CELL, resources=resources).execute(env=environment)
    return notebook


def shown(notebook):
    """The pictures that an executed notebook shows, as (cell, MIME type) in order: drawings, plots, the stepper."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            kinds = [kind for kind in data if kind.startswith("image/") or kind.endswith("widget-view+json")]
            found += [(cell, kinds[0])] if kinds else []
    return found


def pictures_folder(path):
    """Where the pictures of a notebook stand."""
    return path.parent / "pictures"


def as_ascii(svg):
    """The same SVG with character references: JupyterLite shows pictures in Markdown only if they are Latin-1."""
    return svg.rstrip().encode("ascii", "xmlcharrefreplace").decode() + "\n"


def pictures_of(notebook):
    """The SVG texts of the cells whose metadata name a picture, by the file name; None where a cell shows no SVG."""
    found = {}
    for cell in notebook.cells:
        if "picture" in cell.metadata:
            drawn = [o.data["image/svg+xml"] for o in cell.get("outputs", []) if "image/svg+xml" in o.get("data", {})]
            found[cell.metadata["picture"]] = as_ascii(drawn[-1]) if drawn else None
    return found
