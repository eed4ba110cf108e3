"""Attributes that a class has not, though other libraries' have: looking them up says what to write instead.

They are stated on the class, one by one: with `__getattr__`, every attribute would be read more slowly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Absent", "lacking"]

C = TypeVar("C", bound=type)


class Absent:
    """A descriptor of an attribute that does not exist: `hasattr` is False. Objects with a `__dict__` may set it."""

    def __init__(self, name: str, advice: str) -> None:
        self.name, self.advice = name, advice
        self.__doc__ = f"Not here: {advice}."  # what `help` of the class says of it

    def __get__(self, thing: Any, kind: type) -> Any:
        own = getattr(thing, "__dict__", {})
        if thing is not None and self.name in own:
            return own[self.name]
        message = f"{kind.__name__!r} object has no attribute {self.name!r}: {self.advice}"
        raise AttributeError(message)

    def __set__(self, thing: Any, content: Any) -> None:
        if not hasattr(thing, "__dict__"):
            message = f"{type(thing).__name__!r} object has no attribute {self.name!r} to be set: {self.advice}"
            raise AttributeError(message)
        thing.__dict__[self.name] = content

    def __delete__(self, thing: Any) -> None:
        self.__get__(thing, type(thing))
        del thing.__dict__[self.name]


def lacking(advice: Mapping[str, str], kind: type[Absent] = Absent) -> Callable[[C], C]:
    """Return a decorator of a class: attributes of these names, which it has not, say what to write instead.

    They are descriptors of class `kind`.

    >>> @lacking({"size": "write len(row)"})
    ... class Row(list):
    ...     pass
    >>> Row().size
    Traceback (most recent call last):
    AttributeError: 'Row' object has no attribute 'size': write len(row)
    """

    def stated(cls: C) -> C:
        for name, text in advice.items():
            if not hasattr(cls, name):
                setattr(cls, name, kind(name, text))
        return cls

    return stated
