"""Results of other libraries, recorded in tests/peers, so that tests do not need these libraries."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "peers"


def peer_record(name):
    """Return the content of tests/peers/`name`.json."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def as_recorded(numbers):
    """Return a number, list or dict that compares equal to a recorded one to 12 digits."""
    return pytest.approx(numbers, rel=1e-12, abs=1e-12)
