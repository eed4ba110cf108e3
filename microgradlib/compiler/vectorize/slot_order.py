"""Slot order: order results and leaves so that those read together lie together, and operands are strided views."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, pairwise
from math import gcd, inf
from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import BATCHED
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from microgradlib.compiler.trace import TracedNode
    from microgradlib.compiler.vectorize.packs import Pack, Term

    Place = tuple[int, int]

__all__ = ["slot_order"]

DOT = TABLE["dot"]
UNREAD = (1 << 60, 0)
STACKED = 8
"""Results with several readers are ordered by reader if all parts are multiples of one that is a STACKEDth of them."""


def slot_order(
    nodes: Sequence[TracedNode], spaces: Sequence[int], packs: Sequence[Pack]
) -> tuple[list[Pack], list[Place]]:
    """Return the packs with their members as a reader wants them, and the place (reader, position) of each node there.

    Readers are asked before what they read is ordered: the packs are gone through backwards. Of several readers the
    first with the highest priority counts: that of a matrix product is above an elementwise reader's, which can do
    with any order. Products with the same weights, the steps of a recurrent network, go through these in one order.
    """
    place, priority = [UNREAD] * len(nodes), [0] * len(nodes)
    row_orders: dict[tuple[Term, ...], list[int]] = {}
    ordered: list[Pack] = []
    for number in range(len(packs) - 1, -1, -1):
        pack = packs[number]
        is_batch_matmul = pack.kind == "matmul" and spaces[pack.rows[0][0]] == BATCHED
        if pack.kind == "matmul":
            pack = _ordered_matmul(_turned(pack, place) if is_batch_matmul else pack, place, row_orders)
        else:
            pack = replace(pack, members=_sorted(pack.members, {i: place[i] for i in pack.members}))
        ordered.append(pack)
        for position, (a, high) in enumerate([] if is_batch_matmul else _reads(pack, nodes)):
            if priority[a] <= high and place[a][0] != number:  # its first place counts
                place[a], priority[a] = (number, position), high
    return ordered[::-1], place


def _reads(pack: Pack, nodes: Sequence[TracedNode]) -> Iterator[tuple[int, int]]:
    """Yield the nodes that a pack reads, in the order that suits it, each with its priority.

    Overlapping windows are best read from nodes in the order of the function.
    """
    if pack.kind == "matmul":
        if len({a for column in pack.columns for a in column}) == len(pack.columns) * len(pack.columns[0]):
            yield from ((a, 2) for term in zip(*pack.columns) for a in term)
        high = 3 if pack.bias == "column" else 2  # within [W b] W alone is a strided view too
        yield from ((a, high) for row in pack.rows for a in row)
    elif pack.kind == "reduce":  # all first terms, then all second ones: one row below the other, as in a product
        arguments = [nodes[i].arguments for i in pack.members]
        yield from ((a, 1) for term in zip(*arguments) for a in term)
    elif pack.kind == "segment_reduce":
        if pack.op is not DOT:
            yield from ((a, 1) for i in pack.members for a in nodes[i].arguments)
    else:
        width = len(nodes[pack.members[0]].arguments)
        yield from ((nodes[i].arguments[k], 1) for k in range(width) for i in pack.members)
    if pack.bias == "added":
        yield from ((nodes[i].arguments[-1], 1) for i in pack.members)


def _turned(pack: Pack, place: Sequence[Place]) -> Pack:
    """Write Z = W X as Zᵀ = Xᵀ Wᵀ if neighbours in a column are wanted nearer to each other than those in a row."""

    def nearest(lines: Iterable[Sequence[int]]) -> float:
        pairs = [pair for line in lines for pair in pairwise(line) if min(pair) >= 0]
        return min([abs(place[a][1] - place[b][1]) for a, b in pairs], default=inf)

    blocks = pack.blocks()
    if nearest(zip(*blocks[0])) >= nearest(blocks[0]):
        return pack
    members = [i for block in blocks for column in zip(*block) for i in column]
    return replace(pack, members=members, rows=pack.columns, columns=pack.rows)


def _ordered_matmul(pack: Pack, place: Sequence[Place], row_orders: dict[tuple[Term, ...], list[int]]) -> Pack:
    """Order products, rows and columns, in all products like those of the first."""
    cells = pack.blocks()
    height, width = len(cells[0]), len(cells[0][0])

    def first(members: Iterable[int]) -> Place:
        return min([place[i] for i in members if i >= 0])

    blocks = _sorted(range(pack.count), {c: first(chain.from_iterable(block)) for c, block in enumerate(cells)})
    rows = row_orders.get(key := tuple(pack.rows)) or _sorted(range(height), dict(enumerate(map(first, cells[0]))))
    row_orders[key] = rows
    columns = _sorted(range(width), dict(enumerate(map(first, zip(*cells[0])))))
    return replace(
        pack,
        rows=[pack.rows[c * height + r] for c in blocks for r in rows],
        columns=[pack.columns[c * width + k] for c in blocks for k in columns],
        members=[cells[c][r][k] for c in blocks for r in rows for k in columns],
    )


def _sorted(things: Sequence[int], wanted: dict[int, Place]) -> list[int]:
    """Order things by the places wanted of them, unless their readers want very unequal shares."""
    shares = Counter([reader for reader, _ in wanted.values()]).values()
    return sorted(things, key=wanted.__getitem__ if len(things) <= STACKED * gcd(*shares) else None)
