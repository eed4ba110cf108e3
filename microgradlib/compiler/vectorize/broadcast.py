"""Spread: say what varies within a batch, and let all arguments of an n-ary op vary where some do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from microgradlib.compiler.trace import TracedNode
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from microgradlib.compiler.trace import Trace
    from microgradlib.ops import Op

__all__ = ["PAIRED", "parts", "spread"]

ADD, MUL, DOT, IDENTITY = (TABLE[name] for name in ("add", "mul", "dot", "identity"))
PAIRED = {"dot", "cross_entropy"}
"""Ops of two lists: the first half of their arguments are the weights of the second half."""


def spread(trace: Trace) -> tuple[list[TracedNode], list[bool], list[int]]:
    """Return the nodes, which of them vary within a batch, and the outputs.

    Where an n-ary op mixes numbers that vary with numbers that do not, copies of these are made that do.

    >>> from microgradlib import maximum
    >>> from microgradlib.compiler.trace import trace
    >>> nodes, varies, _ = spread(trace(lambda x: maximum(x, 1.0), [0.0], []))
    >>> [(node.kind if node.op is None else node.op.name, varying) for node, varying in zip(nodes, varies)]
    [('input', True), ('constant', False), ('identity', True), ('maximum', True)]
    """
    nodes: list[TracedNode] = []
    varies: list[bool] = []
    moved: list[int] = []
    copies: dict[int, int] = {}

    def enter(node: TracedNode, *, varying: bool) -> int:
        nodes.append(node)
        varies.append(varying)
        return len(nodes) - 1

    def copied(a: int) -> int:
        if not varies[a]:
            if a not in copies:
                copies[a] = enter(TracedNode("op", IDENTITY, (a,)), varying=True)
            return copies[a]
        return a

    def mixed(part: tuple[int, ...]) -> bool:
        return len(set(map(varies.__getitem__, part))) > 1

    for node in trace.nodes:
        if node.op is None:
            moved.append(enter(node, varying=node.kind == "input"))
            continue
        op, arguments = node.op, tuple(map(moved.__getitem__, node.arguments))
        if op is DOT and len(arguments) % 2 and not any(map(varies.__getitem__, arguments[:-1])):
            product = enter(TracedNode("op", DOT, arguments[:-1]), varying=False)
            op, arguments = ADD, (product, arguments[-1])  # only the bias may vary: w·x, then + b
        elif op.variadic:
            operands = parts(op, arguments) if op is DOT else (arguments,)
            if any(map(mixed, operands)):
                arguments = tuple([a for part in operands for a in (map(copied, part) if mixed(part) else part)])
        varying = any(map(varies.__getitem__, arguments))
        moved.append(enter(TracedNode("op", op, arguments), varying=varying))
    return _with_single_terms(nodes, varies), varies, [moved[y] for y in trace.outputs]


def _with_single_terms(nodes: list[TracedNode], varies: list[bool]) -> list[TracedNode]:
    """Make dots of the products that begin a family of dots, w₁x₁, w₁x₁ + w₂x₂, …, as in causal attention."""
    lengths: dict[int, set[int]] = defaultdict(set)
    for arguments in [node.arguments for node in nodes if node.op is DOT]:
        n = len(arguments) // 2
        if len(arguments) == 2 * n and varies[arguments[0]]:
            lengths[arguments[n]].add(n)
    begins = {x for x, found in lengths.items() if {2, 3} <= found}
    return [
        TracedNode("op", DOT, node.arguments)
        if node.op is MUL and node.arguments[1] in begins and varies[node.arguments[0]]
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
