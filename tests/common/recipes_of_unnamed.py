"""Callables without a name of their own: what transforms return, operators, assignments; each with a valid call."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from call_arguments import NUMBERS, POINTS, Call, c, fast, mlp, optimiser, over, rng, trained, v

import microgradlib as mg
from microgradlib import Symbol, compiler, costs, data, interop, optim, training

__all__ = ["FURTHER"]


def _assign(name: str) -> Callable[[Any, Any], None]:
    """Return a function that assigns to an attribute."""

    def assign(thing: Any, new: Any) -> None:
        setattr(thing, name, new)

    assign.__name__ = f"assign_{name}"
    return assign


def _operator(sign: str) -> Callable[[Any, Any], Any]:
    return eval(f"lambda a, b: a {sign} b")  # noqa: S307  our own signs


def _group_set(o: Any, name: str, setting: Any) -> None:
    o.param_groups[0][name] = setting


def torch() -> Any:
    return importlib.import_module("torch")


def _pull_back(f: Callable[..., Any], x: Any, seed: Any) -> Any:
    return mg.vjp(f, x)[1](seed)


def _torch_call(f: compiler.Compiled, parameters: Any, inputs: Any, targets: Any) -> Any:
    return interop.torch_loss(f)(parameters, inputs, targets)


FURTHER: dict[str, tuple[Callable[..., Any], Callable[[], Call]]] = {
    "grad(f)": (lambda x: mg.grad(lambda x: x * x)(x), lambda: c(3.0)),
    "grad(f, argnums)": (lambda f, k, x, y: mg.grad(f, k)(x, y), lambda: c(lambda x, y: x * y, (0, 1), 3.0, 2.0)),
    "value_and_grad(f)": (lambda f, x: mg.value_and_grad(f)(x), lambda: c(lambda x: x[0] * x[1], [1.0, 2.0])),
    "jacobian(f)": (lambda f, x: mg.jacobian(f)(x), lambda: c(lambda x: [x[0] * x[1], x[0]], [1.0, 2.0])),
    "hessian(f)": (lambda f, x: mg.hessian(f)(x), lambda: c(lambda x: x[0] * x[1], [1.0, 2.0])),
    "elementwise_grad(f)": (lambda f, x: mg.elementwise_grad(f)(x), lambda: c(lambda x: x * x, np.array([1.0, 2.0]))),
    "vjp(f, x)[1]": (_pull_back, lambda: c(lambda x: [x * x, x], 3.0, [1.0, 0.0])),
    "Value.data = x": (_assign("data"), lambda: c(v(1.0), 2.0)),
    "Value.grad = x": (_assign("grad"), lambda: c(v(1.0), 2.0)),
    "Value.label = x": (_assign("label"), lambda: c(v(1.0), "x")),
    "Optimiser.lr = x": (_assign("lr"), lambda: c(optimiser(), 0.5)),
    "param_groups[0][name] = x": (_group_set, lambda: c(optimiser(), "lr", 0.5)),
    **{
        f"Value {sign} x": (_operator(sign), lambda: c(v(1.5), 2.0))
        for sign in ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=")
    },
    **{f"Symbol {sign} x": (_operator(sign), lambda: c(Symbol("s"), 2.0)) for sign in ("+", "*", "**", "<")},
    **{
        f"{name}(parameters, **settings)": (
            getattr(optim, name),
            lambda settings=settings: c(trained()[1], 0.1, **settings),
        )
        for name, settings in {
            "Adam": {"betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1, "amsgrad": True, "maximize": True},
            "SGD": {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True, "maximize": True},
        }.items()
    },
    "optimiser of groups": (
        lambda a, b, lr: optim.SGD([{"params": a, "lr": 0.1}, {"params": b}], lr=lr, momentum=0.9),
        lambda: c(v(1.0, 2.0), v(3.0, 4.0), 0.1),
    ),
    "Optimiser.step of an array": (lambda o, g: o.step(g), lambda: c(optim.Adam(np.ones(3)), np.ones(3))),
    "Optimiser.load_state_dict of groups": (
        lambda o, state: o.load_state_dict(state),
        lambda: c(
            *[optim.SGD([{"params": v(1.0)}, {"params": v(2.0), "lr": 0.5}], lr=0.1, momentum=0.9)] * 1,
            optim.SGD([{"params": v(1.0)}, {"params": v(2.0), "lr": 0.5}], lr=0.1, momentum=0.9).state_dict(),
        ),
    ),
    "fit, compiled": (
        training.fit,
        over(
            lambda: trained()[0].eval(),
            lambda model: c(
                model,
                costs.squared_error,
                np.array(POINTS),
                np.array(NUMBERS),
                epochs=1,
                batch_size=2,
                rng=rng(),
                optimizer=optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
                backend="numpy",
            ),
        ),
    ),
    "augmentation(x, rng)": (data.gaussian_noise(0.1), lambda: c([0.5, 1.0], rng())),
    "augmentation of images": (data.shift(1, 2), lambda: c([0.5, 1.0, 2.0, 3.0], rng())),
    "augmentation that rotates": (data.rotate(10.0, 2), lambda: c([0.5, 1.0, 2.0, 3.0], rng())),
    "chained augmentations": (
        data.chain(data.shift(1, 2), data.gaussian_noise(0.1)),
        lambda: c([0.5, 1.0, 2.0, 3.0], rng()),
    ),
    "fast of a model": (
        lambda f, x: f(x),
        over(lambda: mlp(), lambda m: c(mg.compile(m, m.parameters(), backend="numpy"), POINTS)),
    ),
    "torch_loss(fast)": (_torch_call, lambda: c(fast(), torch().zeros(2).double(), POINTS, NUMBERS)),
    "minimize by BFGS": (
        lambda loss, w, **options: optim.minimize(loss, w, "BFGS", **options),
        over(lambda: v(1.0), lambda w: c(lambda: (w - 3.0) ** 2, [w], options={"maxiter": 2})),
    ),
}
"""Callables without a name of their own: name → (callable, the maker of a valid call)."""
