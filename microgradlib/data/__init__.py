"""Small data sets that a network of scalars can learn: iris, xor and moons."""

from microgradlib.data.dataset import Dataset, split, standardise
from microgradlib.data.generators import moons, xor
from microgradlib.data.iris import iris

__all__ = ["Dataset", "iris", "moons", "split", "standardise", "xor"]
