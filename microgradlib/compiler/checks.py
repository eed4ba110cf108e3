"""Checks of a call: labels and indices of a batch are tested as the eager engine tests them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.numpy_functions import array_functions, numpy
from microgradlib.errors import LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.compiler.trace import Trace

__all__ = ["ColumnCheck", "column_checks", "run_checks"]


class ColumnCheck(NamedTuple):
    """A check, a record with `holds` and `message`, and which numbers of the columns it is for."""

    check: Any
    numbers: Callable[[Sequence[Any]], Any]
    """numbers(columns): an array (batch,) or (batch, numbers)."""


def column_checks(trace: Trace, shapes: Sequence[tuple[int, ...]]) -> list[ColumnCheck]:
    """Return the checks that a traced function asked for: each once, on all the numbers of an argument that it is for.

    >>> from microgradlib import costs
    >>> from microgradlib.compiler.trace import trace
    >>> traced = trace(lambda z, y: costs.cross_entropy(z, y), [[0.0, 0.0], 0.0], [])
    >>> run_checks(column_checks(traced, [(2,), ()]), [numpy().zeros((3, 2)), numpy().array([0.0, 1.0, 2.0])])
    Traceback (most recent call last):
    microgradlib.errors.LabelError: example 2: the label is 2.0, but the 2 classes are 0 to 1
    """
    places = [(k, i) for k, shape in enumerate(shapes) for i in range(numpy().prod(shape, dtype=int))]
    direct: dict[Any, list[int]] = defaultdict(list)
    found = []
    for position, check in trace.checks:
        node = trace.nodes[position]
        if node.kind == "input":
            argument, i = places[node.index]
            direct[check, argument].append(i)
        elif not _depends_on_parameters(trace, position):
            found.append(ColumnCheck(check, _computed(trace, position, places)))
    for (check, argument), chosen in direct.items():
        whole = chosen == list(range(numpy().prod(shapes[argument], dtype=int)))
        found.append(ColumnCheck(check, _picked(argument, None if whole else chosen)))
    return found


def run_checks(checks: Sequence[ColumnCheck], columns: Sequence[Any]) -> None:
    """Raise `LabelError`, naming the example, for the first number that fails its check."""
    np = numpy()
    with np.errstate(all="ignore"):
        for check, pick in checks:
            numbers = pick(columns)
            right = check.holds(numbers)
            if np.count_nonzero(right) != right.size:
                example = tuple(np.argwhere(~right)[0].tolist())
                message = f"example {example[0]}: {check.message(float(numbers[example]))}"
                raise LabelError(message)


def _picked(argument: int, chosen: list[int] | None) -> Callable[[Sequence[Any]], Any]:
    return lambda columns: columns[argument] if chosen is None else columns[argument][:, chosen]


def _ancestors(trace: Trace, position: int) -> list[int]:
    """Return what a node is made of, and itself, in order."""
    found, waiting = set(), [position]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += trace.nodes[place].arguments
    return sorted(found)


def _depends_on_parameters(trace: Trace, position: int) -> bool:
    return any(trace.nodes[place].kind == "parameter" for place in _ancestors(trace, position))


def _computed(trace: Trace, position: int, places: list[tuple[int, int]]) -> Callable[[Sequence[Any]], Any]:
    """Return the function of the columns that computes a label which is made of inputs, such as 2 y − 1."""
    order = _ancestors(trace, position)

    def numbers(columns: Sequence[Any]) -> Any:
        known: dict[int, Any] = {}
        for place in order:
            node = trace.nodes[place]
            if node.op is not None:
                inputs = [known[argument] for argument in node.arguments]
                known[place] = node.op.value(array_functions(), *inputs, *node.op.settings)
            elif node.kind == "input":
                argument, i = places[node.index]
                known[place] = columns[argument] if columns[argument].ndim == 1 else columns[argument][:, i]
            else:
                known[place] = node.number
        return known[position]

    return numbers
