"""Graphs as formulas: text, LaTeX, SymPy, and the chain rule of one parameter step by step."""

from microgradlib.symbolic.explain import explain_gradient
from microgradlib.symbolic.latex import to_latex
from microgradlib.symbolic.local_derivatives import formula_holds, local_derivative_formula, value_formula
from microgradlib.symbolic.simplify import simplify
from microgradlib.symbolic.sympy_export import to_sympy
from microgradlib.symbolic.text import to_text
from microgradlib.symbolic.typeset import show

__all__ = [
    "explain_gradient", "formula_holds", "local_derivative_formula", "show", "simplify", "to_latex", "to_sympy",
    "to_text", "value_formula",
]  # fmt: skip
