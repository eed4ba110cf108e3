"""microgradlib: numbers that remember how they were made, and so can be differentiated, drawn and checked."""

from microgradlib import costs as costs
from microgradlib import data as data
from microgradlib import metrics as metrics
from microgradlib import nn as nn
from microgradlib import optim as optim
from microgradlib import regularisers as regularisers
from microgradlib.compiler import compile as compile  # noqa: A004
from microgradlib.core.autodiff import evaluate, grad_table, gradients, kinks, tangent_table
from microgradlib.core.graph import topological_sort
from microgradlib.core.list_functions import (
    dot,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    prod,
    softmax,
)
from microgradlib.core.list_functions import sum as sum  # noqa: A004
from microgradlib.core.modes import detect_anomaly, no_grad
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.derivatives.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from microgradlib.nn import load, save
from microgradlib.numeric import gradcheck, numeric_gradient
from microgradlib.ops import define_op
from microgradlib.ops.activations import (
    elu,
    hard_sigmoid,
    hard_tanh,
    leaky_relu,
    logit,
    relu,
    sigmoid,
    softplus,
)
from microgradlib.ops.arithmetic import pow as pow  # noqa: A004
from microgradlib.ops.exponential import (
    cbrt,
    erf,
    erfc,
    exp,
    expm1,
    gamma,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    polygamma,
    sqrt,
    xlogy,
)
from microgradlib.ops.selection import abs as abs  # noqa: A004
from microgradlib.ops.selection import ceil, clip, floor, sign, step, where
from microgradlib.ops.trigonometric import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    hypot,
    sin,
    sinh,
    tan,
    tanh,
)
from microgradlib.symbolic import explain_gradient, to_latex, to_sympy, to_text
from microgradlib.symbolic.simplify import simplify
from microgradlib.training import fit
from microgradlib.viz import draw

__version__ = "0.1.0"

# abs, compile, pow and sum are public as mg.abs and so on; a star import leaves Python's own alone.
__all__ = [  # noqa: RUF022  grouped: nodes, derivatives, functions
    "Symbol", "Value",
    "define_op", "detect_anomaly", "draw", "evaluate", "fit", "grad", "gradcheck", "grad_table", "gradients", "hessian",
    "hvp", "jacobian", "jvp", "kinks", "load", "no_grad", "numeric_gradient", "save", "tangent_table",
    "topological_sort", "value_and_grad", "vjp",
    "explain_gradient", "simplify", "to_latex", "to_sympy", "to_text",
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clip", "cos", "cosh", "dot", "elu",
    "erf", "erfc", "exp", "expm1", "floor", "gamma", "hard_sigmoid", "hard_tanh", "hypot", "leaky_relu", "lgamma",
    "log", "log10", "log1p", "log2", "log_softmax", "logit", "logsumexp", "maximum", "mean", "minimum", "polygamma",
    "prod", "relu", "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "sqrt", "step", "tan", "tanh", "where",
    "xlogy",
]  # fmt: skip
