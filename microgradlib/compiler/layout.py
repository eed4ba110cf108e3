"""Layout: order results and parameters so that those read together lie together, and reads are slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.roll import Group
    from microgradlib.compiler.trace import Node

    Wish = tuple[int, int]

__all__ = ["wishes"]

NO_WISH = (1 << 60, 0)


def wishes(nodes: Sequence[Node], groups: Sequence[Group]) -> dict[int, Wish]:
    """Order the members of every group as their first reader wants them; return each node's wish (reader, place).

    Readers are asked before what they read is ordered: the groups are gone through backwards. A matrix product's wish
    goes before that of an element-wise reader, which can do with any order.
    """
    wish: dict[int, Wish] = {}
    strength: dict[int, int] = {}
    for number in range(len(groups) - 1, -1, -1):
        group = groups[number]
        _order(group, wish)
        for place, (a, strong) in enumerate(_reads(group, nodes)):
            if strength.get(a, 0) <= strong and wish.get(a, (-1, 0))[0] != number:  # its first place counts
                wish[a], strength[a] = (number, place), strong
    return wish


def _reads(group: Group, nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """Yield the nodes that a group reads, in its order, each with how much the order matters."""
    if group.kind == "product":
        n = 2 * group.terms
        yield from ((a, 2) for part in (*group.columns, *group.rows) for a in part)
        yield from ((nodes[i].arguments[n], 1) for i in group.members if len(nodes[i].arguments) > n)
    elif group.node.op is not None and group.node.op.variadic:
        yield from ((a, 1) for i in group.members for a in nodes[i].arguments)
    else:
        width = len(nodes[group.members[0]].arguments)
        yield from ((nodes[i].arguments[k], 1) for k in range(width) for i in group.members)


def _order(group: Group, wish: dict[int, Wish]) -> None:
    """Order the members as their reader wants them; where they have several, as they were first written."""
    if group.kind != "product":
        group.members = _sorted(group.members, {i: wish.get(i, NO_WISH) for i in group.members})
        return
    height = len(group.rows)
    cells = [group.members[c * height : (c + 1) * height] for c in range(len(group.columns))]
    columns = _sorted(range(len(cells)), {c: min(wish.get(i, NO_WISH) for i in cells[c]) for c in range(len(cells))})
    rows = sorted(range(height), key=lambda r: wish.get(cells[columns[0]][r], NO_WISH))
    group.columns = [group.columns[c] for c in columns]
    group.rows = [group.rows[r] for r in rows]
    group.members = [cells[c][r] for c in columns for r in rows]


def _sorted(things: Sequence[int], wanted: dict[int, Wish]) -> list[int]:
    one_reader = len({reader for reader, _ in wanted.values()}) == 1
    return sorted(things, key=wanted.__getitem__ if one_reader else None)
