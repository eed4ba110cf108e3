"""Plots by matplotlib: what a model computes, what it costs, and how it trains."""

from microgradlib.plots.activation_curves import plot_activations
from microgradlib.plots.decision_boundary import plot_decision_boundary
from microgradlib.plots.derivative_error import plot_derivative_error
from microgradlib.plots.fonts import use_chinese_font
from microgradlib.plots.gradient_flow import plot_gradient_flow
from microgradlib.plots.learning_curves import plot_history
from microgradlib.plots.loss_surface import plot_loss_surface

__all__ = [
    "plot_activations",
    "plot_decision_boundary",
    "plot_derivative_error",
    "plot_gradient_flow",
    "plot_history",
    "plot_loss_surface",
    "use_chinese_font",
]
