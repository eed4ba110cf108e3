"""Batch matmul: dots of two batched factors, as the matrix products that they are part of, attention's scores for one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from microgradlib.compiler.instructions import NOT_REACHED

if TYPE_CHECKING:
    from collections.abc import Sequence

    Term = tuple[int, ...]
    Cells = dict[tuple[Term, Term], int]

__all__ = ["BatchMatmul", "batch_matmul"]

SMALLEST = 64
"""Matrix products of fewer multiplications are not worth the copies that they need."""

PADDING_RATIO = 2.5
"""How many times the multiplications that are wanted the padded products may have."""


class BatchMatmul(NamedTuple):
    """`count` matrix products Z = W X: the rows of all W, the columns of all X, padded with −1, and all entries of Z.

    `members` says which dot an entry is, −1 where it is none.
    """

    count: int
    terms: int
    rows: list[Term]
    columns: list[Term]
    members: list[int]


def batch_matmul(w: Sequence[Term], x: Sequence[Term]) -> BatchMatmul | None:
    """Return the matrix products of which the dots Σ w x are part, or None if they are too few in them.

    Dots of different lengths belong together where the shorter's factors are the first of the longer's: the rows of
    causal attention.

    >>> batch_matmul([(0,), (1, 2)] * 8, [(10 + k, 30 + k)[: 1 + i] for k in range(8) for i in range(2)])
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
    lengths = {max(map(len, [*rows, *columns])) for rows, columns in blocks}
    shapes = {(len(rows), len(columns)) for rows, columns in blocks}
    if len(cells) < len(w) or len(shapes) > 1 or len(lengths) > 1:
        return None
    [(height, width)], [terms] = shapes, lengths
    size = height * terms * width
    if min(height, width) < 2 or size < SMALLEST or size * len(blocks) > PADDING_RATIO * wanted:
        return None
    return BatchMatmul(
        len(blocks),
        terms,
        [_padded(row, terms) for rows, _ in blocks for row in rows],
        [_padded(column, terms) for _, columns in blocks for column in columns],
        [cells.get((r, c), NOT_REACHED) for rows, columns in blocks for r in rows for c in columns],
    )


def _completed(lists: Sequence[Term]) -> list[Term]:
    """Replace each list by the longest that begins with it."""
    lengths = sorted(set(map(len, lists)))
    longest: dict[Term, Term] = {}
    for term in sorted(set(lists), key=len, reverse=True):
        for length in lengths:
            if length <= len(term):
                longest.setdefault(term[:length], term)
    return [longest[term] for term in lists]


def _blocks(cells: Cells) -> list[tuple[list[Term], list[Term]]]:
    """Return the rows and columns of each connected set of cells, in the order in which they come first."""
    of_row: dict[Term, list[Term]] = defaultdict(list)
    of_column: dict[Term, list[Term]] = defaultdict(list)
    for row, column in cells:
        of_row[row].append(column)
        of_column[column].append(row)
    place: dict[Term, int] = {}
    count = 0
    for start in of_row:
        if start not in place:
            waiting = [start]
            place[start] = count
            while waiting:
                for column in of_row[waiting.pop()]:
                    for row in of_column.pop(column, ()):  # seen once is enough
                        if row not in place:
                            place[row] = count
                            waiting.append(row)
            count += 1
    blocks: list[tuple[dict[Term, None], dict[Term, None]]] = [({}, {}) for _ in range(count)]
    for row, column in cells:
        rows, columns = blocks[place[row]]
        rows[row] = columns[column] = None
    return [(list(rows), list(columns)) for rows, columns in blocks]


def _padded(term: Term, length: int) -> Term:
    return (*term, *[NOT_REACHED] * (length - len(term)))
