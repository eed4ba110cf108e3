"""The functions of each framework by the names of our ops, and helpers for those that it lacks."""

from __future__ import annotations

from typing import Final

__all__ = ["CALLS", "HEADS", "HELPERS", "MODULES", "NOTES", "NUMBERS_ONLY", "REDUCTIONS", "TENSORS_ONLY"]

MODULES: Final = {"numpy": "np", "jax": "jnp", "torch": "torch"}
HEADS: Final = {
    "numpy": "import numpy as np",
    "jax": "import jax\nimport jax.numpy as jnp",
    "torch": "import torch\nfrom torch.nn import functional as F",
}

_SAME: Final = (
    "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "floor", "ceil", "trunc", "round", "sign", "abs", "sinc",
)  # fmt: skip
_SHARED: Final = {
    **{name: f"{{m}}.{name}({{0}})" for name in _SAME},
    **{f"a{name}": f"{{m}}.arc{name}({{0}})" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "atan2": "{m}.arctan2({0}, {1})", "hypot": "{m}.hypot({0}, {1})", "copysign": "{m}.copysign({0}, {1})",
    "fmod": "{m}.fmod({0}, {1})", "mod": "{0} % {1}", "floordiv": "{0} // {1}", "logaddexp": "{m}.logaddexp({0}, {1})",
}  # fmt: skip

_JAX_SPECIAL: Final = ("xlogy", "xlog1py", "logit", "erf", "erfc", "gamma", "digamma", "ndtr")
_JAX_NN: Final = ("relu", "sigmoid", "elu", "leaky_relu", "softplus", "silu", "mish", "log_sigmoid", "selu")
CALLS: Final[dict[str, dict[str, str | None]]] = {
    "numpy": {
        **_SHARED,
        "cbrt": "np.cbrt({0})", "degrees": "np.degrees({0})", "radians": "np.radians({0})", "detach": "{0}",
        "heaviside": "np.heaviside({0}, {1})", "clip": "np.clip({0}, {1}, {2})", "step": "np.heaviside({0}, 1)",
        "relu": "np.maximum({0}, 0)", "softplus": "np.logaddexp({0}, 0)", "hard_tanh": "np.clip({0}, -1, 1)",
        "hard_sigmoid": "np.clip(({0}) / 4 + 0.5, 0, 1)", "sigmoid": "sigmoid({0})", "erf": "erf({0})",
        "erfc": "erfc({0})", "gamma": "gamma({0})", "lgamma": "lgamma({0})", "polygamma": "polygamma({0}, {1})",
        "digamma": "polygamma({0}, 0)", "xlogy": "xlogy({0}, {1})",
    },
    "jax": {
        **_SHARED,
        **{name: f"jax.nn.{name}({{0}})" for name in _JAX_NN},
        **{name: f"jax.scipy.special.{name}({{0}})" for name in _JAX_SPECIAL},
        "xlogy": "jax.scipy.special.xlogy({0}, {1})", "xlog1py": "jax.scipy.special.xlog1py({0}, {1})",
        "elu": "jax.nn.elu({0}, {1})", "leaky_relu": "jax.nn.leaky_relu({0}, {1})",
        "lgamma": "jax.scipy.special.gammaln({0})", "softsign": "jax.nn.soft_sign({0})", "cbrt": "jnp.cbrt({0})",
        "polygamma": "jax.scipy.special.polygamma({1}, {0})", "gelu": "jax.nn.gelu({0}, approximate=False)",
        "gelu_tanh": "jax.nn.gelu({0}, approximate=True)", "degrees": "jnp.degrees({0})",
        "radians": "jnp.radians({0})", "heaviside": "jnp.heaviside({0}, {1})", "step": "jnp.heaviside({0}, 1)",
        "clip": "jnp.clip({0}, {1}, {2})", "detach": "jax.lax.stop_gradient({0})",
        "hard_tanh": "jnp.clip({0}, -1, 1)", "hard_sigmoid": "jnp.clip(({0}) / 4 + 0.5, 0, 1)",
    },
    "torch": {
        **_SHARED,
        "relu": "torch.relu({0})", "sigmoid": "torch.sigmoid({0})", "logit": "torch.logit({0})",
        "erf": "torch.erf({0})", "erfc": "torch.erfc({0})", "lgamma": "torch.lgamma({0})",
        "digamma": "torch.digamma({0})", "polygamma": "polygamma({0}, {1})", "ndtr": "torch.special.ndtr({0})",
        "xlogy": "torch.xlogy({0}, {1})", "xlog1py": "torch.special.xlog1py({0}, {1})",
        "softplus": "softplus({0})", "elu": "F.elu({0}, {1})", "leaky_relu": "F.leaky_relu({0}, {1})",
        "silu": "F.silu({0})", "mish": "F.mish({0})", "log_sigmoid": "F.logsigmoid({0})", "selu": "F.selu({0})",
        "softsign": "F.softsign({0})", "gelu": "F.gelu({0})", "gelu_tanh": 'F.gelu({0}, approximate="tanh")',
        "degrees": "torch.rad2deg({0})", "radians": "torch.deg2rad({0})",
        "clip": "torch.clamp({0}, {1}, {2})", "detach": "{0}.detach()", "hard_tanh": "F.hardtanh({0})",
        "hard_sigmoid": "torch.clamp(({0}) / 4 + 0.5, 0, 1)", "cbrt": "cbrt({0})", "gamma": "gamma({0})",
        "step": None, "floordiv": None, "heaviside": None,
    },
}  # fmt: skip
"""How an op is written: {0}, {1} are its inputs, the settings last, {m} is the module. A name alone is a helper's.

None: by the op's own value rule, as PyTorch has no derivative of its function.
"""

TENSORS_ONLY: Final = frozenset({"atan2", "hypot", "copysign", "logaddexp", "fmod"})
"""Ops of which PyTorch takes no plain numbers."""

NUMBERS_ONLY: Final = frozenset({"elu", "leaky_relu"})
"""Ops whose settings PyTorch takes as plain numbers alone."""

_METHODS: Final = {
    "sum": "{x}.sum({axis})", "mean": "{x}.mean({axis})", "prod": "{x}.prod({axis})",
}  # fmt: skip
_OF_ARRAYS: Final = {
    **_METHODS, "maximum": "{x}.max({axis})", "minimum": "{x}.min({axis})", "var": "{x}.var({axis})",
    "std": "{x}.std({axis})",
}  # fmt: skip
REDUCTIONS: Final[dict[str, dict[str, str]]] = {
    "numpy": {
        **_OF_ARRAYS, "norm": "np.linalg.norm({x}, axis={axis})", "logsumexp": "np.logaddexp.reduce({x}, {axis})",
        "softmax": "softmax({x})", "log_softmax": "log_softmax({x})",
    },
    "jax": {
        **_OF_ARRAYS, "norm": "jnp.linalg.norm({x}, axis={axis})", "logsumexp": "jax.nn.logsumexp({x}, {axis})",
        "softmax": "jax.nn.softmax({x}, {axis})", "log_softmax": "jax.nn.log_softmax({x}, {axis})",
    },
    "torch": {
        **_METHODS, "maximum": "{x}.amax({axis})", "minimum": "{x}.amin({axis})",
        "var": "{x}.var({axis}, correction=0)", "std": "{x}.std({axis}, correction=0)",
        "norm": "torch.linalg.vector_norm({x}, dim={axis})", "logsumexp": "torch.logsumexp({x}, {axis})",
        "softmax": "torch.softmax({x}, {axis})", "log_softmax": "torch.log_softmax({x}, {axis})",
    },
}  # fmt: skip
"""How a reduction of the terms x along axes is written; an op that is missing is written by its value rule."""


def _by_number(name: str) -> str:
    return f"{name} = np.vectorize(math.{name}, otypes=[float])"


_POLYGAMMA: Final = '''def polygamma(x, n):
    """Return the n-th derivative of digamma, by its recurrence to x >= 20 and the asymptotic series from there."""
    n, result = int(n), {m}.zeros_like(x)
    sign = (-1) ** (n + 1) * math.factorial(n)
    while (small := x < 20).any():
        result, x = {m}.where(small, result + sign / x ** (n + 1), result), {m}.where(small, x + 1, x)
    bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6]
    series = {m}.log(x) if n == 0 else -(-1) ** n * math.factorial(n - 1) / x**n
    series = series - (-1) ** n * math.factorial(n) / (2 * x ** (n + 1))
    for k, b in enumerate(bernoulli, 1):
        series = series - (-1) ** n * b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / x ** (2 * k + n)
    return result + series'''
HELPERS: Final[dict[str, dict[str, str]]] = {
    "numpy": {
        "unfold": '''def unfold(x, axis, size, step):
    """Return the windows of so many entries along an axis, step apart, with their entries in a new last axis."""
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis)
    return windows[(slice(None),) * axis + (slice(None, None, step),)]''',
        "sigmoid": '''def sigmoid(x):
    """Return 1 / (1 + exp(-x)) without overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))''',
        "log_softmax": '''def log_softmax(x):
    """Return the logarithms of softmax(x), of the last axis."""
    return x - np.logaddexp.reduce(x, -1, keepdims=True)''',
        "softmax": '''def softmax(x):
    """Return exp(x) / sum(exp(x)), of the last axis, without overflow."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)''',
        "xlogy": '''def xlogy(x, y):
    """Return x log(y), 0 for x = 0."""
    return x * np.log(np.where(x == 0, 1, y))''',
        **{name: _by_number(name) for name in ("erf", "erfc", "gamma", "lgamma")},
        "polygamma": _POLYGAMMA.replace("{m}", "np"),
    },
    "jax": {
        "unfold": '''def unfold(x, axis, size, step):
    """Return the windows of so many entries along an axis, step apart, with their entries in a new last axis."""
    places = jnp.arange(0, x.shape[axis] - size + 1, step)[:, None] + jnp.arange(size)
    return jnp.moveaxis(jnp.take(x, places, axis), axis + 1, -1)''',
    },
    "torch": {
        "polygamma": _POLYGAMMA.replace("{m}", "torch"),
        "softplus": '''def softplus(x):
    """Return log(1 + exp(x)); that of PyTorch returns x itself for x > 20."""
    return torch.logaddexp(x, torch.zeros_like(x))''',
        "cbrt": '''def cbrt(x):
    """Return the real cube root."""
    return torch.sign(x) * torch.abs(x) ** (1 / 3)''',
        "gamma": '''def gamma(x):
    """Return the gamma function, whose sign changes at -1, -2, ..."""
    sign = torch.where((x < 0) & (torch.floor(x) % 2 != 0), -1.0, 1.0)
    return sign * torch.exp(torch.lgamma(x))''',
    },
}  # fmt: skip
"""Functions that a text defines if it needs them."""

_AT_THE_ORIGIN: Final = "nan at (0, 0), in microgradlib 0"
_UNDEFINED: Final = "finite or infinite where the value is nan, in microgradlib nan too"
_IF_UNDEFINED: Final = dict.fromkeys(
    ["acosh", "atanh", "digamma", "fmod", "log", "log10", "log1p", "log2", "mod", "xlog1py", "xlogy"], _UNDEFINED
)
NOTES: Final[dict[str, dict[str, str]]] = {
    "numpy": {},
    "jax": {
        **_IF_UNDEFINED, "logit": _UNDEFINED,
        "abs": "1 at 0, in microgradlib 0", "copysign": "1 or -1 at x = 0, in microgradlib 0",
        "leaky_relu": "1 at 0, in microgradlib that for x < 0", "clip": "1/2 at both edges, in microgradlib 1",
        "hard_tanh": "1/2 at -1 and 1, in microgradlib 0", "hard_sigmoid": "1/8 at -2 and 2, in microgradlib 0",
        "hypot": "1/2 at (0, 0), in microgradlib 0", "atan2": _AT_THE_ORIGIN, "unit": _AT_THE_ORIGIN,
        "norm": "nan where all are 0, in microgradlib 0", "std": "nan where all are equal, in microgradlib 0",
        "pow": "by the exponent nan at base 0, in microgradlib its limit",
    },
    "torch": {
        **_IF_UNDEFINED,
        "hard_sigmoid": "1/4 at -2 and 2, in microgradlib 0", "hypot": _AT_THE_ORIGIN, "unit": _AT_THE_ORIGIN,
        "cbrt": "nan at 0, in microgradlib inf", "maximum": "1 where x is equal to a number, in microgradlib 1/2",
        "minimum": "1 where x is equal to a number, in microgradlib 1/2",
    },
}  # fmt: skip
"""Where derivatives of a framework differ from ours, at kinks and outside of domains, by the name of the op."""
