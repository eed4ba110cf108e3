"""Copying and pickling whole graphs without recursion, however deep they are."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from microgradlib.core.graph import topological_sort

if TYPE_CHECKING:
    from microgradlib.core.node import Node

    S = TypeVar("S", bound=Node)

__all__ = ["copy_graph", "fields_of", "rebuild", "reduce_graph"]


def fields_of(node: Node) -> tuple[Any, ...]:
    """Return what the slots of a node hold, in the order of its class's `_fields`."""
    return tuple([getattr(node, name) for name in node._fields])


def rebuild(kind: type[S], _ancestors: object, fields: tuple[Any, ...]) -> S:
    """Return a node of class `kind` whose slots hold `fields`."""
    node = object.__new__(kind)
    for name, content in zip(kind._fields, fields):
        setattr(node, name, content)
    return node


def copy_graph(output: S, memo: dict[int, Any]) -> S:
    """Return a deep copy of `output` and all it depends on: `copy.deepcopy`, parents first and without recursion."""
    for node in topological_sort(output):
        if id(node) not in memo:
            copied = rebuild(type(node), None, fields_of(node))
            copied.parents = tuple([memo[id(parent)] for parent in node.parents])
            memo[id(node)] = copied
    result: S = memo[id(output)]
    return result


class _EndOfAncestors:
    """The last thing pickled of a list of ancestors: closes what `reduce_graph` opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        _under_way.set(None)
        return tuple, ()


# Told by a weak reference: a pickle that fails half-way, on a full disk say, takes its list of ancestors with it.
_under_way: ContextVar[tuple[ref[_EndOfAncestors], frozenset[int]] | None] = ContextVar(
    "microgradlib_pickling", default=None
)


def _is_under_way(node: Node) -> bool:
    state = _under_way.get()
    return state is not None and id(node) in state[1] and state[0]() is not None


def reduce_graph(node: Node) -> tuple[Any, ...]:
    """Return what `pickle` needs of a node: its ancestors, parents first, and then its own fields.

    Pickle meets the ancestors one by one in that list and remembers each, so that no node's parents are new to it and
    the recursion stays shallow; nodes shared with other pickled objects stay shared. While the list is being written,
    its nodes are told apart by id and give their own fields alone.
    """
    ancestors: list[Any] | None = None
    if node.parents and not _is_under_way(node):
        end = _EndOfAncestors()
        ancestors = [*topological_sort(node)[:-1], end]
        _under_way.set((ref(end), frozenset(map(id, ancestors))))
    return rebuild, (type(node), ancestors, fields_of(node))
