"""Write conventions.json: derivatives at kinks and edges as PyTorch and JAX compute them, in double precision.

    python .docs/docwriters/measure_conventions.py

Needs torch and jax. The page of the ops reads the file, and computes this library's numbers anew at every build; a slow
test measures again and compares.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

__all__ = ["FILE", "ROWS", "measure", "numbers_of", "ours"]

FILE = Path(__file__).parents[1] / "conventions.json"

Row = tuple[str, str, str, dict[str, float]]
ROWS: list[Row] = [
    # ours, PyTorch's, JAX's, where
    ("relu(x)", "torch.relu(x)", "jax.nn.relu(x)", {"x": 0.0}),
    ("leaky_relu(x, 0.01)", "F.leaky_relu(x, 0.01)", "jax.nn.leaky_relu(x, 0.01)", {"x": 0.0}),
    ("elu(x)", "F.elu(x)", "jax.nn.elu(x)", {"x": 0.0}),
    ("selu(x)", "F.selu(x)", "jax.nn.selu(x)", {"x": 0.0}),
    ("hard_tanh(x)", "F.hardtanh(x)", "jax.nn.hard_tanh(x)", {"x": 1.0}),
    ("hard_tanh(x)", "F.hardtanh(x)", "jax.nn.hard_tanh(x)", {"x": -1.0}),
    ("clip(x, -1, 1)", "torch.clamp(x, -1, 1)", "jnp.clip(x, -1, 1)", {"x": 1.0}),
    ("abs(x)", "torch.abs(x)", "jnp.abs(x)", {"x": 0.0}),
    ("sign(x)", "torch.sign(x)", "jnp.sign(x)", {"x": 0.0}),
    ("floor(x)", "torch.floor(x)", "jnp.floor(x)", {"x": 1.0}),
    ("ceil(x)", "torch.ceil(x)", "jnp.ceil(x)", {"x": 1.0}),
    ("trunc(x)", "torch.trunc(x)", "jnp.trunc(x)", {"x": 1.0}),
    ("round(x)", "torch.round(x)", "jnp.round(x)", {"x": 0.5}),
    ("maximum(x, y)", "torch.maximum(x, y)", "jnp.maximum(x, y)", {"x": 1.0, "y": 1.0}),
    ("minimum(x, y)", "torch.minimum(x, y)", "jnp.minimum(x, y)", {"x": 1.0, "y": 1.0}),
    ("maximum(x, 0)", "torch.clamp(x, min=0)", "jnp.maximum(x, 0)", {"x": 0.0}),
    ("copysign(x, y)", "torch.copysign(x, y)", "jnp.copysign(x, y)", {"x": 0.0, "y": 1.0}),
    ("mod(x, y)", "torch.remainder(x, y)", "jnp.mod(x, y)", {"x": 4.0, "y": 2.0}),
    ("fmod(x, y)", "torch.fmod(x, y)", "jnp.fmod(x, y)", {"x": 4.0, "y": 2.0}),
    ("x**y", "x**y", "x**y", {"x": 0.0, "y": 0.0}),
    ("x**0", "x**0", "x**0", {"x": 0.0}),
    ("x**0.5", "x**0.5", "x**0.5", {"x": 0.0}),
    ("x**3", "x**3", "x**3", {"x": -2.0}),
    ("x**y", "x**y", "x**y", {"x": -2.0, "y": 3.0}),
    ("sqrt(x)", "torch.sqrt(x)", "jnp.sqrt(x)", {"x": 0.0}),
    ("sqrt(x*x)", "torch.sqrt(x*x)", "jnp.sqrt(x*x)", {"x": 0.0}),
    ("hypot(x, y)", "torch.hypot(x, y)", "jnp.hypot(x, y)", {"x": 0.0, "y": 0.0}),
    ("norm([x, y])", "torch.linalg.norm(torch.stack([x, y]))", "jnp.linalg.norm(jnp.stack([x, y]))",
     {"x": 0.0, "y": 0.0}),
    ("std([x, y])", "torch.std(torch.stack([x, y]), correction=0)", "jnp.std(jnp.stack([x, y]))", {"x": 1.0, "y": 1.0}),
    ("atan2(x, y)", "torch.atan2(x, y)", "jnp.arctan2(x, y)", {"x": 0.0, "y": 0.0}),
    ("log(x)", "torch.log(x)", "jnp.log(x)", {"x": 0.0}),
    ("log(x)", "torch.log(x)", "jnp.log(x)", {"x": -1.0}),
    ("x*log(x)", "x*torch.log(x)", "x*jnp.log(x)", {"x": 0.0}),
    ("xlogy(x, y)", "torch.xlogy(x, y)", "jax.scipy.special.xlogy(x, y)", {"x": 0.0, "y": 0.5}),
    ("logaddexp(x, y)", "torch.logaddexp(x, y)", "jnp.logaddexp(x, y)", {"x": -math.inf, "y": -math.inf}),
    ("logsumexp([x, y])", "torch.logsumexp(torch.stack([x, y]), 0)", "jax.nn.logsumexp(jnp.stack([x, y]))",
     {"x": -math.inf, "y": -math.inf}),
    ("where(x > 0, log(x), 0)", "torch.where(x > 0, torch.log(x), 0)", "jnp.where(x > 0, jnp.log(x), 0)", {"x": 0.0}),
    ("where(x > 0, sqrt(x), x)", "torch.where(x > 0, torch.sqrt(x), x)", "jnp.where(x > 0, jnp.sqrt(x), x)",
     {"x": 0.0}),
    ("relu(x) - relu(-x)", "torch.relu(x) - torch.relu(-x)", "jax.nn.relu(x) - jax.nn.relu(-x)", {"x": 0.0}),
    ("relu(x)", "torch.relu(x)", "jax.nn.relu(x)", {"x": math.nan}),
    ("1/x", "1/x", "1/x", {"x": 0.0}),
    ("tanh(x)", "torch.tanh(x)", "jnp.tanh(x)", {"x": 20.0}),
    ("softplus(x)", "F.softplus(x)", "jax.nn.softplus(x)", {"x": 1000.0}),
]  # fmt: skip
"""One row for each kink, edge of a domain or saturated unit: the same function in three libraries, at one point."""


def ours(expression: str, where: dict[str, float]) -> list[float]:
    """Return [value, derivatives …] of an expression over this library's functions."""
    import microgradlib as mg  # noqa: PLC0415

    nodes = {name: mg.Value(number) for name, number in where.items()}
    functions = {name: getattr(mg, name) for name in dir(mg) if name[0] != "_"}
    output = eval(expression, functions, nodes)  # noqa: S307  our own text
    table = mg.grad_table(output)
    return [output.data, *[float(table.get(node, 0.0)) for node in nodes.values()]]


