"""Look up names; the error for an unknown one lists the known ones and the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.interrupts import import_whole
from microgradlib._support.other_names import ADVICE_ON_ARGUMENTS, ADVICE_ON_NAMES, ARGUMENTS, SAME
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = ["LONGEST_NAME", "check_keywords", "check_options", "lookup", "missing_names", "nearest"]

LONGEST_NAME = 100
"""A longer text is no misspelt name, and comparing it with the known ones takes long."""

T = TypeVar("T")


def lookup(name: Any, known: Mapping[str, T], kind: str) -> T:
    """Return `known[name]`; `kind` is what the entries are, for the message.

    Raises:
        ValueError: `name` is not known; the message names the nearest and all known names.

    >>> lookup("gol", {"gold": 79, "silver": 47}, "metal")
    Traceback (most recent call last):
    ValueError: no metal 'gol'; did you mean 'gold'? known: gold, silver
    """
    if isinstance(name, str) and name in known:
        return known[name]
    hint = nearest(name, known)
    message = f"no {kind} {shown(name)}{hint or ';'} known: {', '.join(known)}"
    raise ValueError(message)


def nearest(name: Any, known: Iterable[str]) -> str:
    """Return the part of a message that asks whether the most similar of the known names was meant, "" if none is.

    >>> nearest("gol", ["gold", "silver"]), nearest("swish", ["mish", "silu"])
    ("; did you mean 'gold'?", "; did you mean 'silu'?")
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return ""
    difflib = import_whole("difflib")  # slow to import, and wanted after an error only

    name = SAME.get(name, name)
    folded = {other.casefold(): other for other in known}
    similar = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[similar[0]]!r}?" if similar else ""


def missing_names(module: str, known: Collection[str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a module: it raises `AttributeError` that says what to write instead.

    >>> missing_names("microgradlib.nn", ["Layer", "MLP"])("Linear")
    Traceback (most recent call last):
    AttributeError: module 'microgradlib.nn' has no attribute 'Linear': write Layer(nin, nout, "linear")
    """

    def __getattr__(name: str) -> object:  # noqa: N807
        hint = ""
        if name[0] != "_":
            hint = f": {ADVICE_ON_NAMES[name]}" if name in ADVICE_ON_NAMES else nearest(name, known)
        message = f"module {module!r} has no attribute {name!r}{hint}"
        raise AttributeError(message)

    return __getattr__


def check_keywords(given: Iterable[str], known: Collection[str], owner: str, kind: str = "argument") -> None:
    """Raise `TypeError` if a keyword argument is none of the known ones; `owner` is what was called.

    >>> check_keywords(["activaton"], ["activation", "rng"], "MLP")
    Traceback (most recent call last):
    TypeError: MLP has no argument 'activaton'; did you mean 'activation'? known: activation, rng
    """
    for name in given:
        if name not in known:
            same = next((here for here in ARGUMENTS.get(name, ()) if here in known), None)
            advice = f": {ADVICE_ON_ARGUMENTS[name]};" if name in ADVICE_ON_ARGUMENTS else ""
            hint = f"; did you mean {same!r}?" if same else advice or nearest(name, known) or ";"
            message = f"{owner} has no {kind} {shown(name)}{hint} known: {', '.join(known)}"
            raise TypeError(message) from None  # not from Python's own, of a call that is refused


def check_options(given: Mapping[str, Any], options: Any, owner: type) -> None:
    """Raise `TypeError` if a keyword that a class passes on is none of those of the TypedDict `options`."""
    if not given.keys() <= options.__annotations__.keys():
        signature = import_whole("inspect").signature  # slow to import, and wanted after an error only

        own = [name for name, parameter in signature(owner).parameters.items() if "VAR" not in parameter.kind.name]
        check_keywords(given, [*own, *options.__annotations__], owner.__name__)
