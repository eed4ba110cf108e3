"""Regularisers, terms added to the cost: norms of the weights; the output's derivative along known invariances."""

from microgradlib.regularisers.norms import L1, L2, l1_norm, l2_norm
from microgradlib.regularisers.tangent import TangentPropagation

__all__ = ["L1", "L2", "TangentPropagation", "l1_norm", "l2_norm"]
