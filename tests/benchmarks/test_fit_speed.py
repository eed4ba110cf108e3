"""A limit on the cost of a training step beside its parts, asserted only by `pytest -m benchmark`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.benchmark
def test_a_step_of_fit_costs_little_more_than_its_parts() -> None:
    pytest.importorskip("numpy")
    command = [sys.executable, str(Path(__file__).with_name("fit.py")), "--json", "--rounds", "12"]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    rows = json.loads(finished.stdout)
    assert len(rows) == 21
    assert {row["problem"]: row["ratio"] for row in rows if row["ratio"] > row["bar"]} == {}
