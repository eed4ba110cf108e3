"""Transforms of functions: grad, value_and_grad, jvp, vjp, jacobian, hessian, hvp."""

from microgradlib.derivatives.second_order import hessian, hvp
from microgradlib.derivatives.transforms import grad, jacobian, jvp, value_and_grad, vjp

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
