"""Batch matmuls: which matrix products dots of batched numbers are part of, entry by entry."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.compiler.vectorize.batch_matmul import PADDING_RATIO, SMALLEST, batch_matmul


def found_in(pairs):
    """Return W, X and Z of the matrix products of dots, given as pairs of tuples of nodes; None if there are none."""
    return batch_matmul([w for w, _ in pairs], [x for _, x in pairs])


def matrix(start, rows, columns):
    return np.arange(start, start + rows * columns).reshape(rows, columns)


def rows_and_columns(w, x):
    """The nodes of each row of W and of each column of X."""
    return [tuple(row) for row in w.tolist()], [tuple(column) for column in x.T.tolist()]


W, X = matrix(0, 4, 5), matrix(100, 5, 6)
W_ROWS, X_COLUMNS = rows_and_columns(W, X)


def same(found, w, x, z):
    assert [part.tolist() for part in found] == [np.array(part).tolist() for part in (w, x, z)]


def test_every_row_with_every_column():
    found = found_in([(w, x) for w in W_ROWS for x in X_COLUMNS])
    same(found, [W], [X], [matrix(0, 4, 6)])


def test_column_by_column():
    found = found_in([(w, x) for x in X_COLUMNS for w in W_ROWS])
    same(found, [W], [X], [matrix(0, 6, 4).T])


def test_the_factors_change_places():
    """The first factors are the rows, whatever they were meant for."""
    found = found_in([(x, w) for w in W_ROWS for x in X_COLUMNS])
    same(found, [X.T], [W.T], [matrix(0, 4, 6).T])


def test_rows_in_another_order_are_taken_as_they_come():
    order = [2, 0, 3, 1]
    found = found_in([(W_ROWS[i], x) for i in order for x in X_COLUMNS])
    same(found, [W[order]], [X], [matrix(0, 4, 6)])


def test_a_triangle_misses_what_is_above():
    w, x = matrix(0, 6, 5), matrix(100, 5, 6)
    rows, columns = rows_and_columns(w, x)
    found = found_in([(rows[t], columns[s]) for t in range(6) for s in range(t + 1)])
    z = np.full((6, 6), -1)
    z[np.tril_indices(6)] = range(21)
    same(found, [w], [x], [z])


def test_of_several_heads_each_is_a_product():
    heads = [(matrix(40 * h, 4, 5), matrix(200 + 40 * h, 5, 4)) for h in range(3)]
    pairs = []
    for t in range(4):  # heads within tokens, as attention is written
        for w, x in heads:
            rows, columns = rows_and_columns(w, x)
            pairs += [(rows[t], columns[s]) for s in range(t + 1)]
    found = found_in(pairs)
    z = np.full((3, 4, 4), -1)
    for i, place in enumerate((h, t, s) for t in range(4) for h in range(3) for s in range(t + 1)):
        z[place] = i
    same(found, [w for w, _ in heads], [x for _, x in heads], z)


def weighted(lengths, width, *, turned=False):
    """Σ over the first n of some values, for each n, with weights of its own: attention's results."""
    values = matrix(500, max(lengths), width)
    columns = [tuple(column) for column in values.T.tolist()]
    weights, start = [], 0
    for n in lengths:
        weights.append(tuple(range(start, start + n)))
        start += n
    pairs = [(w, column[: len(w)]) for w in weights for column in columns]
    filled = [[*w, *[-1] * (max(lengths) - len(w))] for w in weights]
    return [(x, w) for w, x in pairs] if turned else pairs, np.array(filled), values


@pytest.mark.parametrize("lengths", [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [3, 5, 5, 3, 4]])
def test_of_different_lengths_the_shorter_are_filled(lengths):
    pairs, w, x = weighted(lengths, 4)
    same(found_in(pairs), [w], [x], [matrix(0, len(lengths), 4)])


def test_of_different_lengths_with_the_factors_the_other_way_round():
    pairs, w, x = weighted([1, 2, 3, 4, 5, 6], 4, turned=True)
    same(found_in(pairs), [x.T], [w.T], [matrix(0, 6, 4).T])


def test_where_the_shorter_do_not_begin_the_longer_there_is_no_product():
    values = matrix(500, 6, 4)
    pairs = [(tuple(range(10 * n, 10 * n + n)), tuple(c[-n:])) for n in range(1, 7) for c in values.T.tolist()]
    assert found_in(pairs) is None


def test_slots_may_repeat_within_a_row_and_between_the_factors():
    w = np.array([[7, 7, 8, 8], [8, 7, 8, 7], [9, 9, 9, 9], [1, 2, 3, 4]])
    rows, _ = rows_and_columns(w, w.T)
    found = found_in([(a, b) for a in rows for b in rows])
    same(found, [w], [w.T], [matrix(0, 4, 4)])


