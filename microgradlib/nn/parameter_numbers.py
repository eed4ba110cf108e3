"""Hold a state, numbers by parameter name, against the parameters it is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["checked_numbers"]

SHOWN = 5
"""How many names a message lists before it only counts."""


def checked_numbers(
    names: Iterable[str], state: Mapping[str, Any], what: str, *, strict: bool
) -> tuple[dict[str, float], list[str], list[str]]:
    """Return the numbers of `state` for `names`, the names missing from it, and those in it that are unknown.

    Raises `ValueError` if `strict` and there are any such, `TypeError` for what is no number; both say which. `what` is
    the class of the thing with the names.

    >>> checked_numbers(["w", "b"], {"w": 1, "c": 2}, "Line", strict=False)
    ({'w': 1.0}, ['b'], ['c'])
    """
    if not hasattr(state, "keys"):
        message = f"a state is a dict of numbers by parameter name, as state_dict() gives, got {type(state).__name__}"
        raise TypeError(message)
    known = dict.fromkeys(names)
    missing = [name for name in known if name not in state]
    unknown = [name for name in state if name not in known]
    if strict and (missing or unknown):
        faults = [f"{kind} {_listed(names)}" for kind, names in (("missing", missing), ("unknown", unknown)) if names]
        message = (
            f"the state does not fit this {what}: {'; '.join(faults)}; "
            "build the model with the sizes it was saved with, or pass strict=False to load what fits"
        )
        raise ValueError(message)
    return {name: _number(state[name], name) for name in known if name in state}, missing, unknown


def _number(number: Any, name: str) -> float:
    try:
        return as_float(number)
    except TypeError as error:
        message = f"{name}: {error}"
        raise TypeError(message) from None


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(map(str, names[:SHOWN])) + (f" and {more} more" if more > 0 else "")
