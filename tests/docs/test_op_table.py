"""The page of the ops: a row for each, and the conventions at kinks beside those that PyTorch and JAX have."""

import json
import math
import re

import pytest

pytest.importorskip("sklearn", reason="the modules of the pages read all public names")
from docwriters.measure_conventions import FILE, ROWS, measure, ours
from docwriters.op_table import op_page

from microgradlib.ops import PUBLIC, TABLE

RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
NOWHERE_ELSE = {"step", "sgn", "heaviside", "floordiv", "less", "less_equal", "greater", "greater_equal"}
"""Ops with a kink that neither peer has as a differentiable function: they have derivative 0 everywhere."""


def rows():
    text = op_page().partition("(conventions)=")[0]
    return {m[1]: m[0].split(" | ") for m in re.finditer(r"^\| (?:\{py:func\})?`(\w+)[^|]*\|.*$", text, re.MULTILINE)}


def test_every_op_has_a_row_with_value_derivatives_and_domain():
    found = rows()
    assert set(TABLE) <= set(found)
    for name in TABLE:
        cells = found[name]
        assert len(cells) >= 5, name
        assert all(cell.strip() for cell in cells[1:4]), name
        assert "∂/∂" in cells[2], name


def test_formulas_are_those_of_the_table():
    found = rows()
    assert "1 − z²" in found["tanh"][2]
    assert "I(x \\> 0) †" in found["relu"][2]
    assert "relu′(0) = 0" in found["relu"][4]
    assert "x ≥ 0" in found["sqrt"][3]


def test_every_convention_of_a_public_op_stands_beside_its_peers():
    compared = " ".join(row[0] for row in ROWS)
    kinks = {op.name for op in PUBLIC.values() if op.kink_note} - NOWHERE_ELSE - {"hard_sigmoid", "pow"}
    missing = [name for name in kinks if not re.search(rf"\b{name}\(", compared)]
    assert not missing
    assert "x**y" in compared


def test_the_record_has_the_rows_that_are_measured():
    recorded = [(row["ours"], row["torch"]["code"], row["jax"]["code"]) for row in RECORDED["rows"]]
    assert recorded == [row[:3] for row in ROWS]


@pytest.mark.parametrize("k", range(len(ROWS)), ids=lambda k: f"{ROWS[k][0]} {ROWS[k][3]}")
def test_values_are_those_of_the_peers(k):
    value = ours(ROWS[k][0], ROWS[k][3])[0]
    for peer in ("torch", "jax"):
        theirs = float(RECORDED["rows"][k][peer]["found"][0])
        assert value == theirs or (math.isnan(value) and math.isnan(theirs)), (peer, theirs)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_peers_still_compute_what_is_recorded():
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    found = measure()
    assert json.loads(json.dumps(found["rows"])) == RECORDED["rows"]
