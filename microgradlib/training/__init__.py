"""The training loop `fit`, with early stopping and a history; `score` evaluates without training."""

from microgradlib.training.early_stopping import EarlyStopping
from microgradlib.training.fit import fit
from microgradlib.training.history import History
from microgradlib.training.order import random_order
from microgradlib.training.score import Score, score

__all__ = ["EarlyStopping", "History", "Score", "fit", "random_order", "score"]
