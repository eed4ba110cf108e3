"""Refuse the conversions of a node to a float by which NumPy would lose its derivative without notice."""

from __future__ import annotations

import dis
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import is_ndarray
from microgradlib.core.math_calls import callee, math_function_called_by, refuse_math_call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, ModuleType

__all__ = ["TRANSFORMS", "check_conversion"]

TRANSFORMS: ContextVar[tuple[Sequence[Any], ...]] = ContextVar("microgradlib_transforms", default=())
"""The inputs of each transformed function (`grad`, …) that is running, the outermost first."""


def check_conversion(frame: FrameType) -> None:
    """Raise `TypeError` if the conversion to a float that runs in `frame` would lose a derivative.

    That is a call of `math.sin` or the like; and, in a function that is being differentiated, a conversion by NumPy:
    `np.zeros(3)[0] = v`, `np.asarray(values, dtype=float)`. `float(v)` itself says that a number is meant.
    """
    refuse_math_call(math_function_called_by(frame))
    if TRANSFORMS.get() and "numpy" in sys.modules and _is_by_numpy(frame, sys.modules["numpy"]):
        raise TypeError(
            "NumPy would turn a Value into a plain number here, and the derivative would be lost: make the array with "
            "dtype=object, leave out dtype=float and astype(float), or write float(value) if the number is meant"
        )


def _is_by_numpy(frame: FrameType, numpy: ModuleType) -> bool:
    """Return whether NumPy converts: in its own code, in an assignment to an element, or in a call of NumPy."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    if package in {"numpy", "scipy"}:
        return True
    code = frame.f_code
    if dis.opname[code.co_code[frame.f_lasti]] in {"STORE_SUBSCR", "STORE_SLICE"}:
        return True
    name = callee(code, frame.f_lasti)
    if name is None:
        return False
    called: Any = frame.f_locals.get(name[0], frame.f_globals.get(name[0]))
    for attribute in name[1:]:  # of modules and arrays alone, where reading an attribute runs no code of others
        is_safe = isinstance(called, type(sys)) or is_ndarray(called)
        called = getattr(called, attribute, None) if is_safe else None
    if isinstance(called, type) and issubclass(called, numpy.generic):
        return False  # np.float64(v) says, as float(v) does, that a number is meant
    return is_ndarray(getattr(called, "__self__", None)) or str(getattr(called, "__module__", "")).startswith("numpy")
