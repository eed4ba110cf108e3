"""Refuse the conversions of a node to a float that would lose its derivative without notice."""

from __future__ import annotations

import dis
import math
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from microgradlib.core.math_calls import callee, math_function_called_by, refuse_math_call, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["TRANSFORMS", "check_conversion", "differentiating"]

TRANSFORMS: ContextVar[tuple[Sequence[Any], ...]] = ContextVar("microgradlib_transforms", default=())
"""The inputs of each transformed function (`grad`, …) that is running, the outermost first."""

_FORMATTING = ("BINARY_OP", "BINARY_MODULO", "INPLACE_MODULO")


@contextmanager
def differentiating(inputs: Sequence[Any]) -> Iterator[tuple[Sequence[Any], ...]]:
    """Run a function that is differentiated by these inputs in the block; yield those of the functions around it."""
    enclosing = TRANSFORMS.get()
    token = TRANSFORMS.set((*enclosing, inputs))
    try:
        yield enclosing
    finally:
        TRANSFORMS.reset(token)


def check_conversion(frame: FrameType) -> None:
    """Raise `TypeError` if the conversion to a float that runs in `frame` would lose a derivative.

    That is a call of `math.sin` or the like; and, in a function that is being differentiated, every conversion that the
    program does not ask for by `float(v)`, as in `np.zeros(3)[0] = v`, `np.asarray(values, dtype=float)`,
    `map(math.sin, values)`. Text (`"%f" % v`) and questions (`math.isnan(v)`) need no derivative.
    """
    refuse_math_call(math_function_called_by(frame))
    if TRANSFORMS.get() and not _is_meant(frame):
        raise TypeError(
            "a Value would be turned into a plain number here, and its derivative be lost: compute with the functions "
            "of microgradlib, make arrays of Values with dtype=object, without dtype=float and astype(float), or write "
            "float(value) if the number is meant"
        )


def _is_meant(frame: FrameType) -> bool:
    """Return whether the program asks for the number itself, as far as its bytecode shows."""
    code, offset = frame.f_code, frame.f_lasti
    while dis.opname[code.co_code[offset]] == "CACHE":  # of a call of a Python function, up from Python 3.11
        offset -= 2
    if dis.opname[code.co_code[offset]] in _FORMATTING:
        return True
    name = callee(code, offset)
    if name is None:
        return False
    called = resolved(name, frame)
    if isinstance(called, type):
        return issubclass(called, (float, getattr(sys.modules.get("numpy"), "generic", float)))
    return name[-1] == "__float__" or (
        name[-1].startswith("is") and called is not None and called is getattr(math, name[-1], None)
    )
