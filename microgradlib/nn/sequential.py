"""Sequential: modules applied one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from microgradlib._support.calling import refuse_class
from microgradlib._support.listing import listed
from microgradlib._support.shown import shown
from microgradlib.nn.module import Module
from microgradlib.ops import Op

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules or functions, each applied to the output of the previous one.

    Raises `TypeError` for an argument that is not callable.

    >>> from microgradlib.nn import Layer
    >>> model = Sequential(Layer(2, 3, "tanh", rng=0), Layer(3, 1, "linear", rng=1))
    >>> len(model.parameters()), model([0.0, 0.0]).data
    (13, 0.0)
    """

    def __init__(self, *modules: Callable[[Any], Any]) -> None:
        module: Any
        for module in modules:
            if not callable(module):
                message = f"Sequential takes modules and functions as separate arguments, got {shown(module)}"
                raise TypeError(message)
            refuse_class(module, "each part of Sequential")
        self.modules = list(modules)

    def __call__(self, x: Any) -> Any:
        """Return the output of the last module, whatever that is."""
        module: Any = None
        try:
            for module in self.modules:
                x = module(x)
        except TypeError:
            _refuse_list(module, x)
            raise
        return x

    def __repr__(self) -> str:
        return f"Sequential({listed(self.modules)})"


def _refuse_list(module: Any, x: Any) -> None:
    """Raise `TypeError` if a part was given a list, and is a function of one number: an op, or one of `math`."""
    of_one = module.arity == 1 if isinstance(module, Op) else getattr(module, "__module__", "") == "math"
    if of_one and isinstance(x, (list, tuple)):
        name: str = getattr(module, "__name__", "")  # which ops have, too
        message = (
            f"{name}, a part of Sequential, takes one number, got {shown(x)}: give the layer before it "
            f"activation={name!r}, or write lambda xs: [{name}(x) for x in xs]"
        )
        raise TypeError(message) from None
