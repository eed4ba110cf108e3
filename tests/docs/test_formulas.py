"""Formulas as MathML: every one of the notebooks and pages is understood."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("latex2mathml", reason='needs the extra "docs"')
pytest.importorskip("sphinx", reason='needs the extra "docs"')
from docwriters.formulas import UNKNOWN, mathml

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)


def formulas(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    return [block or inline for block, inline in FORMULA.findall(text)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_formula_is_understood(path):
    found = formulas(path)
    assert len(found) > 3
    unknown = {formula: UNKNOWN.findall(mathml(formula, display=True, place=None)) for formula in found}
    assert not {formula: commands for formula, commands in unknown.items() if commands}


def test_what_is_not_understood_is_found():
    assert UNKNOWN.findall(mathml(r"\grad x", display=False, place=None)) == [r"\grad"]
    assert "&<" not in mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", display=True, place=None)
