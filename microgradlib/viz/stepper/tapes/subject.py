"""What is explained: a graph at one moment, its levels of detail, and the same graph at other numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.modes import recording
from microgradlib.core.value import Value
from microgradlib.errors import GraphTooLargeError, MissingRuleError
from microgradlib.viz.boxes.groups import find_groups
from microgradlib.viz.snapshots.snapshot import Scope, Snapshot
from microgradlib.viz.stepper.tapes.blocks import with_blocks
from microgradlib.viz.stepper.tapes.checks import Check, affordable, check
from microgradlib.viz.stepper.tapes.contracted import closable, closed_at, contract, levels
from microgradlib.viz.stepper.tapes.encoding import encode
from microgradlib.viz.stepper.tapes.level import FORMAT, step_inputs, write_level
from microgradlib.viz.stepper.tapes.start import first_level
from microgradlib.viz.stepper.tapes.training import training_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.boxes.groups import Groups
    from microgradlib.viz.snapshots.capture import Capture
    from microgradlib.viz.stepper.tapes.contracted import StepGraph

__all__ = ["MOST_CARDS", "Level", "Subject"]

MOST_FIRST: Final = 600
"""The level shown first has at most so many nodes, if there is such a level."""

MOST_CARDS: Final = 320
"""A graph of more nodes, with all its scopes closed, is cut into blocks."""

MOST_NODES: Final = 1200
"""Levels of more nodes are left out, unless no other is left."""

MOST_EDGES: Final = 12_000
"""A graph whose coarsest level has more edges is refused."""


class Level(NamedTuple):
    """A level of detail: its name, and the scopes that it closes."""

    key: str
    closed: tuple[Scope, ...]


@dataclass(frozen=True)
class Subject:
    """A graph with its numbers: `groups` holds the snapshot and its scopes, `live` the nodes in the same order.

    `seed` is the gradient of the output, `rate` the learning rate of a training step, None without one.
    """

    groups: Groups
    live: Sequence[Any]
    seed: float = 1.0
    rate: float | None = None
    checked: bool = True

    @classmethod
    def of(cls, captured: Capture, *, seed: float = 1.0, rate: float | None = None, checked: bool = True) -> Subject:
        """Return the subject of a captured graph; one that is large even with its scopes closed gets blocks.

        If leaves have been changed since the graph was built, it is computed anew from their present numbers.
        """
        groups = find_groups(captured.snapshot)
        coarsest = levels(groups)[-1][1]
        if _size(groups, coarsest) > MOST_CARDS:
            groups = find_groups(with_blocks(groups))
        subject = cls(groups, captured.nodes, seed, rate, checked)
        if not any(node.stale for node in captured.snapshot.nodes):
            return subject
        try:
            return subject.at({})
        except MissingRuleError:
            return subject

    def at(self, leaves: Mapping[int, float]) -> Subject:
        """Return the same graph with other numbers of some leaves, computed by Python's own ops.

        Raises:
            MissingRuleError: a node that depends on them was made by hand.

        """
        fresh: list[Any] = []
        places = {node: i for i, node in enumerate(self.live)}
        with recording():
            for i, node in enumerate(self.live):
                if node.op is None:
                    fresh.append(Value(leaves.get(i, node.data), node.label))
                else:
                    fresh.append(node.op(*[fresh[places[parent]] for parent in node.parents]))
        nodes = [
            replace(noted, data=node.data, local_derivatives=node.local_derivatives)
            for noted, node in zip(self.groups.snapshot.nodes, fresh)
        ]
        snapshot = Snapshot(tuple(nodes), self.groups.snapshot.outputs, self.groups.snapshot.changed)
        return replace(self, groups=replace(self.groups, snapshot=snapshot), live=fresh)

    def levels(self, collapse: str | int | None = None) -> tuple[list[Level], int | None]:
        """Return the levels of detail that can be stepped, finest first, and the place of the one to show first.

        That is None if the sizes of the drawings are to decide.

        Args:
            collapse: what is closed at first: "neuron", "layer", "step" or "example", or so many of the innermost
                levels of scopes; None: as little as can be for a drawing that can be read.

        Raises:
            GraphTooLargeError: even the coarsest one has too many edges.

        """
        sizes = {level: _size(self.groups, level.closed) for level in self._closable_levels(collapse)}
        coarsest = min(sizes, key=lambda level: sizes[level])
        edges = sum(len(node.parents) for node in contract(self.groups, coarsest.closed).nodes)
        if edges > MOST_EDGES:
            message = (
                f"the graph has {len(self.live)} nodes, and {edges} arrows with all its parts closed, more than the "
                f"{MOST_EDGES} that can be stepped: explain a node nearer to the inputs, or put parts that have one "
                "output into `with mg.scope(name)` blocks"
            )
            raise GraphTooLargeError(message)
        kept = [level for level, size in sizes.items() if size <= MOST_NODES] or [coarsest]
        if collapse is None:
            return kept, None
        closed = closed_at(self.groups, collapse)
        return kept, next((place for place, level in enumerate(kept) if level.closed == closed), len(kept) - 1)

    def _closable_levels(self, collapse: str | int | None) -> list[Level]:
        found = [Level(key, closed) for key, closed in levels(self.groups)]
        if collapse is not None:
            closed = closed_at(self.groups, collapse)
            if closed not in [level.closed for level in found]:
                found.append(Level("custom", closed))
        return found

    def with_closed(self, shown: list[Level], keys: Sequence[str]) -> tuple[list[Level], int]:
        """Return the levels with one that closes the scopes of these keys, and its place among them."""
        wanted = set(keys)
        can_close = closable(self.groups)
        closed = tuple([scope for scope in can_close if self.groups.keys[scope] in wanted])
        same = [place for place, level in enumerate(shown) if set(level.closed) == set(closed)]
        return (shown, same[0]) if same else ([*shown, Level("custom", closed)], len(shown))

    def tape(self, shown: Sequence[Level], start: int | None) -> dict[str, Any]:
        """Return the levels as one tape, `start` the place of the one to show first, None for one that can be read."""
        graphs = [contract(self.groups, level.closed) for level in shown]
        checks = self._checks(graphs[start or 0])
        written = [self._level(level.key, graph, checks) for level, graph in zip(shown, graphs)]
        first = first_level(written, MOST_FIRST) if start is None else start
        return {"format": FORMAT, "levels": written, "start": first}

    def _level(self, key: str, graph: StepGraph, checks: Mapping[int, Any]) -> dict[str, Any]:
        level = write_level(key, graph, self.live, seed=self.seed, checks=checks, rate=self.rate)
        if self.rate is not None:
            level["training"] = training_numbers(graph, self.live, self.rate, self.seed)
        return level

    def _checks(self, graph: StepGraph) -> dict[int, dict[str, Any]]:
        if not self.checked:
            return {}
        found = affordable(self.live, [graph.nodes[i].of for i in step_inputs(graph)])
        return {leaf: _encoded(one, self.seed) for leaf, one in found.items()}

    def check(self, leaf: int) -> dict[str, Any]:
        """Return the numeric derivative by one leaf, times the seed, as the tape has it."""
        return _encoded(check(self.live, leaf), self.seed)


def _size(groups: Groups, closed: Sequence[Scope]) -> int:
    """Return how many nodes a level has."""
    return len(contract(groups, closed).nodes) if closed else len(groups.snapshot.nodes)


def _encoded(found: Check, seed: float) -> dict[str, Any]:
    numbers = {key: encode(getattr(found, key) * seed) for key in ("value", "left", "right")}
    return {**numbers, "error": encode(found.error * abs(seed)), "kink": found.kink}
