"""Regularisers, terms added to the cost: norms of the weights; the output's derivative along known invariances."""

import typing as _typing

from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.regularisers.norms import L1, L2, l1_norm, l2_norm
from microgradlib.regularisers.tangent import TangentPropagation

__all__ = ["L1", "L2", "TangentPropagation", "l1_norm", "l2_norm"]

if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = _missing_names(__name__, __all__)
