"""Module: a thing with parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.number import is_array
from microgradlib.core.value import Value
from microgradlib.nn.parameter_numbers import checked_numbers
from microgradlib.nn.summary import Row, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Module"]


class Parameters(list[Value]):
    """A list of parameters that knows their names, for whoever prints them."""

    def __init__(self, named: Iterable[tuple[str, Value]]) -> None:
        pairs = list(named)
        super().__init__([parameter for _, parameter in pairs])
        self.names = tuple([name for name, _ in pairs])

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameters, (list(zip(self.names, self)),)


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

    summary_shape: str = ""
    """How `summary()` describes the module, as in "4 → 8 tanh"; it looks into modules that say nothing."""

    not_weights: tuple[str, ...] = ("b", "bias")
    """The module's attributes whose parameters multiply no input, which weight decay leaves alone."""

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter once with its dotted path, such as `layers.0.neurons.3.w.1`."""
        named: dict[Value, str] = {}
        for name, thing in _walk(self, "", set()):
            if _is_parameter(thing):
                named.setdefault(thing, name)
        return [(name, parameter) for parameter, name in named.items()]

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return Parameters(self.named_parameters())

    def weights(self) -> list[Value]:
        """Return the parameters that multiply inputs: all but biases, gains and the like, each module's `not_weights`.

        >>> from microgradlib.nn import Neuron
        >>> len(Neuron(3, rng=0).parameters()), len(Neuron(3, rng=0).weights())
        (4, 3)
        """
        others: set[Value] = set()
        for _, module in self.named_modules():
            parts = [vars(module)[name] for name in module.not_weights if name in vars(module)]
            others.update(thing for _, thing in _walk(parts, "", set()) if _is_parameter(thing))
        return [parameter for parameter in self.parameters() if parameter not in others]

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module, as `""`, and each module in it once with its dotted path, outer ones first."""
        named: dict[int, tuple[str, Module]] = {}
        for name, thing in _walk(self, "", set()):
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
        rows: list[Row] = []
        counted: set[Value] = set()
        for name, module in self.named_modules():
            if module.summary_shape and not any(name.startswith(f"{row.layer}.") or not row.layer for row in rows):
                parameters = module.parameters()
                rows.append(Row(name, type(module).__name__, str(module.summary_shape), len(parameters)))
                counted.update(parameters)
        rest: dict[str, int] = {}
        for name, parameter in self.named_parameters():
            if parameter not in counted:
                rest[name.split(".")[0]] = rest.get(name.split(".")[0], 0) + 1
        rows += [Row(name, "Value", "", number) for name, number in rest.items()]
        return Summary(tuple(rows), len(self.parameters()))


def _is_parameter(thing: Any) -> bool:
    return isinstance(thing, Value) and not thing.parents and thing._left_derivative is not None


def _walk(thing: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the Values and Modules in `thing`, itself included, each with its path, in order of assignment.

    A module is entered once. What its own `parameters()` lists beyond that, if its class has one, comes last.
    """
    if isinstance(thing, (Value, Module)):
        yield path, thing
    if isinstance(thing, Module):
        if id(thing) in seen:
            return
        seen.add(id(thing))
    for name, child in _children(thing):
        yield from _walk(child, f"{path}.{name}" if path else str(name), seen)
    if isinstance(thing, Module) and type(thing).parameters is not Module.parameters:
        for i, parameter in enumerate(thing.parameters()):
            yield f"{path}.parameters.{i}" if path else f"parameters.{i}", parameter


def _children(thing: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(thing, Module):
        return vars(thing).items()
    if isinstance(thing, dict):
        return thing.items()
    if isinstance(thing, (set, frozenset)) and any(isinstance(child, (Value, Module)) for child in thing):
        raise TypeError("a set of parameters or modules has no order, so the run could not be repeated: use a list")
    if is_array(thing) and getattr(thing, "dtype", None) == "O":  # an array of Values
        thing = thing.tolist()
    return enumerate(thing) if isinstance(thing, (list, tuple)) else ()
