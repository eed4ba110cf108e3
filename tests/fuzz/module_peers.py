"""Random modules of `nn` beside PyTorch with the same weights: value and gradients, eager and compiled, two precisions.

A kind draws its sizes and returns the model, the shape of an input, and PyTorch's function of a batch of inputs and
`Weights`, which hands out the model's parameters in their order. Compared is the mean over the batch of Σ g y with
drawn numbers g, and its gradient by the parameters and, for the eager engine, by the inputs.

The allowed difference is twenty times the error of PyTorch's own float32 run against its float64 run, or one rounding
of the largest number, each in units of the precision.
"""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

import microgradlib as mg
from microgradlib import Value, grad_table, nn
from microgradlib._support.pytree import flatten, unflatten

__all__ = ["KINDS", "ModuleComparison"]

ACTIVATIONS = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": functional.softplus, "silu": functional.silu,
               "gelu": functional.gelu, "linear": lambda x: x, "relu": torch.relu}  # fmt: skip
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
SAFETY = 20.0


class Weights:
    """Hands out the entries of a flat tensor, in order, as tensors of the shapes that are asked for."""

    def __init__(self, flat):
        self.flat, self.position = flat, 0

    def __call__(self, *shape):
        start, self.position = self.position, self.position + math.prod(shape)
        return self.flat[start : self.position].reshape(shape)


def mlp(rng):
    sizes = [rng.randint(1, 5) for _ in range(rng.randint(2, 4))]
    name = rng.choice(list(ACTIVATIONS))

    def theirs(x, weights):
        for k, (nin, nout) in enumerate(pairwise(sizes)):
            rows = weights(nout, nin + 1)  # neuron by neuron, its bias last
            x = functional.linear(x, rows[:, :nin], rows[:, nin])
            x = ACTIVATIONS[name](x) if k < len(sizes) - 2 else x
        return x

    return nn.MLP(sizes, activation=name, output="linear", rng=0), sizes[:1], theirs


def recurrent(rng, kind):
    nin, n, steps = rng.randint(1, 3), rng.randint(1, 4), rng.randint(1, 5)

    def theirs(x, weights):
        gates = [(weights(n, nin), weights(n, n), weights(n)) for _ in range(GATES[kind])]
        w_x, w_h, b = map(torch.cat, zip(*gates))
        b_h = torch.cat([torch.zeros(2 * n), weights(n)]) if kind == "GRU" else torch.zeros(len(b))
        given = {"weight_ih_l0": w_x, "weight_hh_l0": w_h, "bias_ih_l0": b, "bias_hh_l0": b_h.to(b.dtype)}
        layer = getattr(torch.nn, kind)(nin, n, batch_first=True, dtype=b.dtype)
        return torch.func.functional_call(layer, given, (x,))[0]

    model = getattr(nn, kind)(nin, n, rng=0)
    return nn.Sequential(model, lambda outputs: outputs[0]), (steps, nin), theirs


def normalised(rng):
    width, eps = rng.randint(2, 6), rng.choice((1e-5, 0.5))
    if rng.random() < 0.5:
        return nn.RMSNorm(width, eps), [width], lambda x, w: functional.rms_norm(x, (width,), w(width), eps)
    model = nn.LayerNorm(width, eps)
    return model, [width], lambda x, w: functional.layer_norm(x, (width,), w(width), w(width), eps)


def attention(rng):
    heads, steps = rng.randint(1, 3), rng.randint(1, 4)
    width = heads * rng.randint(1, 3)

    def theirs(x, weights):
        split = [functional.linear(x, weights(width, width)).unflatten(-1, (heads, -1)) for _ in range(3)]
        read = functional.scaled_dot_product_attention(*[s.transpose(1, 2) for s in split], is_causal=True)
        return functional.linear(read.transpose(1, 2).flatten(2), weights(width, width))

    return nn.CausalSelfAttention(width, heads, rng=0), (steps, width), theirs


