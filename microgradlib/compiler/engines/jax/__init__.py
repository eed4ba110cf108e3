"""The JAX engine."""

from __future__ import annotations

from microgradlib.compiler.engines.jax.engine import BatchFunction, JaxEngine, devices_of
from microgradlib.compiler.engines.jax.functions import jax
from microgradlib.compiler.engines.jax.pure_function import pure_function

__all__ = ["BatchFunction", "JaxEngine", "devices_of", "jax", "pure_function"]
