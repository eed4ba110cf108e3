"""What stands on the cards of the stepper: which leaves are rows of a card, texts, and the size of each card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from microgradlib.symbolic import formula_holds, local_derivative_formula, value_formula
from microgradlib.viz.numbers import number
from microgradlib.viz.snapshots.signs import op_sign
from microgradlib.viz.typography import mono_width, sans_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.stepper.tapes.contracted import StepGraph
    from microgradlib.viz.stepper.tapes.names import Name

__all__ = ["Cards", "edge_texts", "make_cards", "shown_name", "sign", "value_text"]

SMALL: Final = 16
"""Up to so many nodes, cards are tall, every leaf has one, and edges carry formulas beside their numbers."""

ROWS: Final = 12
"""So many leaves are rows of a card; further ones are listed in the table only."""

MOST_ROWS: Final = 260
"""In a graph with more leaves that could be rows, none is: its cards would be many screens high."""

TALL, FLAT, PILL, ROW = 92.0, 50.0, 30.0, 23.0
"""Heights: of cards in small and in large graphs, of constants, of a row; the page's style sheet has the same."""

CIRCLE = 12.0
"""Room for the circle of a use on the edge of a card."""

_MOST_CIRCLES: Final = 6
_WIDE: Final = {"tall": 138.0, "flat": 140.0, "rows": 268.0}
_SIGNS: Final = {"dot": "Σ w·x", "sum": "Σ", "sigmoid": "σ", "detach": "⊣"}
LONGEST_NAME: Final = 24
"""Of longer names a card shows both ends: in the page's script likewise."""
_LONGEST_FORMULA: Final = 16
"""Of fewer letters, names included, a formula stands on its edge: in the page's script likewise."""


@dataclass(frozen=True)
class Cards:
    """Which leaves are rows of which card, by their places in the graph; and the shape of the cards.

    Args:
        shape: "tall" or "flat".
        rows: for each card with rows, its leaves.
        row_of: for each leaf that is a row, or hidden in a card, the card.
        hidden: the leaves for which a card has no room.
        uses: how often each node is used: its card has a circle for each use.

    """

    shape: str
    rows: Mapping[int, tuple[int, ...]]
    row_of: Mapping[int, int]
    hidden: frozenset[int]
    uses: tuple[int, ...]

    def stands(self, place: int) -> bool:
        """Return whether a node has a card of its own."""
        return place not in self.row_of


def make_cards(graph: StepGraph) -> Cards:
    """Decide which leaves are rows of cards: in large graphs, the parameters that one weighted sum alone uses.

    These are the weights of a `dot`, and of a closed scope all parameters, and inputs that belong inside it.
    """
    uses: list[list[tuple[int, int]]] = [[] for _ in graph.nodes]
    for head, node in enumerate(graph.nodes):
        for place, parent in enumerate(node.parents):
            uses[parent].append((head, place))
    if len(graph.nodes) <= SMALL and not graph.closed:
        return Cards("tall", {}, {}, frozenset(), tuple(map(len, uses)))
    rows: dict[int, list[int]] = {}
    row_of: dict[int, int] = {}
    for leaf, found in enumerate(uses):
        if len(found) == 1 and not graph.nodes[leaf].parents and _is_row(graph, leaf, *found[0]):
            row_of[leaf] = found[0][0]
    for head, node in enumerate(graph.nodes):
        own = [parent for parent in node.parents if row_of.get(parent) == head]
        if own:
            rows[head] = own
    most = ROWS if len(row_of) <= MOST_ROWS else 0
    hidden = frozenset(leaf for own in rows.values() for leaf in own[most:])
    shown = {card: tuple(own[:most]) for card, own in rows.items() if most}
    return Cards("flat", shown, row_of, hidden, tuple(map(len, uses)))


def _is_row(graph: StepGraph, leaf: int, head: int, place: int) -> bool:
    kind = graph.snapshot_node(leaf).kind
    user, node = graph.snapshot_node(head), graph.nodes[head]
    if node.scope is not None:
        return kind == "parameter" or node.scope in graph.groups.paths[graph.nodes[leaf].of]
    half, rest = divmod(len(node.parents), 2)
    is_weight = place < half or (rest == 1 and place == 2 * half)
    return user.op_name == "dot" and (kind == "parameter" or (kind == "input" and is_weight))


