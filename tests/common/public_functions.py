"""Every public callable of the package: functions, classes and the methods of public classes, by dotted name.

They are read from the packages, so that a new one is met by every test that goes through them.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import microgradlib

__all__ = ["PublicCallable", "options_of", "public_callables", "public_modules"]


@dataclass(frozen=True)
class PublicCallable:
    """A public callable, and where users find it."""

    name: str
    """The dotted name without the package's: `nn.MLP`, `nn.Module.load_state_dict`, `tanh`."""
    thing: Callable[..., Any]
    """The function or class; of a method the plain function, of a classmethod the bound one."""
    owner: type | None = None
    """The class of a method, None for functions and classes."""

    @property
    def kind(self) -> str:
        """'class', 'method', 'classmethod', 'staticmethod' or 'function' (callable objects too, as ops and costs)."""
        if self.owner is None:
            return "class" if inspect.isclass(self.thing) else "function"
        stored = inspect.getattr_static(self.owner, self.name.rpartition(".")[2])
        return type(stored).__name__ if isinstance(stored, (classmethod, staticmethod)) else "method"

    @property
    def signature(self) -> inspect.Signature | None:
        """The signature, None where Python knows none."""
        try:
            return inspect.signature(self.thing)
        except (TypeError, ValueError):
            return None


def public_modules() -> dict[str, ModuleType]:
    """Return the package ("") and its public subpackages by their names."""
    below = {name: importlib.import_module(f"microgradlib.{name}") for name in microgradlib._SUBMODULES}
    return {"": microgradlib, **below}


@cache
def public_callables() -> dict[str, PublicCallable]:
    """Return all public callables by name; a thing with two names has the first that is met, the top one first.

    An inherited method is listed once, at the public class that all public classes with this method derive from.
    """
    found: dict[str, PublicCallable] = {}
    known: set[int] = set()
    for path, module in public_modules().items():
        for name in _names(module):
            thing = getattr(module, name)
            if callable(thing) and id(thing) not in known and not isinstance(thing, ModuleType):
                known.add(id(thing))
                dotted = f"{path}.{name}" if path else name
                found[dotted] = PublicCallable(dotted, thing)
    classes = {entry.thing: name for name, entry in found.items() if inspect.isclass(entry.thing)}
    for owner, dotted in classes.items():
        found.update((method.name, method) for method in _methods(dotted, owner, set(classes) - {owner}))
    return dict(sorted(found.items()))


def _names(module: ModuleType) -> list[str]:
    shown = dir(module) if module is microgradlib else getattr(module, "__all__", None) or dir(module)
    return sorted(name for name in shown if name[0] != "_")


def _methods(dotted: str, owner: type, others: set[type]) -> Iterator[PublicCallable]:
    """Yield the public methods of a class that no other public class gives it, `__call__` among them."""
    for name in dir(owner):
        home = next(cls for cls in owner.__mro__ if name in vars(cls))
        stored = vars(home)[name]
        inner = stored.__func__ if isinstance(stored, (classmethod, staticmethod)) else stored
        if (name[0] == "_" and name != "__call__") or not inspect.isroutine(inner):
            continue
        given = getattr(owner, name)
        inherited = any(issubclass(owner, other) and getattr(other, name, None) is given for other in others)
        if home.__module__.partition(".")[0] == "microgradlib" and not inherited:
            yield PublicCallable(f"{dotted}.{name}", given, owner)


def options_of(thing: Callable[..., Any]) -> Iterator[tuple[str, Any, int | None]]:
    """Yield (name, annotation, position or None) of each parameter; those of a TypedDict that is unpacked too."""
    for position, parameter in enumerate(inspect.signature(thing).parameters.values()):
        unpacked = re.fullmatch(r"Unpack\[(\w+)\]", str(parameter.annotation))
        if unpacked:
            module = importlib.import_module(inspect.unwrap(getattr(thing, "__init__", thing)).__module__)
            for name, annotation in getattr(module, unpacked[1]).__annotations__.items():
                yield name, getattr(annotation, "__forward_arg__", annotation), None
        elif "VAR" not in parameter.kind.name and parameter.name != "self":
            yield parameter.name, parameter.annotation, position
