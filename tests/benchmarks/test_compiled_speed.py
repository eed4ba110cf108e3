"""Bars of compiled functions beside other libraries, asserted only by `pytest -m benchmark`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.benchmark
def test_compiled_functions_hold_their_bars_in_most_of_five_runs() -> None:
    for name, reason in (("llvmlite", "the native engine"), ("jax", "a rival"), ("torch", "a rival")):
        pytest.importorskip(name, reason=reason)
    command = [sys.executable, str(Path(__file__).with_name("compiled.py")), "--json", "--runs", "5"]
    environment = {**os.environ, "MICROGRADLIB_BACKEND": "native"}
    finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(finished.stdout)
    rows = [
        (dtype, name, row["rival"], row["held"])
        for dtype in ("float64", "float32")
        for name, ratios in found[dtype]["ratios"].items()
        for row in ratios
        if row["bar"] is not None
    ]
    assert len(rows) == 28
    assert [row for row in rows if row[3] < 3] == []
