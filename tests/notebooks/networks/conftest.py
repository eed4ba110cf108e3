"""Load the scripts of notebooks/networks by name: `script("worked_network")` is that script as a module."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "notebooks" / "networks"


@cache
def load(name):
    spec = importlib.util.spec_from_file_location(f"notebooks.networks.{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the names of their annotations
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def script():
    return load
