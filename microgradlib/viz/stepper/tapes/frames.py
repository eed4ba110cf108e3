"""Frames: what happens at each step of a pass, without numbers; and `replay`, which runs them with numbers.

A frame says only what happens, `{"do": "term", "edge": 4, "k": 2, "of": 3}`. Topology fixes the frames, so they serve
all values of the inputs, and the state at any of them is a look-up: going back is exact.

    start               the graph
    value    node       a node's value and local derivatives are computed (Algorithm 6.1)
    seed     node       the gradient of the output is 1
    term     edge       grad[tail] += grad[head] · ∂head/∂tail, the k-th of so many terms (Algorithm 6.2)
    sweep    node       forward mode: the tangent of this input is 1, all others are 0
    tangent  edge       tangent[head] += ∂head/∂tail · tangent[tail]
    again               a second backward pass: inner nodes begin anew
    update   node       w ← w − η · grad
    after    node       the output with the new parameters
    done                the end
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from microgradlib.ops import ZERO

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = [
    "Edge", "Frame", "Replay", "Wrong", "forward_frames", "order_frames", "replay", "reverse_frames", "sweep_frames",
    "training_frames", "twice_frames",
]  # fmt: skip

Frame = dict[str, Any]
MOST_SWEEPS: Final = 16
"""Forward mode is stepped through one sweep for each of the first so many inputs."""


class Edge(NamedTuple):
    """An arrow of the graph: from a parent to the node computed from it."""

    tail: int
    head: int


@dataclass(frozen=True)
class Edges:
    """The edges of a graph of `count` nodes, those into each node, and the nodes for which no gradient is asked."""

    count: int
    edges: Sequence[Edge]
    into: Sequence[Sequence[int]]
    quiet: Collection[int]


def edges_of(parents: Sequence[Sequence[int]], quiet: Collection[int] = ()) -> Edges:
    """Return the edges of a graph that is given by the parents of each node.

    >>> edges_of([[], [0, 0]]).into
    [[], [0, 1]]
    """
    edges: list[Edge] = []
    into: list[list[int]] = []
    for head, tails in enumerate(parents):
        into.append(list(range(len(edges), len(edges) + len(tails))))
        edges += [Edge(tail, head) for tail in tails]
    return Edges(len(parents), edges, into, frozenset(quiet))


def _values(graph: Edges) -> list[Frame]:
    return [{"do": "start"}, *[{"do": "value", "node": i} for i in range(graph.count) if graph.into[i]]]


def _terms(graph: Edges, order: Sequence[int]) -> list[Frame]:
    """Return the terms that the nodes pass on, one node after another; edges into quiet nodes are left out."""
    total = [0] * graph.count
    for tail, _ in graph.edges:
        total[tail] += 1
    seen = [0] * graph.count
    frames: list[Frame] = []
    for head in order:
        for edge in graph.into[head]:
            tail = graph.edges[edge].tail
            if tail not in graph.quiet:
                seen[tail] += 1
                frames.append({"do": "term", "edge": edge, "k": seen[tail], "of": total[tail]})
    return frames


def _backward(graph: Edges, order: Sequence[int] | None = None) -> list[Frame]:
    nodes = range(graph.count - 1, -1, -1) if order is None else order
    return [{"do": "seed", "node": graph.count - 1}, *_terms(graph, nodes)]


def reverse_frames(graph: Edges) -> list[Frame]:
    """Return the forward pass and the backward pass, one edge at a time, consumers before their inputs.

    >>> square = edges_of([[], [0, 0]])
    >>> [frame["do"] for frame in reverse_frames(square)]
    ['start', 'value', 'seed', 'term', 'term', 'done']
    """
    return [*_values(graph), *_backward(graph), {"do": "done"}]


def twice_frames(graph: Edges) -> list[Frame]:
    """Return two backward passes over the same graph: what happens when `zero_grad` is forgotten between them."""
    return [*_values(graph), *_backward(graph), {"do": "again"}, *_backward(graph), {"do": "done"}]


def training_frames(graph: Edges, parameters: Sequence[int]) -> list[Frame]:
    """Return a training step: both passes, the update of each parameter, and the loss with the new ones."""
    updates = [{"do": "update", "node": w, "k": k + 1, "of": len(parameters)} for k, w in enumerate(parameters)]
    after = {"do": "after", "node": graph.count - 1}
    return [*_values(graph), *_backward(graph), *updates, after, {"do": "done"}]


def sweep_frames(graph: Edges, x: int, sweep: int = 0, of: int = 1) -> list[Frame]:
    """Return one sweep of forward mode: the tangents of all that depends on x, inputs before what uses them."""
    frames: list[Frame] = [{"do": "sweep", "node": x, "sweep": sweep, "of": of}]
    reached = {x}
    for head in range(graph.count):
        useful = [edge for edge in graph.into[head] if graph.edges[edge].tail in reached]
        for k, edge in enumerate(useful):
            frames.append({"do": "tangent", "edge": edge, "k": k + 1, "of": len(useful), "sweep": sweep})
        if useful:
            reached.add(head)
    return frames


def forward_frames(graph: Edges, inputs: Sequence[int]) -> list[Frame]:
    """Return the forward pass and one sweep for each input, for the first `MOST_SWEEPS` of them."""
    frames = _values(graph)
    for sweep, x in enumerate(inputs[:MOST_SWEEPS]):
        frames += sweep_frames(graph, x, sweep, len(inputs))
    return [*frames, {"do": "done"}]


class Wrong(NamedTuple):
    """A backward pass in a wrong order, and which: "breadth" or "unreversed"."""

    frames: list[Frame]
    kind: Literal["breadth", "unreversed"]


def order_frames(graph: Edges) -> Wrong | None:
    """Return a backward pass in a wrong order; None if no order is wrong, as with a single op.

    "breadth" visits nodes in the order in which a search from the output meets them, so a node may pass on a gradient
    of which terms are still to come. Where that is a right order, "unreversed" goes through the nodes in forward order.
    """
    if sum(map(bool, graph.into)) < 2:  # any order of one op is right
        return None
    order, seen = [graph.count - 1], {graph.count - 1}
    for head in order:
        for edge in graph.into[head]:
            tail = graph.edges[edge].tail
            if tail not in seen and graph.into[tail]:
                seen.add(tail)
                order.append(tail)
    when = {node: i for i, node in enumerate(order)}
    too_early = any(when[e.head] > when[e.tail] for e in graph.edges if e.head in when and e.tail in when)
    if too_early:
        return Wrong([*_values(graph), *_backward(graph, order), {"do": "done"}], "breadth")
    forward = [i for i in range(graph.count) if graph.into[i]]
    return Wrong([*_values(graph), *_backward(graph, forward), {"do": "done"}], "unreversed")


class Row(NamedTuple):
    """The numbers of a term or tangent: what arrives from `source` along an edge at `target`."""

    frame: int
    edge: int
    source: int
    target: int
    upstream: float
    local: float
    added: float
    before: float
    after: float


class Replay(NamedTuple):
    """A pass with its numbers: the rows of its terms, and for each node what it holds at the end, `ZERO` for nothing.

    `sweeps` has the tangent of the output at the end of each sweep, by the place of the swept input.
    """

    rows: list[Row]
    result: list[float]
    sweeps: dict[int, float]


Bug = Literal["assign", "stale"]


def replay(
    graph: Edges, frames: Sequence[Frame], local_derivatives: Sequence[float], seed: float = 1.0, bug: Bug | None = None
) -> Replay:
    """Run the frames of a pass with the local derivatives of the edges.

    `ZERO` is "nothing has arrived" as a gradient, and a closed branch as a local derivative: nothing passes either.
    `bug` "assign" writes `=` for `+=`; "stale" keeps the gradients of leaves when a second pass begins.

    >>> square = edges_of([[], [0, 0]])
    >>> replay(square, reverse_frames(square), [3.0, 3.0]).result
    [6.0, 1.0]
    >>> replay(square, reverse_frames(square), [3.0, 3.0], bug="assign").result
    [3.0, 1.0]
    """
    held: list[float] = [ZERO] * graph.count
    rows: list[Row] = []
    sweeps: dict[int, float] = {}
    swept = -1
    for i, frame in enumerate(frames):
        do = frame["do"]
        if do == "seed":
            held[frame["node"]] = seed
        elif do == "again":
            held = [g if bug == "stale" and not graph.into[j] else ZERO for j, g in enumerate(held)]
        elif do == "sweep":
            held, swept = [ZERO] * graph.count, frame["node"]
            held[swept] = 1.0
            sweeps[swept] = held[-1]
        elif do in {"term", "tangent"}:
            edge = graph.edges[frame["edge"]]
            source, target = (edge.head, edge.tail) if do == "term" else (edge.tail, edge.head)
            upstream, local, before = held[source], local_derivatives[frame["edge"]], held[target]
            passes = upstream is not ZERO and local is not ZERO
            added = upstream * local if passes else 0.0
            if passes:
                held[target] = added if bug == "assign" and do == "term" else before + added
            rows.append(Row(i, frame["edge"], source, target, upstream, local, added, before, held[target]))
            if do == "tangent" and target == graph.count - 1:
                sweeps[swept] = held[target]
    return Replay(rows, held, sweeps)


def new_parameters(values: Mapping[int, float], gradients: Sequence[float], rate: float) -> dict[int, float]:
    """Return w − η · grad for each parameter w, by its place; one that no gradient has reached stays.

    >>> new_parameters({0: 2.0}, [0.5], rate=0.1)
    {0: 1.95}
    """
    return {w: value if gradients[w] is ZERO else value - rate * gradients[w] for w, value in values.items()}
