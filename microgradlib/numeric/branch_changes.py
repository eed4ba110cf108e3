"""Record the graph of a function at two points, and find the op that takes different branches at them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import AS_ARGUMENTS, call, returned
from microgradlib._support.floats import FLOATS, IEEE, Float754
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import grad_table
from microgradlib.core.lost_derivatives import differentiating
from microgradlib.core.modes import recording
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Recording", "changed_branch", "record", "record_or_none"]

_JUMP = 1e-3  # relative; a local derivative that changes by less between two branches counts as continuous


@dataclass(frozen=True)
class Recording:
    """The graph of a function at one point: its inputs, its output, and the output's `grad_table`."""

    inputs: list[Value]
    output: Value
    table: dict[Value, float]


def record(f: Callable[..., Any], point: Sequence[float], names: Sequence[str] = ()) -> Recording:
    """Return the graph of f(*point) over new leaves. Raises `TypeError` if f does not return one number."""
    with recording():
        inputs = [Value(x, name) for x, name in zip(point, names or [""] * len(point))]
        with differentiating(inputs):
            output = call(f, AS_ARGUMENTS, *inputs)
    if not isinstance(output, Value):
        if isinstance(output, (list, tuple, dict)) or hasattr(output, "__apply_op__"):
            message = f"f must return one Value, got {shown(output)}: check one output at a time"
            raise TypeError(message)
        [output] = returned(f, [output], Value)
    return Recording(inputs, output, grad_table(output))


def record_or_none(f: Callable[..., Any], point: Sequence[float]) -> Recording | None:
    """Return the recording of f at the point; None where f raises or is not finite, as outside its domain."""
    try:
        there = record(f, point)
    except (ArithmeticError, ValueError):
        return None
    return there if math.isfinite(there.output.data) else None


def changed_branch(first: Recording, second: Recording) -> str:
    """Return the name of an op that takes different branches in two recordings of f, or "" if there is none.

    Such an op has a kink or a jump between the two points. An op counts if the output depends on it, its value rule
    chooses differently, and its local derivatives, or its values if those are 0, differ by more than `_JUMP`, or at all
    if the choice is a floor, a ceil or the quotient of a `mod`. If the recordings contain different ops, because f
    branches with a Python `if`, the result is "another path through the function".

    >>> from microgradlib import relu
    >>> ramp = lambda x: relu(x) + 1
    >>> left, right, further = (record(ramp, [x]) for x in (-1.0, 1.0, 2.0))
    >>> changed_branch(left, right), changed_branch(right, further)
    ('relu', '')
    """
    if [_op_name(node) for node in first.table] != [_op_name(node) for node in second.table]:
        return "another path through the function"
    for (node, gradient), (other, other_gradient) in zip(first.table.items(), second.table.items()):
        op = node.op
        if op is None or (op.kink is None and op.name != "where"):
            continue
        if (gradient or other_gradient) and _differ(node, other):
            choices, other_choices = _choices(node), _choices(other)
            whole = _whole_numbers(choices) != _whole_numbers(other_choices)
            if choices != other_choices and _differ(node, other, 0.0 if whole else _JUMP):
                return str(op)
    return ""


def _op_name(node: Value) -> str:
    return node.op.name if node.op is not None else ""


def _differ(node: Value, other: Value, jump: float = 0.0) -> bool:
    """Return whether the local derivatives of two nodes of one op differ by more than `jump`, relative to 1 or them."""
    pairs = list(zip(node.local_derivatives, other.local_derivatives))
    if not any(map(any, pairs)):  # piecewise constant, as floor is
        pairs = [(node.data, other.data)]
    return any(abs(a - b) > jump * max(1.0, abs(a), abs(b)) for a, b in pairs)


def _whole_numbers(choices: list[Any]) -> list[float]:
    """Return the floors, ceils and quotients among the choices: if one changes, the op jumps, by however little."""
    return [choice for choice in choices if isinstance(choice, float)]


def _choices(node: Value) -> list[Any]:
    """Return the branches that the op's value rule takes at the node's inputs, in order of evaluation."""
    namespace = _ChoiceRecorder()
    if node.op is not None:
        node.op.value(namespace, *[Float754(parent.data) for parent in node.parents], *node.op.settings)
    return namespace.choices


class _ChoiceRecorder:
    """A namespace `xp` of float functions that records the branch of each `where`, `maximum`, `floor` and the like."""

    def __init__(self) -> None:
        self.choices: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(IEEE, name)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        self.choices.append(bool(condition))
        return x if condition else y

    def maximum(self, *xs: Any) -> Any:
        return self._record_selected(FLOATS.maximum(*xs), xs)

    def minimum(self, *xs: Any) -> Any:
        return self._record_selected(FLOATS.minimum(*xs), xs)

    def _record_selected(self, selected: Any, xs: tuple[Any, ...]) -> Any:
        self.choices.append([x == selected for x in xs])
        return selected

    def abs(self, x: Any) -> Any:
        self.choices.append((x > 0) - (x < 0))
        return abs(x)

    def mod(self, x: Any, y: Any) -> Any:
        remainder = IEEE.mod(x, y)
        self.choices.append(IEEE.floor((x - remainder) / y + 0.5))
        return remainder

    def floor(self, x: Any) -> Any:
        self.choices.append(IEEE.floor(x))
        return self.choices[-1]

    def ceil(self, x: Any) -> Any:
        self.choices.append(IEEE.ceil(x))
        return self.choices[-1]
