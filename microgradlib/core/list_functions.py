"""Functions of many numbers, given as a list: the ops of any number of inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, overload

from microgradlib._support.checks import check_order
from microgradlib._support.number import is_array
from microgradlib._support.shown import shown
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.ops import GRAPH, Op, reductions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Never

    from microgradlib.ops.signatures import PlainNumber, SupportsArray

    Untyped = Iterable[Never]  # no entries fit but those of type Any, as a Module's outputs: the result is Any, too
    Floats = Iterable[PlainNumber]
    Values = Iterable[Value | PlainNumber]  # one Value at least
    Symbols = Iterable[Symbol | Value | PlainNumber]  # one Symbol at least

__all__ = ["dist", "dot", "logsumexp", "maximum", "mean", "minimum", "norm", "prod", "sum"]


class ListFunction(Protocol):
    """A function of a list: floats give a float, nodes, perhaps among floats, a node."""

    @overload
    def __call__(self, xs: Untyped, /) -> Any: ...
    @overload
    def __call__(self, xs: Floats, /) -> float: ...
    @overload
    def __call__(self, xs: Values, /) -> Value: ...
    @overload
    def __call__(self, xs: Symbols, /) -> Symbol: ...


class Extreme(Protocol):
    """A function of several numbers or of one list of them."""

    @overload
    def __call__(self, xs: Untyped, /) -> Any: ...
    @overload
    def __call__(self, xs: Floats, /) -> float: ...
    @overload
    def __call__(self, xs: Values, /) -> Value: ...
    @overload
    def __call__(self, xs: Symbols, /) -> Symbol: ...
    @overload
    def __call__(self, /, *xs: PlainNumber) -> float: ...
    @overload
    def __call__(self, /, *xs: Value | PlainNumber) -> Value: ...
    @overload
    def __call__(self, /, *xs: Symbol | Value | PlainNumber) -> Symbol: ...
    @overload
    def __call__(self, /, *xs: Symbol | Value | PlainNumber | SupportsArray) -> Any: ...


def _numbers(xs: Any, name: str, example: str = "") -> list[Any]:
    check_order(xs, f"the argument of {name}", iterators=True)
    try:
        numbers = list(xs)
    except TypeError:
        message = f"{name} takes a list of numbers, as in {example or f'{name}([x, y, z])'}, got {shown(xs)}"
        raise TypeError(message) from None
    if any(is_array(x) for x in numbers):
        message = f"{name} takes a flat list of numbers, got a list of arrays or rows: apply it to each row"
        raise TypeError(message)
    return numbers


def some_numbers(xs: Any, name: str, example: str = "") -> list[Any]:
    numbers = _numbers(xs, name, example)
    if not numbers:
        message = f"{name} of no numbers is not defined"
        raise ValueError(message)
    return numbers


def _documented(function: Any, op: Op, call: str) -> Any:
    """Name and document the function of a list after its op."""
    function.__name__ = function.__qualname__ = op.name
    convention = f"By convention {op.kink_note}.\n\n" if op.kink_note else ""
    example = f">>> {op.name}([3.0, 4.0])\n{op.compute(3.0, 4.0)!r}"
    function.__doc__ = f"Return {op.formula}: {call}, as one node.\n\n{convention}{example}"
    return function


def _of_list(op: Op, *, empty: float | None = None) -> ListFunction:
    """Return the function that applies an op to a list; of no numbers it is `empty`, or a ValueError."""

    def function(xs: Any, /, *more: Any) -> Any:
        if more:
            message = f"{op.name} takes one list of numbers: write {op.name}([x, y, z])"
            raise TypeError(message)
        numbers = _numbers(xs, op.name) if empty is not None else some_numbers(xs, op.name)
        return op(*numbers) if numbers else empty

    result: ListFunction = _documented(function, op, "of a list of numbers")
    return result


def _extreme(op: Op) -> Extreme:
    """Return the function that applies an op to several numbers or to one list of them."""

    def function(*xs: Any) -> Any:
        return op(*(some_numbers(xs[0], op.name) if len(xs) == 1 and hasattr(xs[0], "__iter__") else xs))

    result: Extreme = _documented(function, op, "of several numbers, or of one list")
    return result


mean = _of_list(reductions.mean)
prod = _of_list(reductions.prod, empty=1.0)
norm = _of_list(reductions.norm, empty=0.0)
logsumexp = _of_list(reductions.logsumexp)
maximum = _extreme(reductions.maximum)
minimum = _extreme(reductions.minimum)


@overload
def sum(xs: Untyped, start: PlainNumber | None = None) -> Any: ...  # noqa: A001
@overload
def sum(xs: Floats, start: PlainNumber | None = None) -> float: ...  # noqa: A001
@overload
def sum(xs: Values, start: Value | PlainNumber | None = None) -> Value: ...  # noqa: A001
@overload
def sum(xs: Symbols, start: Symbol | Value | PlainNumber | None = None) -> Symbol: ...  # noqa: A001
def sum(xs: Any, start: Any = None) -> Any:  # noqa: A001
    """Return Σ xᵢ as one node with n parents; 0.0 for no numbers. `start`, if given, is one more term, the first.

    Python's own `sum(values)` begins with the int 0, so its type is `Value | Literal[0]`: write this one, or
    `sum(values, Value(0.0))`.

    >>> from microgradlib import Value
    >>> total = sum([Value(1.0), 2, 3.5])
    >>> total.data, len(total.parents)
    (6.5, 3)
    """
    numbers = _numbers(xs, "sum")
    if start is not None:
        numbers.insert(0, start)
    return reductions.sum(*numbers) if numbers else 0.0


@overload
def dot(weights: Untyped, inputs: Floats, bias: PlainNumber | None = None) -> Any: ...
@overload
def dot(weights: Floats, inputs: Untyped, bias: PlainNumber | None = None) -> Any: ...
@overload
def dot(weights: Floats, inputs: Floats, bias: PlainNumber | None = None) -> float: ...
@overload
def dot(weights: Values, inputs: Values, bias: Value | PlainNumber | None = None) -> Value: ...
@overload
def dot(weights: Symbols, inputs: Symbols, bias: Symbol | Value | PlainNumber | None = None) -> Symbol: ...
def dot(weights: Any, inputs: Any, bias: Any = None) -> Any:
    """Return Σ wᵢ xᵢ, plus b if given: the net input of a neuron, as one node with parents w₁ … wₙ x₁ … xₙ (b).

    Raises `ValueError` unless there are as many weights as inputs, and at least one.

    >>> dot([1, 2], [3, 4], bias=0.5)
    11.5
    """
    w, x = some_numbers(weights, "dot", "dot([a, b], [x, y])"), some_numbers(inputs, "dot", "dot([a, b], [x, y])")
    if len(w) != len(x):
        message = f"dot needs as many inputs as weights, got {len(w)} weights and {len(x)} inputs"
        raise ValueError(message)
    return weighted_sum(w, x, bias)


@overload
def dist(p: Untyped, q: Floats) -> Any: ...
@overload
def dist(p: Floats, q: Untyped) -> Any: ...
@overload
def dist(p: Floats, q: Floats) -> float: ...
@overload
def dist(p: Values, q: Values) -> Value: ...
@overload
def dist(p: Symbols, q: Symbols) -> Symbol: ...
def dist(p: Any, q: Any) -> Any:
    """Return √(Σ (pᵢ − qᵢ)²), the distance of two points. Raises `ValueError` unless both have as many coordinates.

    >>> dist([1, 2], [4, 6])
    5.0
    """
    ps, qs = some_numbers(p, "dist", "dist([a, b], [x, y])"), some_numbers(q, "dist", "dist([a, b], [x, y])")
    if len(ps) != len(qs):
        message = f"dist needs points with as many coordinates, got {len(ps)} and {len(qs)}"
        raise ValueError(message)
    return reductions.norm(*[GRAPH.sub(a, b) for a, b in zip(ps, qs)])
