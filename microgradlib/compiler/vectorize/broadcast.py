"""Broadcast: say which space each node belongs to, and let all arguments of an n-ary op be batched where some are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.trace import TracedNode
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import Trace
    from microgradlib.ops import Op

__all__ = ["broadcast", "parts"]

ADD, MUL, DOT, SUM, IDENTITY = (TABLE[name] for name in ("add", "mul", "dot", "sum", "identity"))
PAIRED = {"dot", "cross_entropy"}
"""Ops of two lists: the first half of their arguments are the weights of the second half."""


def broadcast(trace: Trace) -> tuple[list[TracedNode], list[int], list[int]]:
    """Return the nodes, their spaces, and the outputs.

    Where an n-ary op mixes batched numbers with unbatched ones, these are copied into the batch.

    >>> from microgradlib import maximum
    >>> from microgradlib.compiler.trace import trace
    >>> nodes, spaces, _ = broadcast(trace(lambda x: maximum(x, 1.0), [0.0], []))
    >>> [(node.kind if node.op is None else node.op.name, space) for node, space in zip(nodes, spaces)]
    [('input', 1), ('constant', 0), ('identity', 1), ('maximum', 1)]
    """
    nodes: list[TracedNode] = []
    spaces: list[int] = []
    moved: list[int] = []
    copies: dict[int, int] = {}
    space_of = spaces.__getitem__

    def enter(node: TracedNode, space: int) -> int:
        nodes.append(node)
        spaces.append(space)
        return len(nodes) - 1

    def alike(part: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(map(space_of, part))) < 2:
            return part
        for a in part:
            if spaces[a] == UNBATCHED and a not in copies:
                copies[a] = enter(TracedNode("op", IDENTITY, (a,)), BATCHED)
        return tuple([copies.get(a, a) for a in part])

    for node in trace.nodes:
        if node.op is None:
            moved.append(enter(node, BATCHED if node.kind == "input" else UNBATCHED))
            continue
        op, arguments = node.op, tuple(map(moved.__getitem__, node.arguments))
        if op is DOT and len(arguments) % 2 and not any(map(space_of, arguments[:-1])):
            product = enter(TracedNode("op", DOT, arguments[:-1]), UNBATCHED)
            op, arguments = ADD, (product, arguments[-1])  # only the bias may be batched: w·x, then + b
        elif op.variadic:
            arguments = tuple([a for part in (parts(op, arguments) if op is DOT else [arguments]) for a in alike(part)])
        moved.append(enter(TracedNode("op", op, arguments), max(map(space_of, arguments))))
    return _with_first_terms(nodes, spaces), spaces, [moved[y] for y in trace.outputs]


def _with_first_terms(nodes: list[TracedNode], spaces: Sequence[int]) -> list[TracedNode]:
    """Make dots and sums of the products and additions that begin families of such, as causal attention has them.

    Dots: w₁x₁, w₁x₁ + w₂x₂, w₁x₁ + w₂x₂ + w₃x₃ …; sums: a + b, c + d + e …, all terms made by one op.
    """
    dots: dict[int, set[int]] = defaultdict(set)
    sums: dict[Op | None, set[int]] = defaultdict(set)
    for arguments in [node.arguments for node in nodes if node.op is DOT]:
        n = len(arguments) // 2
        if len(arguments) == 2 * n and spaces[arguments[0]] == BATCHED:
            dots[arguments[n]].add(n)
    for arguments in [node.arguments for node in nodes if node.op is SUM]:
        sums[nodes[arguments[0]].op].add(len(arguments))
    dotted = {x for x, lengths in dots.items() if {2, 3} <= lengths}
    summed = {op for op, lengths in sums.items() if {3, 4} <= lengths} - {None}

    def promoted(node: TracedNode) -> TracedNode:
        if node.op is MUL and node.arguments[1] in dotted and spaces[node.arguments[0]] == BATCHED:
            return TracedNode("op", DOT, node.arguments)
        if node.op is ADD and summed:
            a, b = node.arguments
            if nodes[a].op is nodes[b].op in summed and spaces[a] == spaces[b]:
                return TracedNode("op", SUM, node.arguments)
        return node

    return list(map(promoted, nodes))


def parts(op: Op, arguments: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the arguments operand by operand: of a dot its weights, inputs and perhaps bias; see `PAIRED`.

    >>> parts(TABLE["dot"], (1, 2, 3, 4, 5)), parts(TABLE["sum"], (1, 2)), parts(TABLE["div"], (1, 2))
    (((1, 2), (3, 4), (5,)), ((1, 2),), ((1,), (2,)))
    """
    if op is DOT or (op.name in PAIRED and len(arguments) % 2 == 0):
        n = len(arguments) // 2
        return (arguments[:n], arguments[n : 2 * n], *zip(arguments[2 * n :]))
    return (arguments,) if op.variadic else tuple(zip(arguments))
