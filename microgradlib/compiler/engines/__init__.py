"""Engines, by name: each executes programs on one kind of machine, behind one seam."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.lookup import lookup

if TYPE_CHECKING:
    from microgradlib.compiler.engines.engine import Engine
    from microgradlib.compiler.instructions import ProgramData

__all__ = ["ENGINES", "engine_class", "make_engine"]

ENGINES: Final = {
    "numpy": "numpy_engine:NumpyEngine",
    "reference": "reference:ReferenceEngine",
}
"""For each name of `compile(…, backend=…)`, the module in this room and its class, imported when first asked for."""


def engine_class(name: str) -> type[Engine]:
    """Return the class of an engine. Raises `ValueError`, listing the names, for one that there is not.

    >>> engine_class("reference").__name__
    'ReferenceEngine'
    """
    module, _, attribute = lookup(name, ENGINES, "backend").partition(":")
    engine: type[Engine] = getattr(import_module(f"{__package__}.{module}"), attribute)
    return engine


def make_engine(name: str, program: ProgramData, dtype: Any) -> Engine:
    """Return an engine for a program. Derivatives that are not finite are the reference engine's."""
    return engine_class(name)(program, dtype, None if name == "reference" else make_engine("reference", program, dtype))
