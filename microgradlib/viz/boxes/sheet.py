"""What the writers of boxes share: the parts of a drawing, how numbers are written, and what a writer returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from microgradlib.ops import ZERO
from microgradlib.viz.boxes.diagram import Row
from microgradlib.viz.boxes.parts import Part, part_of
from microgradlib.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from microgradlib.viz.boxes.choice import Choice
    from microgradlib.viz.boxes.diagram import Box, RowKind
    from microgradlib.viz.boxes.labels import Labels
    from microgradlib.viz.boxes.structure import Structure
    from microgradlib.viz.snapshots.snapshot import SnapshotNode


@dataclass(frozen=True)
class Sheet:
    """The parts of one drawing, and what is needed to write what is in them.

    Args:
        structure: the graph.
        choice: what is open.
        parts: the parts, in topological order.
        labels: the names of nodes.
        digits: how many digits numbers have.

    """

    structure: Structure
    choice: Choice
    parts: tuple[Part, ...]
    labels: Labels
    digits: int

    @cached_property
    def owner(self) -> dict[int, int]:
        """The place of the part of each node that has one."""
        return part_of(self.parts)

    @cached_property
    def rows(self) -> frozenset[int]:
        """Parameters that are rows of what reads them."""
        return self.structure.absorbed.parameters if self.choice.step.cards else frozenset()

    @cached_property
    def symbolic(self) -> bool:
        """Whether this is a graph of Symbols, without numbers."""
        return any(node.parents and node.data is None for node in self.structure.nodes)

    @cached_property
    def differentiated(self) -> bool:
        """Whether there has been a backward pass."""
        return any(node.parents and node.grad is not None for node in self.structure.nodes)

    def value(self, node: SnapshotNode) -> str:
        """Return a node's value as text; nothing for a Symbol."""
        return "" if node.data is None else number(node.data, self.digits)

    def gradient(self, node: SnapshotNode) -> str:
        """Return a node's gradient as text, "—" if nothing has reached it; nothing where none is asked for."""
        if self.symbolic or node.kind in {"constant", "target"}:
            return ""
        return number(node.grad, self.digits)

    def row(self, i: int, name: str = "", kind: RowKind = "number", tooltip: str = "") -> Row:
        """Return the row of a node."""
        node = self.structure.nodes[i]
        return Row(
            name,
            self.value(node),
            self.gradient(node),
            kind,
            i,
            node.stale,
            tooltip=tooltip,
            number=str(i + 1) if self.labels.options.numbers else "",
        )

    def parameter_row(self, i: int, name: str, uses: Iterable[tuple[int, int]]) -> Row:
        """Return the row of a parameter, with what comes from these uses of it, as (user, place), as its gradient."""
        node = self.structure.nodes[i]
        here = set(uses)
        row = self.row(i, name, "parameter", "" if name == node.name else node.name)
        if not self.differentiated or here >= set(self.structure.groups.uses[i]):
            return row
        share = number(self.share(here), self.digits)
        return Row(
            name, row.value, share, "parameter", i, node.stale, share=True, tooltip=row.tooltip, number=row.number
        )

    def share(self, uses: Iterable[tuple[int, int]]) -> float | None:
        """Return the sum of upstream gradient · local derivative over uses; None if no gradient has reached them."""
        total = None
        for user, place in sorted(uses):
            node = self.structure.nodes[user]
            local = node.local_derivatives[place] if place < len(node.local_derivatives) else None
            if node.grad is not None and local is not None and local is not ZERO:
                total = node.grad * local + (0.0 if total is None else total)
        return total

    def outside(self, place: int) -> list[int]:
        """Return the nodes of a part that others read, or that are outputs of the graph."""
        outputs = set(self.structure.groups.snapshot.outputs)
        return [
            i
            for i in self.parts[place].nodes
            if i in outputs or any(self.owner.get(user) != place for user, _ in self.structure.groups.uses[i])
        ]

    def has_output(self, place: int) -> bool:
        """Whether an output of the graph is in a part."""
        outputs = set(self.structure.groups.snapshot.outputs)
        return any(i in outputs for i in self.parts[place].nodes)


@dataclass(frozen=True)
class Written:
    """A box with its ports.

    Args:
        box: what is drawn.
        ports: where arrows enter: by arrow, as (node, place), the row or column.
        exits: where arrows leave: by node, the row of a table.
        joins: whether all arrows out of the box are one thick line, as of a group with many outputs.
        silent: whether no local derivatives are written on the arrows into it, as into a closed group.

    """

    box: Box
    ports: Mapping[tuple[int, int], int] = field(default_factory=dict)
    exits: Mapping[int, int] = field(default_factory=dict)
    joins: bool = False
    silent: bool = False
