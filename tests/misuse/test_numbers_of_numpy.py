"""Functions of numbers give for NumPy's numbers, of any class, the bits that they give for the same floats.

NumPy's own arithmetic is another: 100 − 200 is 156 for uint8, bool has no −, and float32 has eight digits.
"""

import random

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, costs, data, nn, numeric, optim, regularisers
from microgradlib._support.pytree import flatten
from microgradlib.ops import PUBLIC

FLOATS = [np.float16, np.float32, np.longdouble]
NUMBERS = [
    ([200, 100, 7], [0, 1, 0], [np.uint8, np.int64, *FLOATS]),
    ([1, 0, 1], [1, 1, 0], [np.bool_, np.uint8, np.int8]),
    ([0.1, 0.7, 0.3], [0.25, 0.5, 0.25], FLOATS),
    ([2.0, -3.0, 0.5], [-1.0, 1.0, 1.0], FLOATS),
]
"""Numbers, others beside them, and NumPy's classes that hold both, though perhaps rounded."""


def product(u, v, w):
    return u * v - w * u + mg.tanh(v - w)


def of_list(a):
    return a[0] * a[1] * a[1] - a[2] * a[0]


def moved(a, b):
    w = Value(a[0])
    w.grad = a[1]
    optim.Adam([w], a[2]).step()
    return w.data


S, T = Symbol("s"), Symbol("t")
FORMS = {
    "of one": lambda f: lambda a, b: f(a[0], b[1]),
    "of a list": lambda f: lambda a, b: f(a, b),
    "of a list and a label": lambda f: lambda a, b: f(a, b[1]),
    "of probabilities": lambda f: lambda a, b: f(b, b[1]),
    "of a pair": lambda f: lambda a, b: f((a[0], a[1]), b[1]),
    "of a batch": lambda f: lambda a, b: f([a, a], [b, b]),
    "of a batch and labels": lambda f: lambda a, b: f([a, a], b[:2]),
}
FUNCTIONS = {
    **{f"{name} {form}": made(getattr(costs, name)) for name in costs.__all__ for form, made in FORMS.items()},
    **{
        f"{name} of {n}": lambda a, b, f=op, n=n: f(*[*a, *b][:n])
        for name, op in PUBLIC.items()
        for n in range(1, 4)
        if op.arity in (n, None)
    },
    **{
        name: lambda a, b, name=name: getattr(mg, name)(a)
        for name in ("sum", "mean", "prod", "var", "std", "norm", "logsumexp", "softmax", "log_softmax", "maximum")
    },
    **{
        layer.__name__: lambda a, b, layer=layer, sizes=sizes: layer(*sizes, rng=0)(a)
        for layer, sizes in ((nn.Neuron, [3]), (nn.Layer, [3, 2]), (nn.MLP, [[3, 2, 1]]), (nn.GRUCell, [3, 2]))
    },
    "LayerNorm": lambda a, b: nn.LayerNorm(3)(a),
    "Dropout": lambda a, b: nn.Dropout(0.5, rng=0)(a),
    "linear": lambda a, b: mg.linear([a, b], a, b[:2]),
    "dist": mg.dist,
    "operators": lambda a, b: [Value(a[0]) * a[1], a[1] - Value(a[0]), Value(a[0]) // a[1], a[2] % Value(a[1])],
    "sample_from_logits": lambda a, b: [mg.sample_from_logits(a, seed, temperature=50.0) for seed in range(8)],
    "l2_norm": lambda a, b: regularisers.l2_norm(a, 0.5),
    "clip_by_norm": lambda a, b: optim.clip_by_norm(a, 1.0),
    "Adam": moved,
    "rotate": lambda a, b: data.rotate(30.0)(b[:2], random.Random(0)),
    "value_and_grad": lambda a, b: mg.value_and_grad(of_list)(a),
    "hessian": lambda a, b: mg.hessian(of_list)(a),
    "hvp": lambda a, b: mg.hvp(of_list, a, b),
    "jvp": lambda a, b: mg.jvp(product, tuple(a), tuple(b)),
    "vjp": lambda a, b: mg.vjp(product, *a)[1](b[1]),
    "elementwise_grad": lambda a, b: mg.elementwise_grad(lambda v: v * v * v)(a[0]),
    "numeric_gradient": lambda a, b: mg.numeric_gradient(product, a),
    "complex_step_derivative": lambda a, b: numeric.complex_step_derivative(lambda v: v * v * v, a[0]),
    "evaluate": lambda a, b: mg.evaluate([S * T - T * S * S, *mg.softmax([S, T])], {S: a[0], T: a[1]}),
    "compile": lambda a, b: list(mg.compile(lambda v: v * v - v, backend="numpy")(a)),
}


def outcome(function, a, b):
    """Return the numbers that a call gives, or the class of its exception."""
    try:
        return [repr(float(number)) for number in flatten(function(a, b))]
    except Exception as error:  # noqa: BLE001  whichever: it is compared
        return type(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_of_numpy_are_floats(name):
    for numbers, others, kinds in NUMBERS:
        for kind in kinds:
            a, b = [kind(x) for x in numbers], [kind(x) for x in others]
            expected = outcome(FUNCTIONS[name], [float(x) for x in a], [float(x) for x in b])
            assert outcome(FUNCTIONS[name], a, b) == expected, (kind, numbers)


def test_most_calls_have_a_result():
    numbers, others, _ = NUMBERS[2]
    results = [outcome(function, numbers, others) for function in FUNCTIONS.values()]
    assert sum(isinstance(result, list) for result in results) >= 120
