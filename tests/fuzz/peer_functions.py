"""The ops of the table as functions of JAX, written independently of the library's own translation."""

import jax
import jax.numpy as jnp
from jax.scipy import special

__all__ = ["JAX", "jax"]


SAME = {
    name: getattr(jnp, name)
    for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh",
                 "tanh", "floor", "ceil", "trunc", "round", "sign", "abs", "sinc", "hypot", "copysign", "fmod", "mod",
                 "logaddexp", "cbrt", "degrees", "radians", "square", "reciprocal", "heaviside")
}  # fmt: skip


def stacked(function):
    """Return the function of separate numbers for a function of an array."""
    return lambda *xs: function(jnp.stack(xs))


def dot(xs, n):
    """Return the dot product of the first n and the next n numbers, plus the one that is left of an odd count."""
    return jnp.dot(jnp.stack(xs[:n]), jnp.stack(xs[n : 2 * n])) + sum(xs[2 * n :])


JAX = {
    **SAME,
    "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "neg": jnp.negative, "pow": jnp.power,
    "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan, "asinh": jnp.arcsinh, "acosh": jnp.arccosh,
    "atanh": jnp.arctanh, "atan2": jnp.arctan2, "floordiv": jnp.floor_divide, "identity": lambda x: x,
    "strong_mul": jnp.multiply, "sgn": lambda x: 2 * jnp.heaviside(x, 1.0) - 1,
    "step": lambda x: jnp.heaviside(x, 1.0),
    "sigmoid": jax.nn.sigmoid, "logit": special.logit, "relu": jax.nn.relu, "softplus": jax.nn.softplus,
    "leaky_relu": lambda x, slope: jnp.where(x > 0, x, slope * x), "hard_tanh": lambda x: jnp.clip(x, -1, 1),
    "elu": lambda x, scale: jnp.where(x > 0, x, scale * jnp.expm1(jnp.where(x > 0, 0.0, x))),
    "selu": jax.nn.selu, "silu": jax.nn.silu, "mish": lambda x: x * jnp.tanh(jax.nn.softplus(x)),
    "gelu": lambda x: jax.nn.gelu(x, approximate=False), "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "softsign": jax.nn.soft_sign, "log_sigmoid": jax.nn.log_sigmoid, "ndtr": special.ndtr, "erf": special.erf,
    "erfc": special.erfc, "gamma": special.gamma, "lgamma": special.gammaln, "digamma": special.digamma,
    "hard_sigmoid": lambda x: jnp.clip(x / 4 + 0.5, 0, 1), "xlogy": special.xlogy, "xlog1py": special.xlog1py,
    "clip": jnp.clip, "detach": jax.lax.stop_gradient, "where": lambda c, x, y: jnp.where(c != 0, x, y),
    "tanh_slope": lambda x: 1 / jnp.cosh(x) ** 2, "sigmoid_slope": lambda x: jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),
    "one_minus_two_sigmoid": lambda x: -jnp.tanh(x / 2), "one_minus_square": lambda x: (1 - x) * (1 + x),
    **{name: lambda x, y, f=f: jnp.where(f(x, y), 1.0, 0.0)
       for name, f in (("less", jnp.less), ("less_equal", jnp.less_equal), ("greater", jnp.greater),
                       ("greater_equal", jnp.greater_equal))},
    "sum": stacked(jnp.sum), "mean": stacked(jnp.mean), "prod": stacked(jnp.prod), "var": stacked(jnp.var),
    "std": stacked(jnp.std), "norm": stacked(jnp.linalg.norm), "maximum": stacked(jnp.max), "minimum": stacked(jnp.min),
    "logsumexp": stacked(special.logsumexp), "neg_log_softmax": stacked(lambda x: -jax.nn.log_softmax(x)[0]),
    "dot": lambda *xs: dot(xs, len(xs) // 2),
}  # fmt: skip
