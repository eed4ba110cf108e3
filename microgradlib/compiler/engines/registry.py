"""The engines by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.lookup import lookup
from microgradlib.compiler.engines.reference import ReferenceEngine

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
    made = engine_class(name)
    return made(program, dtype, None if made is ReferenceEngine else ReferenceEngine(program, dtype))
