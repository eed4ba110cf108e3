"""The emitted text for JAX computes in float64, which JAX is set to in the tests of this folder only."""

import sys

import pytest


@pytest.fixture(autouse=True)
def float64_here_only():
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", False)
