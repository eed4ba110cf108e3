"""Pickling graphs without recursion, and each node once, however many nodes are pickled one after another.

`pickle` asks every object that it meets for the first time for what makes it anew. It follows the parents of a node by
recursion, too deep for a long chain; so the first node of a graph names all nodes below it, parents first, as a list.
Of a list of nodes every node would name all of those before it, again and again, unless it knew which ones this pickler
has written. Picklers do not say, but they ask no object twice: the record of what was written goes into the pickle
itself, and is asked by every pickler but the one that it belongs to.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from weakref import ref

from microgradlib.core.changes import has_later_parents
from microgradlib.core.copying import add_extras, extras_of, fields_of, rebuild
from microgradlib.core.graph import GraphNode, new_nodes
from microgradlib.core.lost_derivatives import variables

__all__ = ["reduce_graph"]


class _Record:
    """The nodes that one pickler has written or is about to write. The pickler's memo keeps it alive, nothing else."""

    __slots__ = ("__weakref__", "extended", "pending", "times_asked", "written")

    def __init__(self) -> None:
        self.written: set[Any] = set()
        self.pending: set[Any] = set()  # those of the list that is being written
        self.extended: list[tuple[Any, dict[str, Any]]] = []  # those of them to which attributes were added, and these
        self.times_asked = 0

    def __reduce__(self) -> tuple[Any, ...]:
        self.times_asked += 1
        return tuple, ()


_record: ContextVar[ref[_Record] | None] = ContextVar("microgradlib_pickling", default=None)


class _Nodes:
    """The nodes below a node and the node itself, parents first, but for those that the pickler has written."""

    def __init__(self, node: GraphNode, record: _Record) -> None:
        self.node, self.record, self.times_asked = node, record, record.times_asked

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes a list of the nodes. The record was pickled just before: asked again, it is another's."""
        record = self.record
        if record.times_asked > max(1, self.times_asked):
            record = _Record()
        nodes = new_nodes([self.node], record.written)
        record.extended = []
        seen = 0
        while seen < len(nodes):  # attributes that were added to a node may hold nodes of other graphs
            extended = [(node, extras) for node in nodes[seen:] if (extras := extras_of(node))]
            seen = len(nodes)
            nodes += new_nodes([x for _, extras in extended for x in _nodes_in(extras)], record.written)
            record.extended += extended
        _refuse_dependent(nodes)
        record.pending = set(nodes)
        _record.set(ref(record))
        return list, (), None, iter([record, *nodes, _End(record)])


def _nodes_in(extras: dict[str, Any]) -> list[GraphNode]:
    """Return the nodes among attributes and in lists, tuples, sets and dicts of them."""
    nodes: list[GraphNode] = []
    for content in extras.values():
        members = content.values() if isinstance(content, dict) else content
        members = members if isinstance(content, (list, tuple, set, frozenset, dict)) else [content]
        nodes += [member for member in members if isinstance(member, GraphNode)]
    return nodes


class _End:
    """The last element of such a list: the attributes that were added to its nodes, which all exist by now."""

    def __init__(self, record: _Record) -> None:
        self.record = record

    def __reduce__(self) -> tuple[Any, ...]:
        extended, self.record.extended, self.record.pending = self.record.extended, [], set()
        return (add_all_extras, (extended,)) if extended else (tuple, ())


def add_all_extras(extended: list[tuple[Any, dict[str, Any]]]) -> None:
    """Set the attributes that were added to each of these nodes."""
    for node, extras in extended:
        add_extras(node, extras)


def _refuse_dependent(nodes: list[Any]) -> None:
    """Raise `TypeError` if a node is one of the `variables`."""
    inputs = variables()
    if inputs and not inputs.isdisjoint(nodes):
        raise TypeError(
            "a Value that depends on the input of a transform (grad, …), or on a parameter of a function that is being "
            "compiled, would be pickled here, and its derivative be lost: pickle float(value) if the number is meant"
        )


def reduce_graph(node: GraphNode, _protocol: Any) -> tuple[Any, ...]:
    """Return what `pickle` needs of a node: the nodes below it and itself, or, as one of such a list, its own fields.

    Nodes shared with other pickled objects stay shared. Raises `TypeError` for a node that depends on the input of a
    transform that runs.
    """
    known = _record.get()
    record = known() if known is not None else None
    if record is None or node not in record.pending:
        fields, extras = fields_of(node) if node._left is None else ((), None)
        if node._left is not None or extras:
            record = record or _Record()
            # Pickling the list makes the node itself: pickle then drops what is returned here, and takes that.
            return tuple, ((record, _Nodes(node, record)),)
        _refuse_dependent([node])
        return rebuild, (type(node), None, fields)
    return rebuild, (type(node), has_later_parents(node), fields_of(node)[0])
