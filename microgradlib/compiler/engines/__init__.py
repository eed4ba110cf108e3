"""Engines, by name: each executes programs on one kind of machine, behind one seam."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from microgradlib._support.checks import boolean
from microgradlib._support.interrupts import import_whole
from microgradlib._support.lookup import lookup
from microgradlib.compiler.engines.engine import Engine
from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.engines.reference import ReferenceEngine
from microgradlib.compiler.instructions import ProgramData

__all__ = ["ENGINES", "checked_options", "choose_backend", "make_engine"]


def _imported(module: str) -> Any:
    """Return a module of the compiler that is imported when it is first asked for: it takes long."""
    return import_whole(f"microgradlib.compiler.{module}")


ENGINES: Final[dict[str, Callable[[], type[Engine]]]] = {
    "numpy": lambda: NumpyEngine,
    "native": lambda: _imported("engines.native").NativeEngine,
    "jax": lambda: _imported("engines.jax").JaxEngine,
    "reference": lambda: ReferenceEngine,
}
"""The engines by the names of `compile(…, backend=…)`, imported when they are asked for."""


def choose_backend(name: str) -> str:
    """Return the name of the engine for `backend`: for "auto", "native" where that can run, else "numpy".

    The environment variable `MICROGRADLIB_BACKEND`, "native" or "numpy", says which of them "auto" is. Raises
    `ValueError`, listing the names, for one that there is not; for "native" `MissingExtraError` without llvmlite, and
    `RuntimeError` on a machine that it has no code for.

    >>> choose_backend("numpy")
    'numpy'
    """
    lookup(name, {**ENGINES, "auto": None}, "backend")
    if name == "auto":
        name = os.environ.get("MICROGRADLIB_BACKEND") or name
        lookup(name, {"auto": None, "native": None, "numpy": None}, "backend in MICROGRADLIB_BACKEND")
    if name not in ("auto", "native"):
        return name
    try:
        _imported("llvm.machine").host()
    except (ImportError, OSError, RuntimeError):
        if name == "native":
            raise
        return "numpy"
    return "native"


def checked_options(name: str, devices: Any = None, reproducible: bool = False) -> dict[str, Any]:
    """Return the options of an engine's class. Raises `ValueError` for those that the engine does not have.

    >>> checked_options("numpy", devices=2)
    Traceback (most recent call last):
    ValueError: devices= and reproducible= are options of backend="jax", got backend='numpy'
    """
    if name == "jax":
        devices = _imported("engines.jax").devices_of(devices)
        return {"devices": devices, "reproducible": boolean(reproducible, "reproducible")}
    if devices is not None or reproducible is not False:
        message = f'devices= and reproducible= are options of backend="jax", got backend={name!r}'
        raise ValueError(message)
    return {}


def make_engine(name: str, program: ProgramData, dtype: Any, **options: Any) -> Engine:
    """Return an engine for a program. Raises `ValueError`, listing the names, for one that there is not.

    Derivatives that are not finite are the reference engine's. `options` are those of the class.
    """
    engine = lookup(name, ENGINES, "backend")()
    return engine(program, dtype, None if engine is ReferenceEngine else ReferenceEngine(program, dtype), **options)
