"""Module: a thing with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Module"]


class Module:
    """The base of networks and their parts. Parameters are the leaf Values among its attributes.

    Attributes that are Modules, lists, tuples or dicts are searched too, in the order in which they were assigned.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(1.0), Value(0.0)
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'intercept']
    """

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter once with its dotted path, such as `layers.0.neurons.3.w.1`."""
        named: dict[Value, str] = {}
        for name, parameter in _parameters_of(vars(self), ""):
            named.setdefault(parameter, name)
        return [(name, parameter) for parameter, name in named.items()]

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, as must be done before each `backward()` of a training step.

        Leaves are all that matters here: inner nodes are built anew for each loss.
        """
        for parameter in self.parameters():
            parameter.grad = 0.0


def _parameters_of(thing: Any, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(thing, Value):
        if not thing.parents:
            yield path, thing
        return
    if isinstance(thing, Module):
        children = vars(thing).items()
    elif isinstance(thing, dict):
        children = thing.items()
    elif isinstance(thing, (list, tuple)):
        children = {str(i): child for i, child in enumerate(thing)}.items()
    else:
        return
    for name, child in children:
        yield from _parameters_of(child, f"{path}.{name}" if path else str(name))
