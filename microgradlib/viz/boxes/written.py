"""What a writer of boxes returns: a box, and the rows or columns beside which its arrows enter and leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from microgradlib.viz.boxes.diagram import Box


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