@pytest.mark.parametrize(
    ("why", "pairs"),
    [
        ("too few multiplications", [(w[:3], x[:3]) for w in W_ROWS for x in X_COLUMNS[:5]]),
        ("one row only", [(W_ROWS[0] * 5, x * 5) for x in X_COLUMNS]),
        ("one column only", [(w * 5, X_COLUMNS[0] * 5) for w in W_ROWS]),
        ("twice the same", [(w, x) for w in W_ROWS for x in X_COLUMNS] + [(W_ROWS[0], X_COLUMNS[0])]),
        ("most of it missing", [(tuple(matrix(9 * i, 1, 9)[0]), tuple(matrix(300 + 9 * j, 1, 9)[0]))
                                for i in range(9) for j in (i, (i + 1) % 9)]),
        ("unequal parts", [(w, x) for w in W_ROWS for x in X_COLUMNS]
                          + [(tuple(range(200 + 5 * i, 205 + 5 * i)), tuple(range(300 + 5 * j, 305 + 5 * j)))
                             for i in range(4) for j in range(5)]),
    ],
)  # fmt: skip
def test_no_product(why, pairs):
    assert found_in(pairs) is None


def test_parts_with_other_numbers_of_terms_are_filled():
    w, x = matrix(200, 4, 6), matrix(300, 6, 6)
    rows, columns = rows_and_columns(w, x)
    pairs = [(row, column) for row in W_ROWS for column in X_COLUMNS] + [(a, b) for a in rows for b in columns]
    filled = [np.pad(W, ((0, 0), (0, 1)), constant_values=-1), np.pad(X, ((0, 1), (0, 0)), constant_values=-1)]
    same(found_in(pairs), [filled[0], w], [filled[1], x], [matrix(0, 4, 6), matrix(24, 4, 6)])


def test_just_enough_multiplications():
    assert SMALLEST == 64
    w, x = matrix(0, 4, 4), matrix(100, 4, 4)
    rows, columns = rows_and_columns(w, x)
    pairs = [(r, c) for r in rows for c in columns]
    assert found_in(pairs) is not None
    assert found_in([(r[:3], c[:3]) for r, c in pairs]) is None


def test_products_that_are_padding_for_the_most_part_are_not_made():
    assert PADDING_RATIO == 2.5
    w, x = matrix(0, 10, 5), matrix(100, 5, 10)
    rows, columns = rows_and_columns(w, x)
    pairs = [(row, column) for r, row in enumerate(rows) for column in columns[r % 7 : r % 7 + 4]]
    assert len(pairs) == 40  # of 100 dots of 5 terms
    assert found_in(pairs) is not None
    assert found_in(pairs[:-1]) is None


def check(found, pairs):
    """Fail unless each result is one entry of Z, and the terms of that entry are those of its dot."""
    w, x, z = found
    assert sorted(i for i in z.ravel().tolist() if i >= 0) == list(range(len(pairs)))
    for p, r, c in np.argwhere(z >= 0).tolist():
        present = [pair for pair in zip(w[p, r].tolist(), x[p, :, c].tolist()) if min(pair) >= 0]
        assert Counter(present) == Counter(zip(*pairs[z[p, r, c]]))


@st.composite
def drawn_dots(draw):
    """Dots between rows and columns, of which some are left out, in any order, perhaps of different lengths."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    heads, rows, columns, terms = rng.randint(1, 3), rng.randint(2, 6), rng.randint(2, 6), rng.randint(2, 6)
    few = rng.random() < 0.2  # slots, which then repeat
    pairs = []
    for _ in range(heads):
        w = [[rng.randrange(3 if few else 400) for _ in range(terms)] for _ in range(rows)]
        x = [[rng.randrange(3 if few else 400) for _ in range(terms)] for _ in range(columns)]
        lengths, side = rng.choices(range(1, terms + 1), k=rows), rng.random()
        pairs += [
            (tuple(a[: lengths[i]]), tuple(b[: lengths[i]])) if side < 0.5 else (tuple(a), tuple(b))
            for i, a in enumerate(w) for j, b in enumerate(x) if side < 0.7 or j <= i
        ]  # fmt: skip
    if rng.random() < 0.3:
        rng.shuffle(pairs)
    return [(b, a) for a, b in pairs] if rng.random() < 0.5 else pairs


@settings(max_examples=150, deadline=None)
@given(drawn_dots())
def test_whatever_is_found_computes_the_dots(pairs):
    found = found_in(pairs)
    if found is not None:
        check(found, pairs)


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("change", ["other", "missing"])
def test_the_check_would_find_a_wrong_entry(which, change):
    pairs = [(w, x) for w in W_ROWS for x in X_COLUMNS]
    parts = found_in(pairs)
    check(parts, pairs)
    parts[which][0, 1, 2] = -1 if change == "missing" else parts[which][0, 0, 0]
    with pytest.raises(AssertionError):
        check(parts, pairs)


def test_several_products_that_are_padding_for_the_most_part_are_not_made():
    heads = [rows_and_columns(matrix(200 * h, 8, 4), matrix(200 * h + 100, 4, 8)) for h in range(2)]
    pairs = [(r, c) for rows, columns in heads for i, r in enumerate(rows) for k, c in enumerate(columns) if not i * k]
    assert len(pairs) == 2 * 15  # of 2 · 64
    assert found_in(pairs) is None
