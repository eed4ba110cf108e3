"""Write layers.json: outputs and gradients of layers as PyTorch finds them, in double precision.

    python tests/peers/record_layers.py

Needs torch. Each case holds the layer's parameters in order, an input x, the output y, numbers g, and the derivatives
of Σ g y with respect to x and the parameters. Embedding's x are indices.
"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

FILE = Path(__file__).with_name("layers.json")
DRAW = random.Random(4)


def drawn(*sizes):
    """Return a leaf tensor of short decimal numbers, no two alike, so that no maximum is a tie."""
    import torch  # noqa: PLC0415

    numbers = [n / 1000 for n in DRAW.sample(range(-2000, 2000), math.prod(sizes))]
    return torch.tensor(numbers, dtype=torch.float64).reshape(sizes).requires_grad_()


def attention(heads):
    """Return multi-head causal self-attention of one example, without biases."""
    from torch.nn.functional import scaled_dot_product_attention  # noqa: PLC0415

    def function(x, q, k, v, o):
        split = [(x @ w.T).reshape(len(x), heads, -1).transpose(0, 1) for w in (q, k, v)]
        read = scaled_dot_product_attention(*split, is_causal=True)
        return read.transpose(0, 1).reshape(len(x), -1) @ o.T

    return function


def row(function, **settings):
    """Return `function` for one example, where PyTorch wants a batch of them."""
    return lambda x, *parameters: function(x[None], *parameters, **settings)[0]


def continued(function, mode, width, **settings):
    """Return a convolution of one example whose border, `width` on each side as F.pad takes it, is filled by `mode`."""
    from torch.nn.functional import pad  # noqa: PLC0415

    return lambda x, *parameters: function(pad(x[None], width, mode=mode), *parameters, **settings)[0]


def dilated_mean(x):
    """Return the means of windows of 2 × 3 entries two rows and one column apart, which PyTorch has no pool for."""
    import torch  # noqa: PLC0415

    kernel = torch.full((1, 1, 2, 3), 1 / 6, dtype=torch.float64)
    return torch.nn.functional.conv2d(x[:, None], kernel, stride=(1, 2), padding=(1, 1), dilation=(2, 1))[:, 0]


def cases():
    """Return (function, size of x, sizes of the parameters) for each case by name."""
    import torch.nn.functional as F  # noqa: N812, PLC0415

    return {
        "Conv2d": (row(F.conv2d), (1, 4, 4), [(2, 1, 2, 3), (2,)]),
        "Conv2d strided": (row(F.conv2d, stride=(2, 1), padding=(2, 1)), (2, 5, 4), [(3, 2, 3, 2), (3,)]),
        "Conv2d without bias": (row(F.conv2d, stride=2), (2, 4, 5), [(1, 2, 2, 2)]),
        "Conv1d": (row(F.conv1d), (2, 5), [(2, 2, 3), (2,)]),
        "Conv1d padded": (row(F.conv1d, stride=2, padding=2), (2, 6), [(2, 2, 3), (2,)]),
        "MaxPool2d": (row(F.max_pool2d, kernel_size=2, stride=1), (2, 3, 4), []),
        "MaxPool2d pairs": (row(F.max_pool2d, kernel_size=(2, 3)), (1, 5, 7), []),
        "AvgPool2d": (row(F.avg_pool2d, kernel_size=(3, 2), stride=(1, 2)), (2, 4, 5), []),
        "MaxPool1d": (row(F.max_pool1d, kernel_size=3, stride=2), (2, 7), []),
        "AvgPool1d": (row(F.avg_pool1d, kernel_size=2), (2, 5), []),
        "LayerNorm": (lambda x, g, b: F.layer_norm(x, (5,), g, b, 1e-5), (5,), [(5,), (5,)]),
        "LayerNorm eps": (lambda x, g, b: F.layer_norm(x, (3,), g, b, 0.5), (3,), [(3,), (3,)]),
        "RMSNorm": (lambda x, g: F.rms_norm(x, (5,), g, 1e-5), (5,), [(5,)]),
        "RMSNorm without gain": (lambda x: F.rms_norm(x, (4,), None, 0.1), (4,), []),
        "CausalSelfAttention": (attention(2), (4, 6), [(6, 6)] * 4),
        "CausalSelfAttention of one head": (attention(1), (3, 2), [(2, 2)] * 4),
        "Softmax": (lambda x: F.softmax(x, 0), (4,), []),
        "LogSoftmax": (lambda x: F.log_softmax(x, 0), (4,), []),
        "Conv2d dilated": (row(F.conv2d, stride=(1, 2), padding=2, dilation=(2, 3)), (2, 5, 6), [(2, 2, 2, 2), (2,)]),
        "Conv2d same": (row(F.conv2d, padding="same", dilation=(1, 3)), (1, 3, 4), [(1, 1, 2, 4), (1,)]),
        "Conv2d reflect": (continued(F.conv2d, "reflect", (2, 2, 1, 1)), (1, 3, 4), [(2, 1, 3, 3), (2,)]),
        "Conv2d circular": (continued(F.conv2d, "circular", (3, 3, 3, 3), stride=2), (1, 3, 4), [(1, 1, 2, 3), (1,)]),
        "Conv1d dilated": (row(F.conv1d, padding=1, dilation=2), (2, 5), [(2, 2, 3), (2,)]),
        "Conv1d dilated beyond its input": (row(F.conv1d, padding=3, dilation=4), (1, 2), [(2, 1, 2), (2,)]),
        "Conv1d same": (row(F.conv1d, padding="same", dilation=3), (1, 5), [(1, 1, 4), (1,)]),
        "Conv1d replicate": (continued(F.conv1d, "replicate", (4, 4), dilation=2), (1, 4), [(1, 1, 3), (1,)]),
        "MaxPool2d padded": (row(F.max_pool2d, kernel_size=(3, 2), stride=(2, 1), padding=1), (2, 4, 3), []),
        "MaxPool2d dilated": (row(F.max_pool2d, kernel_size=2, stride=1, padding=1, dilation=(2, 1)), (1, 4, 4), []),
        "MaxPool1d dilated": (row(F.max_pool1d, kernel_size=3, stride=1, padding=1, dilation=2), (2, 6), []),
        "AvgPool2d padded": (row(F.avg_pool2d, kernel_size=(2, 3), stride=2, padding=(0, 1)), (1, 4, 5), []),
        "AvgPool2d of numbers only": (
            row(F.avg_pool2d, kernel_size=3, stride=2, padding=1, count_include_pad=False),
            (2, 4, 5),
            [],
        ),
        "AvgPool2d dilated": (dilated_mean, (2, 4, 5), []),
        "AvgPool1d padded": (row(F.avg_pool1d, kernel_size=4, stride=1, padding=2), (2, 5), []),
    }


def recorded(function, x, parameters):
    y = function(x, *parameters)
    g = drawn(*y.shape).detach()
    (y * g).sum().backward()
    return {
        "x": x.tolist(),
        "parameters": [n for p in parameters for n in p.flatten().tolist()],
        "g": g.tolist(),
        "y": y.tolist(),
        "dx": x.grad.tolist() if x.grad is not None else None,
        "gradients": [n for p in parameters for n in p.grad.flatten().tolist()],
    }


def record():
    import torch  # noqa: PLC0415

    table = {
        name: recorded(function, drawn(*size), [drawn(*s) for s in parameters])
        for name, (function, size, parameters) in cases().items()
    }
    table["Embedding"] = recorded(torch.nn.functional.embedding, torch.tensor([2, 0, 2]), [drawn(4, 3)])
    return {"made_with": f"torch {torch.__version__.split('+')[0]}", "cases": table}


if __name__ == "__main__":
    table = record()
    lines = ",\n".join(f'  "{name}": {json.dumps(case)}' for name, case in table["cases"].items())
    FILE.write_text(f'{{"made_with": "{table["made_with"]}", "cases": {{\n{lines}\n}}}}\n', encoding="utf-8")
