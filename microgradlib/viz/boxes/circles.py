"""Parts that depend on one another in a circle become one part, so that every drawing has a direction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from microgradlib.viz.boxes.groups import common
from microgradlib.viz.boxes.parts import Part, edges_between, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.viz.boxes.structure import Structure


def join_circles(structure: Structure, parts: Sequence[Part]) -> list[Part]:
    """Return the parts in topological order, with those that stand in a circle joined.

    Leaving out the middle of a frame's ops can make a circle, where a way leads out of the middle, through another
    group and back. What lies on it belongs to the middle.
    """
    edges = list(dict.fromkeys(edges_between(structure, parts)))
    circles = [circle for circle in strongly_connected(len(parts), edges) if len(circle) > 1]
    if not circles:
        return in_order(structure, parts, edges)
    joined = {place: min(circle) for circle in circles for place in circle}
    together: dict[int, list[Part]] = {}
    for place, part in enumerate(parts):
        together.setdefault(joined.get(place, place), []).append(part)
    merged = [members[0] if len(members) == 1 else join(members) for members in together.values()]
    return in_order(structure, merged, edges_between(structure, merged))


def join(parts: Sequence[Part]) -> Part:
    """Return one part for the nodes of several; it stands in the frames that are around all of them.

    >>> join([Part("op", (3,), ()), Part("op", (1, 2), ())])
    Part(kind='elided', nodes=(1, 2, 3), path=(), scope=None, neuron=None, scopes=(), copy=0, users=None)
    """
    nodes = sorted(i for part in parts for i in part.nodes)
    return replace(Part("elided", (), ()), nodes=tuple(nodes), path=common(part.path for part in parts))


def strongly_connected(count: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the strongly connected components of a graph of `count` vertices (Tarjan), without recursion.

    >>> strongly_connected(4, [(0, 1), (1, 2), (2, 1), (2, 3)])
    [[3], [2, 1], [0]]
    """
    after: list[dict[int, None]] = [{} for _ in range(count)]
    for tail, head in edges:
        after[tail][head] = None
    index = [-1] * count
    low = [0] * count
    on_stack = [False] * count
    stack: list[int] = []
    components: list[list[int]] = []
    found = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        work = [(root, iter(after[root]))]
        index[root] = low[root] = found
        found += 1
        stack.append(root)
        on_stack[root] = True
        while work:
            vertex, heads = work[-1]
            head = next(heads, -1)
            if head < 0:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[vertex])
                if low[vertex] == index[vertex]:
                    component = [stack.pop()]
                    while component[-1] != vertex:
                        component.append(stack.pop())
                    for one in component:
                        on_stack[one] = False
                    components.append(component)
            elif index[head] < 0:
                index[head] = low[head] = found
                found += 1
                stack.append(head)
                on_stack[head] = True
                work.append((head, iter(after[head])))
            elif on_stack[head]:
                low[vertex] = min(low[vertex], index[head])
    return components
