"""Graphs as mathematics: text, LaTeX, SymPy, and the chain rule of one parameter step by step."""

from microgradlib.notation.explain import explain_gradient
from microgradlib.notation.latex import to_latex
from microgradlib.notation.show import show
from microgradlib.notation.sympy_export import to_sympy
from microgradlib.notation.text import to_text

__all__ = ["explain_gradient", "show", "to_latex", "to_sympy", "to_text"]
