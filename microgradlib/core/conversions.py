"""Refuse the conversions of a node to a float that would lose its derivative without notice."""

from __future__ import annotations

import dis
import math
import sys
from typing import TYPE_CHECKING, Any

from microgradlib.core.lost_derivatives import TRANSFORMS, is_looking, note_conversion
from microgradlib.core.math_calls import callee, math_function_called_by, refuse_math_call, resolved

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["check_conversion"]

_FORMATTING = ("BINARY_OP", "BINARY_MODULO", "INPLACE_MODULO")


def check_conversion(value: Any, frame: FrameType) -> None:
    """Raise `TypeError` if the conversion of a Value to a float that runs in `frame` would lose a derivative.

    That is a call of `math.sin` or the like; and, in a function that is being differentiated, every conversion that the
    program does not ask for by `float(v)`, as in `np.zeros(3)[0] = v`, `np.asarray(values, dtype=float)`,
    `map(math.sin, values)`; `float(v)` itself warns. In a model that `fit` trains, all of these warn. Text
    (`"%f" % v`) and questions (`math.isnan(v)`) need no derivative.
    """
    refuse_math_call(math_function_called_by(frame))
    if is_looking():
        call = _call(frame)
        if call is None and TRANSFORMS.get():
            raise TypeError(
                "a Value would be turned into a plain number here, and its derivative be lost: compute with the "
                "functions of microgradlib, make arrays of Values with dtype=object, without dtype=float and "
                "astype(float), or write value.data if the number is meant"
            )
        if call != "":
            note_conversion(value, frame, call or "a conversion to a float")


def _call(frame: FrameType) -> str | None:
    """Return the call by which the program asks for the number, as far as its bytecode shows; None if it does not.

    "" for text and questions, which need no derivative.
    """
    code, offset = frame.f_code, frame.f_lasti
    while dis.opname[code.co_code[offset]] == "CACHE":  # of a call of a Python function, up from Python 3.11
        offset -= 2
    if dis.opname[code.co_code[offset]] in _FORMATTING:
        return ""
    name = callee(code, offset)
    if name is None:
        return None
    called = resolved(name, frame)
    if isinstance(called, type):
        is_number = issubclass(called, (float, getattr(sys.modules.get("numpy"), "generic", float)))
        return f"{called.__name__}(value)" if is_number else None
    if name[-1] == "__float__":
        return "value.__float__()"
    is_question = name[-1].startswith("is") and called is not None and called is getattr(math, name[-1], None)
    return "" if is_question else None
