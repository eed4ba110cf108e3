"""Batch matmul: dots of two batched factors as parts of matrix products, such as attention's scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgradlib.compiler.instructions import NOT_REACHED
from microgradlib.compiler.numpy_functions import grouped, numpy

Term = tuple[int, ...]

__all__ = ["batch_matmul"]

SMALLEST = 64
"""Matrix products of fewer multiplications are not worth the copies that they need."""
PADDING_RATIO = 2.5
"""How many times the multiplications that are wanted the padded products may have."""


def batch_matmul(w: Sequence[Term], x: Sequence[Term]) -> tuple[Any, Any, Any] | None:
    """Return the matrix products Z = W X of which the dots Σ w x are entries, or None if they do not fill them well.

    These are arrays: the nodes of every W (count, rows, terms) and X (count, terms, columns), padded with −1, and which
    dot each entry of Z (count, rows, columns) is, −1 if none. Dots of different lengths belong together where the
    shorter's factors begin the longer's: causal attention.

    >>> rows, columns = [range(4 * r, 4 * r + 4) for r in range(4)], [range(16 + c, 32, 4) for c in range(4)]
    >>> pairs = [(tuple(row), tuple(column)) for r, row in enumerate(rows) for column in columns[: r + 1]]
    >>> w, x, z = batch_matmul(*zip(*pairs))
    >>> w[0, 1].tolist(), x[0, :, 1].tolist(), z.tolist()
    ([4, 5, 6, 7], [17, 21, 25, 29], [[[0, -1, -1, -1], [1, 2, -1, -1], [3, 4, 5, -1], [6, 7, 8, 9]]])
    """
    np, lengths = numpy(), list(map(len, w))
    if len(set(lengths)) > 1:
        longer = _completed(x)
        w, x = (w, longer) if len(set(longer)) < len(set(x)) else (_completed(w), x)
    row, column = _numbered(w), _numbered(x)
    of_row, of_column = _blocks(row, column)
    heights, widths = [grouped(blocks)[2].tolist() for blocks in (of_row, of_column)]
    count, height, width, terms = len(heights), heights[0], widths[0], max(lengths)
    size = height * terms * width
    if min(height, width) < 2 or size < SMALLEST or size * count > PADDING_RATIO * sum(lengths):
        return None
    order = np.argsort(of_row[row], kind="stable").tolist()  # block by block
    w, x = [w[i] for i in order], [x[i] for i in order]
    z = np.full((count * height, width), NOT_REACHED)
    if {*heights} == {height} and {*widths} == {width}:
        z[_numbered(w), _numbered(x) % width] = order
    if np.count_nonzero(z >= 0) < len(w):
        return None
    padding = (NOT_REACHED,) * terms
    rows, columns = [np.array([(part + padding)[:terms] for part in dict.fromkeys(parts)]) for parts in (w, x)]
    x_of = columns.reshape(count, width, terms).swapaxes(1, 2)
    return rows.reshape(count, height, terms), x_of, z.reshape(count, height, width)


def _completed(lists: Sequence[Term]) -> list[Term]:
    """Replace each list by the longest that begins with it, if this is the longest with its first node."""
    longest = {term[0]: term for term in sorted(lists, key=len)}
    return [longest[term[0]] if longest[term[0]][: len(term)] == term else term for term in lists]


def _numbered(lists: Sequence[Term]) -> Any:
    """Return each list's number: distinct lists are numbered in the order in which they come first."""
    numbers: dict[Term, int] = {}
    return numpy().array([numbers.setdefault(term, len(numbers)) for term in lists])


def _blocks(row: Any, column: Any) -> tuple[Any, Any]:
    """Return the first row of the connected set of entries (row, column) that each row and each column belongs to."""
    np = numpy()
    of_row, before = np.arange(row.max() + 1), None
    while before is None or (of_row != before).any():
        before, of_column = of_row.copy(), np.full(column.max() + 1, len(of_row))
        np.minimum.at(of_column, column, of_row[row])
        np.minimum.at(of_row, row, of_column[column])
    return of_row, of_column
