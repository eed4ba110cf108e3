"""The whole gradients of shared parameters, of which each card and table shows the share of its own use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.diagram import Box, Row, Strip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.sheet import Sheet, Written

_MOST_ROWS: Final = 16
"""So many parameters are listed; of more, there are squares only."""
_MOST_SQUARES: Final = 256


def write_totals(sheet: Sheet, written: Sequence[Written]) -> Box | None:
    """Return a box with the total gradient of each parameter of which shares are shown; None if there is none.

    A parameter's total is the sum of its shares, of those too that are not drawn.
    """
    shared: dict[int, None] = {}
    for one in written:
        cells = [cell for _, row in one.box.table.rows for cell in row] if one.box.table is not None else []
        shared.update(dict.fromkeys(row.node for row in (*one.box.rows, *cells) if row.share and row.node is not None))
    if not shared:
        return None
    nodes = [sheet.structure.nodes[i] for i in shared]
    if len(nodes) <= _MOST_ROWS:
        prefix = _common_prefix([node.name for node in nodes])
        rows = tuple(
            sheet.row(node.index, node.name[len(prefix) :], "parameter", node.name if prefix else "") for node in nodes
        )
        of = (Row(prefix[:-1], kind="note"),) if prefix else ()
        return Box("totals", "card", title="total gradients", rows=(*of, *rows), nodes=tuple(shared))
    strips = (Strip("value", tuple(n.data for n in nodes)), Strip("gradient", tuple(n.grad for n in nodes)))
    return Box(
        "totals",
        "card",
        title="total gradients",
        rows=(Row(f"{len(nodes):,} parameters", kind="note"),),
        strips=strips if len(nodes) <= _MOST_SQUARES else (),
        nodes=tuple(shared),
    )


def _common_prefix(names: Sequence[str]) -> str:
    """Return the modules that all paths begin with, with the last point; an empty string if there is none.

    >>> _common_prefix(["layers.0.w.0", "layers.0.w.1", "layers.0.b"]), _common_prefix(["layers.0.b", "layers.1.b"])
    ('layers.0.', '')
    """
    parts = [name.split(".") for name in names]
    shared = 0
    while all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    while any(part[shared].isdigit() for part in parts):
        shared -= 1
    return "".join(f"{part}." for part in parts[0][:shared])