def convolution(rng, axes):
    nin, nout = rng.randint(1, 2), rng.randint(1, 3)
    size, stride, dilation = ([rng.randint(1, most) for _ in range(axes)] for most in (3, 2, 2))
    spans = [(k - 1) * d for k, d in zip(size, dilation)]  # from a window's first entry to its last
    padding = [rng.randint(0, span) for span in spans]
    shape = [nin, *[span + rng.randint(1, 3) for span in spans]]
    convolve, ours = ((functional.conv1d, nn.Conv1d), (functional.conv2d, nn.Conv2d))[axes - 1]
    options = [tuple(pair) if axes == 2 else pair[0] for pair in (size, stride, padding, dilation)]
    model = ours(nin, nout, options[0], stride=options[1], padding=options[2], dilation=options[3], rng=0)
    return model, shape, lambda x, w: convolve(x, w(nout, nin, *size), w(nout), stride, padding, dilation)


KINDS = {
    "MLP": mlp, "normalisation": normalised, "attention": attention, "Conv1d": partial(convolution, axes=1),
    "Conv2d": partial(convolution, axes=2), **{kind: partial(recurrent, kind=kind) for kind in GATES},
}  # fmt: skip


class ModuleComparison:
    """A module's numbers beside PyTorch's: `differences` names what differs, `program` the model."""

    def __init__(self, rng, kind=None):
        self.differences, self.at_kink = [], False
        self.program, shape, self.theirs = KINDS[kind or rng.choice(list(KINDS))](rng)
        self.parameters = self.program.parameters()
        for p in self.parameters:
            p.data = rng.gauss(0, 0.5)
        self.inputs = np.array([rng.uniform(-2, 2) for _ in range(3 * math.prod(shape))]).reshape(3, *shape)
        count = len(flatten(self.program(self.inputs[0].tolist())))
        self.factors = [rng.uniform(-1, 1) for _ in range(count)]
        self.exact, single = self._of_torch(torch.float64), self._of_torch(torch.float32)
        self.roundings = [np.abs(b - a).max() / 2.0**-23 + np.abs(a).max() for a, b in zip(self.exact, single)]
        self._compare("eager", np.float64, self._eager())

    def loss(self, x):
        return mg.dot(self.factors, flatten(self.program(x)))

    def _of_torch(self, dtype):
        """Return PyTorch's value, and its gradients by the parameters and by the inputs, as float64 arrays."""
        x = torch.tensor(self.inputs, dtype=dtype, requires_grad=True)
        flat = torch.tensor([p.data for p in self.parameters], dtype=dtype, requires_grad=True)
        y = self.theirs(x, Weights(flat)).reshape(len(x), -1)
        loss = (y @ torch.tensor(self.factors, dtype=dtype)).mean()
        return [part.detach().double().numpy() for part in (loss, *torch.autograd.grad(loss, (flat, x)))]

    def _eager(self):
        leaves = [unflatten(row, [Value(x) for x in flatten(row)]) for row in self.inputs.tolist()]
        loss = mg.mean([self.loss(row) for row in leaves])
        table = grad_table(loss)
        by_input = np.reshape([table.get(x, 0.0) for x in flatten(leaves)], self.inputs.shape)
        return [loss.data, [table.get(p, 0.0) for p in self.parameters], by_input]

    def compiled(self, backend):
        """Compare a compiled engine's value and gradient, in double and single precision."""
        for dtype in (np.float64, np.float32):
            fast = mg.compile(self.loss, self.parameters, backend=backend, dtype=dtype)
            self._compare(backend, dtype, fast.value_and_grad(self.inputs.astype(dtype)))

    def _compare(self, engine, dtype, found):
        for name, ours, exact, rounding in zip(("value", "∂/∂w", "∂/∂x"), found, self.exact, self.roundings):
            allowed = SAFETY * np.finfo(dtype).eps * rounding
            error = np.abs(np.asarray(ours, dtype=float) - exact).max()
            if not error <= allowed:
                self.differences.append(f"{engine}, {dtype.__name__}: {name} is off by {error}, allowed {allowed:.1e}")