def with_torch(expression: str, where: dict[str, float]) -> list[float]:
    """Return the same by PyTorch."""
    import torch  # noqa: PLC0415

    tensors = {name: torch.tensor(number, dtype=torch.float64, requires_grad=True) for name, number in where.items()}
    names = {"torch": torch, "F": torch.nn.functional}
    output = eval(expression, names, tensors)  # noqa: S307
    slopes = torch.autograd.grad(output, list(tensors.values()), allow_unused=True)
    return [output.item(), *[0.0 if slope is None else slope.item() for slope in slopes]]


def with_jax(expression: str, where: dict[str, float]) -> list[float]:
    """Return the same by JAX."""
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    names: dict[str, Any] = {"jax": jax, "jnp": jax.numpy}

    def function(*numbers: Any) -> Any:
        return eval(expression, names, dict(zip(where, numbers)))  # noqa: S307

    value, slopes = jax.value_and_grad(function, argnums=tuple(range(len(where))))(*where.values())
    return [float(value), *map(float, slopes)]


def numbers_of(numbers: list[float]) -> list[Any]:
    """Return numbers as JSON holds them: inf and nan as text."""
    return [x + 0.0 if math.isfinite(x) else repr(x) for x in numbers]


def measure() -> dict[str, Any]:
    """Return the versions and all rows."""
    import jax  # noqa: PLC0415
    import torch  # noqa: PLC0415

    rows = [
        {
            "ours": mine,
            "torch": {"code": pytorch, "found": numbers_of(with_torch(pytorch, where))},
            "jax": {"code": xla, "found": numbers_of(with_jax(xla, where))},
            "at": dict(zip(where, numbers_of(list(where.values())))),
        }
        for mine, pytorch, xla, where in ROWS
    ]
    return {"versions": {"torch": torch.__version__.split("+")[0], "jax": jax.__version__}, "rows": rows}


if __name__ == "__main__":
    found = measure()
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found["rows"])
    FILE.write_text(f'{{"versions": {json.dumps(found["versions"])},\n"rows": [\n{lines}\n]}}\n', encoding="utf-8")
