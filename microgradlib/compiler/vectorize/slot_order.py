"""Slot order: order results and parameters so that those read together lie together, and reads are strided views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.trace import TracedNode
    from microgradlib.compiler.vectorize.packs import Pack

    Place = tuple[int, int]

__all__ = ["slot_order"]

DOT = TABLE["dot"]
UNREAD = (1 << 60, 0)


def slot_order(nodes: Sequence[TracedNode], packs: Sequence[Pack]) -> list[Place]:
    """Order the members of every pack as their first reader wants them; return each node's place (reader, position).

    Readers are asked before what they read is ordered: the packs are gone through backwards. A matrix product has
    priority over an elementwise reader, which can do with any order.
    """
    place, priority = [UNREAD] * len(nodes), [0] * len(nodes)
    for number in range(len(packs) - 1, -1, -1):
        pack = packs[number]
        _order(pack, place)
        for position, (a, high) in enumerate(_reads(pack, nodes)):
            if a >= 0 and priority[a] <= high and place[a][0] != number:  # its first place counts
                place[a], priority[a] = (number, position), high
    return place


def _reads(pack: Pack, nodes: Sequence[TracedNode]) -> Iterator[tuple[int, int]]:
    """Yield the nodes that a pack reads, in its order, each with its priority."""
    if pack.kind == "matmul" and pack.count == 1:
        yield from ((a, 2) for term in zip(*pack.columns) for a in term)
        yield from ((a, 2) for row in pack.rows for a in row)
    elif pack.kind == "reduce":  # all first terms, then all second ones: one row below the other, as in a product
        arguments = [nodes[i].arguments for i in pack.members]
        yield from ((a, 1) for term in zip(*arguments) for a in term)
    elif pack.kind == "segment_reduce" and pack.op is not DOT:
        yield from ((a, 1) for i in pack.members for a in nodes[i].arguments)
    elif pack.kind == "elementwise":
        width = len(nodes[pack.members[0]].arguments)
        yield from ((nodes[i].arguments[k], 1) for k in range(width) for i in pack.members)
    if pack.bias == "added":
        yield from ((nodes[i].arguments[-1], 1) for i in pack.members if i >= 0)


def _order(pack: Pack, place: Sequence[Place]) -> None:
    """Order the members as their reader wants them; where they have several, as they were first written."""
    if pack.kind != "matmul":
        pack.members = _sorted(pack.members, {i: place[i] for i in pack.members})
    elif pack.count == 1 and min(pack.members) >= 0:
        width = len(pack.columns)
        cells = [pack.members[r * width : (r + 1) * width] for r in range(len(pack.rows))]
        rows = _sorted(range(len(cells)), {r: min([place[i] for i in cells[r]]) for r in range(len(cells))})
        columns = _sorted(range(width), {c: place[cells[rows[0]][c]] for c in range(width)})
        pack.columns = [pack.columns[c] for c in columns]
        pack.rows = [pack.rows[r] for r in rows]
        pack.members = [cells[r][c] for r in rows for c in columns]


def _sorted(things: Sequence[int], wanted: dict[int, Place]) -> list[int]:
    one_reader = len({reader for reader, _ in wanted.values()}) == 1
    return sorted(things, key=wanted.__getitem__ if one_reader else None)
