"""What a drawing shows beside its boxes: local derivatives, topological numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from microgradlib.ops import Op

LocalDerivatives = Literal["number", "formula"]


@dataclass(frozen=True)
class Options:
    """What is shown.

    Args:
        local_derivatives: what stands on the arrows: the number, the formula with the number, or nothing.
        numbers: whether the boxes show the topological numbers of their nodes.
        ops: the op of each node, with its settings, for the formulas; of a leaf, None.
        named: nodes that show a name, u1, u2, …, if they have none, as what stands below the picture refers to them.

    """

    local_derivatives: LocalDerivatives | None = "number"
    numbers: bool = False
    ops: tuple[Op | None, ...] = ()
    named: frozenset[int] = frozenset()
