"""Broadcast: say what is_batched within a batch, and let all arguments of an n-ary op vary where some do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from microgradlib.compiler.trace import TracedNode
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from microgradlib.compiler.trace import Trace
    from microgradlib.ops import Op

__all__ = ["PAIRED", "parts", "broadcast"]

ADD, MUL, DOT, IDENTITY = (TABLE[name] for name in ("add", "mul", "dot", "identity"))
PAIRED = {"dot", "cross_entropy"}
"""Ops of two lists: the first half of their arguments are the weights of the second half."""


def broadcast(trace: Trace) -> tuple[list[TracedNode], list[bool], list[int]]:
    """Return the nodes, which of them vary within a batch, and the outputs.

    Where an n-ary op mixes numbers that vary with numbers that do not, copies of these are made that do.

    >>> from microgradlib import maximum
    >>> from microgradlib.compiler.trace import trace
    >>> nodes, is_batched, _ = broadcast(trace(lambda x: maximum(x, 1.0), [0.0], []))
    >>> [(node.kind if node.op is None else node.op.name, batched) for node, batched in zip(nodes, is_batched)]
    [('input', True), ('constant', False), ('identity', True), ('maximum', True)]
    """
    nodes: list[TracedNode] = []
    is_batched: list[bool] = []
    moved: list[int] = []
    copies: dict[int, int] = {}

    def enter(node: TracedNode, *, batched: bool) -> int:
        nodes.append(node)
        is_batched.append(batched)
        return len(nodes) - 1

    def copied(a: int) -> int:
        if not is_batched[a]:
            if a not in copies:
                copies[a] = enter(TracedNode("op", IDENTITY, (a,)), batched=True)
            return copies[a]
        return a

    def mixed(part: tuple[int, ...]) -> bool:
        return len(set(map(is_batched.__getitem__, part))) > 1

    for node in trace.nodes:
        if node.op is None:
            moved.append(enter(node, batched=node.kind == "input"))
            continue
        op, arguments = node.op, tuple(map(moved.__getitem__, node.arguments))
        if op is DOT and len(arguments) % 2 and not any(map(is_batched.__getitem__, arguments[:-1])):
            product = enter(TracedNode("op", DOT, arguments[:-1]), batched=False)
            op, arguments = ADD, (product, arguments[-1])  # only the bias may vary: w·x, then + b
        elif op.variadic:
            operands = parts(op, arguments) if op is DOT else (arguments,)
            if any(map(mixed, operands)):
                arguments = tuple([a for part in operands for a in (map(copied, part) if mixed(part) else part)])
        batched = any(map(is_batched.__getitem__, arguments))
        moved.append(enter(TracedNode("op", op, arguments), batched=batched))
    return _with_single_terms(nodes, is_batched), is_batched, [moved[y] for y in trace.outputs]


def _with_single_terms(nodes: list[TracedNode], is_batched: list[bool]) -> list[TracedNode]:
    """Make dots of the products that begin a family of dots, w₁x₁, w₁x₁ + w₂x₂, …, as in causal attention."""
    lengths: dict[int, set[int]] = defaultdict(set)
    for arguments in [node.arguments for node in nodes if node.op is DOT]:
        n = len(arguments) // 2
        if len(arguments) == 2 * n and is_batched[arguments[0]]:
            lengths[arguments[n]].add(n)
    begins = {x for x, found in lengths.items() if {2, 3} <= found}
    return [
        TracedNode("op", DOT, node.arguments)
        if node.op is MUL and node.arguments[1] in begins and is_batched[node.arguments[0]]
        else node
        for node in nodes
    ]


def parts(op: Op, arguments: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the arguments operand by operand: of a dot its weights, inputs and perhaps bias; see `PAIRED`.

    >>> parts(TABLE["dot"], (1, 2, 3, 4, 5)), parts(TABLE["sum"], (1, 2)), parts(TABLE["div"], (1, 2))
    (((1, 2), (3, 4), (5,)), ((1, 2),), ((1,), (2,)))
    """
    if op is DOT or (op.name in PAIRED and len(arguments) % 2 == 0):
        n = len(arguments) // 2
        return (arguments[:n], arguments[n : 2 * n], *zip(arguments[2 * n :]))
    return (arguments,) if op.variadic else tuple(zip(arguments))
