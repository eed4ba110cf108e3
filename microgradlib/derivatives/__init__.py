"""Transforms of functions: grad, value_and_grad, jvp, vjp, jacobian, hessian, hvp, elementwise_grad."""

from microgradlib.derivatives.element_wise import elementwise_grad
from microgradlib.derivatives.second_order import hessian, hvp
from microgradlib.derivatives.transforms import grad, jacobian, jvp, value_and_grad, vjp

__all__ = ["elementwise_grad", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
