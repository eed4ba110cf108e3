"""Functions that the rules of several ops share."""

import math
from typing import Any

__all__ = ["indicator"]


def indicator(xp: Any, inside: Any, outside: Any) -> Any:
    """Return I(inside): 1 where inside holds, 0 where outside does, nan where neither (an input is nan)."""
    return xp.where(inside, 1.0, xp.where(outside, 0.0, math.nan))
