"""The training loop, and what it tells."""

from microgradlib.training.early_stopping import EarlyStopping
from microgradlib.training.fit import fit
from microgradlib.training.history import History

__all__ = ["EarlyStopping", "History", "fit"]
