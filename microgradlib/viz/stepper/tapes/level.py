"""The tape: a graph, its places and its passes as JSON-ready data, from which the page shows every step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from microgradlib.viz.stepper.javascript.program import write_program
from microgradlib.viz.stepper.tapes.cards import edge_texts, make_cards
from microgradlib.viz.stepper.tapes.encoding import encode
from microgradlib.viz.stepper.tapes.entries import Parts, edge_entries, group_entries, node_entries, shown_sign
from microgradlib.viz.stepper.tapes.frames import (
    edges_of,
    forward_frames,
    order_frames,
    replay,
    reverse_frames,
    training_frames,
    twice_frames,
)
from microgradlib.viz.stepper.tapes.names import name_nodes
from microgradlib.viz.stepper.tapes.places import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.stepper.tapes.contracted import StepGraph
    from microgradlib.viz.stepper.tapes.frames import Edges

__all__ = ["FORMAT", "quiet_nodes", "step_edges", "step_inputs", "write_level"]

FORMAT: Final = 2
Tape = dict[str, Any]


def quiet_nodes(graph: StepGraph) -> list[int]:
    """Return the places of the leaves for which no gradient is asked: constants and targets."""
    return [i for i in range(len(graph.nodes)) if graph.snapshot_node(i).kind in {"constant", "target"}]


def step_inputs(graph: StepGraph) -> list[int]:
    """Return the places of the leaves that have a gradient and a slider."""
    quiet = set(quiet_nodes(graph))
    return [i for i, node in enumerate(graph.nodes) if not node.parents and i not in quiet]


def step_edges(graph: StepGraph) -> Edges:
    """Return the edges of a graph, in the order of their heads."""
    return edges_of([node.parents for node in graph.nodes], quiet_nodes(graph))


def write_level(
    key: str,
    graph: StepGraph,
    live: Sequence[Any],
    *,
    seed: float = 1.0,
    checks: Mapping[int, Any] | None = None,
    rate: float | None = None,
) -> Tape:
    """Return one level of detail: nodes, edges, frames around them, passes, and the program of its ops.

    Args:
        key: the name of the level.
        graph: the graph, with some scopes closed.
        live: the nodes of the snapshot.
        seed: the gradient of the output.
        checks: numeric derivatives, by the index of the leaf in the snapshot.
        rate: the learning rate of a training step.

    """
    names = name_nodes(graph.groups)
    cards, edges = make_cards(graph), step_edges(graph)
    texts = [text for i in range(len(graph.nodes)) for text in edge_texts(graph, i, live)]
    program = write_program(graph, live)
    signs = [shown_sign(graph, i, live) for i in range(len(graph.nodes))]
    places = place(graph, cards, names, signs, texts)
    slopes = [slope for node in graph.nodes for slope in node.local_derivatives]
    inputs = step_inputs(graph)
    wrong = order_frames(edges)
    level: Tape = {
        "key": key,
        "closed": [graph.groups.keys[scope] for scope in graph.closed],
        "output": graph.output,
        "seed": encode(seed),
        "inputs": inputs,
        "nodes": node_entries(Parts(graph, live, cards, names, places, signs, program.keys)),
        "edges": edge_entries(edges, slopes, texts, cards, places),
        "groups": group_entries(graph, places),
        "size": list(places.size),
        "card": cards.shape,
        "direction": places.direction,
        "passes": {
            "reverse": reverse_frames(edges),
            "forward": forward_frames(edges, inputs),
            "twice": twice_frames(edges),
            "order": wrong.frames if wrong else None,
        },
        "order_kind": wrong.kind if wrong else None,
        "sweeps": inputs[:16],
        "program": program.text,
        "no_program": program.unknown,
    }
    level["bugs"] = _bugs(level, edges, slopes, seed)
    where = {node.of: i for i, node in enumerate(graph.nodes)}
    level["checks"] = {str(where[leaf]): check for leaf, check in (checks or {}).items() if leaf in where}
    if rate is not None:
        parameters = [i for i in inputs if graph.snapshot_node(i).kind == "parameter"]
        level["passes"]["training"] = training_frames(edges, parameters)
    return level


def _bugs(level: Tape, edges: Edges, slopes: Sequence[float], seed: float) -> list[str]:
    """Return the bugs that change some gradient of this graph."""
    passes = level["passes"]
    right = replay(edges, passes["reverse"], slopes, seed).result
    wrong = {
        "assign": replay(edges, passes["reverse"], slopes, seed, "assign").result,
        "stale": replay(edges, passes["twice"], slopes, seed, "stale").result,
        "order": replay(edges, passes["order"], slopes, seed).result if passes["order"] else right,
    }
    return [bug for bug, result in wrong.items() if any(_differ(a, b) for a, b in zip(result, right))]


def _differ(a: float, b: float) -> bool:
    return a != b and not (math.isnan(a) and math.isnan(b))
