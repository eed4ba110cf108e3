"""The JAX engine."""

from __future__ import annotations

from microgradlib.compiler.engines.jax.engine import JaxEngine, devices_of

__all__ = ["JaxEngine", "devices_of"]
