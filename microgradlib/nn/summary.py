"""The table that `Module.summary()` returns: layer, kind, shape, parameters."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Row", "Summary"]


class Row(NamedTuple):
    """One layer: its path in the model, its class, its shape as text, and how many parameters it has."""

    layer: str
    kind: str
    shape: str
    parameters: int


class Summary(NamedTuple):
    """The layers of a model, and how many parameters it has in total, shared ones counted once.

    >>> Summary((Row("u", "Layer", "2 → 3", 9),), 9).total
    9
    """

    rows: tuple[Row, ...]
    total: int

    def __repr__(self) -> str:
        lines = [("layer", "kind", "shape", "parameters")]
        lines += [(row.layer or "model", row.kind, row.shape, f"{row.parameters:,}") for row in self.rows]
        lines.append(("total", "", "", f"{self.total:,}"))
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(line[:3], widths)), line[3].rjust(widths[3])])
            for line in lines
        )
