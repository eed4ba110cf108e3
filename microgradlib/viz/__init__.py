"""Drawings of computation graphs and line charts, as SVG, without further dependencies."""

from microgradlib.viz.chart import Chart, line_chart
from microgradlib.viz.drawing import Drawing, draw
from microgradlib.viz.names import name

__all__ = ["Chart", "Drawing", "draw", "line_chart", "name"]
