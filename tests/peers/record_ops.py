"""Write ops.json: values and derivatives of single ops as PyTorch and JAX find them, in double precision.

    python tests/peers/record_ops.py

Needs torch and jax. Tests read the file, so that the outside reference holds where neither is installed.
"""

from __future__ import annotations

import json
from pathlib import Path

from microgradlib.ops import TABLE

TABLE_FILE = Path(__file__).with_name("ops.json")

POINTS = {
    1: [(0.37,), (0.62,)],
    2: [(0.7, 1.9), (1.6, 0.45)],
    3: [(1.0, 0.7, 1.9)],
}
BEYOND = {"acosh": [(1.4,), (3.1,)], "relu": [(-0.8,), (0.8,)], "abs": [(-0.8,), (0.8,)], "softplus": [(-2.2,), (2.2,)],
          "sigmoid": [(-2.2,), (1.1,)], "tanh": [(-2.2,), (1.1,)], "where": [(1.0, 0.7, 1.9)]}  # fmt: skip


def torch_functions() -> dict:
    import torch  # noqa: PLC0415

    names = [
        "sub", "add", "mul", "div", "neg", "abs", "exp", "expm1", "log",
        "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan",
        "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "erf", "erfc",
        "lgamma", "sigmoid", "logit", "relu", "pow", "xlogy",
    ]  # fmt: skip

    def stacked(function):
        return lambda *xs: function(torch.stack(xs), 0)

    def dot(*xs):
        n = len(xs) // 2
        return sum((w * x for w, x in zip(xs[:n], xs[n:])), *xs[2 * n :])

    return {
        **{name: getattr(torch, name) for name in names},
        "softplus": torch.nn.functional.softplus,
        "identity": lambda x: x,
        "gamma": lambda x: torch.exp(torch.lgamma(x)),
        "sum": stacked(torch.sum),
        "maximum": stacked(torch.amax),
        "minimum": stacked(torch.amin),
        "mean": stacked(torch.mean),
        "prod": stacked(torch.prod),
        "logsumexp": stacked(torch.logsumexp),
        "dot": dot,
    }


def jax_functions() -> dict:
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    np, special = jax.numpy, jax.scipy.special
    arrays = {"sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative"}
    arrays |= {name: f"arc{name[1:]}" for name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")}
    names = [
        "add", "sub", "mul", "div", "neg", "abs", "exp", "expm1", "log",
        "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos",
        "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "where",
    ]  # fmt: skip

    def stacked(function):
        return lambda *xs: function(np.stack(xs))

    def dot(*xs):
        n = len(xs) // 2
        return sum((w * x for w, x in zip(xs[:n], xs[n:])), *xs[2 * n :])

    return {
        **{name: getattr(np, arrays.get(name, name)) for name in names},
        "pow": np.power,
        "erf": special.erf,
        "erfc": special.erfc,
        "lgamma": special.gammaln,
        "gamma": special.gamma,
        "xlogy": special.xlogy,
        "sigmoid": jax.nn.sigmoid,
        "logit": special.logit,
        "relu": jax.nn.relu,
        "softplus": jax.nn.softplus,
        "identity": lambda x: x,
        "sum": stacked(np.sum),
        "maximum": stacked(np.max),
        "minimum": stacked(np.min),
        "mean": stacked(np.mean),
        "prod": stacked(np.prod),
        "logsumexp": stacked(special.logsumexp),
        "dot": dot,
    }


def torch_gradient(f, xs) -> tuple[float, list[float]]:
    """Return f(*xs) and its gradient by PyTorch."""
    import torch  # noqa: PLC0415

    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in xs]
    output = f(*leaves)
    gradient = torch.autograd.grad(output, leaves, allow_unused=True)
    return float(output.detach()), [0.0 if d is None else float(d) for d in gradient]


def jax_gradient(f, xs) -> tuple[float, list[float]]:
    """Return f(*xs) and its gradient by JAX."""
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    output, gradient = jax.value_and_grad(f, argnums=tuple(range(len(xs))))(*map(float, xs))
    return float(output), [float(d) for d in gradient]


def record() -> dict:
    """Return the whole table."""
    import jax  # noqa: PLC0415
    import torch  # noqa: PLC0415

    peers = {"torch": (torch_functions(), torch_gradient), "jax": (jax_functions(), jax_gradient)}
    rows = []
    for op in TABLE.values():
        for point in BEYOND.get(op.name, POINTS.get(op.arity or 3, [])):
            row = {"op": op.name, "inputs": point}
            for peer, (functions, gradient) in peers.items():
                if op.name in functions:
                    output, derivatives = gradient(functions[op.name], point)
                    row[peer] = {"value": output, "derivatives": derivatives}
            if len(row) > 2:
                rows.append(row)
    return {"versions": {"torch": torch.__version__, "jax": jax.__version__}, "rows": rows}


if __name__ == "__main__":
    table = record()
    lines = ",\n".join(json.dumps(row) for row in table["rows"])
    TABLE_FILE.write_text(
        f'{{"versions": {json.dumps(table["versions"])},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8"
    )
