"""Engines, by name: each executes programs on one kind of machine, behind one seam."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from microgradlib._support.lookup import lookup
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.instructions import ProgramData

__all__ = ["ENGINES", "make_engine"]

ENGINES: Final = {
    "numpy": "numpy_engine:NumpyEngine",
    "reference": "reference:ReferenceEngine",
}
"""For each name of `compile(…, backend=…)`, the module in this room and its class, imported when first asked for."""


def make_engine(name: str, program: ProgramData, dtype: Any) -> Engine:
    """Return an engine for a program. Raises `ValueError`, listing the names, for one that there is not.

    Derivatives that are not finite are the reference engine's.
    """
    module, _, engine = lookup(name, ENGINES, "backend").partition(":")
    exact = None if name == "reference" else make_engine("reference", program, dtype)
    made: Engine = getattr(import_module(f"{__package__}.{module}"), engine)(program, dtype, exact)
    return made
