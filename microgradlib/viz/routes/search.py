"""All routes from one node to another, the product of local derivatives along each, and their sum: the derivative."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.lookup import lookup
from microgradlib._support.printable import one_line
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.ops import ZERO
from microgradlib.symbolic import local_derivative_formula
from microgradlib.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from microgradlib.ops import Op
    from microgradlib.viz.boxes.diagram import Diagram
    from microgradlib.viz.snapshots.snapshot import Snapshot

MOST: Final = 4
"""How many routes are shown one by one: each has a colour and a dash of its own."""

Edge = tuple[int, int]
"""An arrow of the graph: the index of the node computed, and the place of the operand among its parents."""


@dataclass(frozen=True)
class Route:
    """One way through the graph: its arrows from start to end, and the product of their local derivatives.

    The product is None if a local derivative is not known: that of a Symbol, or of a node made by hand.
    """

    edges: tuple[Edge, ...]
    product: float | None


@dataclass(frozen=True)
class Highlight:
    """The routes from one node of a snapshot to another.

    Args:
        start, end: the indices of the two nodes.
        count: how many routes there are; an int, exact however large.
        total: the sum of their products, which is ∂end/∂start; None if a local derivative is not known.
        routes: those with the largest |product|, the largest first.
        edges: the arrows that lie on any route.
        stopped: whether there are ways that a closed branch stops (the local derivative is `ops.ZERO`, as where a relu
            is off). They are no routes and are not counted.
        formulas: formulas of local derivatives whose numbers are not known, as those of Symbols, for the arrows of the
            routes shown.

    """

    start: int
    end: int
    count: int
    total: float | None
    routes: tuple[Route, ...]
    edges: frozenset[Edge]
    stopped: bool = False
    formulas: Mapping[Edge, str] = field(default_factory=dict)


def highlight(
    snapshot: Snapshot, start: int, end: int, most: int = MOST, *, ops: Sequence[Op | None] = ()
) -> Highlight:
    """Return all routes from the node `start` to the node `end`, in time linear in the size of the graph.

    One sweep from the end to the start, as in Algorithm 6.2, adds up three things at each node u: how many routes lead
    from u to the end, Σ over its consumers; the sum of their products, Σ over its consumers of (the sum there) · (local
    derivative), in the order of `grad_table`, so that the bits agree; and the `most` largest products, each a largest
    one of a consumer times a local derivative.

    Args:
        snapshot: the graph.
        start, end: indices of nodes.
        most: how many routes are returned one by one.
        ops: the ops of the nodes, for the formulas of local derivatives that are not known as numbers.

    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x = SnapshotNode(0, "input", "x", data=3.0)
    >>> square = SnapshotNode(1, "output", "", "×", "mul", 9.0, parents=(0, 0), local_derivatives=(3.0, 3.0))
    >>> found = highlight(Snapshot((x, square), (1,)), 0, 1)
    >>> found.count, found.total, [route.edges for route in found.routes]
    (2, 6.0, [((1, 0),), ((1, 1),)])
    """
    below, stopped = _between(snapshot, start, end)
    sweep = _Sweep(below, most)
    sweep.begin(end)
    on_routes: list[Edge] = []
    for index in reversed(below):
        if index in sweep.count:
            on_routes += sweep.pass_on(snapshot, index, keep=start)
    routes = [Route(_edges_of(way), product) for product, way in sweep.best.get(start, ())]
    # Arrows from which the end is reached lie on a route, since every node of `below` is reached from the start.
    return Highlight(
        start,
        end,
        sweep.count.get(start, 0),
        sweep.total.get(start, 0.0),
        tuple(routes),
        frozenset(on_routes),
        stopped,
        _formulas(snapshot, routes, ops),
    )


def _formulas(snapshot: Snapshot, routes: Iterable[Route], ops: Sequence[Op | None]) -> dict[Edge, str]:
    found: dict[Edge, str] = {}
    for index, place in dict.fromkeys(edge for route in routes for edge in route.edges):
        node = snapshot.nodes[index]
        op = ops[index] if index < len(ops) else None
        if op is not None and node.local_derivatives[place] is None:
            names = [symbol(snapshot, parent) for parent in node.parents]
            found[index, place] = local_derivative_formula(op, place, names, symbol(snapshot, index))
    return found


def symbol(snapshot: Snapshot, index: int) -> str:
    """Return what a node is called in formulas: its name, its number if it is a constant, or u1, u2 and so on."""
    node = snapshot.nodes[index]
    if not node.parents and not node.name and node.data is not None:
        return number(node.data, 3)
    return node.name or snapshot.automatic_names[index]


def find_node(snapshot: Snapshot, live: Sequence[Node], thing: Any) -> int:
    """Return the index of the node that `thing` names: a node of the graph, its name, or the end of a dotted path.

    Args:
        snapshot: the graph.
        live: its nodes, in the order of the snapshot.
        thing: a Value or Symbol; or a name such as `"w"`; `"w.1"` stands for `layers.0.w.1` if no other name ends so.

    Raises:
        TypeError: `thing` is neither a node nor a text.
        ValueError: a node that is not in the graph; a name that no node has, or several.

    """
    if isinstance(thing, Node):
        for index, node in enumerate(live):
            if node is thing:
                return index
        message = f"highlight: {shown(thing)} is not part of the drawn graph, so no route can lead from it or to it"
        raise ValueError(message)
    if not isinstance(thing, str):
        message = f"highlight takes two nodes or their names, as in highlight=(w, loss), got {shown(thing)}"
        raise TypeError(message)
    thing, names = one_line(thing), [node.name for node in snapshot.nodes]
    found = [i for i, name in enumerate(names) if name == thing] if thing else []
    found = found or [i for i, name in enumerate(names) if thing and name.endswith(f".{thing}")]
    if len(found) > 1:
        first = ", ".join(dict.fromkeys(names[i] for i in found[:4]))
        message = (
            f"highlight: {len(found)} nodes are named {shown(thing)} ({first}); give the node itself, as in (w, loss)"
        )
        raise ValueError(message)
    return found[0] if found else lookup(thing, {name: i for i, name in enumerate(names) if name}, "node named")


def arrow_styles(diagram: Diagram, found: Highlight) -> tuple[str, ...]:
    """Return for each arrow of the diagram how it is drawn.

    "route0" … "route3": it lies on this one of the routes shown. "shared": on several of them. "other": on routes that
    are not shown one by one. "": on none. An arrow that stands for several arrows of the graph counts as all of them.
    """
    shown = [frozenset(route.edges) for route in found.routes]
    return tuple([_style(arrow.edges, shown, found.edges) for arrow in diagram.arrows])


def _style(edges: Iterable[Edge], shown: Sequence[frozenset[Edge]], on_any: frozenset[Edge]) -> str:
    on = [k for k, route in enumerate(shown) if not route.isdisjoint(edges)]
    if on:
        return f"route{on[0]}" if len(on) == 1 else "shared"
    return "" if on_any.isdisjoint(edges) else "other"


def _between(snapshot: Snapshot, start: int, end: int) -> tuple[list[int], bool]:
    """Return the nodes that the start reaches, from it to the end in topological order; and whether ways are stopped.

    A way is stopped where it meets a closed branch, if it would lead to the end without it.
    """
    reached, walled = {start}, set()
    below = [start]
    for node in snapshot.nodes[start + 1 : end + 1]:
        ways = [place for place, parent in enumerate(node.parents) if parent in reached]
        if any(node.local_derivatives[place] is not ZERO for place in ways):
            reached.add(node.index)
            below.append(node.index)
        if any(node.local_derivatives[place] is ZERO for place in ways) or any(p in walled for p in node.parents):
            walled.add(node.index)
    return (below if below[-1] == end else [start]), end in walled


class _Sweep:
    """The sums and the best routes at each node, kept only as long as a node that needs them is to come."""

    def __init__(self, below: Sequence[int], most: int) -> None:
        self.below = frozenset(below)
        self.most = most
        self.count: dict[int, int] = {}
        self.total: dict[int, float | None] = {}
        self.best: dict[int, list[tuple[float | None, Any]]] = {}

    def begin(self, end: int) -> None:
        if end in self.below:
            self.count[end], self.total[end], self.best[end] = 1, 1.0, [(1.0, None)]

    def pass_on(self, snapshot: Snapshot, index: int, keep: int) -> list[Edge]:
        """Add what is known at a node to its parents, and forget it; return the arrows used."""
        node = snapshot.nodes[index]
        used = []
        for place, (parent, factor) in enumerate(zip(node.parents, node.local_derivatives, strict=True)):
            if parent in self.below and factor is not ZERO:
                used.append((index, place))
                self.count[parent] = self.count.get(parent, 0) + self.count[index]
                self.total[parent] = _plus(self.total.get(parent, 0.0), _times(self.total[index], factor))
                new = [(_times(product, factor), ((index, place), way)) for product, way in self.best[index]]
                options = sorted([*self.best.get(parent, ()), *new], key=_order)
                self.best[parent] = options[: self.most]
        if index != keep:
            del self.count[index], self.total[index], self.best[index]
        return used


def _order(option: tuple[float | None, Any]) -> tuple[float, Edge]:
    """Return the key by which routes are sorted: the largest |product| first, nan before all; then by first arrow."""
    product, (edge, _) = option
    return -math.inf if product is None or math.isnan(product) else -abs(product), edge


def _times(x: float | None, y: float | None) -> float | None:
    return None if x is None or y is None else x * y


def _plus(x: float | None, y: float | None) -> float | None:
    return None if x is None or y is None else x + y


def _edges_of(way: Any) -> tuple[Edge, ...]:
    """Return the arrows of a route kept as nested pairs (arrow, rest)."""
    edges = []
    while way is not None:
        edge, way = way
        edges.append(edge)
    return tuple(edges)
