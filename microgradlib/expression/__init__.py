"""Expressions that a person types, such as `tanh(w*x + b)`, made into graphs."""

from microgradlib.expression.building import build
from microgradlib.expression.scanning import variables_in

__all__ = ["build", "variables_in"]
