"""The stepper: a graph and its grad_table side by side, one edge of the chain rule at a time."""

from microgradlib.viz.stepper.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
