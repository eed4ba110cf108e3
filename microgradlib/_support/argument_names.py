"""The names of a function's positional arguments."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["argument_names"]


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first `count` arguments of a function, or x0, x1, … where it does not say.

    >>> argument_names(lambda x, target: x, 2), argument_names(lambda *xs: xs, 2)
    (['x', 'target'], ['x0', 'x1'])
    """
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, p in inspect.signature(function).parameters.items() if p.kind in kinds]
    except (ValueError, TypeError):
        names = []
    return names[:count] if len(names) >= count else [f"x{i}" for i in range(count)]
