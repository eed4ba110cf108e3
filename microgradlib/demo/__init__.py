"""What `microgradlib demo` runs: a small network is trained, checked and drawn, on one of three problems."""

from microgradlib.demo.problems import PROBLEMS, Problem
from microgradlib.demo.show import Outcome, show

__all__ = ["PROBLEMS", "Outcome", "Problem", "show"]
