"""Expressions that a person types, such as `tanh(w*x + b)`, made into graphs."""

from microgradlib.symbolic.parser.building import build
from microgradlib.symbolic.parser.scanning import variables_in

__all__ = ["build", "variables_in"]
