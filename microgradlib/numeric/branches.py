"""Branches: which side of its kink each node took, so that two recordings of one function can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.floats import FLOATS, IEEE, Float754
from microgradlib.core.autodiff import grad_table
from microgradlib.core.modes import recording
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Recording", "crossing", "record"]

_JUMP = 1e-3  # a local derivative that changes by less, across a branch, is taken for continuous


@dataclass(frozen=True)
class Recording:
    """A function's graph at one point: its inputs, its output, and the output's grad_table."""

    inputs: list[Value]
    output: Value
    table: dict[Value, float]


def record(f: Callable[..., Any], point: Sequence[float], names: Sequence[str] = ()) -> Recording:
    """Return the graph of f(*point), its inputs fresh leaves. Raises `TypeError` if f gives no single number."""
    with recording():
        inputs = [Value(x, name) for x, name in zip(point, names or [""] * len(point))]
        output = f(*inputs)
    if not isinstance(output, Value):
        if isinstance(output, (list, tuple, dict)) or hasattr(output, "__apply_op__"):
            message = f"f is to return one Value, got {type(output).__name__}: check one output at a time"
            raise TypeError(message)
        output = Value(output)
    return Recording(inputs, output, grad_table(output))


def crossing(here: Recording, there: Recording) -> str:
    """Say what took another branch `there` than `here`, so that f has a kink or a jump in between; "" if nothing did.

    A node counts if the output depends on it, its op chose differently, and its local derivatives, or the steps it
    consists of, jump. A function that records other ops has chosen by itself, by a Python `if`.

    >>> from microgradlib import relu
    >>> ramp = lambda x: relu(x) + 1
    >>> crossing(record(ramp, [-1.0]), record(ramp, [2.0])), crossing(record(ramp, [1.0]), record(ramp, [2.0]))
    ('relu', '')
    """
    if [_name(node) for node in here.table] != [_name(node) for node in there.table]:
        return "another path through the function"
    for (node, gradient), (other, other_gradient) in zip(here.table.items(), there.table.items()):
        op = node.op
        if op is None or (op.kink is None and op.name != "where"):
            continue
        if (gradient or other_gradient) and _jumps(node, other) and _choices(node) != _choices(other):
            return str(op)
    return ""


def _name(node: Value) -> str:
    return node.op.name if node.op is not None else ""


def _jumps(node: Value, other: Value) -> bool:
    pairs = list(zip(node.local_derivatives, other.local_derivatives))
    if not any(map(any, pairs)):  # made of steps, as floor is
        pairs = [(node.data, other.data)]
    return any(abs(a - b) > _JUMP * max(1.0, abs(a), abs(b)) for a, b in pairs)


def _choices(node: Value) -> list[Any]:
    """Run the op's value rule over a namespace that notes each choice it makes."""
    noting = _Choices()
    if node.op is not None:
        node.op.value(noting, *[Float754(parent.data) for parent in node.parents], *node.op.settings)
    return noting.made


class _Choices:
    """The float functions, noting what `where`, `maximum` and the like chose."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(IEEE, name)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        self.made.append(bool(condition))
        return x if condition else y

    def maximum(self, *xs: Any) -> Any:
        return self._winner(FLOATS.maximum(*xs), xs)

    def minimum(self, *xs: Any) -> Any:
        return self._winner(FLOATS.minimum(*xs), xs)

    def _winner(self, winner: Any, xs: tuple[Any, ...]) -> Any:
        self.made.append([x == winner for x in xs])
        return winner

    def abs(self, x: Any) -> Any:
        self.made.append((x > 0) - (x < 0))
        return abs(x)

    def floor(self, x: Any) -> Any:
        self.made.append(IEEE.floor(x))
        return self.made[-1]

    def ceil(self, x: Any) -> Any:
        self.made.append(IEEE.ceil(x))
        return self.made[-1]