def sign(op: Any) -> str:
    """Return how a card shows its op: ×, tanh, ( )², Σ w·x; ? for one made by hand without a text.

    >>> from microgradlib.ops import TABLE
    >>> sign(TABLE["mul"]), sign(TABLE["pow"].bind(2.0)), sign(TABLE["pow"].bind(4.0)), sign(TABLE["tanh"])
    ('×', '( )²', '( )⁴', 'tanh')
    """
    return _SIGNS.get(op.name) or op_sign(op) or "?"


def _templates(count: int) -> list[str]:
    return [f"{{{i}}}" for i in range(count)]


def value_text(graph: StepGraph, place: int, live: Sequence[Any]) -> str:
    """Return how a node is computed, with places {0}, {1}, … for its inputs; "" where no formula is known."""
    node = graph.nodes[place]
    if node.scope is not None or not node.parents:
        return ""
    return value_formula(live[node.of].op, _templates(len(node.parents)))


def edge_texts(graph: StepGraph, place: int, live: Sequence[Any]) -> list[str]:
    """Return the formula of the local derivative by each input, with places for the inputs and {z} for the node."""
    node = graph.nodes[place]
    if node.scope is not None:
        return [""] * len(node.parents)
    names, op = _templates(len(node.parents)), live[node.of].op
    texts = [local_derivative_formula(op, i, names, "{z}") for i in range(len(node.parents))]
    inputs = [parent.data for parent in live[node.of].parents]
    if any(texts) and op.written and op.kink is not None and op.kink(*inputs, *op.settings):
        output = op.compute(*inputs)  # where maxima are equal, each gets a part of 1, which the formula does not say
        numbers = op.local_derivatives(output, *inputs)
        return [text if formula_holds(op, i, inputs, output, numbers[i]) else "" for i, text in enumerate(texts)]
    return texts


def shown_name(graph: StepGraph, place: int, cards: Cards, name: Name) -> str:
    """Return the name on a card: the short one if a card or frame around it says the rest, else the full one.

    A parameter that several cards read stands outside their frames.
    """
    noted = graph.snapshot_node(place)
    if noted.kind != "parameter" or not cards.stands(place):
        return name.short
    around = graph.groups.paths[noted.index]
    is_said = any(scope.path and noted.name.startswith(f"{scope.path}.") for scope in around)
    return name.short if is_said else name.full


def card_size(graph: StepGraph, place: int, cards: Cards, name: Name, shown_sign: str) -> tuple[float, float]:
    """Return the least width and height of a card, in pixels."""
    noted = graph.snapshot_node(place)
    if noted.kind in {"constant", "target"}:
        text = f"{name.full} = {number(noted.data)}" if noted.name else name.full
        return max(56.0, mono_width(text, 14) + 20), PILL
    tall, rows = cards.shape == "tall", cards.rows.get(place, ())
    more = any(cards.row_of.get(leaf) == place for leaf in cards.hidden)
    flat = max(FLAT, CIRCLE * min(cards.uses[place], _MOST_CIRCLES))
    height = TALL if tall else flat + ROW * (len(rows) + more) + 6 * bool(rows)
    title = shown_name(graph, place, cards, name)[:LONGEST_NAME]
    head = sans_width(title, 17 if tall else 15) + sans_width(shown_sign, 15) + 40
    return max(_WIDE["tall" if tall else "rows" if rows else "flat"], head), height


def edge_text_width(text: str, shape: str) -> float:
    """Return the room that the text of an edge needs: its number, in small graphs with its formula before it.

    >>> edge_text_width("w", "tall") < edge_text_width("learning_rate", "tall"), edge_text_width("1", "tall")
    (True, 63.51)
    """
    with_formula = shape == "tall" and len(text) < _LONGEST_FORMULA and not text.replace("−", "").isdigit()
    return mono_width(f"{text} = −0.0000" if with_formula else "−0.0000", 13) + 8
