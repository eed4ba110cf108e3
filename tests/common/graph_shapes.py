"""Large graphs of every shape, and the ways in which a function may take one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import microgradlib as mg
from microgradlib import Symbol, Value

__all__ = ["LEAVES", "SHAPES", "Graph", "ways"]

Leaf = Callable[[str, float], Any]


class Graph(NamedTuple):
    """A graph: its output, one of its leaves, and nodes of it in topological order."""

    output: Any
    x: Any
    nodes: list[Any]


def steps(step: Callable[[Any, int], Any]) -> Callable[[int, Leaf], Graph]:
    """Return the shape in which each node is a step from the one before."""

    def shape(n: int, leaf: Leaf) -> Graph:
        nodes = [leaf("x", 1.0)]
        for i in range(n):
            nodes.append(step(nodes[-1], i))
        return Graph(nodes[-1], nodes[0], nodes)

    return shape


def running_sum(n: int, leaf: Leaf) -> Graph:
    """y + x₁ + x₂ + …, each term the left operand: the depth-first search goes right."""
    nodes = [leaf("x", 1.0)]
    for _ in range(n):
        nodes.append(leaf("", 1e-6) + nodes[-1])
    return Graph(nodes[-1], nodes[0], nodes)


def wide(join: Callable[[list[Any]], Any]) -> Callable[[int, Leaf], Graph]:
    """Return the shape of one node with n inputs."""

    def shape(n: int, leaf: Leaf) -> Graph:
        nodes = [leaf(f"x{i}", 1.0 / (i + 1)) for i in range(n)]
        return Graph(join(nodes), nodes[0], nodes)

    return shape


def fan(n: int, leaf: Leaf) -> Graph:
    """One leaf used n times."""
    x = leaf("x", 0.5)
    nodes = [x * (i / n) for i in range(n)]
    return Graph(mg.sum(nodes), x, nodes)


def tree(n: int, leaf: Leaf) -> Graph:
    """A balanced tree of n leaves."""
    leaves = nodes = [leaf(f"x{i}", 1.0 / (i + 1)) for i in range(n)]
    while len(nodes) > 1:
        nodes = [*map(mg.add, nodes[::2], nodes[1::2]), *nodes[len(nodes) - len(nodes) % 2 :]]
    return Graph(nodes[0], leaves[0], leaves)


SHAPES: dict[str, Callable[[int, Leaf], Graph]] = {
    "chain": steps(lambda y, _: mg.sin(y)),
    "products": steps(lambda y, _: y * 1.0000001),
    "ladder": steps(lambda y, i: y * y if i % 2 else (y + y) * 0.5),  # 2ⁿ paths
    "running sum": running_sum,
    "sum": wide(mg.sum),
    "dot": wide(lambda nodes: mg.dot(nodes, nodes)),
    "fan": fan,
    "tree": tree,
}
LEAVES: dict[str, Leaf] = {"Value": lambda label, x: Value(x, label=label), "Symbol": lambda label, _: Symbol(label)}


def ways(graph: Graph, n: int) -> dict[str, tuple[Any, ...]]:
    """Return lists of arguments in which a function may take a graph, or a function that builds one."""
    output, x, nodes = graph

    def long(*numbers: Any) -> Any:
        y = mg.sum([z for xs in numbers for z in (xs if isinstance(xs, (list, tuple)) else [xs])])
        for _ in range(n):
            y = y * 1.0000001
        return y

    return {
        "output": (output,),
        "[output]": ([output],),
        "nodes": (nodes,),
        "*nodes": (*nodes[:2], *nodes[2:]),
        "output, x": (output, x),
        "output, [x]": (output, [x]),
        "output, nodes": (output, nodes),
        "output, {x: 1}": (output, {x: 1.0}),
        "nodes, {x: 1}": (nodes, {x: 1.0}),
        "output, {nodes: 1}": (output, dict.fromkeys(nodes, 1.0)),
        "nodes, nodes": (nodes, nodes),
        "output, 1": (output, 1.0),
        "nodes, 1": (nodes, 1.0),
        "f": (long,),
        "f, 1": (long, 1.0),
        "f, [1]": (long, [1.0]),
        "f, 1, 1": (long, 1.0, 1.0),
        "f, (1,), (1,)": (long, (1.0,), (1.0,)),
    }
