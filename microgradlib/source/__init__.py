"""Source: compiled programs as runnable text for PyTorch, JAX or NumPy, to be read beside the scalar code."""

from microgradlib.source.text import to_source

__all__ = ["to_source"]
