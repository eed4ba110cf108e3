"""gradcheck on drawn functions: it finds planted faults, raises no false alarms, and seldom cannot tell."""

import pytest
from module_files import load_module


@pytest.mark.parametrize(
    ("count", "seed", "missed"),
    [(8, 1, 0), pytest.param(350, 2, 1, marks=pytest.mark.slow)],
)
def test_faults_are_found_without_false_alarms(count, seed, missed) -> None:
    counts = load_module("tests/benchmarks", "gradient_check_power").measure(count, seed)
    assert counts["faults"] - counts["found"] <= missed
    assert counts["false alarms"] == 0
    assert counts["cannot tell"] <= 0.02 * counts["derivatives"]
