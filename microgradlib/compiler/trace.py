"""Trace: run a function once on Symbols, and write down the scalar operations it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from microgradlib._support.calling import call, returned
from microgradlib._support.draws import draw_lines, draws_from_numpy, generator_states
from microgradlib._support.pytree import flatten, unflatten, with_lists_for_arrays
from microgradlib._support.shown import shown
from microgradlib._support.source_lines import PACKAGE, innermost_line
from microgradlib.core.changes import COUNT
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recorded_checks, recording, tracing_lines, unknown_numbers
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value, as_node
from microgradlib.errors import SymbolHasNoValueError, TracingError
from microgradlib.ops import Op

__all__ = ["Trace", "TracedNode", "trace"]

_AS_BATCHES = "a compiled function takes one batch for each argument of the function"


class TracedNode(NamedTuple):
    """One scalar operation, or a leaf: an input, a parameter or a constant, distinguished by `kind`.

    `op` and `arguments` (positions of other nodes) belong to an operation; `index` is the place of an input or
    parameter among its like; `number` is a constant's.
    """

    kind: str
    op: Op | None = None
    arguments: tuple[int, ...] = ()
    index: int = -1  # type: ignore[assignment]  # hides a method of tuples that nobody wants
    number: float = 0.0

    def __str__(self) -> str:
        if self.op is None:
            return f"{self.kind} {self.index if self.index >= 0 else self.number!r}"
        return " ".join([self.op.name, *map(repr, self.op.settings), ", ".join(map(str, self.arguments))])


@dataclass(frozen=True)
class Trace:
    """The scalar operations of one call: parameters, inputs, then each operation after its arguments.

    `outputs` are positions in `nodes`, shaped like the function's result by `shape`.
    """

    nodes: tuple[TracedNode, ...]
    outputs: tuple[int, ...]
    shape: Any
    inputs: int
    parameters: int
    captured: tuple[Any, ...] = ()
    """Leaf Values that the function uses beside its parameters: their numbers are read at each call, like parameters',
    behind which they are counted."""
    checks: tuple[tuple[int, Any], ...] = ()
    """Positions of labels and indices, each with the check that its number must pass at each call."""
    spaces: tuple[int, ...] = ()
    """Of a canonical trace: which nodes are the same for every example, `UNBATCHED`, and which are `BATCHED`."""


def trace(function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value]) -> Trace:
    """Run function(*rows) on Symbols in the places of the numbers of `rows` and return what it did.

    Raises `SymbolHasNoValueError`, naming the line, where the function needs a number that is not known yet,
    `TracingError` where a second run does otherwise, as it draws random numbers, and where a number is assigned to a
    parameter; `ValueError` for other Symbols.

    >>> w = Value(3.0)
    >>> [str(node) for node in trace(lambda x: w * x + 1, [0.0], [w]).nodes]
    ['parameter 0', 'input 0', 'mul 0, 1', 'constant 1.0', 'add 2, 3']
    """
    call = partial(_Run, function, rows, parameters)
    run, again = call(), call()
    _reject_reads(run, again)
    own = set(run.order).difference(parameters)
    captured = [node for node in again.order if node.op is None and isinstance(node, Value) and node in own]
    first, second = run.trace(captured), again.trace(captured)
    if (first.nodes, first.outputs) != (second.nodes, second.outputs) and _written(first) != _written(second):
        with tracing_lines() as lines:
            third = call()
        message = (
            "run twice, the function did not do the same: it draws random numbers, or keeps something between calls; "
            "draw before and pass the numbers as an argument"
            f"{_first_difference(first, third.trace(captured), third.order, lines)}"
        )
        raise TracingError(message)
    if run.rng_state != again.rng_state:
        draws = draw_lines(call)
        if draws or (run.rng_state[1] != again.rng_state[1] and draws_from_numpy(call)):
            message = (
                "the function draws random numbers, which would stay the same at every call: draw before, and pass "
                f"them as an argument{f' (at {draws[0]})' if draws else ''}"
            )
            raise TracingError(message)
    return first


@contextmanager
def _without_assignments(parameters: Sequence[Value]) -> Iterator[None]:
    """Run a block in which no number may be assigned to a parameter: the program would not do it, so it is an error."""
    count, numbers = COUNT["ASSIGNMENTS"], [p._float for p in parameters]
    changed: list[tuple[Value, float]] = []
    try:
        yield
    finally:
        if COUNT["ASSIGNMENTS"] != count:  # to some number
            changed += [(p, number) for p, number in zip(parameters, numbers) if getattr(p, "_assignments", 0) > count]
        for p, number in changed:
            p._float = number
    if changed:
        message = (
            f"the function assigns a number to {shown(changed[0][0])}, one of its parameters: a program computes, and "
            "assigns nothing; assign it before the call"
        )
        raise TracingError(message)


class _Run:
    """One call of the function on Symbols, and the nodes of its graph: parameters, inputs, arguments before results."""

    def __init__(self, function: Callable[..., Any], rows: Sequence[Any], parameters: Sequence[Value]) -> None:
        self.parameters, self.symbols = parameters, [Symbol(f"x{i}") for i in range(len(flatten(list(rows))))]
        try:
            with (
                _without_assignments(parameters),
                recording(),
                unknown_numbers(parameters) as self.reads,
                recorded_checks() as checks,
            ):
                result = with_lists_for_arrays(call(function, _AS_BATCHES, *unflatten(list(rows), self.symbols)))
        except SymbolHasNoValueError as error:
            message = f"{error} (at {innermost_line(error, PACKAGE) or 'a line of the library itself'})"
            raise SymbolHasNoValueError(message) from error
        self.rng_state = generator_states()
        self.outputs = returned(function, flatten(result), as_node)
        self.shape = unflatten(result, [None] * len(self.outputs))
        used = dict.fromkeys(topological_sort(*self.outputs))
        self.order = list(dict.fromkeys([*parameters, *self.symbols, *used]))
        self.checks = dict.fromkeys([(node, check) for node, check in checks if node in used])

    def trace(self, captured: Sequence[Value]) -> Trace:
        """Return the trace, with these Values as further parameters."""
        numbers = [*self.parameters, *captured]
        leaves: dict[Node, TracedNode] = {p: TracedNode("parameter", index=i) for i, p in enumerate(numbers)}
        leaves.update({x: TracedNode("input", index=i) for i, x in enumerate(self.symbols)})
        places = {node: place for place, node in enumerate(self.order)}
        nodes: list[TracedNode] = []
        for node in self.order:
            if node.op is not None:
                nodes.append(TracedNode("op", node.op, tuple(map(places.__getitem__, node.parents))))
            elif node in leaves:
                nodes.append(leaves[node])
            elif isinstance(node, Value):
                nodes.append(TracedNode("constant", number=+node.data))  # a plain 0 for `ZERO`
            else:
                message = f"the function uses {shown(node)}, which is none of its arguments"
                raise ValueError(message)
        return Trace(
            nodes=tuple(nodes),
            outputs=tuple([places[node] for node in self.outputs]),
            shape=self.shape,
            inputs=len(self.symbols),
            parameters=len(numbers),
            captured=tuple(captured),
            checks=tuple([(places[node], check) for node, check in self.checks]),
        )


def _reject_reads(run: _Run, again: _Run) -> None:
    """Reject reading the number of a Value that neither run made: it may be another one at the next call."""
    for node, line in run.reads.items():
        if node in again.reads:
            name = repr(node.label) if node.label else "a Value from outside the function"
            message = (
                f"the number of {name} was read while the function is compiled, and would stay what it is now: use the "
                "Value itself, whose number is looked up at each call, or pass it as an argument; a number that is to "
                f"stay is read before (at {line})"
            )
            raise SymbolHasNoValueError(message)


def _written(trace: Trace) -> list[str]:
    """Return what nodes are compared by where they differ: nan is not equal to itself, nor are ops bound twice."""
    return [*map(str, trace.nodes), *map(str, trace.outputs)]


def _first_difference(first: Trace, other: Trace, order: list[Node], lines: dict[Any, str]) -> str:
    """Name the line of the first operation that differs, or whose arguments do, if there is one."""
    different = {i for i, (one, two) in enumerate(zip(_written(first), _written(other))) if one != two}
    for i, (node, made) in enumerate(zip(other.nodes, order)):
        if made in lines and not different.isdisjoint({i, *node.arguments}):
            return f" (at {lines[made]})"
    return ""
