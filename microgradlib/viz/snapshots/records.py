"""What was recorded of the nodes of a graph: the calls and blocks that each was made in, outer ones first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib.core.scopes import Block, Call, Given, calls_of_many, marks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Records", "records_of"]

DEEPEST = 32
"""The most calls and blocks around a node that are kept, the outermost: no drawing shows more frames, one in the other,
and of a program that nests a block in each step there would be as many for each node as there are nodes."""


@dataclass(frozen=True)
class Records:
    """The records of a graph, by the indices of its nodes.

    Args:
        chains: for each node the calls and blocks that it was made in, outer ones first, at most `DEEPEST`.
        numbers: the names of numbers that the library put in.
        calls: all calls with nodes in this graph, in the order in which they began.

    """

    chains: list[tuple[Call | Block, ...]]
    numbers: dict[int, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)


def records_of(order: Sequence[Any], index: Mapping[Any, int]) -> Records:
    """Return what was recorded of the nodes of a graph in topological order, where `index` is the place of each.

    What a call made is found by walking back from the nodes it returned to those it was given. Calls that ended
    earlier claim their nodes first; a call leaves out what was claimed by calls that had begun before it.

    >>> from microgradlib import Value, scope, topological_sort
    >>> x = Value(3.0)
    >>> with scope("square"):
    ...     y = x * x
    >>> order = topological_sort(y + 1)
    >>> chains = records_of(order, {node: i for i, node in enumerate(order)}).chains
    >>> [[record.name for record in chain] for chain in chains]
    [[], ['square'], [], []]
    """
    calls: dict[int, tuple[Call, list[int]]] = {}
    blocks: dict[int, Block] = {}
    numbers: dict[int, str] = {}
    given: dict[int, int] = {}
    for i, node in enumerate(order):
        for record in marks_of(node):
            if isinstance(record, Call):
                calls.setdefault(record.end, (record, []))[1].append(i)
            elif isinstance(record, Block):
                blocks.setdefault(i, record)  # the innermost: it is marked when the node is made
            elif isinstance(record, Given):
                given[i] = record.begin
            else:
                numbers[i] = record
    for call in calls_of_many():
        if call.end not in calls and any(output() in index for output in call.outputs):
            calls[call.end] = call, []
    users = _users(order, index) if any(call.inside for call, _ in calls.values()) else []
    found: list[list[Call | Block]] = [[] for _ in order]
    outermost: dict[int, Call] = {}
    for end in sorted(calls):
        call, marked = calls[end]
        returned = [index[node] for node in (reference() for reference in call.outputs) if node in index]
        returned += [user for node in call.inside if node in index for user in users[index[node]]]
        for i in _made_in(call, [*marked, *returned], order, index, outermost=outermost, moments=given):
            found[i].append(call)
            outermost[i] = call
    around: dict[Block, tuple[Block, ...]] = {}
    for i, block in blocks.items():
        found[i] += _with_those_around(block, around)
    chains = [tuple(sorted(records, key=_beginning)[:DEEPEST]) if records else () for records in found]
    return Records(chains, numbers, [call for call, _ in sorted(calls.values(), key=lambda pair: pair[0].begin)])


def _with_those_around(block: Block, known: dict[Block, tuple[Block, ...]]) -> tuple[Block, ...]:
    """Return the outermost `DEEPEST` of a block and the blocks around it; `known` keeps them for each block."""
    inner: list[Block] = []
    outer: Block | None = block
    while outer is not None and outer not in known:
        inner.append(outer)
        outer = outer.parent
    blocks: tuple[Block, ...] = () if outer is None else known[outer]
    for each in reversed(inner):
        blocks = known[each] = (*blocks, each) if len(blocks) < DEEPEST else blocks
    return blocks


def _users(order: Sequence[Any], index: Mapping[Any, int]) -> list[list[int]]:
    """Return the nodes that read each node of a graph."""
    users: list[list[int]] = [[] for _ in order]
    for i, node in enumerate(order):
        for parent in node.parents:
            users[index[parent]].append(i)
    return users


def _made_in(
    call: Call,
    ends: list[int],
    order: Sequence[Any],
    index: Mapping[Any, int],
    *,
    outermost: Mapping[int, Call],
    moments: Mapping[int, int],
) -> set[int]:
    """Return the nodes that a call made, of which it returned `ends`; some were there at `moments` before it began."""
    made: set[int] = set()
    given = _given(call, index)
    stack = ends
    while stack:
        i = stack.pop()
        if i in made or i in given or order[i].op is None or moments.get(i, call.begin) < call.begin:
            continue
        other = outermost.get(i)
        if other is not None and other.begin < call.begin:
            continue
        made.add(i)
        stack += [index[parent] for parent in order[i].parents]
    return made


def _given(call: Call, index: Mapping[Any, int]) -> set[int]:
    """Return the nodes that a call was given; for one that its result does not read, those that it was computed from.

    A cross-entropy of probabilities reads the numbers that they were computed from, which are not its own.
    """
    given: set[int] = set()
    stack, seen = [*call.inputs], set(call.inputs)
    while stack:
        node = stack.pop()
        if node in index:
            given.add(index[node])
        else:
            new = [parent for parent in node.parents if parent not in seen]
            seen.update(new)
            stack += new
    return given


def _beginning(record: Call | Block) -> int:
    return record.begin
