"""The stepper: a graph and its grad_table side by side, one edge of the chain rule at a time."""

from microgradlib.viz.stepper.explain import explain
from microgradlib.viz.stepper.explanation import Explanation

__all__ = ["Explanation", "explain"]
