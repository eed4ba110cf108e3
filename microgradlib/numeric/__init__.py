"""Numeric differentiation, and gradient checks against it."""

from microgradlib.numeric.complex_step import complex_step_derivative
from microgradlib.numeric.differences import numeric_derivative, numeric_derivatives, numeric_gradient
from microgradlib.numeric.extrapolation import NumericDerivative
from microgradlib.numeric.gradient_check import gradcheck
from microgradlib.numeric.report import GradcheckReport
from microgradlib.numeric.taylor import taylor_slope

__all__ = [
    "GradcheckReport",
    "NumericDerivative",
    "complex_step_derivative",
    "gradcheck",
    "numeric_derivative",
    "numeric_derivatives",
    "numeric_gradient",
    "taylor_slope",
]
