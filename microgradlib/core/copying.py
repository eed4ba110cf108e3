"""Copying and pickling whole graphs without recursion, however deep they are."""

from __future__ import annotations

from contextvars import ContextVar
from copy import deepcopy
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from microgradlib.core.conversions import TRANSFORMS
from microgradlib.core.graph import GraphNode, topological_sort
from microgradlib.core.hand_made import BackwardFunction
from microgradlib.core.own_attributes import own_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    N = TypeVar("N", bound=GraphNode)

__all__ = ["copy_graph", "copy_node", "fields_of", "rebuild", "reduce_graph"]


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
        if kind.__module__.startswith("microgradlib.") and not kind.__dictoffset__:
            _READERS[kind] = attrgetter(*kind._fields[:-2])
    left = node.local_derivatives if fields[-3].__class__ is BackwardFunction else fields[-3]
    return (*fields[:-3], left, None if right.__class__ is dict else right, fields[-1]), extras_of(node) or None


_READERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}
"""For the library's own classes among those met so far, whose nodes have no attributes beside their fields: functions
that read all fields but the last two."""


def extras_of(node: Any) -> dict[str, Any]:
    """Return the attributes that a program or a subclass added to a node, by name."""
    kind = type(node)
    extras = {name: content for name, content in own_attributes(node).items() if name != "_backward"}
    if kind.__dictoffset__:
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


def rebuild(kind: type[N], _ancestors: object, fields: tuple[Any, ...]) -> N:
    """Return a node of class `kind` whose slots hold `fields`."""
    node = object.__new__(kind)
    for name, content in zip(kind._fields, fields):  # type: ignore[attr-defined]
        setattr(node, name, content)
    return node


def copy_node(node: N) -> N:
    """Return a node of its own with the same parents: `copy.copy`. The input of a transform that runs is itself."""
    if any(node is x for inputs in TRANSFORMS.get() for x in inputs):
        return node
    fields, extras = fields_of(node)
    copied = rebuild(type(node), None, fields)
    add_extras(copied, extras or {})
    return copied


def copy_graph(output: N, memo: dict[int, Any]) -> N:
    """Return a deep copy of `output` and all it depends on: `copy.deepcopy`, parents first and without recursion.

    The inputs of the transforms (`grad`, …) that run are shared: a copy would be another variable, of derivative 0.
    """
    extended: list[tuple[Any, dict[str, Any]]] = []
    for inputs in TRANSFORMS.get():
        if inputs and id(inputs[0]) not in memo:
            memo.update((id(x), x) for x in inputs)
    for node in topological_sort(output):
        if id(node) not in memo:
            fields, extras = fields_of(node)
            copied = rebuild(type(node), None, fields)
            left, right = node._left, node._right
            if left.__class__ is tuple:
                copied._left = tuple([memo[id(parent)] for parent in left])
            elif left is not None:
                copied._left = memo[id(left)]
            copied._right = None if right is None else memo[id(right)]
            memo[id(node)] = copied
            if extras:
                extended.append((copied, extras))
    for copied, extras in extended:  # at the end, as they may hold nodes of this graph
        add_extras(copied, deepcopy(extras, memo))
    result: N = memo[id(output)]
    return result


class _EndOfAncestors:
    """The last element pickled of a list of ancestors: ends what `reduce_graph` began."""

    def __reduce__(self) -> tuple[Any, ...]:
        _in_progress.set(None)
        return tuple, ()


# A weak reference: a pickle that fails half-way, on a full disk say, frees its list of ancestors, which ends it too.
_in_progress: ContextVar[tuple[ref[_EndOfAncestors], frozenset[int]] | None] = ContextVar(
    "microgradlib_pickling", default=None
)


def _refuse_dependent(node: GraphNode) -> None:
    """Raise `TypeError` if a node depends on the input of a transform that runs."""
    inputs = {x for xs in TRANSFORMS.get() for x in xs}
    if not inputs.isdisjoint(topological_sort(node)):
        raise TypeError(
            "a Value that depends on the input of a transform (grad, …) would be pickled here, and its derivative be "
            "lost: pickle float(value) if the number is meant"
        )


def _is_in_progress(node: GraphNode) -> bool:
    state = _in_progress.get()
    return state is not None and id(node) in state[1] and state[0]() is not None


def reduce_graph(node: GraphNode, _protocol: Any) -> tuple[Any, ...]:
    """Return what `pickle` needs of a node: its ancestors, parents first, and then its own fields.

    Pickle writes the ancestors one by one in that order and memoises each, so that the parents of a node are always
    known already and the recursion stays shallow; nodes shared with other pickled objects stay shared. While the list
    is being written, its nodes are recognised by id and give their own fields alone. Raises `TypeError` for a node that
    depends on the input of a transform that runs.
    """
    if TRANSFORMS.get() and not _is_in_progress(node):
        _refuse_dependent(node)
    ancestors: list[Any] | None = None
    if node._left is not None and not _is_in_progress(node):
        end = _EndOfAncestors()
        ancestors = [*topological_sort(node)[:-1], end]
        _in_progress.set((ref(end), frozenset(map(id, ancestors))))
    fields, extras = fields_of(node)
    arguments = type(node), ancestors, fields
    # The extras are a state, which pickle sets once the node exists: they may hold the node itself.
    return (rebuild, arguments, (None, extras)) if extras else (rebuild, arguments)
