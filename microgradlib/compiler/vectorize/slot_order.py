"""Layout: order results and parameters so that those read together lie together, and reads are slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.group import Group
    from microgradlib.compiler.trace import TracedNode

    Wish = tuple[int, int]

__all__ = ["NO_WISH", "wishes"]

DOT = TABLE["dot"]
NO_WISH = (1 << 60, 0)


def wishes(nodes: Sequence[TracedNode], groups: Sequence[Group]) -> list[Wish]:
    """Order the members of every group as their first reader wants them; return each node's wish (reader, place).

    Readers are asked before what they read is ordered: the groups are gone through backwards. A matrix product's wish
    goes before that of an element-wise reader, which can do with any order.
    """
    wish, strength = [NO_WISH] * len(nodes), [0] * len(nodes)
    for number in range(len(groups) - 1, -1, -1):
        group = groups[number]
        _order(group, wish)
        for place, (a, strong) in enumerate(_reads(group, nodes)):
            if strength[a] <= strong and wish[a][0] != number:  # its first place counts
                wish[a], strength[a] = (number, place), strong
    return wish


def _reads(group: Group, nodes: Sequence[TracedNode]) -> Iterator[tuple[int, int]]:
    """Yield the nodes that a group reads, in its order, each with how much the order matters."""
    if group.kind == "product":
        yield from ((a, 2) for term in zip(*group.columns) for a in term)
        biases = group.biases(nodes)
        yield from ((a, 2) for row, bias in zip(group.rows, biases or [()] * len(group.rows)) for a in (*row, *bias))
        if biases is None:
            yield from ((nodes[i].arguments[2 * group.terms], 1) for i in group.members)
    elif group.kind == "reduce":  # all first terms, then all second ones: one row below the other, as in a product
        arguments = [nodes[i].arguments for i in group.members]
        yield from ((a, 1) for term in zip(*arguments) for a in term)
    elif group.kind == "segments" and group.node.op is DOT:
        return  # as a rule they become matrix products, which copy what they read
    elif group.kind == "segments":
        yield from ((a, 1) for i in group.members for a in nodes[i].arguments)
    else:
        width = len(nodes[group.members[0]].arguments)
        yield from ((nodes[i].arguments[k], 1) for k in range(width) for i in group.members)


def _order(group: Group, wish: Sequence[Wish]) -> None:
    """Order the members as their reader wants them; where they have several, as they were first written."""
    if group.kind != "product":
        group.members = _sorted(group.members, {i: wish[i] for i in group.members})
        return
    width = len(group.columns)
    cells = [group.members[r * width : (r + 1) * width] for r in range(len(group.rows))]
    rows = _sorted(range(len(cells)), {r: min([wish[i] for i in cells[r]]) for r in range(len(cells))})
    columns = _sorted(range(width), {c: wish[cells[rows[0]][c]] for c in range(width)})
    group.columns = [group.columns[c] for c in columns]
    group.rows = [group.rows[r] for r in rows]
    group.members = [cells[r][c] for r in rows for c in columns]


def _sorted(things: Sequence[int], wanted: dict[int, Wish]) -> list[int]:
    one_reader = len({reader for reader, _ in wanted.values()}) == 1
    return sorted(things, key=wanted.__getitem__ if one_reader else None)
