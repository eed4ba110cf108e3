"""The scripts of notebooks/networks by name: `script("microgpt")` is that script as a module."""

from functools import partial

import pytest
from module_files import load_module


@pytest.fixture(scope="session")
def script():
    return partial(load_module, "notebooks/networks")
