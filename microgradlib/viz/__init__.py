"""Drawings of computation graphs, the stepper, tables in cells and line charts, without further dependencies.

A drawing goes through five rooms: `snapshots` (a live graph as plain data), `boxes` (what stands in each box), `layout`
(where the boxes stand), `painting` (SVG), `drawings` (how much is shown; what `draw` returns). Beside them are `routes`
(paths from a parameter to the loss), `networks` (pictures of models), `dot` (Graphviz), `stepper`, `cells` (results
that show themselves) and `charts`. All share what lies in this folder: `theme` (colours by meaning), `numbers` and
`math_text` (how numbers and labels are written), `typography`, `markup`, `html` and `picture`.
"""

import typing as _typing

from microgradlib._support.interrupts import import_whole as _import_whole
from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.viz.charts.chart import Chart, line_chart

if _typing.TYPE_CHECKING:
    from microgradlib.viz.drawings.draw import draw
    from microgradlib.viz.drawings.drawing import Drawing
    from microgradlib.viz.snapshots.bindings import name

__all__ = ["Chart", "Drawing", "draw", "line_chart", "name"]

# Loaded when first used: training needs charts, and nothing of drawings.
_LAZY = {"Drawing": "drawings.drawing", "draw": "drawings.draw", "name": "snapshots.bindings"}


if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist

    def __getattr__(name: str) -> object:
        if name not in _LAZY:
            return _missing_names(__name__, __all__)(name)
        attribute = globals()[name] = getattr(_import_whole(f"microgradlib.viz.{_LAZY[name]}"), name)
        return attribute
