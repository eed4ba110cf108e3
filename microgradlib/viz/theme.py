"""The colours and fonts shared by every drawing.

All drawings have their own light background, so they look the same on light and on dark pages. Blue, amber and green
differ in lightness too, and nothing is shown by colour alone: operations also have a badge, the output a thicker frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SANS: Final = "Inter, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
MONO: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

PAPER: Final = "#f8fafc"
FRAME: Final = "#d5dce6"
CARD: Final = "#ffffff"
INK: Final = "#0f172a"
MUTED: Final = "#64748b"
LINE: Final = "#94a3b8"
GRID: Final = "#e2e8f0"


@dataclass(frozen=True)
class Palette:
    """The three colours of one kind of box.

    >>> PALETTES["leaf"].accent
    '#1d4ed8'
    """

    tint: str
    border: str
    accent: str


PALETTES: Final = {
    "leaf": Palette(tint="#dbeafe", border="#93b4f0", accent="#1d4ed8"),
    "op": Palette(tint="#fdecc8", border="#e3b45c", accent="#92400e"),
    "output": Palette(tint="#c9f2dc", border="#16a06a", accent="#05603a"),
}

# Okabe and Ito's palette, darkened where needed for thin lines on white.
SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#b6579a", "#b8860b", "#3d9bd1", "#4b5563", "#7c3aed")
