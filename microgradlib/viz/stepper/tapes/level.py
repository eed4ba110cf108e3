"""The tape: a graph, its places and its passes as JSON-ready data, from which the page shows every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from microgradlib.ops import ZERO
from microgradlib.viz.stepper.javascript.program import write_program
from microgradlib.viz.stepper.tapes.cards import edge_texts, make_cards, sign, value_text
from microgradlib.viz.stepper.tapes.contracted import closable
from microgradlib.viz.stepper.tapes.frames import (
    edges_of,
    forward_frames,
    order_frames,
    replay,
    reverse_frames,
    training_frames,
    twice_frames,
)
from microgradlib.viz.stepper.tapes.naming import layer_symbol, name_nodes, net_inputs
from microgradlib.viz.stepper.tapes.places import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.stepper.tapes.cards import Cards
    from microgradlib.viz.stepper.tapes.contracted import StepGraph
    from microgradlib.viz.stepper.tapes.frames import Edges
    from microgradlib.viz.stepper.tapes.naming import Name
    from microgradlib.viz.stepper.tapes.places import Places

__all__ = ["FORMAT", "encode", "quiet_nodes", "step_edges", "step_inputs", "write_level"]

FORMAT: Final = 2
Tape = dict[str, Any]


def encode(number: float | None) -> float | str | None:
    """Return a number as JSON holds it: null for `ZERO`, texts for nan and the infinities.

    >>> encode(0.5), encode(ZERO), encode(float("-inf"))
    (0.5, None, '-Infinity')
    """
    if number is None or number is ZERO:
        return None
    number = float(number)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


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
    signs = [_sign(graph, i, live) for i in range(len(graph.nodes))]
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
        "nodes": _nodes(_Parts(graph, live, cards, names, places, signs, program.keys)),
        "edges": _edges(edges, slopes, texts, cards, places),
        "groups": _groups(graph, places),
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


def _sign(graph: StepGraph, i: int, live: Sequence[Any]) -> str:
    node = graph.nodes[i]
    if node.scope is not None:
        return node.scope.formula or node.scope.name
    return sign(live[node.of].op) if node.parents else ""


@dataclass(frozen=True)
class _Parts:
    """What the entries of nodes are made of."""

    graph: StepGraph
    live: Sequence[Any]
    cards: Cards
    names: Sequence[Name]
    places: Places
    signs: Sequence[str]
    keys: Mapping[int, str]


def _nodes(parts: _Parts) -> list[Tape]:
    found: list[Tape] = []
    edge = 0
    for i, node in enumerate(parts.graph.nodes):
        entry = _node(parts, i)
        if node.parents:
            entry |= _op_fields(parts, i) | {"in": [*range(edge, edge + len(node.parents))]}
            edge += len(node.parents)
        found.append(entry | _card_fields(parts, i))
    return found


def _node(parts: _Parts, i: int) -> Tape:
    graph, node = parts.graph, parts.graph.nodes[i]
    noted = graph.snapshot_node(i)
    path = graph.groups.paths[node.of]
    if node.scope is not None:
        path = path[: path.index(node.scope)]
    return {
        "id": i,
        "of": node.of,
        "name": parts.names[node.of].short,
        "full": parts.names[node.of].full,
        "path": noted.name,
        "role": noted.kind if not node.parents else "output" if i == graph.output else "op",
        "value": encode(noted.data),
        "group": [graph.groups.keys[scope] for scope in path],
    }


def _op_fields(parts: _Parts, i: int) -> Tape:
    graph, node = parts.graph, parts.graph.nodes[i]
    fields: Tape = {"op": parts.keys[i], "sign": parts.signs[i], "text": value_text(graph, i, parts.live)}
    if node.scope is not None:
        hidden = sum(parts.cards.row_of[leaf] == i for leaf in parts.cards.hidden)
        return fields | {"closed": graph.groups.keys[node.scope], "count": len(node.members), "hidden": hidden}
    note = _kink_note(parts.live[node.of])
    return fields | ({"kink": note} if note else {})


def _card_fields(parts: _Parts, i: int) -> Tape:
    """Return where a node stands: on a card, as a row of one, or hidden in one."""
    cards, box = parts.cards, parts.places.boxes[i]
    fields: Tape = {} if box is None else {"box": list(box)}
    if i in cards.rows:
        fields["rows"] = list(cards.rows[i])
    if i in cards.hidden:
        fields |= {"hidden": True, "row_of": [cards.row_of[i], -1]}
    elif i in cards.row_of:
        fields["row_of"] = [cards.row_of[i], cards.rows[cards.row_of[i]].index(i)]
    return fields


def _kink_note(node: Any) -> str:
    op = node.op
    if op.kink is None or not op.kink(*[parent.data for parent in node.parents], *op.settings):
        return ""
    note: str = op.kink_note
    return note


def _edges(edges: Edges, slopes: Sequence[float], texts: Sequence[str], cards: Cards, places: Places) -> list[Tape]:
    found: list[Tape] = []
    for edge, slope, text, line in zip(edges.edges, slopes, texts, places.lines):
        entry: Tape = {"tail": edge.tail, "head": edge.head, "local": encode(slope), "text": text}
        if edge.tail in cards.row_of:
            entry["folded"] = True
        else:
            entry |= {"path": line.path, "at": list(line.at), "shown": line.shown}
        if edge.tail in edges.quiet:
            entry["quiet"] = True
        found.append(entry)
    return found


def _groups(graph: StepGraph, places: Places) -> list[Tape]:
    groups = graph.groups
    where = {node.of: i for i, node in enumerate(graph.nodes)}
    layers = [scope for scope in groups.order if scope.kind == "layer"]
    can_close = closable(groups)
    found: list[Tape] = []
    for scope in groups.order:
        box = places.frames.get(scope)
        entry: Tape = {
            "id": groups.keys[scope],
            "name": scope.name,
            "kind": scope.kind,
            "path": scope.path,
            "formula": scope.formula,
            "parent": None if scope.parent is None else groups.keys[scope.parent],
            "box": None if box is None else list(box),
            "closable": scope in can_close,
        }
        delta = net_inputs(groups, scope)
        if delta and all(i in where for i in delta):  # none of them inside a closed scope
            entry |= {"delta": [where[i] for i in delta], "symbol": layer_symbol(scope, layers)}
        found.append(entry)
    return found


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
