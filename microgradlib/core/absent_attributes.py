"""Attributes that nodes have not, though other libraries' have: looking them up says what to write instead.

They are stated on the class, one by one: with `__getattr__`, every attribute of a node would be read more slowly.
"""

from __future__ import annotations

from typing import Any

from microgradlib._support.other_names import ADVICE_ON_NODES
from microgradlib.core.own_attributes import OWN_NAMES
from microgradlib.ops import PUBLIC

__all__ = ["ABSENT", "Absent", "add_absent_attributes"]

ABSENT: set[str] = set()
"""The names of all of them; `dir(node)` does not list these."""


class Absent:
    """A descriptor of an attribute that does not exist: `hasattr` is False. Subclasses may have one of this name."""

    __slots__ = ("advice", "name")

    def __init__(self, name: str, advice: str) -> None:
        self.name, self.advice = name, advice

    def __get__(self, node: Any, kind: type) -> Any:
        own = getattr(node, "__dict__", {})  # of an object of a subclass
        if node is not None and self.name in own:
            return own[self.name]
        message = f"{kind.__name__!r} object has no attribute {self.name!r}: {self.advice}"
        raise AttributeError(message)

    def __set__(self, node: Any, content: Any) -> None:
        if not hasattr(node, "__dict__"):
            message = (
                f"{type(node).__name__!r} object has no attribute {self.name!r} to be set: declare it first, by "
                f"microgradlib.engine.declare_attributes({self.name!r})"
            )
            raise AttributeError(message)
        node.__dict__[self.name] = content


def add_absent_attributes(cls: type) -> None:
    """State on a class of nodes the attributes of other libraries, and those that are functions of the package."""
    functions = {name: f"it is a function, microgradlib.{name}(x)" for name in PUBLIC}
    for name, advice in {**functions, **ADVICE_ON_NODES}.items():
        if not hasattr(cls, name) and name not in OWN_NAMES:
            setattr(cls, name, Absent(name, advice))
            ABSENT.add(name)
