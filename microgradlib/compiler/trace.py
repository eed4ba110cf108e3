"""Trace: run a function once on Symbols, and write down the scalar operations it makes."""

from __future__ import annotations

import random
import sys
import threading
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.pytree import flatten, unflatten, with_lists_for_arrays
from microgradlib._support.source_lines import cited
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recorded_checks, recording, tracing_lines, unknown_numbers
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value, as_node
from microgradlib.errors import SymbolHasNoValueError, TracingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.ops import Op

__all__ = ["Trace", "TracedNode", "trace"]

DRAWS = {random.random, random.getrandbits}
"""What every draw of Python's own generator comes to."""

_PACKAGE = str(Path(__file__).parents[1])


class TracedNode(NamedTuple):
    """One scalar operation, or a leaf: an input, a parameter or a constant, told apart by `kind`.

    `op` and `arguments` (positions of other nodes) belong to an operation; `index` is the place of an input or
    parameter among its like; `number` is a constant's.
    """

    kind: str
    op: Op | None = None
    arguments: tuple[int, ...] = ()
    index: int = -1  # type: ignore[assignment]  # hides a method of tuples that nobody wants
    number: float = 0.0


@dataclass(frozen=True)
class Trace:
    """The scalar operations of one call, arguments before what is made of them.

    `outputs` are positions in `nodes`, shaped like the function's result by `shape`.
    """

    nodes: tuple[TracedNode, ...]
    outputs: tuple[int, ...]
    shape: Any
    inputs: int
    parameters: int
    held: tuple[Any, ...] = ()
    """Leaf Values that the function uses beside its parameters: their numbers are read at each call, like parameters',
    behind which they are counted."""
    checks: tuple[tuple[int, Any], ...] = ()
    """Positions of labels and indices, each with the check that its number must pass at each call."""


def trace(function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value]) -> Trace:
    """Run function(*rows) on Symbols in the places of the numbers of `rows` and return what it did.

    Raises `SymbolHasNoValueError`, naming the line, where the function wants to know a number that it will only get
    later, and `TracingError` where it did something else when it was run a second time: it draws random numbers, say.

    >>> w = Value(3.0)
    >>> [node.kind for node in trace(lambda x: w * x + 1, [0.0], [w]).nodes]
    ['parameter', 'input', 'op', 'constant', 'op']
    """
    run, again = _call(function, rows, parameters), _call(function, rows, parameters)
    _refuse_kept(run, again)
    held = _held(run, again, parameters)
    first, second = _written(run, parameters, held), _written(again, parameters, held)
    if not _alike(first, second):
        with tracing_lines() as lines:
            run = _call(function, rows, parameters)
        third, order = _written(run, parameters, held), run.order
        message = (
            "run twice, the function did not do the same: it draws random numbers, or keeps something between calls; "
            f"draw before and pass the numbers as an argument{_difference(first, third, order, lines)}"
        )
        raise TracingError(message)
    if run.chance != again.chance:
        _refuse_chance(function, rows, parameters, numpy_drew=run.chance[1:] != again.chance[1:])
    return first


def _alike(first: Trace, second: Trace) -> bool:
    if first.outputs != second.outputs:
        return False
    # nan is not equal to itself, and an op bound twice to the same settings may be two
    return first.nodes == second.nodes or list(map(_told, first.nodes)) == list(map(_told, second.nodes))


def _told(node: TracedNode) -> tuple[Any, ...]:
    return node.kind, _spelt(node.op), node.arguments, node.index, repr(node.number)


def _spelt(op: Op | None) -> str:
    return "" if op is None else f"{op.name}{op.settings}"


def _difference(first: Trace, third: Trace, order: Sequence[Node], lines: dict[Any, str]) -> str:
    """Name the line of the first operation in which the two differ, if there is one."""
    for one, other, made in zip(first.nodes, third.nodes, order):
        if _shown(first, one) != _shown(third, other) and made in lines:
            return f" (at {lines[made]})"
    return ""


def _shown(trace: Trace, node: TracedNode) -> str:
    return f"{_spelt(node.op)}{[repr(trace.nodes[a].number) for a in node.arguments]}"


