"""The op record: what one operation computes and how it differentiates, stated once.

A rule is written over a namespace `xp` of elementary functions, so the same line serves floats (local derivatives),
Values and Symbols (derivatives become graph) and arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from microgradlib._support.floats import FLOATS, IEEE, evaluate_rule
from microgradlib._support.number import as_float, is_array
from microgradlib.ops.arrays import element_wise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.node import Node

    S = TypeVar("S", bound=Node)

__all__ = ["GRAPH", "TABLE", "Op", "define_op", "forget_op"]

TABLE: dict[str, Op] = {}
"""Every op by name, in the order of definition."""

GRAPH = SimpleNamespace()
"""The namespace over Values and Symbols: every op of the table builds a node."""


@dataclass(frozen=True, eq=False, repr=False)
class Op:
    """One operation; call it on floats for a float, on Values for a Value, on Symbols for a Symbol.

    >>> from microgradlib import tanh, Value
    >>> tanh(0.0), tanh(Value(0.0)).data
    (0.0, 0.0)
    """

    name: str
    value: Callable[..., Any]
    """value(xp, *inputs): the output."""
    derivatives: tuple[Callable[..., Any], ...] | Callable[..., tuple[Any, ...]]
    """∂output/∂inputᵢ = derivatives[i](xp, output, *inputs); for any number of inputs, one rule for the whole tuple."""
    formula: str
    """The value and its derivative, as the course writes them."""
    symbol: str
    """How drawings and printed mathematics show the op."""
    defaults: tuple[float, ...] = ()
    """Values of trailing inputs that a caller may leave out."""
    setting_count: int = 0
    """How many trailing inputs become settings, rather than parents, when they are plain numbers."""
    settings: tuple[float, ...] = ()
    """Those numbers, once bound: `x ** 2` is the op pow bound to 2."""
    domain: str = "all numbers"
    """Where value and derivatives are defined; elsewhere both are nan."""
    sample: tuple[tuple[float, float], ...] = ((-3.0, 3.0),)
    """An interval per input (the last one repeats) in which the op is well conditioned: tests draw from it."""
    kink: Callable[..., bool] | None = None
    """kink(*inputs): whether the derivative there is a convention rather than a limit."""
    kink_note: str = ""
    """The convention, in words."""
    notation: str | Callable[..., Any] = ""
    """How mathematics writes it, if not as a call: a LaTeX template, or notation(xp, *inputs) over written inputs."""

    @property
    def variadic(self) -> bool:
        """Whether the op takes any number of inputs."""
        return not isinstance(self.derivatives, tuple)

    @property
    def arity(self) -> int | None:
        """How many parents a node of this op has; None for any number."""
        return len(self.derivatives) if isinstance(self.derivatives, tuple) else None

    def compute(self, *inputs: float) -> float:
        """Return the value at floats: IEEE 754's answer, never an exception."""
        result: float = evaluate_rule(self.value, *inputs, *self.settings)
        return result

    def local_derivatives(self, output: float, *inputs: float) -> tuple[float, ...]:
        """Return ∂output/∂input for each input, at floats."""
        derivatives: tuple[float, ...] = evaluate_rule(self.differentiate, output, *inputs)
        return derivatives

    def record(self, inputs: Sequence[float]) -> tuple[float, tuple[float, ...]]:
        """Return the value and the local derivatives at floats: all that a new node stores."""
        arguments = (*inputs, *self.settings)
        rules = self.derivatives
        try:
            output = self.value(FLOATS, *arguments)
            if not isinstance(rules, tuple):
                return output, rules(FLOATS, output, *arguments)
            if len(rules) == 1:
                return output, (rules[0](FLOATS, output, *arguments),)
            return output, tuple([rule(FLOATS, output, *arguments) for rule in rules])
        except (ArithmeticError, ValueError):
            output = self.compute(*inputs)
            return output, self.local_derivatives(output, *inputs)

    def differentiate(self, xp: Any, output: Any, *inputs: Any) -> tuple[Any, ...]:
        """Return ∂output/∂input for each input, in the terms of the namespace `xp`."""
        if not isinstance(self.derivatives, tuple):
            return self.derivatives(xp, output, *inputs)
        return tuple([rule(xp, output, *inputs, *self.settings) for rule in self.derivatives])

    def partial_derivative(self, index: int, output: Any, *inputs: Any) -> Any:
        """Return ∂output/∂inputs[index] as new nodes of the graph."""
        if not isinstance(self.derivatives, tuple):
            return self.derivatives(GRAPH, output, *inputs)[index]
        return self.derivatives[index](GRAPH, output, *inputs, *self.settings)

    @overload
    def __call__(self, *inputs: float) -> float: ...  # type: ignore[overload-overlap]  # floats alone come first
    @overload
    def __call__(self, *inputs: S | float) -> S: ...
    @overload
    def __call__(self, *inputs: Any) -> Any: ...
    def __call__(self, *inputs: Any) -> Any:
        """Apply the op. Raises TypeError for a wrong number of inputs or for what is no number."""
        inputs = self._complete(inputs)
        kinds = set(map(type, inputs))
        handlers = [kind.__apply_op__ for kind in kinds if hasattr(kind, "__apply_op__")]
        if len(handlers) < len(kinds) and any(is_array(x) for x in inputs):
            return element_wise(self, inputs)
        if handlers:
            op, parents = self._bound(inputs) if self.setting_count else (self, inputs)
            for handler in handlers:  # at most one of them takes the inputs, whatever their order
                result = handler(op, parents)
                if result is not NotImplemented:
                    return result
        numbers = [as_float(x) for x in inputs if not hasattr(x, "__apply_op__")]
        if handlers:
            message = f"{self.name} has no way to join {' and '.join(sorted(kind.__name__ for kind in kinds))}"
            raise TypeError(message)
        return self.compute(*numbers)

    def _complete(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        if not isinstance(self.derivatives, tuple):
            if not inputs:
                message = f"{self.name} needs at least one input"
                raise TypeError(message)
            return inputs
        wanted = len(self.derivatives)
        missing = wanted - len(inputs)
        if missing and 0 < missing <= len(self.defaults):
            return (*inputs, *self.defaults[-missing:])
        if missing:
            message = f"{self.name} takes {wanted} input{'s' * (wanted != 1)}, got {len(inputs)}: {self.formula}"
            raise TypeError(message)
        return inputs

    def _bound(self, inputs: tuple[Any, ...]) -> tuple[Op, tuple[Any, ...]]:
        count = self.setting_count
        if any(hasattr(x, "__apply_op__") for x in inputs[-count:]):
            return self, inputs
        return self.bind(*[as_float(x) for x in inputs[-count:]]), inputs[:-count]

    def bind(self, *settings: float) -> Op:
        """Return the op with its trailing inputs fixed to numbers: pow bound to 2 is the square."""
        return _bind(self.name, settings)

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name, self.settings)

    def __str__(self) -> str:
        shown = ",".join(f"{x:g}" for x in self.settings if (x,) != self.defaults)
        separator = " " if shown and self.symbol[-1].isalpha() else ""
        return f"{self.symbol}{separator}{shown}"

    def __repr__(self) -> str:
        return f"<Op {self.name}: {self.formula}>"


