"""Check a saved state, numbers by parameter name, against the names of a model's parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import boolean
from microgradlib._support.number import as_float
from microgradlib._support.printable import one_line, shorten
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from microgradlib.core.value import Value

__all__ = ["by_path", "match_state"]

MAX_LISTED = 5
"""The number of names that a message lists; it states how many more there are."""


def by_path(named: list[tuple[str, Value]]) -> dict[str, Value]:
    """Return parameters by their dotted paths. Raises `ValueError` if two have the same: one would be lost."""
    parameters = dict(named)
    if len(parameters) < len(named):
        path = next(path for path, parameter in named if parameters[path] is not parameter)
        message = f"two parameters have the path {shown(path)}: give the keys of dicts other names, without dots"
        raise ValueError(message)
    return parameters


def match_state(
    names: Iterable[str],
    state: Mapping[str, Any],
    model: str,
    *,
    strict: bool,
    convert: Callable[[Any], Any] = as_float,
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the numbers of `state` for `names`, the names missing from it, and the names in it that are unknown.

    `convert` makes a number of each entry. `model` is the name of the model's class, for messages, which list the
    names. Raises `ValueError` if `strict` and any name is missing or unknown, `TypeError` for an entry that is not a
    number.

    >>> match_state(["w", "b"], {"w": 1, "c": 2}, "Line", strict=False)
    ({'w': 1.0}, ['b'], ['c'])
    """
    if not hasattr(state, "keys"):
        message = f"a state must be a dict of numbers by parameter name, as from state_dict(), got {shown(state)}"
        raise TypeError(message)
    strict, known = boolean(strict, "strict", numbers=True), dict.fromkeys(names)
    missing = [name for name in known if name not in state]
    unknown = [name for name in state if name not in known]
    if strict and (missing or unknown):
        faults = [f"{kind} {_listing(names)}" for kind, names in (("missing", missing), ("unknown", unknown)) if names]
        message = (
            f"the state does not fit this {model}: {'; '.join(faults)}; "
            "build the model with the sizes it was saved with, or pass strict=False to load what fits"
        )
        raise ValueError(message)
    return {name: _converted(state[name], name, convert) for name in known if name in state}, missing, unknown


def _converted(number: Any, name: str, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(number)
    except TypeError as error:
        message = f"{name}: {error}"
        raise TypeError(message) from None


def _listing(names: list[str]) -> str:
    more = len(names) - MAX_LISTED
    return ", ".join([shorten(one_line(str(name)), 80) for name in names[:MAX_LISTED]]) + (
        f" and {more} more" if more > 0 else ""
    )