class _Run(NamedTuple):
    """One call of the function on Symbols: these, its result, and the nodes of the graph, arguments first."""

    symbols: list[Symbol]
    result: Any
    outputs: list[Node]
    order: Sequence[Node]
    reads: dict[Node, str]
    checks: list[tuple[Node, Any]]
    chance: tuple[Any, ...]


def _call(function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value]) -> _Run:
    symbols = [Symbol(f"x{i}") for i in range(len(flatten(list(rows))))]
    try:
        with recording(), unknown_numbers(parameters) as reads, recorded_checks() as checks:
            result = with_lists_for_arrays(function(*unflatten(list(rows), symbols)))
    except SymbolHasNoValueError as error:
        message = f"{error} (at {_users_line(error)})"
        raise SymbolHasNoValueError(message) from error
    outputs = [as_node(leaf) for leaf in flatten(result)]
    return _Run(symbols, result, outputs, topological_sort(*outputs), reads, checks, _sources_of_chance())


def _sources_of_chance() -> tuple[Any, ...]:
    """Return the states of Python's and of NumPy's own generator of random numbers."""
    kind, key, *rest = numpy().random.get_state()
    return random.getstate(), kind, key.tobytes(), *rest


def _refuse_chance(
    function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value], *, numpy_drew: bool
) -> None:
    """Refuse a function that draws random numbers; those that other threads draw do not count."""
    lines: list[str] = []

    def watch(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and called in DRAWS:
            while frame.f_code.co_filename == random.__file__:
                frame = frame.f_back
            lines.append(cited(frame.f_code, frame.f_lineno))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        _call(function, rows, parameters)
    finally:
        sys.setprofile(before)
    if lines or (numpy_drew and threading.active_count() == 1):
        where = f" (at {lines[0]})" if lines else ""
        message = (
            "the function draws random numbers, which would stay the same at every call: draw before, and pass them as "
            f"an argument{where}"
        )
        raise TracingError(message)


def _refuse_kept(one: _Run, other: _Run) -> None:
    """Refuse to keep for ever the number that a Value from outside, which both runs read, happens to have now."""
    for node, line in one.reads.items():
        if node in other.reads:
            name = repr(node.label) if node.label else "a Value from outside the function"
            message = (
                f"the number of {name} was read while the function is compiled, and would stay what it is now: use the "
                "Value itself, whose number is looked up at each call, or pass it as an argument; a number that is to "
                f"stay is read before (at {line})"
            )
            raise SymbolHasNoValueError(message)


def _held(one: _Run, other: _Run, parameters: Sequence[Value]) -> list[Value]:
    """Return the leaf Values that both runs used, and so did not make: all but the parameters."""
    known = {node for node in one.order if node.op is None and isinstance(node, Value)}.difference(parameters)
    return [node for node in other.order if node.op is None and isinstance(node, Value) and node in known]


def _written(run: _Run, parameters: Sequence[Value], held: Sequence[Value]) -> Trace:
    leaf: dict[Node, TracedNode] = {p: TracedNode("parameter", index=i) for i, p in enumerate([*parameters, *held])}
    leaf.update({x: TracedNode("input", index=i) for i, x in enumerate(run.symbols)})
    places = dict(zip(run.order, count()))
    position = places.__getitem__
    nodes = [
        TracedNode("op", node.op, tuple(map(position, node.parents)))
        if node.op is not None
        else leaf.get(node) or _constant(node)
        for node in run.order
    ]
    outputs = tuple(map(position, run.outputs))
    checks = tuple(dict.fromkeys((places[node], check) for node, check in run.checks if node in places))
    numbers = len(parameters) + len(held)
    return Trace(tuple(nodes), outputs, _emptied(run.result), len(run.symbols), numbers, tuple(held), checks)


def _constant(leaf: Node) -> TracedNode:
    if isinstance(leaf, Value):
        return TracedNode("constant", number=+leaf.data)  # a plain 0 for `ZERO`
    message = f"the function uses {leaf!r}, which is none of its arguments"
    raise ValueError(message)


def _users_line(error: BaseException) -> str:
    """Return the innermost line of the traceback that is not the library's."""
    line, step = "", error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            line = cited(code, step.tb_lineno)
        step = step.tb_next
    return line or "a line of the library itself"


def _emptied(result: Any) -> Any:
    """Return the shape of a result: None in the place of each number."""
    return unflatten(result, [None] * len(flatten(result)))
