"""The entries of a level: its nodes, edges and groups as JSON-ready data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib.viz.math_text import plain
from microgradlib.viz.stepper.tapes.cards import shown_name, sign, value_text
from microgradlib.viz.stepper.tapes.contracted import closable
from microgradlib.viz.stepper.tapes.encoding import encode
from microgradlib.viz.stepper.tapes.names import layer_symbol, units_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.stepper.tapes.cards import Cards
    from microgradlib.viz.stepper.tapes.contracted import StepGraph
    from microgradlib.viz.stepper.tapes.frames import Edges
    from microgradlib.viz.stepper.tapes.names import Name
    from microgradlib.viz.stepper.tapes.places import Places

__all__ = ["Parts", "edge_entries", "group_entries", "node_entries", "shown_sign"]

Entry = dict[str, Any]


def shown_sign(graph: StepGraph, i: int, live: Sequence[Any]) -> str:
    """Return what the card of a node shows of its op: of a closed scope, its formula or name; of a leaf, nothing."""
    node = graph.nodes[i]
    if node.scope is not None:
        return plain(node.scope.formula) or node.scope.name
    return sign(live[node.of].op) if node.parents else ""


@dataclass(frozen=True)
class Parts:
    """What the entries of nodes are made of."""

    graph: StepGraph
    live: Sequence[Any]
    cards: Cards
    names: Sequence[Name]
    places: Places
    signs: Sequence[str]
    keys: Mapping[int, str]


def node_entries(parts: Parts) -> list[Entry]:
    """Return an entry for each node: names, role, value, op, and where it stands."""
    found: list[Entry] = []
    edge = 0
    for i, node in enumerate(parts.graph.nodes):
        entry = _node(parts, i)
        if node.parents:
            entry |= _op_fields(parts, i) | {"in": [*range(edge, edge + len(node.parents))]}
            edge += len(node.parents)
        found.append(entry | _card_fields(parts, i))
    return found


def _node(parts: Parts, i: int) -> Entry:
    graph, node = parts.graph, parts.graph.nodes[i]
    noted = graph.snapshot_node(i)
    path = graph.groups.paths[node.of]
    if node.scope is not None:
        path = path[: path.index(node.scope)]
    return {
        "id": i,
        "of": node.of,
        "name": shown_name(graph, i, parts.cards, parts.names[node.of]),
        "full": parts.names[node.of].full,
        "path": noted.name,
        "role": noted.kind if not node.parents else "output" if i == graph.output else "op",
        "value": encode(noted.data),
        "group": [graph.groups.keys[scope] for scope in path],
    }


def _op_fields(parts: Parts, i: int) -> Entry:
    graph, node = parts.graph, parts.graph.nodes[i]
    fields: Entry = {"op": parts.keys[i], "sign": parts.signs[i], "text": value_text(graph, i, parts.live)}
    if node.scope is not None:
        hidden = sum(parts.cards.row_of[leaf] == i for leaf in parts.cards.hidden)
        return fields | {"closed": graph.groups.keys[node.scope], "count": len(node.members), "hidden": hidden}
    note = _kink_note(parts.live[node.of])
    return fields | ({"kink": note} if note else {})


def _card_fields(parts: Parts, i: int) -> Entry:
    """Return where a node stands: on a card, as a row of one, or hidden in one."""
    cards, box = parts.cards, parts.places.boxes[i]
    fields: Entry = {} if box is None else {"box": list(box)}
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


def edge_entries(
    edges: Edges, slopes: Sequence[float], texts: Sequence[str], cards: Cards, places: Places
) -> list[Entry]:
    """Return an entry for each edge: its ends, local derivative, formula and line."""
    found: list[Entry] = []
    for edge, slope, text, line in zip(edges.edges, slopes, texts, places.lines):
        entry: Entry = {"tail": edge.tail, "head": edge.head, "local": encode(slope), "text": text}
        if edge.tail in cards.row_of:
            entry["folded"] = True
        else:
            entry |= {"path": line.path, "at": list(line.at), "shown": line.shown}
        if edge.tail in edges.quiet:
            entry["quiet"] = True
        found.append(entry)
    return found


def group_entries(graph: StepGraph, places: Places) -> list[Entry]:
    """Return an entry for each scope: its names, its frame, and the row of gradients of a layer.

    That is δ, the gradients of the net inputs of its units; where these are closed, the gradients of their results.
    """
    groups = graph.groups
    where = {node.of: i for i, node in enumerate(graph.nodes)}
    layers = [scope for scope in groups.order if scope.kind == "layer"]
    can_close = closable(groups)
    found: list[Entry] = []
    for scope in groups.order:
        box = places.frames.get(scope)
        entry: Entry = {
            "id": groups.keys[scope],
            "name": scope.name,
            "kind": scope.kind,
            "path": scope.path,
            "formula": plain(scope.formula),
            "parent": None if scope.parent is None else groups.keys[scope.parent],
            "box": None if box is None else list(box),
            "closable": scope in can_close,
        }
        units = () if scope in graph.closed else units_of(groups, scope)
        if units and all(net in where for net, _ in units):  # none of them inside a closed scope
            entry |= {"row": [where[net] for net, _ in units], "symbol": layer_symbol(scope, layers, "δ")}
        elif units and all(result in where for _, result in units):
            symbol = f"{layer_symbol(scope, layers, 'h')}.grad"
            entry |= {"row": [where[result] for _, result in units], "symbol": symbol}
        found.append(entry)
    return found
