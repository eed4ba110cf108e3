"""Optimisers with PyTorch's names, for Values or NumPy arrays; schedules, gradient clipping, SciPy's minimisers."""

import typing as _typing

from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.optim.adaptive import Adagrad, Adam, AdamW, RMSprop
from microgradlib.optim.clipping import clip_by_norm, clip_by_value, clip_grad_norm, clip_grad_value
from microgradlib.optim.minimize import minimize
from microgradlib.optim.optimiser import Optimiser
from microgradlib.optim.schedules import constant, cosine, linear, step_decay, warm_up
from microgradlib.optim.sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Optimiser", "RMSprop", "clip_by_norm", "clip_by_value", "clip_grad_norm",
    "clip_grad_value", "constant", "cosine", "linear", "minimize", "step_decay", "warm_up",
]  # fmt: skip

if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = _missing_names(__name__, __all__)
