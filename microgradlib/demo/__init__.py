"""Three small networks, trained, checked and drawn: what `microgradlib demo` shows."""

from microgradlib.demo.problems import PROBLEMS, Problem
from microgradlib.demo.show import Outcome, show

__all__ = ["PROBLEMS", "Outcome", "Problem", "show"]
