"""Batch matmul: dots of two batched factors as parts of matrix products, such as attention's scores."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import NOT_REACHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Term = tuple[int, ...]
    Shape = tuple[int, int, int, int]

__all__ = ["batch_matmul"]

SMALLEST = 64
"""Matrix products of fewer multiplications are not worth the copies that they need."""

PADDING_RATIO = 2.5
"""How many times the multiplications that are wanted the padded products may have."""


def batch_matmul(w: Sequence[Term], x: Sequence[Term]) -> tuple[Shape, list[Term], list[Term], list[int]] | None:
    """Return the matrix products Z = W X of which the dots Σ w x are entries, or None if they do not fill them well.

    These are their shape (count, rows, terms, columns), the rows of every W and the columns of every X, padded with −1,
    and which dot each entry of Z is, −1 if none. Dots of different lengths belong together where the shorter's factors
    begin the longer's: causal attention.

    >>> rows, columns = [range(4 * r, 4 * r + 4) for r in range(4)], [range(16 + c, 32, 4) for c in range(4)]
    >>> pairs = [(tuple(row), tuple(column)) for r, row in enumerate(rows) for column in columns[: r + 1]]
    >>> shape, w, x, z = batch_matmul(*zip(*pairs))
    >>> shape, w[1], z
    ((1, 4, 4, 4), (4, 5, 6, 7), [0, -1, -1, -1, 1, 2, -1, -1, 3, 4, 5, -1, 6, 7, 8, 9])
    """
    wanted = sum(map(len, w))
    if len(set(map(len, w))) > 1:
        longer_w, longer_x = _completed(w), _completed(x)
        if len(set(longer_w)) * len(set(x)) < len(set(w)) * len(set(longer_x)):
            w = longer_w
        else:
            x = longer_x
    cells = {pair: i for i, pair in enumerate(zip(w, x))}
    blocks = _blocks(cells)
    shapes = {(len(rows), max(map(len, [*rows, *columns])), len(columns)) for rows, columns in blocks}
    if len(cells) < len(w) or len(shapes) > 1:
        return None
    [(height, terms, width)] = shapes
    size = height * terms * width
    if min(height, width) < 2 or size < SMALLEST or size * len(blocks) > PADDING_RATIO * wanted:
        return None
    padding = (NOT_REACHED,) * terms
    return (
        (len(blocks), height, terms, width),
        [(row + padding)[:terms] for rows, _ in blocks for row in rows],
        [(column + padding)[:terms] for _, columns in blocks for column in columns],
        [cells.get((row, column), NOT_REACHED) for rows, columns in blocks for row in rows for column in columns],
    )


def _completed(lists: Sequence[Term]) -> list[Term]:
    """Replace each list by the longest that begins with it."""
    lengths = sorted(set(map(len, lists)))
    longest: dict[Term, Term] = {}
    for term in sorted(set(lists), key=len, reverse=True):
        for length in lengths:
            longest.setdefault(term[:length], term)
    return [longest[term] for term in lists]


def _blocks(cells: Iterable[tuple[Term, Term]]) -> list[tuple[list[Term], list[Term]]]:
    """Return the rows and columns of each connected set of cells, in the order in which they come first."""
    of_row: dict[Term, list[Term]] = defaultdict(list)
    of_column: dict[Term, list[Term]] = defaultdict(list)
    for row, column in cells:
        of_row[row].append(column)
        of_column[column].append(row)
    block: dict[Term, int] = {}
    count = 0
    for start in of_row:
        if start not in block:
            block[start] = count
            waiting = [start]
            while waiting:
                for column in of_row[waiting.pop()]:
                    new = [row for row in of_column.pop(column, ()) if row not in block]  # seen once is enough
                    block.update(dict.fromkeys(new, count))
                    waiting += new
            count += 1
    blocks: list[tuple[dict[Term, None], dict[Term, None]]] = [({}, {}) for _ in range(count)]
    for row, column in cells:
        rows, columns = blocks[block[row]]
        rows[row] = columns[column] = None
    return [(list(rows), list(columns)) for rows, columns in blocks]
