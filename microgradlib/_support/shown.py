"""Write any value for an error message: short, in plain words, and without an error of its own."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

__all__ = ["shown"]

MAX_SHOWN = 60
"""A value whose repr is at least this long is described instead."""
_COUNTED: dict[type, str] = {str: "letters", bytes: "bytes", bytearray: "bytes"}


def shown(value: Any) -> str:
    """Return the text of a value for an error message: its repr, or what it is if the repr is long or fails.

    Classes, functions and modules are called by their names. The repr of a long text or container is never made, and
    one that raises, as that of lists nested a million deep does, does not hide the message.

    >>> shown("adam"), shown([0.0] * 1000), shown(len), shown(int)
    ("'adam'", 'a list of 1000 entries', 'the function len', 'the class int')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        kind = "method" if isinstance(value, MethodType) else "function"
        return "a lambda function" if value.__name__ == "<lambda>" else f"the {kind} {value.__name__}"
    if isinstance(value, ModuleType):
        return f"the module {value.__name__.rpartition('.')[2]}"
    if isinstance(value, GeneratorType):
        return "a generator"
    is_sized = isinstance(value, (str, bytes, bytearray, list, tuple, dict, set, frozenset))
    text = "" if is_sized and len(value) > MAX_SHOWN else _repr(value)
    if text and len(text) < MAX_SHOWN and " at 0x" not in text.lower():
        return " ".join(text.split())
    if is_sized:
        return f"a {type(value).__name__} of {len(value)} {_COUNTED.get(type(value), 'entries')}"
    shape = getattr(value, "shape", None)
    of_shape = f" of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
    return type(value).__name__ + of_shape


def _repr(value: Any) -> str:
    """Return the repr of a value, "" if it raises."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  any: the message that is being written matters more
        return ""
