"""The search for the parameters and modules among the attributes of a module, in the order of assignment."""

from __future__ import annotations

import warnings
from contextvars import ContextVar
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from microgradlib._support.number import is_array
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["SUBSTITUTES", "found_in", "returning_a_list"]

ModuleT = TypeVar("ModuleT")

SUBSTITUTES: ContextVar[frozenset[Node]] = ContextVar("microgradlib_substitutes", default=frozenset())
"""The nodes that are in the place of parameters during a `functional_call`: they are parameters, too."""


def _is_parameter(node: Any) -> TypeGuard[Value]:
    """Return whether a node is a leaf Value created by the user, not the result of an op, under `no_grad()` or not."""
    is_leaf = isinstance(node, Value) and not node.parents and node._left_derivative is not None
    return is_leaf or node in SUBSTITUTES.get()


def found_in(container: Any, module_class: type[ModuleT]) -> Iterator[tuple[str, Value | ModuleT]]:
    """Yield the parameters and modules in `container`, itself included, each with its path, in order of assignment.

    Each module is searched once, even if modules contain one another. If a module's class overrides `parameters()`,
    the Values that it returns come after the attributes. Warns of parameters that belong to a module's class, not to
    the module. Raises `ValueError` for a list or dict that contains itself, `TypeError` for a set of parameters or
    modules. `module_class` is `Module`, whose own file imports this one.
    """
    visited: set[int] = set()
    searched: list[tuple[int, Iterator[tuple[str, Any]]]] = [(0, iter([("", container)]))]  # the innermost last
    open_lists: set[int] = set()
    while searched:
        entry = next(searched[-1][1], None)
        if entry is None:
            open_lists.discard(searched.pop()[0])
            continue
        path, found = entry
        if isinstance(found, Node):
            if _is_parameter(found):
                yield path, found
            continue
        if isinstance(found, module_class):
            yield path, found
            if id(found) in visited:
                continue
            visited.add(id(found))
        elif isinstance(found, (list, tuple, dict)):
            if id(found) in open_lists:
                message = f"a list or dict contains itself, at {path}: the parameters in it have no end"
                raise ValueError(message)
            open_lists.add(id(found))
        searched.append((id(found), _entries(path, found, module_class)))


def returning_a_list(parameters: Callable[[Any], Any]) -> Callable[[Any], list[Value]]:
    """Return a class's own `parameters()`, so that it returns a list of what it returns or, a generator, yields.

    It then raises `TypeError` for anything else, such as None.
    """

    @wraps(parameters)
    def listed(self: Any) -> list[Value]:
        given = parameters(self)
        if isinstance(given, list):
            return given
        if isinstance(given, (str, set, frozenset, dict)) or not hasattr(given, "__iter__"):
            message = f"parameters() of {type(self).__name__} must return a list of Values, got {shown(given)}"
            raise TypeError(message)
        return list(given)

    return listed


def _entries(path: str, container: Any, module_class: type[Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a container holds, each with its path; of a module, also what its own `parameters()` returns."""
    for name, child in _children(container, module_class):
        yield f"{path}.{name}" if path else str(name), child
    if isinstance(container, module_class) and type(container).parameters is not module_class.parameters:
        for i, parameter in enumerate(container.parameters()):
            yield f"{path}.parameters.{i}" if path else f"parameters.{i}", parameter


def _children(container: Any, module_class: Any) -> Iterable[tuple[Any, Any]]:
    """Return the entries of a module, dict, list, tuple or array of Values, each with its name, key or index."""
    if isinstance(container, module_class):
        attributes: dict[str, Any] = vars(container)
        kind: Any = type(container)
        for name in _held_by_class(kind, module_class):
            if name not in attributes:
                message = (
                    f"{kind.__name__}.{name} belongs to the class, not to each module of it, and is not "
                    f"searched for parameters: assign self.{name} in __init__"
                )
                warnings.warn(message, stacklevel=2)
        return attributes.items()
    if isinstance(container, dict):
        return container.items()
    if isinstance(container, (set, frozenset)) and any(isinstance(child, (Value, module_class)) for child in container):
        raise TypeError("a set of parameters or modules has no order, so runs would not be reproducible: use a list")
    if is_array(container) and getattr(container, "dtype", None) == "O":  # an array of Values
        container = container.tolist()
    return enumerate(container) if isinstance(container, (list, tuple)) else ()


@cache
def _held_by_class(kind: Any, module_class: Any) -> list[str]:
    """Return the names of a class's own attributes, not its modules', that hold parameters or modules."""
    bases = kind.__mro__[: kind.__mro__.index(module_class)]
    own = {name: content for base in reversed(bases) for name, content in vars(base).items()}
    return [name for name, content in own.items() if next(found_in(content, module_class), None) is not None]
