"""Checks of a call: labels and indices of a batch are tested as the eager engine tests them."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.trace import Trace

__all__ = ["ColumnCheck", "column_checks", "run_checks"]


class ColumnCheck(NamedTuple):
    """A check, as `record_check` was given it, and which numbers of the columns it is for."""

    check: Any
    numbers: Callable[[Sequence[Any]], Any]
    """numbers(columns): an array (batch,) or (batch, numbers)."""


def column_checks(trace: Trace, shapes: Sequence[tuple[int, ...]]) -> list[ColumnCheck]:
    """Return the checks that a traced function asked for: each once, for all the numbers of an argument together.

    Labels made of inputs, such as 2 y − 1, are checked too; what depends on parameters is no label.

    >>> from microgradlib import costs
    >>> from microgradlib.compiler.trace import trace
    >>> traced = trace(lambda z, y: costs.cross_entropy(z, y), [[0.0, 0.0], 0.0], [])
    >>> run_checks(column_checks(traced, [(2,), ()]), [numpy().zeros((3, 2)), numpy().array([0.0, 1.0, 2.0])])
    Traceback (most recent call last):
    microgradlib.errors.LabelError: example 2: the label is 2.0, but the 2 classes are 0 to 1
    """
    sizes = [numpy().prod(shape, dtype=int) for shape in shapes]
    places = [(argument, i) for argument, size in enumerate(sizes) for i in range(size)]
    direct: dict[Any, list[int]] = defaultdict(list)
    found = []
    for position, check in trace.checks:
        order = _ancestors(trace, position)
        if len(order) == 1:
            argument, i = places[trace.nodes[position].index]
            direct[check, argument].append(i)
        elif all(trace.nodes[place].kind != "parameter" for place in order):
            found.append(ColumnCheck(check, partial(_computed, trace, order, places)))
    for (check, argument), chosen in direct.items():
        part = None if chosen == list(range(sizes[argument])) else chosen
        found.append(ColumnCheck(check, partial(_picked, argument, part)))
    return found


def run_checks(checks: Sequence[ColumnCheck], columns: Sequence[Any]) -> None:
    """Raise `LabelError`, naming the example, for the first number that fails its check."""
    np = numpy()
    for check, pick in checks:
        numbers = pick(columns)
        low, high, step, nearest = check.low, check.high, check.step, numbers
        if step:
            nearest = np.rint(numbers) if step == 1 else np.rint((numbers - low) / step) * step + low
        elif math.isinf(high):  # infinite numbers fail every check
            most = np.finfo(numbers.dtype).max
            low, high = max(low, -most), most
        wrong = np.minimum(np.maximum(nearest, low), high) != numbers
        if check.other is not None:
            wrong &= numbers != check.other
        if np.count_nonzero(wrong):
            example = tuple(np.argwhere(wrong)[0].tolist())
            message = f"example {example[0]}: {check.message(float(numbers[example]))}"
            raise LabelError(message)


def _picked(argument: int, part: list[int] | None, columns: Sequence[Any]) -> Any:
    return columns[argument] if part is None else columns[argument][:, part]


def _ancestors(trace: Trace, position: int) -> list[int]:
    """Return the positions of what a node is made of, and its own, in order."""
    found: set[int] = set()
    waiting = [position]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += trace.nodes[place].arguments
    return sorted(found)


def _computed(trace: Trace, order: list[int], places: list[tuple[int, int]], columns: Sequence[Any]) -> Any:
    """Return the last of some nodes for each example, computed from the columns."""
    known: dict[int, Any] = {}
    for place in order:
        node = trace.nodes[place]
        if node.op is not None:
            known[place] = node.op.value(array_functions(), *map(known.get, node.arguments), *node.op.settings)
        elif node.kind == "input":
            argument, i = places[node.index]
            known[place] = columns[argument].reshape(len(columns[0]), -1)[:, i]
        else:
            known[place] = node.number
    return known[order[-1]]
