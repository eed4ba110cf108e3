"""The JAX engine."""

from __future__ import annotations

from microgradlib.compiler.engines.jax.engine import JaxEngine, devices_of
from microgradlib.compiler.engines.jax.pure_function import pure_function

__all__ = ["JaxEngine", "devices_of", "pure_function"]
