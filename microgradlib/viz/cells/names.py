"""Names of nodes in tables: as drawings name them, u1, u2, … for results without a name, numbers for constants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib._support.printable import shorten
from microgradlib.symbolic.local_derivatives import value_formula
from microgradlib.symbolic.names import fresh_names, label_of, unique_names
from microgradlib.viz.numbers import number
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.frames import users_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.snapshots.snapshot import SnapshotNode

__all__ = ["Named", "NamedGraph", "formula", "known_names", "named", "short_name"]

MOST_NAMED: Final = 20_000
"""In larger graphs only labels are names: variables and paths are not searched for."""

LONGEST_PATH: Final = 12
LONGEST: Final = 24
"""Longer paths and other names are shortened in formulas."""


class Named(NamedTuple):
    """What a node is called, what kind it is for the reader, and whether its number is older than its inputs'."""

    name: str
    kind: str
    stale: bool = False


class NamedGraph(dict[Any, Named]):
    """The names of the nodes of a graph; `changed` names the leaves that were changed since it was computed.

    In a large graph a node is named when it is asked for, a result without a label by its topological number; so is a
    node that is not in the table, in any graph.
    """

    changed: tuple[str, ...] = ()

    def __init__(self, order: Sequence[Any], digits: int) -> None:
        super().__init__()
        self._digits = digits
        self._places = {node: i for i, node in enumerate(order, start=1)} if len(order) > MOST_NAMED else {}

    def __missing__(self, node: Any) -> Named:
        if node.op is None:
            return Named(label_of(node) or number(node.data, self._digits), "input" if label_of(node) else "constant")
        place = self._places.get(node)
        return Named(label_of(node) or (f"u{place}" if place else str(node.op)), "op")


def named(order: Sequence[Any], digits: int = 4) -> NamedGraph:
    """Return the names of all nodes of a graph, which are in order, parents first.

    >>> from microgradlib import Value, topological_sort
    >>> x = Value(3.0, label="x")
    >>> [name[:2] for name in named(topological_sort(x * x + 2)).values()]
    [('x', 'input'), ('u1', 'op'), ('2', 'constant'), ('u2', 'output')]
    """
    result = NamedGraph(order, digits)
    if len(order) > MOST_NAMED:
        return result
    noted, result.changed = _captured(order)
    names = _unique(noted)
    for node in order:
        there = noted[node]
        name = names.get(node) or there.name or number(node.data, digits)
        result[node] = Named(name, there.kind, there.stale)
    return result


def known_names(order: Sequence[Any]) -> dict[Any, str]:
    """Return the names of the nodes of a graph, each once: all but constants; in a large graph, the labels.

    They are labels, paths of parameters and variables; of equal ones the second is x_2. Others are u1, u2, …
    """
    if len(order) > MOST_NAMED:
        labels = {node: label for node in order if (label := label_of(node))}
        return unique_names(labels, labels)
    return _unique(_captured(order)[0])


def _unique(noted: Mapping[Any, SnapshotNode]) -> dict[Any, str]:
    given = {node: there.name for node, there in noted.items() if there.kind != "constant" and there.name}
    names = unique_names(given, given)
    fresh = fresh_names("u", names.values())
    return {node: names.get(node) or next(fresh) for node, there in noted.items() if there.kind != "constant"}


def formula(node: Any, names: NamedGraph) -> str:
    """Return how a node is computed from its parents; "" for a leaf, and for a node made by hand."""
    if node.op is None:
        return ""
    return value_formula(node.op, [short_name(names[parent].name) for parent in node.parents])


def short_name(name: str) -> str:
    """Return a long path without its first parts, another long name without its middle.

    >>> short_name("x"), short_name("layers.0.neurons.3.w.1"), short_name("the_average_of_all_losses")
    ('x', '…w.1', 'the_average_…_all_losses')
    """
    is_path = "." in name and len(name) > LONGEST_PATH
    tail = re.search(r"[^.\W]+(\.\d+)*$", name[-LONGEST:]) if is_path else None  # of a long name in quadratic time
    return f"…{tail[0]}" if tail and len(tail[0]) < min(len(name) - 1, LONGEST) else shorten(name, LONGEST)


def _captured(order: Sequence[Any]) -> tuple[dict[Any, SnapshotNode], tuple[str, ...]]:
    """Return what drawings note of the nodes, and the names of leaves that were changed."""
    used = {parent for node in order for parent in node.parents}
    picture, nodes = capture(*[node for node in order if node not in used], frame=users_frame())
    return dict(zip(nodes, picture.nodes)), picture.changed
