"""What the sample files in tests/saved_files hold: a model, a program and optimisers, the same in every version."""

import math

from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.nn import MLP, Module
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, RMSprop

NUMBERS = (0.1, -0.0, 5e-324, -1.7976931348623157e308, math.nan, math.inf, -math.inf, 1 / 3, 1e22, -12345.678)
"""What the model's parameters are: floats that are hard to write."""
ROWS = [[0.5, -1.0, 2.0], [0.0, 0.25, -0.125]]
GRADIENTS = [[math.sin(t), math.cos(3 * t)] for t in range(8)]


class Model(Module):
    """A model with a list and names of other alphabets."""

    def __init__(self):
        self.w, self.β, self.größe = [Value(0.0) for _ in range(8)], Value(0.0), Value(0.0)


def model():
    filled = Model()
    for parameter, number in zip(filled.parameters(), NUMBERS):
        parameter.data = number
    return filled


def program():
    """A compiled function with a captured Value, constants, a setting, a product and nested results."""
    network, scale = MLP([3, 4, 2], activation="tanh", rng=0), Value(2.0)
    for i, parameter in enumerate(network.parameters()):
        parameter.data = math.sin(i)
    fast = compiled(lambda x: [network(x), [scale * x[0] ** 2.5 + 0.75]], network.parameters())
    fast(ROWS)
    return fast


def optimisers():
    """Optimisers by name, each with two parameters, before the first step."""
    return {
        "sgd": SGD(_parameters(), lr=0.1, momentum=0.9, nesterov=True),
        "adam": Adam(_parameters(), lr=0.1, betas=(0.5, 0.6), amsgrad=True),
        "adamw": AdamW([{"params": _parameters()[:1], "lr": 0.2}, {"params": _parameters()[1:]}]),
        "rmsprop": RMSprop(_parameters(), centered=True, momentum=0.3),
        "adagrad": Adagrad(_parameters(), lr_decay=0.5, initial_accumulator_value=2.0),
    }


def _parameters():
    return [Value(1.0), Value(-2.0)]


def parameters_of(optimiser):
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
