"""Module: a thing with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.nn.parameter_numbers import checked_numbers
from microgradlib.nn.summary import Row, Summary
from microgradlib.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Module"]

NOT_WEIGHTS = ("b", "bias", "gain", "slope")
"""Attributes whose parameters multiply no input: biases, gains and slopes, which weight decay leaves alone."""


class Module:
    """The base of networks and their parts. Parameters are the leaf Values among its attributes.

    Attributes that are Modules, lists, tuples or dicts are searched too, in the order in which they were assigned.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(1.0), Value(0.0)
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'intercept']
    """

    training: bool = True
    """Whether the module is being trained: what `Dropout` goes by. `train()` and `eval()` set it."""

    shape: str = ""
    """How `summary()` describes the module, as in "4 → 8 tanh"; it looks into modules that say nothing."""

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter once with its dotted path, such as `layers.0.neurons.3.w.1`."""
        named: dict[Value, str] = {}
        for name, thing in _walk(self, ""):
            if isinstance(thing, Value) and not thing.parents:
                named.setdefault(thing, name)
        return [(name, parameter) for parameter, name in named.items()]

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def weights(self) -> list[Value]:
        """Return the parameters that multiply inputs: all but those held as `b`, `bias`, `gain` or `slope`.

        >>> from microgradlib.nn import Neuron
        >>> len(Neuron(3, rng=0).parameters()), len(Neuron(3, rng=0).weights())
        (4, 3)
        """
        named = self.named_parameters()
        return [parameter for name, parameter in named if _attribute(name) not in NOT_WEIGHTS]

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module, as `""`, and each module in it once with its dotted path, outer ones first."""
        named: dict[int, tuple[str, Module]] = {}
        for name, thing in _walk(self, ""):
            if isinstance(thing, Module):
                named.setdefault(id(thing), (name, thing))
        return list(named.values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, as must be done before each `backward()` of a training step.

        Leaves are all that matters here: inner nodes are built anew for each loss.
        """
        for parameter in self.parameters():
            parameter.grad = 0.0

    def train(self, mode: bool = True) -> Module:
        """Set the mode of this module and all in it to training, and return it."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Set the mode of this module and all in it to evaluation: `Dropout` then changes nothing. Return it."""
        return self.train(mode=False)

    def state_dict(self) -> dict[str, float]:
        """Return the parameters' numbers by their dotted paths.

        >>> from microgradlib.nn import Neuron
        >>> Neuron(1, init="zeros").state_dict()
        {'w.0': 0.0, 'b': 0.0}
        """
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any], *, strict: bool = True) -> tuple[list[str], list[str]]:
        """Set the parameters to the numbers of `state`; return the names missing from it and those unknown here.

        With `strict`, missing or unknown names raise `ValueError`, which names them; without, they are left alone. What
        is no number raises `TypeError`. In either case nothing has changed.

        >>> from microgradlib.nn import Neuron
        >>> Neuron(1).load_state_dict({"w.0": 0.5, "bias": 0.0})
        Traceback (most recent call last):
        ValueError: the state does not fit this Neuron: missing b; unknown bias; ...
        """
        named = dict(self.named_parameters())
        numbers, missing, unknown = checked_numbers(named, state, type(self).__name__, strict=strict)
        for name, number in numbers.items():
            named[name].data = number
        return missing, unknown

    def summary(self) -> Summary:
        """Return a table of the layers, their shapes and how many parameters each has. It prints itself.

        >>> from microgradlib.nn import MLP
        >>> MLP([2, 3, 1], activation="tanh").summary()
        layer     kind   shape         parameters
        layers.0  Layer  2 → 3 tanh             9
        layers.1  Layer  3 → 1 linear           4
        total                                  13
        """
        rows, described = [], list[str]()
        for name, module in self.named_modules():
            if module.shape and not any(name.startswith(f"{outer}.") or not outer for outer in described):
                described.append(name)
                rows.append(Row(name, type(module).__name__, module.shape, len(module.parameters())))
        return Summary(tuple(rows), len(self.parameters()))


def _attribute(path: str) -> str:
    """Return the attribute that holds a parameter: the last part of its path that is no position in a list."""
    return next((part for part in reversed(path.split(".")) if not part.isdecimal()), "")


def _walk(thing: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the Values and Modules in `thing`, itself included, each with its path, in order of assignment."""
    if isinstance(thing, (Value, Module)):
        yield path, thing
    if isinstance(thing, Module):
        children = vars(thing).items()
    elif isinstance(thing, dict):
        children = thing.items()
    elif isinstance(thing, (list, tuple)):
        children = {str(i): child for i, child in enumerate(thing)}.items()
    else:
        return
    for name, child in children:
        yield from _walk(child, f"{path}.{name}" if path else str(name))
