"""Parse typed expressions, such as `tanh(w*x + b)`, into graphs."""

from microgradlib.symbolic.parser.builder import build
from microgradlib.symbolic.parser.lexer import variables_in

__all__ = ["build", "variables_in"]