@lru_cache(maxsize=4096)
def _bind(name: str, settings: tuple[float, ...]) -> Op:
    op = TABLE[name]
    kept = len(op.derivatives) - len(settings)  # type: ignore[arg-type]  # ops with settings have a fixed arity
    return _documented(replace(op, settings=settings, setting_count=0, derivatives=op.derivatives[:kept]))  # type: ignore[index]


def _find(name: str, settings: tuple[float, ...]) -> Op:
    if name not in TABLE:
        message = f"no op is named {name!r} here: define it (define_op) before loading a graph that uses it"
        raise LookupError(message)
    return _bind(name, settings) if settings else TABLE[name]


def _documented(op: Op) -> Op:
    convention = f"\nBy convention {op.kink_note}." if op.kink_note else ""
    object.__setattr__(op, "__doc__", f"{op.formula}.\n\nDefined for {op.domain}.{convention}")
    return op


def define_op(
    name: str,
    value: Callable[..., Any],
    derivatives: Sequence[Callable[..., Any]] | Callable[..., tuple[Any, ...]],
    *,
    formula: str,
    symbol: str | None = None,
    **properties: Any,
) -> Op:
    """Add one op to the table and return it: its value, its local derivatives, its domain and kink.

    `value(xp, *inputs)` and each of `derivatives`, `(xp, output, *inputs)`, use arithmetic, comparisons and the
    functions of `xp` (every op of the table by name) and never `math` or `if`: a choice is `xp.where(x > 0, a, b)`.
    `properties` are the further fields of `Op`. Raises `ValueError` if the name is taken, `TypeError` if a rule is not
    callable.

    >>> from microgradlib import Value, grad_table
    >>> from microgradlib.ops import define_op, forget_op
    >>> swish = define_op(
    ...     "swish",
    ...     value=lambda xp, x: x * xp.sigmoid(x),
    ...     derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
    ...     formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
    ... )
    >>> x = Value(0.0)
    >>> grad_table(swish(x))[x]
    0.5
    >>> forget_op("swish")
    """
    if name in TABLE or not name.isidentifier():
        message = f"an op's name is an identifier not yet in the table, got {name!r}"
        raise ValueError(message)
    rules = derivatives if callable(derivatives) else tuple(derivatives)
    for rule in (value, *(rules if isinstance(rules, tuple) else (rules,))):
        if not callable(rule):
            message = f"the rules of {name!r} are functions of (xp, …), got {rule!r}"
            raise TypeError(message)
    op = TABLE[name] = _documented(Op(name, value, rules, formula, symbol or name, **properties))
    for xp in (FLOATS, IEEE):
        if not hasattr(xp, name):
            setattr(xp, name, partial(value, xp))
    if not hasattr(GRAPH, name):
        setattr(GRAPH, name, op)
    return op


def forget_op(name: str) -> None:
    """Take an op out of the table again, as a test that defined it should. Raises `KeyError` for an unknown name."""
    del TABLE[name]
    _bind.cache_clear()
    for xp in (FLOATS, IEEE, GRAPH):
        if hasattr(xp, name):
            delattr(xp, name)
