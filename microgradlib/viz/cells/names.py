"""Names of nodes in tables: as drawings name them, u1, u2, … for results without a name, numbers for constants."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.symbolic.local_derivatives import value_formula
from microgradlib.symbolic.names import fresh_names, label_of
from microgradlib.viz.numbers import number
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.frames import users_frame
from microgradlib.viz.typography import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from microgradlib.viz.snapshots.snapshot import SnapshotNode

__all__ = ["Named", "NamedGraph", "formula", "known_names", "named", "short_name", "watching_frame"]

MOST_NAMED: Final = 20_000
"""In larger graphs only labels are names: variables and paths are not searched for."""

LONGEST_PATH: Final = 12
LONGEST: Final = 24
"""Longer paths and other names are shortened in formulas."""

SHOWING: Final = frozenset({"IPython", "ipykernel", "traitlets", "pprint", "reprlib", "code", "codeop"})
"""The packages that ask a result how it shows itself."""


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


def watching_frame() -> FrameType | None:
    """Return the innermost frame that is neither ours nor of what displays results: that of the cell or script."""
    frame = users_frame()
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in SHOWING:
        frame = frame.f_back
    return frame if frame is not None else sys._getframe()


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
    fresh = fresh_names("u", {*[label_of(node) for node in order], *[there.name for there in noted.values()]})
    for node in order:
        there = noted[node]
        name = there.name or label_of(node) or (next(fresh) if node.op is not None else number(node.data, digits))
        result[node] = Named(name, there.kind, there.stale)
    return result


def known_names(order: Sequence[Any]) -> dict[Any, str]:
    """Return the names of the nodes that have one: their label, the path of a parameter, a variable; no constants'."""
    if len(order) > MOST_NAMED:
        return {node: label for node in order if (label := label_of(node))}
    noted, _ = _captured(order)
    return {node: there.name for node, there in noted.items() if there.name and there.kind != "constant"}


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
    tail = re.search(r"[^.\W]+(\.\d+)*$", name) if "." in name and len(name) > LONGEST_PATH else None
    return f"…{tail[0]}" if tail and len(tail[0]) < len(name) - 1 else shorten(name, LONGEST)


def _captured(order: Sequence[Any]) -> tuple[dict[Any, SnapshotNode], tuple[str, ...]]:
    """Return what drawings note of the nodes, and the names of leaves that were changed."""
    used = {parent for node in order for parent in node.parents}
    picture, nodes = capture(*[node for node in order if node not in used], frame=watching_frame())
    return dict(zip(nodes, picture.nodes)), picture.changed
