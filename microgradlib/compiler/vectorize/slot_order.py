"""Slot order: order results and leaves so that those read together lie together, and operands are strided views."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import gcd
from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import BATCHED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.trace import TracedNode
    from microgradlib.compiler.vectorize.packs import Pack, Term

    Place = tuple[int, int]

__all__ = ["slot_order"]

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
        ordered.append(pack)
        if pack.kind != "matmul":
            ordered[-1] = replace(pack, members=_sorted(pack.members, {i: place[i] for i in pack.members}))
        elif spaces[pack.rows[0][0]] == BATCHED:  # it copies what it reads, and its result
            continue
        else:
            ordered[-1] = _ordered_matmul(pack, place, row_orders)
        for position, (a, high) in enumerate(_reads(ordered[-1], nodes)):
            if priority[a] <= high and place[a][0] != number:  # its first place counts
                place[a], priority[a] = (number, position), high
    return ordered[::-1], place


def _reads(pack: Pack, nodes: Sequence[TracedNode]) -> Iterator[tuple[int, int]]:
    """Yield the nodes that a pack reads, in the order that suits it, each with its priority."""
    arguments = [nodes[i].arguments for i in pack.members]
    if pack.kind == "matmul":
        distinct = {a for column in pack.columns for a in column}
        if len(distinct) == len(pack.columns) * len(pack.columns[0]):  # overlapping windows suit the function's order
            yield from ((a, 2) for term in zip(*pack.columns) for a in term)
        high = 3 if pack.bias == "column" else 2  # within [W b] W alone is a strided view too
        yield from ((a, high) for row in pack.rows for a in row)
        if pack.bias == "added":
            yield from ((read[-1], 1) for read in arguments)
    elif pack.kind == "segment_reduce":
        yield from ((a, 1) for read in arguments for a in read)
    else:  # of reductions all first terms, then all second ones: one row below the other, as in a matrix product
        yield from ((a, 1) for term in zip(*arguments) for a in term)


def _ordered_matmul(pack: Pack, place: Sequence[Place], row_orders: dict[tuple[Term, ...], list[int]]) -> Pack:
    """Order rows by the first place in each, and columns."""
    width = len(pack.columns)
    cells = [pack.members[start : start + width] for start in range(0, len(pack.members), width)]
    if (key := tuple(pack.rows)) not in row_orders:
        row_orders[key] = _sorted(range(len(cells)), {r: min([place[i] for i in row]) for r, row in enumerate(cells)})
    rows = row_orders[key]
    columns = _sorted(range(width), {c: place[i] for c, i in enumerate(cells[rows[0]])})
    return replace(
        pack,
        rows=[pack.rows[r] for r in rows],
        columns=[pack.columns[c] for c in columns],
        members=[cells[r][c] for r in rows for c in columns],
    )


def _sorted(things: Sequence[int], wanted: dict[int, Place]) -> list[int]:
    """Order things by the places wanted of them, unless their readers want very unequal shares."""
    shares = Counter([reader for reader, _ in wanted.values()]).values()
    return sorted(things, key=wanted.__getitem__ if len(things) <= STACKED * gcd(*shares) else None)
