"""Slot order: order results and leaves so that those read together lie together, and operands are strided views."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import TracedNode
    from microgradlib.compiler.vectorize.packs import Pack

__all__ = ["PACK", "slot_order"]

PACK = 1 << 32
"""The places of a pack: the operand at position p of pack n has place n PACK + p."""


def slot_order(nodes: Sequence[TracedNode], spaces: Sequence[int], packs: Sequence[Pack]) -> tuple[list[Pack], Any]:
    """Return the packs with their members as readers want them, and the place of each node where it is read first.

    Readers are asked before what they read is ordered: the packs are gone through backwards. Batch matmuls are left as
    they are: they copy what they read, and their result. Products with the same weights, the steps of a recurrent
    network, have one order of rows.
    """
    np, ordered = numpy(), list(packs)
    place = np.full(len(nodes), len(packs) * PACK)
    row_orders: dict[bytes, Any] = {}
    for number in range(len(packs) - 1, -1, -1):
        pack = packs[number]
        if pack.kind != "matmul":
            pack = replace(pack, members=pack.members[np.argsort(place[pack.members], kind="stable")])
        elif spaces[pack.w.flat[0]] == BATCHED:
            continue
        else:
            wanted = place[pack.members]
            rows = row_orders.setdefault(pack.w.tobytes(), np.argsort(wanted[0].min(axis=1), kind="stable"))
            columns = np.argsort(wanted[0, rows[0]], kind="stable")
            members, x = pack.members[:, rows][:, :, columns], pack.x[:, :, columns]
            pack = replace(pack, members=members, w=pack.w[:, rows], x=x)
        ordered[number] = pack
        read = _reads(pack, nodes)
        place[read[::-1]] = (
            number * PACK + np.arange(len(read))[::-1]
        )  # of several places the first is the last written
    return ordered, place


def _reads(pack: Pack, nodes: Sequence[TracedNode]) -> Any:
    """Return the nodes that a pack reads, in the order that suits it."""
    np = numpy()
    if pack.kind == "matmul":  # windows that overlap suit the function's order
        return np.append(pack.w, pack.x if len({*pack.x.flat}) == pack.x.size else pack.x[:0])
    arguments = [nodes[i].arguments for i in pack.members.tolist()]
    if pack.kind == "segment_reduce":
        return np.array(list(chain.from_iterable(arguments)))
    return np.array(arguments).T.ravel()  # of reductions all first terms, then all second ones, as in a matrix product
