"""Tell `float(value)` from `math.sin(value)`: both call `Value.__float__`, but the second would lose the graph."""

from __future__ import annotations

import dis
import math
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import is_ndarray
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["callee", "is_only_looked_at", "math_function_called_by", "refuse_math_call", "resolved"]

_WITHOUT_EFFECT = ("CACHE", "EXTENDED_ARG", "NOP", "NOT_TAKEN")
_TAKE_ONLY = ("POP_TOP", "END_FOR")
"""The instructions, beside jumps, that take from the stack and leave the entry below as it was."""

_BESIDE_ARGUMENTS = {
    "CALL": 0, "CALL_FUNCTION": 0, "CALL_FUNCTION_EX": 0, "CALL_FUNCTION_KW": 1, "CALL_KW": 1, "CALL_METHOD": 0,
    "PRECALL": 0,
}  # fmt: skip
"""The instructions that call, with how many entries of the stack they take beside the callee and the arguments."""

_LOOKS = ("COMPARE_OP", "FORMAT_", "POP_JUMP_", "TO_BOOL", "UNARY_NOT")
"""How the instructions begin that compare a number, write it in a text, or ask whether it is 0."""

_CHAINS = (("SWAP", "COPY"), ("DUP_TOP", "ROT_THREE"))
"""What stands before the first comparison of `0 < x < 1`: x is kept for the second."""

_ALWAYS_KEYWORDS = sys.version_info >= (3, 14)
"""Whether `f(*xs)` has an entry for its keywords though there are none."""


def math_function_called_by(frame: FrameType) -> str | None:
    """Return the name of the `math` function that `frame` is calling right now, or None.

    Read off the frame's bytecode: a call written out as `math.sin(x)` or `sin(x)` is seen; one made from C, as in
    `map(math.sin, values)`, is not. Predicates such as `math.isnan(x)` lose no graph: they give None.
    """
    path = callee(frame.f_code, frame.f_lasti)
    if path is None:
        return None
    called = resolved(path, frame)
    belongs = getattr(called, "__module__", None) == "math" and vars(math).get(called.__name__) is called
    return called.__name__ if belongs and not called.__name__.startswith("is") else None


def resolved(path: tuple[str, ...], frame: FrameType) -> Any:
    """Return what a dotted name stands for in `frame`, None if unknown. No code of others runs, as of properties."""
    found: Any = frame.f_locals.get(path[0], frame.f_globals.get(path[0], frame.f_builtins.get(path[0])))
    for attribute in path[1:]:
        if isinstance(found, (type(sys), type)) or is_ndarray(found):
            found = getattr(found, attribute, None)
        else:
            places = (getattr(found, "__dict__", {}), *map(vars, type(found).__mro__))
            found = next((place[attribute] for place in places if attribute in place), None)
    return found


def refuse_math_call(name: str | None) -> None:
    """Raise `TypeError` for a call of math's function `name` on a Value, and say what to write instead."""
    if name is not None:
        instead = f"use microgradlib.{name}(value)" if name in TABLE else "pass value.data if that is meant"
        message = f"math.{name}(value) would return a plain number and lose the graph: {instead}"
        raise TypeError(message)


@lru_cache(maxsize=1024)
def callee(code: CodeType, offset: int) -> tuple[str, ...] | None:
    """Return the dotted name that the call at `offset` calls, None where there is no call.

    The name begins with "" if it is not the attribute of a variable: ("", "astype") for `np.array(x).astype(float)`.
    """
    instructions, stacks = _instructions_and_stacks(code)
    at = _place(instructions, offset)
    if instructions[at].opname not in _BESIDE_ARGUMENTS:
        return None
    if instructions[at - 1].opname == "PRECALL":  # Python 3.11's first half of a call
        at -= 1
    call = instructions[at]
    arg = call.arg or 0
    arguments = 1 + (_ALWAYS_KEYWORDS or arg & 1) if call.opname == "CALL_FUNCTION_EX" else arg
    entries = _BESIDE_ARGUMENTS[call.opname] + arguments
    stack = stacks[at]
    before = instructions[: stack[-entries - 1] + 1] if entries < len(stack) else []
    while before and before[-1].opname == "PUSH_NULL":  # Python 3.13 puts it after the callee
        before.pop()
    name: list[str] = []
    while before and before[-1].opname in {"LOAD_METHOD", "LOAD_ATTR"}:
        name.insert(0, str(before.pop().argval))
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF", "STORE_FAST_LOAD_FAST")
    if not before or not before[-1].opname.startswith(loads):
        return ("", *name)
    loaded = before[-1].argval
    return (str(loaded[-1] if isinstance(loaded, tuple) else loaded), *name)  # Python 3.13 loads two names at once


def is_only_looked_at(frame: FrameType) -> bool:
    """Return whether the result of the call that `frame` makes is compared, printed or written in a text, also by abs.

    As in `while abs(float(x)) > 1e-9` and `print(float(x))`: no number is computed from it.
    """
    offset = frame.f_lasti
    while (use := _use(frame.f_code, offset)) is not None and use.opname in _BESIDE_ARGUMENTS:
        name = callee(frame.f_code, use.offset)
        called = resolved(name, frame) if name else None
        if called is not abs:
            return called is print
        offset = use.offset
    return use is not None and use.opname.startswith(_LOOKS)


@lru_cache(maxsize=1024)
def _use(code: CodeType, offset: int) -> dis.Instruction | None:
    """Return the instruction that takes the result of the one at `offset` from the stack."""
    instructions, stacks = _instructions_and_stacks(code)
    at = _place(instructions, offset)
    if instructions[at].opname == "PRECALL":  # Python 3.11 calls from here when it has run the code a few times
        at += 1
    taken = (k for k in range(at + 1, len(stacks) - 1) if at not in stacks[k + 1])
    k = next(taken, len(instructions))
    if tuple(i.opname for i in instructions[k : k + 2]) in _CHAINS:
        k += 2
    return instructions[k] if k < len(instructions) else None


def _place(instructions: list[dis.Instruction], offset: int) -> int:
    return max((k for k, i in enumerate(instructions) if i.offset <= offset), default=0)


def _instructions_and_stacks(code: CodeType) -> tuple[list[dis.Instruction], list[list[int]]]:
    """Return the instructions, and the stack before each: the index of the instruction that left each entry."""
    instructions: list[dis.Instruction] = []
    stacks: list[list[int]] = []
    at_target: dict[int, list[int]] = {}
    stack: list[int] = []  # that of the block, an except clause for instance: what is below its entries does not count
    for i in dis.get_instructions(code):
        stack = at_target.get(i.offset, stack)
        if i.opname in _WITHOUT_EFFECT:
            continue
        k = len(instructions)
        instructions.append(i)
        stacks.append(stack)
        arg = i.arg if i.opcode >= dis.HAVE_ARGUMENT else None
        is_jump = i.opcode in dis.hasjrel or i.opcode in dis.hasjabs
        if is_jump:
            at_target.setdefault(int(i.argval), _changed(stack, dis.stack_effect(i.opcode, arg, jump=True), k))
        change = dis.stack_effect(i.opcode, arg, jump=False)
        stack = _changed(stack, change, k)
        if stack and change <= 0 and not is_jump and i.opname not in _TAKE_ONLY:
            stack[-1] = k
    return instructions, stacks


def _changed(stack: list[int], change: int, k: int) -> list[int]:
    """Return a stack with as many entries more, left by instruction k, or fewer."""
    return stack[: max(len(stack) + min(change, 0), 0)] + [k] * change
