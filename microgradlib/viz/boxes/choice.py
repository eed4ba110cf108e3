"""How much of each group is open at a step of the ladder of detail: open, a card, a table, closed, or folded ×N."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.boxes.structure import Structure
    from microgradlib.viz.snapshots.snapshot import Scope

State = Literal["open", "plain", "card", "table", "closed", "folded", "hidden", "left out"]
"""A plain scope is open without a frame. Of folded groups the first is drawn for all and the others are hidden; of a
series of equal groups the middle is left out."""

_TABLE_NEURONS: Final = range(3, 13)
_TABLE_WEIGHTS: Final = range(1, 7)
MOST_LISTED: Final = 4
"""Cards list their weights in layers of so many neurons; a layer of more is better a table."""
_FOLD: Final = 3
"""So many equal groups are folded."""


@dataclass(frozen=True)
class Step:
    """A step of the ladder of detail.

    Args:
        cards: whether a neuron is one card; if not, every node is a box.
        weights: whether cards list their weights.
        tables: whether layers of neurons are tables where these are small enough; if not, only where cards would not
            list their weights.
        kinds: groups of these kinds are closed.
        height: groups that hold so few levels of other groups are closed; -1: none.
        layers: whether groups of neurons alone are closed.
        vectors: whether three or more equal ops, or neurons without a layer, side by side are one box.
        fold: whether three or more equal parallel groups are drawn once, and the middle of long series is left out.
        ends: so many groups of such a series are drawn at each end.
        most: of more ops than this in one frame, the middle is left out.
        everything: whether cards and closed groups are counted and left out too.
        opened, closed: keys of groups that are open, or closed, whatever the rest says.

    """

    cards: bool = True
    weights: bool = True
    tables: bool = False
    kinds: frozenset[str] = frozenset()
    height: int = -1
    layers: bool = False
    vectors: bool = False
    fold: bool = False
    ends: int = 3
    most: int = 40
    everything: bool = False
    opened: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Choice:
    """The state of each scope that is reached from outside through open ones.

    Args:
        step: the step of the ladder.
        states: the scopes that are reached.
        folded: how many equal groups each folded one stands for.
        series: the scopes left out of a series, by each of them.

    """

    step: Step
    states: Mapping[Scope, State]
    folded: Mapping[Scope, int] = field(default_factory=dict)
    series: Mapping[Scope, tuple[Scope, ...]] = field(default_factory=dict)


def choose_states(structure: Structure, step: Step) -> Choice:
    """Return what is open at a step.

    >>> from microgradlib.viz.boxes.structure import find_structure
    >>> from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode
    >>> scope = Scope("softmax", "function")
    >>> x = SnapshotNode(0, "input", "x")
    >>> y = SnapshotNode(1, "op", op="exp", op_name="exp", parents=(0,), scopes=(scope,))
    >>> z = SnapshotNode(2, "output", op="exp", op_name="exp", parents=(1,), scopes=(scope,))
    >>> structure = find_structure(Snapshot((x, y, z), (2,)))
    >>> choose_states(structure, Step(closed=frozenset({"s0"}))).states[scope]
    'closed'
    """
    groups = structure.groups
    states: dict[Scope, State] = {}
    folded: dict[Scope, int] = {}
    series: dict[Scope, tuple[Scope, ...]] = {}
    front: list[Scope] = list(groups.children[None])
    while front:
        following: list[Scope] = []
        for same in _classes(groups, front):
            for scope in same:
                states[scope] = _state(structure, step, scope)
            if (
                step.fold
                and len(same) >= _FOLD
                and states[same[0]] not in {"card", "plain"}
                and _large(groups, same[0])
            ):
                if structure.can_fold(same):
                    folded[same[0]] = len(same)
                    states.update(dict.fromkeys(same[1:], "hidden"))
                    states[same[0]] = "folded" if states[same[0]] == "open" else states[same[0]]
                elif len(same) > 2 * step.ends + 1 and structure.is_series(same):
                    middle = tuple(same[step.ends : len(same) - step.ends])
                    if groups.keys[middle[0]] in step.opened:
                        middle = ()
                    states.update(dict.fromkeys(middle, "left out"))
                    series.update(dict.fromkeys(middle, middle))
            following += [
                child
                for scope in same
                if states[scope] in {"open", "plain", "folded"}
                for child in groups.children[scope]
            ]
        front = following
    return Choice(step, states, folded, series)


def is_layer(structure: Structure, scope: Scope) -> bool:
    """Whether a scope holds neurons and nothing else."""
    groups, absorbed = structure.groups, structure.absorbed
    children = groups.children[scope]
    ops = [i for i in groups.members[scope] if groups.snapshot.nodes[i].parents]
    return bool(children) and not ops and all(child in absorbed.neurons for child in children)


def is_tabular(structure: Structure, scope: Scope) -> bool:
    """Whether a layer can be shown as a table: 3 to 12 neurons built alike, with 1 to 6 weights each."""
    groups = structure.groups
    children = groups.children[scope]
    if len(children) not in _TABLE_NEURONS or not is_layer(structure, scope):
        return False
    neurons = [structure.absorbed.neurons[child] for child in children]
    columns = {tuple(weight.edge is None for weight in neuron.weights) for neuron in neurons}
    alike = len({groups.shapes[child] for child in children}) == 1 and len(columns) == 1
    return alike and columns.pop().count(False) in _TABLE_WEIGHTS and not neurons[0].products


def _classes(groups: Groups, scopes: Sequence[Scope]) -> list[list[Scope]]:
    classes: dict[tuple[Scope | None, tuple[str, int]], list[Scope]] = {}
    for scope in scopes:
        classes.setdefault((scope.parent, groups.alike(scope)), []).append(scope)
    return list(classes.values())


def _large(groups: Groups, scope: Scope) -> bool:
    return len(groups.children[scope]) + len(groups.members[scope]) >= _FOLD


def _state(structure: Structure, step: Step, scope: Scope) -> State:
    groups = structure.groups
    key = groups.keys[scope]
    neuron = step.cards and scope in structure.absorbed.neurons
    if neuron and key not in step.opened:
        return "card"
    if scope in groups.plain:
        return "plain"
    if key in step.closed:
        return "closed"
    if key in step.opened:
        return "open"
    table = is_tabular(structure, scope) and (step.tables or (step.cards and len(groups.children[scope]) > MOST_LISTED))
    if _is_of_kind(scope, step.kinds):
        return "table" if table else "closed"
    if groups.heights[scope] <= step.height or (step.layers and is_layer(structure, scope)):
        return "closed"
    return "table" if table else "open"


def _is_of_kind(scope: Scope, kinds: frozenset[str]) -> bool:
    """Whether a scope is of one of the kinds; of a block that a user opened, its name says so, as `layer 1` does."""
    if scope.kind == "block":
        return any(scope.name.lower().startswith(kind) for kind in kinds)
    return scope.kind in kinds
