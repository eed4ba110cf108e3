"""Engines, by name: each executes programs on one kind of machine, behind one seam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from microgradlib._support.lookup import lookup
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.instructions import ProgramData

__all__ = ["ENGINES", "choose_backend", "make_engine"]


def _native() -> type[Engine]:
    from microgradlib.compiler.engines.native import NativeEngine  # noqa: PLC0415  a tenth of the package's import

    return NativeEngine


def _jax() -> type[Engine]:
    from microgradlib.compiler.engines.jax import JaxEngine  # noqa: PLC0415  likewise

    return JaxEngine


ENGINES: Final[dict[str, Callable[[], type[Engine]]]] = {
    "numpy": lambda: NumpyEngine,
    "native": _native,
    "jax": _jax,
    "reference": lambda: ReferenceEngine,
}
"""The engines by the names of `compile(…, backend=…)`, imported when they are asked for."""


def choose_backend(name: str) -> str:
    """Return the name of the engine for `backend`: for "auto", "native" where that can run, else "numpy".

    Raises `ValueError`, listing the names, for one that there is not; for "native" `MissingExtraError` without
    llvmlite, and `RuntimeError` on a machine that it has no code for.

    >>> choose_backend("numpy")
    'numpy'
    """
    lookup(name, {**ENGINES, "auto": None}, "backend")
    if name not in ("auto", "native"):
        return name
    from microgradlib.compiler.engines.native.machine import host  # noqa: PLC0415  as above

    try:
        host()
    except (ImportError, OSError, RuntimeError):
        if name == "native":
            raise
        return "numpy"
    return "native"


def make_engine(name: str, program: ProgramData, dtype: Any) -> Engine:
    """Return an engine for a program. Raises `ValueError`, listing the names, for one that there is not.

    Derivatives that are not finite are the reference engine's.
    """
    engine = lookup(name, ENGINES, "backend")()
    return engine(program, dtype, None if engine is ReferenceEngine else ReferenceEngine(program, dtype))
