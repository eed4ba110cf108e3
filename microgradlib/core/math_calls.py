"""Tell `float(value)` from `math.sin(value)`: both call `Value.__float__`, but the second would lose the graph."""

from __future__ import annotations

import dis
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["callee", "math_function_called_by", "refuse_math_call"]

_WITHOUT_EFFECT = ("CACHE", "EXTENDED_ARG")


def math_function_called_by(frame: FrameType) -> str | None:
    """Return the name of the `math` function that `frame` is calling right now, or None.

    Read off the frame's bytecode: a call written out as `math.sin(x)` or `sin(x)` is seen; one made from C, as in
    `map(math.sin, values)`, is not. Predicates such as `math.isnan(x)` lose no graph: they give None.
    """
    path = callee(frame.f_code, frame.f_lasti)
    if path is None:
        return None
    called: Any = frame.f_locals.get(path[0], frame.f_globals.get(path[0]))
    for attribute in path[1:]:
        called = vars(math).get(attribute) if called is math else None
    belongs = getattr(called, "__module__", None) == "math" and vars(math).get(called.__name__) is called
    return called.__name__ if belongs and not called.__name__.startswith("is") else None


def refuse_math_call(name: str | None) -> None:
    """Raise `TypeError` for a call of math's function `name` on a Value, and say what to write instead."""
    if name is not None:
        instead = f"use microgradlib.{name}(value)" if name in TABLE else "pass value.data if that is meant"
        message = f"math.{name}(value) would return a plain number and lose the graph: {instead}"
        raise TypeError(message)


@lru_cache(maxsize=1024)
def callee(code: CodeType, offset: int) -> tuple[str, ...] | None:
    """Return the dotted name that the call at `offset` calls, as far as it is a plain one."""
    before = [i for i in dis.get_instructions(code) if i.offset <= offset and i.opname not in _WITHOUT_EFFECT]
    if not before or not before[-1].opname.startswith(("CALL", "PRECALL")) or before[-1].arg is None:
        return None
    waiting = before.pop().arg or 0  # arguments still to be found on the way back
    if before and before[-1].opname == "PRECALL":  # Python 3.11's first half of a call, or all of it
        before.pop()
    while waiting > 0 and before:
        instruction = before.pop()
        if instruction.opname.startswith(("JUMP", "POP_JUMP", "FOR_ITER")):
            return None
        waiting -= dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
    while before and before[-1].opname == "PUSH_NULL":  # Python 3.13 puts it after the callee
        before.pop()
    if waiting or not before:
        return None
    name: list[str] = []
    while before and before[-1].opname in {"LOAD_METHOD", "LOAD_ATTR"}:
        name.insert(0, str(before.pop().argval))
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")
    if not before or not before[-1].opname.startswith(loads):
        return None
    loaded = before[-1].argval
    return (str(loaded[-1] if isinstance(loaded, tuple) else loaded), *name)  # Python 3.13 loads two names at once
