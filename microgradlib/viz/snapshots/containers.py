"""What a container has: its parts, each with its place as a program would write it."""

from __future__ import annotations

import sys
from types import GetSetDescriptorType
from typing import TYPE_CHECKING, Any, Final

from microgradlib.viz.snapshots.frames import is_public

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["contents"]

_AS_OBJECTS_DO: Final[Any] = object.__getattribute__


def contents(thing: Any, own: str) -> tuple[int, Iterator[tuple[str, Any]]] | None:
    """Return how many parts a container has, and the parts with their places as they are written; None for others.

    Containers are lists, tuples, dicts, arrays of objects, and instances of the user's own classes. One whose class
    reads its elements or attributes in another way has no places that are sure.
    """
    kind = type(thing)
    for base in (list, tuple, dict):
        if issubclass(kind, base):
            parts = _items(thing) if base is dict else ((f"[{i}]", part) for i, part in enumerate(base.__iter__(thing)))
            return (base.__len__(thing), parts) if kind.__getitem__ is base.__getitem__ else None
    if kind is getattr(sys.modules.get("numpy"), "ndarray", None):
        return (thing.size, _elements(thing)) if thing.dtype == "O" and thing.ndim else None
    if not own or kind.__module__ != own or kind.__getattribute__ is not _AS_OBJECTS_DO:
        return None
    has_dict = type(_of_class(kind, "__dict__")) is GetSetDescriptorType
    return (len(vars(thing)), _attributes(kind, vars(thing))) if has_dict else None


def _of_class(kind: type, name: str) -> Any:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _attributes(kind: type, attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the public attributes of an object, less those that a property of its class hides."""
    for name, attribute in list(attributes.items()):
        if is_public(name) and not hasattr(type(_of_class(kind, name)), "__set__"):
            yield f".{name}", attribute


def _items(things: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a dict with their keys, where a program can write these."""
    for key, element in list(dict.items(things)):
        if _is_written(key):
            yield f"[{key!r}]", element


def _is_written(key: Any) -> bool:
    parts = key if type(key) is tuple else (key,)
    return all(type(part) in {str, int, bool} for part in parts)


def _elements(array: Any) -> Iterator[tuple[str, Any]]:
    """Yield the elements of an array with their indices."""
    shape: Sequence[int] = array.shape
    for number, element in enumerate(array.ravel().tolist()):
        index: list[str] = []
        rest = number
        for size in reversed(shape):
            rest, i = divmod(rest, size)
            index.insert(0, f"[{i}]")
        yield "".join(index), element
