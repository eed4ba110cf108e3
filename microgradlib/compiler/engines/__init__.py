"""Engines, by name: each executes programs on one kind of machine, behind one seam."""

from __future__ import annotations

from typing import Any, Final

from microgradlib._support.lookup import lookup
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.jax import JaxEngine
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.instructions import ProgramData

__all__ = ["ENGINES", "make_engine"]

ENGINES: Final[dict[str, type[Engine]]] = {"numpy": NumpyEngine, "jax": JaxEngine, "reference": ReferenceEngine}
"""The engines by the names of `compile(…, backend=…)`."""


def make_engine(name: str, program: ProgramData, dtype: Any) -> Engine:
    """Return an engine for a program. Raises `ValueError`, listing the names, for one that there is not.

    Derivatives that are not finite are the reference engine's.
    """
    engine = lookup(name, ENGINES, "backend")
    return engine(program, dtype, None if engine is ReferenceEngine else ReferenceEngine(program, dtype))
