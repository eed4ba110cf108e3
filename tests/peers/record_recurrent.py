"""Record PyTorch's recurrent layers, with every gradient: python tests/peers/record_recurrent.py."""

import json
from functools import partial
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
KINDS = {
    "RNN tanh": torch.nn.RNN,
    "RNN relu": partial(torch.nn.RNN, nonlinearity="relu"),
    "LSTM": torch.nn.LSTM,
    "GRU": torch.nn.GRU,
}
SIZES = [(3, 2, 4, True), (2, 1, 5, False), (1, 3, 1, True), (2, 4, 7, True)]
"""How many inputs, units and time steps, and whether there is a state before the first."""
STACKS = [(2, True), (1, True), (3, False)]
"""How many layers, and whether they are bidirectional."""


def drawn(*shape):
    """Numbers of three digits, so that the file stays small."""
    return ((2 * torch.rand(*shape) - 1) * 1000).round() / 1000


def record(kind, sizes, stack=(1, False)):
    (nin, nhidden, steps, with_state), (layers, bidirectional) = sizes, stack
    layer = KINDS[kind](nin, nhidden, num_layers=layers, bidirectional=bidirectional)
    for name, p in layer.named_parameters():
        p.data = drawn(*p.shape)
        if name.startswith("bias_hh"):  # a second bias of the same net input, but for the GRU's candidate
            p.data[: 2 * nhidden if kind == "GRU" else None] = 0.0
    xs = drawn(steps, 1, nin).requires_grad_()
    cells = layers * (1 + bidirectional)
    h, c = (drawn(cells, 1, nhidden).requires_grad_() for _ in range(2))
    states = [h, c] if kind == "LSTM" else [h]
    given = (tuple(states) if kind == "LSTM" else h) if with_state else None
    outputs, last = layer(xs, given)
    lasts = last if kind == "LSTM" else [last]
    # A cost that weighs every output, and the last state, differently.
    factors, last_factors = drawn(*outputs.shape), [drawn(cells, 1, nhidden) for _ in lasts]
    cost = (factors * outputs).sum() + sum((k * s).sum() for k, s in zip(last_factors, lasts))
    cost.backward()

    def lists(tensors):
        return [t.flatten().tolist() for t in tensors]

    return {
        "kind": kind, "nin": nin, "nhidden": nhidden, "num_layers": layers, "bidirectional": bidirectional,
        "xs": lists(xs), "state": lists(states) if with_state else None,
        "weights": {name.removesuffix("_l0"): p.tolist() for name, p in layer.named_parameters()},
        "factors": lists(factors), "last_factors": lists(last_factors),
        "outputs": lists(outputs), "last": lists(lasts), "cost": cost.item(),
        "gradients": {name.removesuffix("_l0"): p.grad.tolist() for name, p in layer.named_parameters()},
        "xs_gradients": lists(xs.grad), "state_gradients": lists([s.grad for s in states]) if with_state else None,
    }  # fmt: skip


torch.manual_seed(0)
made = {
    "made_with": f"torch {torch.__version__.split('+')[0]}",
    "cases": [record(kind, sizes) for kind in KINDS for sizes in SIZES],
    "stacks": [
        record(kind, (1, 2, 3, stack != (3, False)), stack) for kind in ("RNN tanh", "LSTM", "GRU") for stack in STACKS
    ],
}
Path(__file__).with_name("recurrent.json").write_text(json.dumps(made) + "\n", encoding="utf-8")
