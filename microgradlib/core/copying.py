"""Copying and pickling whole graphs without recursion, however deep they are."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

from microgradlib.core.graph import GraphNode, topological_sort

if TYPE_CHECKING:
    N = TypeVar("N", bound=GraphNode)

__all__ = ["copy_graph", "copy_node", "fields_of", "rebuild", "reduce_graph"]


def fields_of(node: Any) -> tuple[Any, ...]:
    """Return what the slots of a node hold, in the order of its class's `_fields`; None for a slot that is not set."""
    return tuple([getattr(node, name, None) for name in node._fields])


def rebuild(kind: type[N], _ancestors: object, fields: tuple[Any, ...]) -> N:
    """Return a node of class `kind` whose slots hold `fields`."""
    node = object.__new__(kind)
    for name, content in zip(kind._fields, fields):  # type: ignore[attr-defined]
        setattr(node, name, content)
    return node


def copy_node(node: N) -> N:
    """Return a node of its own with the same parents: `copy.copy`."""
    return rebuild(type(node), None, fields_of(node))


def copy_graph(output: N, memo: dict[int, Any]) -> N:
    """Return a deep copy of `output` and all it depends on: `copy.deepcopy`, parents first and without recursion."""
    for node in topological_sort(output):
        if id(node) not in memo:
            copied = rebuild(type(node), None, fields_of(node))
            left, right = node._left, node._right
            if left.__class__ is tuple:
                copied._left = tuple([memo[id(parent)] for parent in left])
            elif left is not None:
                copied._left = memo[id(left)]
            copied._right = None if right is None else memo[id(right)]
            memo[id(node)] = copied
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


def _is_in_progress(node: GraphNode) -> bool:
    state = _in_progress.get()
    return state is not None and id(node) in state[1] and state[0]() is not None


def reduce_graph(node: GraphNode, _protocol: Any) -> tuple[Any, ...]:
    """Return what `pickle` needs of a node: its ancestors, parents first, and then its own fields.

    Pickle writes the ancestors one by one in that order and memoises each, so that the parents of a node are always
    known already and the recursion stays shallow; nodes shared with other pickled objects stay shared. While the list
    is being written, its nodes are recognised by id and give their own fields alone.
    """
    ancestors: list[Any] | None = None
    if node._left is not None and not _is_in_progress(node):
        end = _EndOfAncestors()
        ancestors = [*topological_sort(node)[:-1], end]
        _in_progress.set((ref(end), frozenset(map(id, ancestors))))
    return rebuild, (type(node), ancestors, fields_of(node))
