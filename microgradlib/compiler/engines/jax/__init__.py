"""The JAX engine."""

from __future__ import annotations

from microgradlib.compiler.engines.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
