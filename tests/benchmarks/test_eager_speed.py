"""Limits on eager speed, asserted only by `pytest -m benchmark`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.benchmark
def test_eager_speed_is_within_its_limits() -> None:
    pytest.importorskip("micrograd")
    command = [sys.executable, str(Path(__file__).with_name("eager.py")), "--json", "--rounds", "3"]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(finished.stdout)
    rows = found["ratios"] + found["chains"]
    assert len(rows) == 6
    assert [row for row in rows if not row["met"]] == []
