"""Copying whole graphs without recursion, however deep they are: what a node holds, and nodes made of that."""

from __future__ import annotations

from copy import deepcopy
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib.core.changes import COUNT, has_later_parents
from microgradlib.core.graph import GraphNode, new_nodes
from microgradlib.core.hand_made import BackwardFunction
from microgradlib.core.lost_derivatives import variables
from microgradlib.core.own_attributes import own_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    N = TypeVar("N", bound=GraphNode)

__all__ = ["add_extras", "copy_graph", "copy_node", "extras_of", "fields_of", "rebuild"]


def fields_of(node: Any) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
    """Return what the slots of a node hold, in the order of its class's `_fields`, and what was added to it or None.

    None stands for a slot that is not set. A `_backward` function, which knows the node that it was written for, is
    replaced by its local derivatives. Few nodes have additions: attributes of a program's own, fields of subclasses.
    """
    kind = node.__class__
    right = getattr(node, kind._fields[-2], None)  # of a Value: _right_derivative, which few leaves have
    try:
        fields = (*_READERS[kind](node), right, node.label)
        if fields[-3].__class__ is not BackwardFunction and right.__class__ is not dict:
            return fields, None
    except (AttributeError, KeyError):  # a slot that is not set; a class met for the first time, or one of a user
        fields = tuple([getattr(node, name, None) for name in kind._fields])
        if kind.__module__.startswith("microgradlib.") and not _has_dict(kind):
            _READERS[kind] = attrgetter(*kind._fields[:-2])
    left = node.local_derivatives if fields[-3].__class__ is BackwardFunction else fields[-3]
    return (*fields[:-3], left, None if right.__class__ is dict else right, fields[-1]), extras_of(node) or None


def _has_dict_by_bases(kind: type) -> bool:
    return any("__dict__" in vars(base) for base in kind.__mro__)


_has_dict: Callable[[type], Any] = _has_dict_by_bases  # 2 µs, and the other 0.05, which PyPy has not
if hasattr(object, "__dictoffset__"):
    _has_dict = attrgetter("__dictoffset__")

_READERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}
"""For the library's own classes among those met so far, whose nodes have no attributes beside their fields: functions
that read all fields but the last two."""


def extras_of(node: Any) -> dict[str, Any]:
    """Return the attributes that a program or a subclass added to a node, by name."""
    kind = type(node)
    if kind in _READERS and getattr(node, "_right_derivative", None).__class__ is not dict:
        return {}
    extras = {name: content for name, content in own_attributes(node).items() if name != "_backward"}
    if _has_dict(kind):
        extras.update(vars(node))
    for name in added_slots(kind):
        if hasattr(node, name):
            extras[name] = getattr(node, name)
    return extras


def added_slots(kind: type) -> tuple[str, ...]:
    """Return the slots that subclasses of the library's own classes add."""
    names: list[str] = []
    for cls in kind.__mro__:
        slots = vars(cls).get("__slots__", ())
        if not cls.__module__.startswith("microgradlib."):
            names += [slots] if isinstance(slots, str) else slots
    return tuple([name for name in names if name not in {"__dict__", "__weakref__"}])


def add_extras(node: Any, extras: dict[str, Any]) -> None:
    """Set the attributes that `extras_of` gave."""
    for name, content in extras.items():
        object.__setattr__(node, name, content)


def rebuild(kind: type[N], later_parents: object, fields: tuple[Any, ...]) -> N:
    """Return a node of class `kind` whose slots hold `fields`. `later_parents`: what `has_later_parents` said, if True.

    Older pickles have other objects in its place.
    """
    node = object.__new__(kind)
    for name, content in zip(kind._fields, fields):  # type: ignore[attr-defined]
        setattr(node, name, content)
    if "_float" in kind._fields:  # type: ignore[attr-defined]  # of a Value
        node._assignments = -1 if later_parents is True else COUNT["ASSIGNMENTS"]  # type: ignore[attr-defined]
    return node


def copy_node(node: N) -> N:
    """Return a node of its own with the same parents: `copy.copy`. One of the `variables` is its own copy."""
    if node in variables():
        return node
    fields, extras = fields_of(node)
    copied = rebuild(type(node), has_later_parents(node), fields)
    add_extras(copied, extras or {})
    return copied


class _Progress:
    """What one call of `copy.deepcopy` has done. It is in the memo of that call, and ends with it."""

    def __init__(self) -> None:
        self.seen: set[Any] = set()
        self.extended: list[tuple[Any, dict[str, Any]]] = []  # copies, and attributes that they do not have yet
        self.is_extending = False


def copy_graph(output: N, memo: dict[int, Any]) -> N:
    """Return a deep copy of `output` and all it depends on: `copy.deepcopy`, parents first and without recursion.

    The inputs of the transforms (`grad`, …) that run, and the parameters of a function that is being compiled, are
    shared: a copy would be another variable, of derivative 0.
    """
    if id(_Progress) not in memo:
        memo.update((id(x), x) for x in variables())
    progress: _Progress = memo.setdefault(id(_Progress), _Progress())
    for node in new_nodes([output], progress.seen):
        if id(node) not in memo:
            fields, extras = fields_of(node)
            copied = rebuild(type(node), has_later_parents(node), fields)
            left, right = node._left, node._right
            if left.__class__ is tuple:
                copied._left = tuple([memo[id(parent)] for parent in left])
            elif left is not None:
                copied._left = memo[id(left)]
            copied._right = None if right is None else memo[id(right)]
            memo[id(node)] = copied
            if extras:
                progress.extended.append((copied, extras))
    if not progress.is_extending:
        _extend(progress, memo)
    result: N = memo[id(output)]
    return result


def _extend(progress: _Progress, memo: dict[int, Any]) -> None:
    """Set the attributes that were added to nodes: at the end, as they may hold nodes of any of the graphs."""
    progress.is_extending = True
    try:
        while progress.extended:
            copied, extras = progress.extended.pop()
            add_extras(copied, deepcopy(extras, memo))
    finally:
        progress.is_extending = False
