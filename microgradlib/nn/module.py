"""Module: the base class of networks and layers; it lists, saves and restores their parameters."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import repeat
from types import FunctionType
from typing import TYPE_CHECKING, Any

from microgradlib._support import display
from microgradlib._support.absent import lacking
from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean
from microgradlib._support.interrupts import at_once
from microgradlib._support.listing import listed
from microgradlib._support.other_names import ADVICE_ON_MODULES
from microgradlib.core.assignment import assign
from microgradlib.core.recorded_calls import RecordedCalls
from microgradlib.core.value import Value
from microgradlib.nn.copying import deep_copied
from microgradlib.nn.search import found_in, returning_a_list
from microgradlib.nn.state import by_path, match_state
from microgradlib.nn.summary import Row, Summary
from microgradlib.ops import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from typing_extensions import Self

__all__ = ["Module", "parts_of"]


class NamedParameters(list[Value], display.ShowsItself):
    """A list of parameters, with their dotted paths in `names` for compiled programs and drawings.

    It shows itself as a table of paths, numbers and gradients.
    """

    def __init__(self, named: Iterable[tuple[str, Value]]) -> None:
        pairs = list(named)
        super().__init__([parameter for _, parameter in pairs])
        self.names = tuple([name for name, _ in pairs])

    def __repr__(self) -> str:
        return f"[{listed(self)}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return NamedParameters, (list(zip(self.names, self)),)


@lacking(ADVICE_ON_MODULES)
class Module(RecordedCalls, display.ShowsItself):
    """The base class of networks and layers. Parameters are the leaf Values among its attributes.

    Attributes that are Modules, lists, tuples, dicts or NumPy arrays of Values are searched too, in the order in which
    they were assigned. The attributes of the class itself are not searched: a warning names Values among them.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(1.0), Value(0.0)
    >>> [name for name, _ in Line().named_parameters()]
    ['slope', 'intercept']
    """

    training: bool = True
    """Whether the module is in training mode, in which `Dropout` drops units. `train()` and `eval()` set it."""

    summary_shape: str = ""
    """The module's shape in `summary()`, as in "4 → 8 tanh"; if it is empty, the submodules are listed instead."""

    not_weights: tuple[str, ...] = ("b", "bias")
    """The names of the attributes whose parameters multiply no input, such as biases: weight decay skips them."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).get("parameters")
        if isinstance(own, FunctionType):
            setattr(cls, "parameters", returning_a_list(own))  # noqa: B010  type checkers refuse an assignment

    if TYPE_CHECKING:  # each subclass defines what it takes and returns

        def __call__(self, *inputs: Any, **options: Any) -> Any: ...  # noqa: D102

    else:

        def __call__(self, *inputs: Any, **options: Any) -> Any:  # noqa: ARG002  no module computes by this one
            """Raise `TypeError`: the class has no `__call__`, which computes the output."""
            kind = type(self).__name__
            advice = "rename its method forward, as modules are called" if hasattr(self, "forward") else "define"
            message = f"{kind} cannot be called: {advice} def __call__(self, x), which returns the output for x"
            raise TypeError(message)

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return each parameter once with its dotted path, such as `layers.0.neurons.3.w.1`."""
        named: dict[Value, str] = {}
        for path, value in _parameters_in(self):
            named.setdefault(value, path)
        return [(path, parameter) for parameter, path in named.items()]

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return NamedParameters(self.named_parameters())

    def weights(self) -> list[Value]:
        """Return the parameters that multiply inputs: all but those in each module's `not_weights` (biases, gains).

        >>> from microgradlib.nn import Neuron
        >>> len(Neuron(3, rng=0).parameters()), len(Neuron(3, rng=0).weights())
        (4, 3)
        """
        excluded: set[Value] = set()
        for _, module in self.named_modules():
            attributes = [vars(module)[name] for name in module.not_weights if name in vars(module)]
            excluded.update(value for _, value in _parameters_in(attributes))
        return [parameter for parameter in self.parameters() if parameter not in excluded]

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module, with path `""`, and each module in it once with its dotted path, outer ones first."""
        named: dict[int, tuple[str, Module]] = {}
        for path, found in found_in(self, Module):
            if isinstance(found, Module):
                named.setdefault(id(found), (path, found))
        return list(named.values())

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0, not reached: call it before `backward()` in each training step.

        Only parameters need it, since `backward()` adds into the gradients of leaves and overwrites the others.
        """
        assign(self.parameters(), "grad", repeat(ZERO))

    @in_plain_words
    def train(self, mode: bool = True) -> Self:
        """Set this module and all modules in it to training mode, to evaluation mode if `mode` is False; return it.

        Raises `TypeError` for a mode that is neither True nor False.
        """
        mode = boolean(mode, "mode")
        at_once(partial(setattr, module, "training", mode) for _, module in self.named_modules())
        return self

    def eval(self) -> Self:
        """Set this module and all modules in it to evaluation mode, in which `Dropout` drops nothing; return it."""
        return self.train(mode=False)

    def state_dict(self) -> dict[str, float]:
        """Return the parameters' numbers by their dotted paths. Raises `ValueError` if two have the same path.

        >>> from microgradlib.nn import Neuron
        >>> Neuron(1, init="zeros").state_dict()
        {'w.0': 0.0, 'b': 0.0}
        """
        return {name: parameter.data for name, parameter in by_path(self.named_parameters()).items()}

    @in_plain_words
    def load_state_dict(self, state: Mapping[str, float], *, strict: bool = True) -> tuple[list[str], list[str]]:
        """Set the parameters to the numbers of `state`; return the names missing from it, and the unknown names in it.

        With `strict`, a missing or unknown name raises `ValueError`, which lists them; without it they are skipped. An
        entry that is not a number raises `TypeError`. If an error is raised, no parameter has been changed.

        >>> from microgradlib.nn import Neuron
        >>> Neuron(1).load_state_dict({"w.0": 0.5, "bias": 0.0})
        Traceback (most recent call last):
        ValueError: the state does not fit this Neuron: missing b; unknown bias; ...
        """
        named = by_path(self.named_parameters())
        numbers, missing, unknown = match_state(named, state, type(self).__name__, strict=strict)
        assign([named[name] for name in numbers], "_float", numbers.values())
        return missing, unknown

    def summary(self) -> Summary:
        """Return a table of the layers, their shapes and how many parameters each has; its repr is the text below.

        A module with a `summary_shape` is one row, which includes its submodules. Parameters outside such modules come
        last, one row for each attribute of this module.

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
        others: dict[str, int] = {}
        for path, parameter in self.named_parameters():
            if parameter not in counted:
                attribute = path.split(".")[0]
                others[attribute] = others.get(attribute, 0) + 1
        rows += [Row(attribute, "Value", "", number) for attribute, number in others.items()]
        return Summary(tuple(rows), len(self.parameters()))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        result: Self = deep_copied(self, memo, Module)
        return result


@contextmanager
def evaluation_mode(model: Module) -> Iterator[None]:
    """Put the model into evaluation mode for the block; afterwards restore the mode of each of its modules."""
    modes = [partial(setattr, module, "training", module.training) for _, module in model.named_modules()]
    try:
        model.eval()
        yield
    finally:
        try:
            at_once(modes)
        except KeyboardInterrupt:
            at_once(modes)
            raise


def _parameters_in(container: Any) -> Iterator[tuple[str, Value]]:
    return ((path, found) for path, found in found_in(container, Module) if not isinstance(found, Module))


def parts_of(module: Module) -> tuple[list[tuple[str, Module]], list[tuple[str, Value]]]:
    """Return `named_modules()` and `named_parameters()` of a module, from one search of its attributes.

    >>> from microgradlib.nn import Layer
    >>> modules, parameters = parts_of(Layer(1, 1))
    >>> [path for path, _ in modules], [path for path, _ in parameters]
    (['', 'neurons.0'], ['neurons.0.w.0', 'neurons.0.b'])
    """
    modules: dict[int, tuple[str, Module]] = {}
    parameters: dict[Value, str] = {}
    for path, found in found_in(module, Module):
        if isinstance(found, Module):
            modules.setdefault(id(found), (path, found))
        else:
            parameters.setdefault(found, path)
    return list(modules.values()), [(path, parameter) for parameter, path in parameters.items()]
