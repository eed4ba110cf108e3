"""The table that `Module.summary()` returns: layer, kind, shape, parameters."""

from __future__ import annotations

from typing import NamedTuple

from microgradlib._support import display
from microgradlib._support.printable import one_line, shorten

__all__ = ["Row", "Summary"]

LONGEST_PATH = 60
"""Of longer paths the text shows both ends."""


class Row(NamedTuple):
    """One layer: its path in the model, its class, its shape as text, and how many parameters it has."""

    layer: str
    kind: str
    shape: str
    parameters: int


class _Fields(NamedTuple):
    rows: tuple[Row, ...]
    total: int


class Summary(_Fields, display.ShowsItself):
    """The layers of a model, and how many parameters it has in total, shared ones counted once.

    Its text has the first and the last layers of a deep model; `show()` shows all.

    >>> Summary((Row("u", "Layer", "2 → 3", 9),), 9).total
    9
    """

    __slots__ = ()

    def __repr__(self) -> str:
        lines = [("layer", "kind", "shape", "parameters")]
        paths = [shorten(one_line(row.layer or "model"), LONGEST_PATH) for row in self.rows]
        shown = [(path, row.kind, row.shape, f"{row.parameters:,}") for path, row in zip(paths, self.rows)]
        if len(shown) > display.SCREEN:
            half = display.SCREEN // 2
            more = (f"… {len(shown) - 2 * half:,} more layers: show() shows all", "", "", "")
            shown = [*shown[:half], more, *shown[-half:]]
        lines += [*shown, ("total", "", "", f"{self.total:,}")]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(line[:3], widths)), line[3].rjust(widths[3])])
            for line in lines
        )
