"""Record PyTorch's samples with extremal values, of its OpInfo database: python tests/peers/record_extremal.py.

Each element of a sample tensor is one row: inputs, value and derivatives, nan and infinities as text. Derivatives are
recorded where all numbers are finite and the point is no kink; the test that reads the file names the differences.
"""

import json
import math
from pathlib import Path

import torch
from torch.testing._internal.common_methods_invocations import op_db

from microgradlib.ops import TABLE

NAMES = {
    "acos": "acos", "acosh": "acosh", "asin": "asin", "asinh": "asinh", "atan": "atan", "atanh": "atanh", "cos": "cos",
    "cosh": "cosh", "erf": "erf", "erfc": "erfc", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "lgamma": "lgamma",
    "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "reciprocal": "reciprocal", "sigmoid": "sigmoid",
    "sin": "sin", "sinc": "sinc", "sinh": "sinh", "sqrt": "sqrt", "square": "square", "tan": "tan", "tanh": "tanh",
    "abs": "abs", "nn.functional.softplus": "softplus", "nn.functional.relu": "relu", "atan2": "atan2",
    "hypot": "hypot", "xlogy": "xlogy", "logaddexp": "logaddexp", "add": "add", "sub": "sub", "mul": "mul",
}  # fmt: skip
EXTREMAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e-300, 1e300, -1e300, math.inf, -math.inf, math.nan]
MOST = 12
"""How many elements of the database's own samples are recorded for each op."""


def samples(info):
    """Yield tuples of numbers: the extremal ones, and elements of the database's samples."""
    if info.name in {"atan2", "hypot", "xlogy", "logaddexp", "add", "sub", "mul"}:
        yield from [(x, y) for x in EXTREMAL[::2] for y in EXTREMAL[1::2]]
    else:
        yield from [(x,) for x in EXTREMAL]
    count = 0
    for sample in info.sample_inputs("cpu", torch.float64):
        tensors = [sample.input, *sample.args]
        if sample.kwargs or not all(isinstance(t, torch.Tensor) for t in tensors):
            continue
        for numbers in zip(*[t.flatten().tolist() for t in torch.broadcast_tensors(*tensors)], strict=True):
            count += 1
            if count > MOST:
                return
            yield numbers


def text(number):
    return number if math.isfinite(number) else repr(number)


def main():
    torch.manual_seed(0)
    rows = []
    for info in op_db:
        if info.name not in NAMES or info.variant_test_name:
            continue
        op = TABLE[NAMES[info.name]]
        for numbers in samples(info):
            if len(numbers) != op.arity:
                continue
            inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
            out = info.op(*inputs)
            slopes = torch.autograd.grad(out, inputs, allow_unused=True)
            slopes = [0.0 if g is None else g.item() for g in slopes]
            regular = all(math.isfinite(x) for x in (*numbers, out.item(), *slopes)) and not (
                op.kink and op.kink(*numbers)
            )
            rows.append(
                {
                    "op": op.name,
                    "inputs": [text(x) for x in numbers],
                    "value": text(out.item()),
                    "derivatives": [text(g) for g in slopes] if regular else None,
                }
            )
    head = f'{{"made_with": "torch {torch.__version__.split("+")[0]}",\n"rows": [\n'
    lines = ",\n".join(json.dumps(row) for row in rows)
    Path(__file__).with_name("extremal.json").write_text(f"{head}{lines}\n]}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
