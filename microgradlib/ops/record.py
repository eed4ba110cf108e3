"""The op record: what one operation computes and how it differentiates, stated once.

A rule is written over a namespace `xp` of elementary functions, so the same line serves floats (local derivatives),
Values and Symbols (derivatives become graph) and arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import check_class
from microgradlib._support.floats import FLOATS, Namespace, evaluate_rule
from microgradlib._support.printable import one_line
from microgradlib._support.unique import unique
from microgradlib.ops.dispatch import apply, complete
from microgradlib.ops.documentation import Documentation, OpSignature
from microgradlib.ops.rules import closed_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["GRAPH", "TABLE", "Op", "bind"]

TABLE: dict[str, Op] = {}
"""Every op by name, in the order of definition."""

GRAPH = Namespace()
"""The namespace over Values and Symbols: every op of the table makes a node."""


class Op:
    """One operation; call it on floats for a float, on Values for a Value, on Symbols for a Symbol. Immutable.

    >>> from microgradlib import tanh, Value
    >>> tanh(0.0), tanh(Value(0.0)).data
    (0.0, 0.0)
    """

    name: str
    value: Callable[..., Any]
    """value(xp, *inputs): the output."""
    derivatives: tuple[Callable[..., Any], ...] | Callable[..., tuple[Any, ...]]
    """∂output/∂inputᵢ = derivatives[i](xp, output, *inputs); for any number of inputs, one rule for the whole tuple.
    A closed branch is `rules.ZERO`, and so is every derivative that is 0 whatever the inputs are."""
    formula: str
    """The value and its derivatives as text, for documentation."""
    symbol: str
    """How drawings and printed mathematics show the op."""
    defaults: tuple[float, ...] = ()
    """Values of trailing inputs that a caller may leave out."""
    setting_count: int = 0
    """How many trailing inputs are stored in the op, as `settings`, if they are plain numbers; nodes are parents."""
    settings: tuple[float, ...] = ()
    """The numbers that the trailing inputs are fixed to: `x ** 2` is made by the op pow bound to 2."""
    domain: str = "all numbers"
    """Where value and derivatives are defined; elsewhere both are nan."""
    sample: tuple[tuple[float, float], ...] = ((-3.0, 3.0),)
    """An interval per input (the last one repeats) in which the op is well conditioned: tests draw from it."""
    kink: Callable[..., bool] | None = None
    """kink(*inputs): whether the derivative there is a convention rather than a limit."""
    kink_note: str = ""
    """The convention, in words."""
    infinite_note: str = ""
    """Where a derivative is infinite, and what to write instead if a zero is multiplied by it."""
    notation: str | Callable[..., Any] = ""
    """How mathematics writes it, if not as a call: a LaTeX template, or notation(xp, *inputs) over written inputs."""
    written: tuple[Callable[..., Any] | None, ...] | Callable[..., Any] = ()
    """Derivatives in the form of books, (xp, output, *inputs), where `derivatives` have another, for their digits:
    1 − z² of tanh. None: no other. For any number of inputs, one rule (xp, place, output, *inputs)."""
    reference: Callable[..., Any] | None = None
    """reference(mpmath, *inputs): the value, independently of `value`; None where mpmath has the function by name."""
    arity: int | None
    """How many parents a node of this op has; None for any number."""
    fast_paths: dict[type, Callable[[Any], Any]]
    """For an op of one input: faster functions with the same result, by the class of the input (`core.hot_paths`)."""

    __signature__ = OpSignature()

    def __init_subclass__(cls) -> None:
        # The docstring of the class for the class, one written from the record for each op.
        cls.__doc__ = Documentation(cls.__doc__)  # type: ignore[assignment]

    def __init__(self, **fields: Any) -> None:
        rules = fields["derivatives"]
        arity = None if callable(rules) else len(rules)
        fields["derivatives"] = rules if arity is None else closed_rules(rules, fields.get("settings", ()))
        self.__dict__.update(fields, arity=arity, fast_paths={}, __name__=fields["name"])

    def __setattr__(self, name: str, _: Any = None) -> None:
        message = f"an op is immutable: cannot set {name} of {self.name}; define another op instead"
        raise AttributeError(message)

    __delattr__ = __setattr__

    @property
    def variadic(self) -> bool:
        """Whether the op takes any number of inputs."""
        return self.arity is None

    def compute(self, *inputs: float) -> float:
        """Return the value at floats: IEEE 754's answer, never an exception."""
        result: float = evaluate_rule(self.value, *inputs, *self.settings)
        return result

    def local_derivatives(self, output: float, *inputs: float) -> tuple[float, ...]:
        """Return ∂output/∂input for each input, at floats."""
        derivatives: tuple[float, ...] = evaluate_rule(self.differentiate, output, *inputs)
        return derivatives

    def record(self, inputs: Sequence[float]) -> tuple[float, tuple[float, ...]]:
        """Return the value and the local derivatives at floats: the numbers that a new node stores."""
        try:
            output = self.value(FLOATS, *inputs, *self.settings)
            return output, self.differentiate(FLOATS, output, *inputs)
        except (ArithmeticError, ValueError):  # Python raises for 1/0 and log(-1), IEEE 754 gives inf and nan
            output = self.compute(*inputs)
            return output, self.local_derivatives(output, *inputs)

    def differentiate(self, xp: Any, output: Any, *inputs: Any) -> tuple[Any, ...]:
        """Return ∂output/∂input for each input, computed over the namespace `xp`."""
        if not isinstance(self.derivatives, tuple):
            return self.derivatives(xp, output, *inputs)
        return tuple([rule(xp, output, *inputs, *self.settings) for rule in self.derivatives])

    def partial_derivative(self, index: int, output: Any, *inputs: Any) -> Any:
        """Return ∂output/∂inputs[index] as new nodes of the graph."""
        if not isinstance(self.derivatives, tuple):
            return self.derivatives(GRAPH, output, *inputs)[index]
        return self.derivatives[index](GRAPH, output, *inputs, *self.settings)

    def __call__(self, *inputs: Any) -> Any:
        """Return op(*inputs). Raises TypeError for a wrong number of inputs, or an input that is not a number."""
        fast = self.fast_paths.get(inputs[0].__class__) if len(inputs) == 1 else None
        return fast(*inputs) if fast else apply(self, complete(self, inputs))

    __call__.__qualname__ = "ops take their inputs by position, as in leaky_relu(x, 0.1); op"  # for Python's messages

    def bind(self, *settings: float) -> Op:
        """Return the op with its trailing inputs fixed to numbers: pow bound to 2 is the square."""
        return bind(self.name, settings) if TABLE.get(self.name) is self else _bound(self, settings)

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name, self.settings)

    def __deepcopy__(self, *_: object) -> Op:
        return self

    __copy__ = __deepcopy__

    def __str__(self) -> str:
        shown = ",".join(f"{x:g}" for x in self.settings if (x,) != self.defaults)
        separator = " " if shown and self.symbol[-1].isalpha() else ""
        return f"{self.symbol}{separator}{shown}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"<Op {self.name}: {one_line(self.formula)}>"


Op.__doc__ = Documentation(Op.__doc__)  # type: ignore[assignment]


@unique
def bind(name: str, settings: tuple[float, ...]) -> Op:
    """Return the op of this name with its trailing inputs fixed to `settings`, the same object each time."""
    return _bound(TABLE[name], settings)


def check_op(op: Any) -> None:
    """Raise `TypeError` unless this is an op.

    >>> check_op("tanh")
    Traceback (most recent call last):
    TypeError: op must be an Op, such as ops.TABLE["tanh"], got 'tanh'
    """
    check_class(op, Op, "op", 'such as ops.TABLE["tanh"]')


def _bound(op: Op, settings: tuple[float, ...]) -> Op:
    kept = vars(op)["derivatives"][: -len(settings) or None]  # a tuple, as ops with settings have a fixed arity
    return Op(**{**vars(op), "settings": settings, "setting_count": 0, "derivatives": kept})


def _find(name: str, settings: tuple[float, ...]) -> Op:
    if name not in TABLE:
        message = f"no op is named {name!r} here: define it (define_op) before loading a graph that uses it"
        raise LookupError(message)
    return bind(name, settings) if settings else TABLE[name]
