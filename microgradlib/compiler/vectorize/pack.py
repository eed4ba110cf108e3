"""Group: nodes of a trace that one instruction computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import TracedNode

__all__ = ["Group"]


@dataclass
class Group:
    """Nodes that one instruction computes, in the order of its results.

    Of a "product" Z = W X + b, `rows` are those of W, `columns` those of X, and the members go row by row.
    """

    kind: str
    node: TracedNode
    members: list[int]
    terms: int = 1
    rows: list[tuple[int, ...]] = field(default_factory=list)
    columns: list[tuple[int, ...]] = field(default_factory=list)

    def biases(self, nodes: Sequence[TracedNode]) -> list[tuple[int, ...]] | None:
        """Return the bias of each row of a product, () where there is none; None if it differs within a row."""
        width, n = len(self.columns), 2 * self.terms
        parts = [self.members[start : start + width] for start in range(0, len(self.members), width)]
        found = [{nodes[i].arguments[n:] for i in part} for part in parts]
        return [bias for [bias] in found] if all(len(row) == 1 for row in found) else None
