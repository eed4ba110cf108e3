"""The stepper: a graph and its grad_table side by side, one edge of the chain rule at a time."""
