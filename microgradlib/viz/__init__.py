"""Pictures: computation graphs and training curves as SVG, with nothing else installed."""

from microgradlib.viz.chart import Chart, line_chart
from microgradlib.viz.drawing import Drawing, draw

__all__ = ["Chart", "Drawing", "draw", "line_chart"]
