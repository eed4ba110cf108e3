"""The page of the course: its notebooks, and where each subject is taught, from `course.txt` and the notebooks."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from docwriters.files import write_if_new

__all__ = ["NOTEBOOKS", "Place", "headings", "notebooks", "places", "write_course"]

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
PLACES = Path(__file__).parents[1] / "course.txt"
LITE = "MICROGRADLIB_LITE"
"""The environment variable with the address of the notebooks' JupyterLite site, as seen from the page of the course."""

HEAD = """\
# The course

Notebooks on backpropagation and neural networks, one idea each, 5 to 15 minutes to teach. They follow chapter 6 of
Goodfellow, Bengio and Courville, *Deep Learning*, and use its notation. Every formula stands beside the code that says
the same, every number in the text is computed by a cell, and each notebook ends with exercises that check themselves.

Open one with `pip install ".[course]" && jupyter lab notebooks`. How to teach with them:
[Teach with it](howto/teach.md). {chinese}
"""


@dataclass(frozen=True)
class Place:
    """Where a subject of the course is taught."""

    part: str
    subject: str
    notebook: str
    heading: str


def places() -> list[Place]:
    """Return the places in `course.txt`; notebook and heading are empty for a subject that has none yet."""
    found, part = [], ""
    for line in PLACES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            part = line[3:]
        elif line and not line.startswith("#"):
            subject, notebook, heading = [*[cell.strip() for cell in line.split(" | ")], "", ""][:3]
            found.append(Place(part, subject, notebook, heading))
    return found


def notebooks() -> list[Path]:
    """Return the English notebooks in the order of their numbers."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def headings(path: Path) -> list[str]:
    """Return the headings of a notebook, as plain text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return [match[1].strip() for match in re.finditer(r"^#{1,6} +(.+?)#*$", text, re.MULTILINE)]


def anchor(heading: str) -> str:
    """Return the address of a heading on its page, as MyST makes it of text without formulas and code.

    >>> anchor("Algorithm 6.2: backpropagation"), anchor("The cost $J$")
    ('#algorithm-62-backpropagation', '')
    """
    if re.search(r"[$`\\*]", heading):
        return ""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def first_paragraph(path: Path) -> str:
    """Return the first paragraph below a notebook's title."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    paragraphs = re.split(r"\n\s*\n", "".join(cells[0]["source"]))
    text = next((p for p in paragraphs if p.strip() and not p.lstrip().startswith(("#", "![", "<"))), "")
    return " ".join(text.split())


def write_course(path: Path) -> None:
    """Write the page."""
    found = notebooks()
    chinese = sorted(NOTEBOOKS.glob("zh/*.ipynb"))
    front = "notebooks/zh/README.md" if (NOTEBOOKS / "zh" / "README.md").exists() else ""
    lines = [
        HEAD.format(chinese=f"The same in Chinese: [中文]({front})." if front else ""),
        "| | notebook | |",
        "|---|---|---|",
    ]
    site = os.environ.get(LITE, "").rstrip("/")
    for notebook in found:
        title = re.sub(r"^\d+\.\s*", "", headings(notebook)[0])
        words = (
            re.sub(r"\]\([^)]*\)", "]", first_paragraph(notebook)).replace("|", "\\|").replace("[", "").replace("]", "")
        )
        alive = f' <a href="{site}/lab/index.html?path={notebook.name}">run it in the browser</a>' if site else ""
        lines.append(f"| {int(notebook.stem[:2])} | [{title}](notebooks/{notebook.name}) | {words}{alive} |")
    lines += ["", "## Where each subject is taught", ""]
    part = None
    for place in places():
        if place.part != part:
            part = place.part
            lines += ["", f"### {part}", "", "| subject | notebook | heading |", "|---|---|---|"]
        there = f"[{place.notebook[:2]}](notebooks/{place.notebook})"
        heading = f"[{_cell(place.heading)}](<notebooks/{place.notebook}{anchor(place.heading)}>)"
        lines.append(f"| {_cell(place.subject)} | {there} | {heading} |")
    names = [f"notebooks/{notebook.stem}" for notebook in found] + [front.removesuffix(".md")] * bool(front)
    lines += ["", "```{toctree}", ":hidden:", *names, "```", ""]
    if not front:
        lines += ["```{toctree}", ":hidden:", *[f"notebooks/zh/{notebook.stem}" for notebook in chinese], "```", ""]
    write_if_new(path, "\n".join(lines))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
