"""linear and matvec: rows as single dot nodes, over floats, Values, Symbols and arrays, compiled; errors."""

import numpy as np
import pytest
from eager_oracle import assert_matches_eager
from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate

numbers = st.floats(-5, 5)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def systems(draw):
    m, n = draw(shapes)
    rows = draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=m, max_size=m))
    return rows, draw(st.lists(numbers, min_size=n, max_size=n)), draw(st.lists(numbers, min_size=m, max_size=m))


@given(systems())
def test_values_and_gradients_are_those_of_the_matrix_product(system):
    rows, x, b = system
    assert mg.matvec(rows, x) == pytest.approx(np.array(rows) @ x, abs=1e-12)
    assert mg.linear(rows, x, b) == pytest.approx(np.array(rows) @ x + b, abs=1e-12)
    w, inputs, biases = [[Value(a) for a in row] for row in rows], list(map(Value, x)), list(map(Value, b))
    z = mg.linear(w, inputs, biases)
    assert [z_i.data for z_i in z] == mg.linear(rows, x, b)
    mg.sum(k * z_i for k, z_i in enumerate(z, 1)).backward()
    assert [a.grad for a in biases] == list(range(1, len(z) + 1))
    assert [a.grad for a in inputs] == pytest.approx(np.arange(1, len(z) + 1) @ np.array(rows), abs=1e-11)
    assert [[a.grad for a in row] for row in w] == [[k * x_j for x_j in x] for k in range(1, len(z) + 1)]


def test_each_row_is_one_node_and_plain_inputs_are_shared_leaves():
    w = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    first, second = mg.linear(w, [5.0, 6.0], [0.5, 0.25])
    assert [z.op.name for z in (first, second)] == ["dot", "dot"]
    assert first.parents[2:4] == second.parents[2:4]
    assert len(mg.topological_sort(first, second)) == 4 + 2 + 2 + 2


def test_symbols_arrays_and_generators():
    s = Symbol("s")
    assert evaluate(mg.matvec([[1, s], [s, 2.0]], [s, 3]), {s: 2.0}) == [8.0, 10.0]
    assert mg.matvec(np.eye(2), np.array([3.0, 4.0])) == [3.0, 4.0]
    assert mg.matvec(((i * j for j in range(2)) for i in range(2)), (5, 7)) == [0.0, 7.0]


def test_compiled():
    w = [[Value(0.1 * (i + 1) * (j - 1)) for j in range(3)] for i in range(2)]
    b = [Value(0.5), Value(-0.5)]
    rows = [[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]
    assert_matches_eager(lambda x: mg.sum(map(mg.tanh, mg.linear(w, x, b))), [*w[0], *w[1], *b], rows)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: mg.linear([[1, 2], [3]], [1, 2]),
            ValueError,
            "row 1 of the matrix has 1 numbers, but the vector has 2",
        ),
        (lambda: mg.linear([[1, 2]], [1, 2], [1, 2]), ValueError, "one number for each of the 1 rows, got 2"),
        (lambda: mg.matvec([1, 2], [1, 2]), TypeError, r"a matrix is a list of rows, .* got \[1, 2\]"),
        (lambda: mg.matvec([], [1, 2]), ValueError, "at least one row"),
        (lambda: mg.matvec([[]], []), ValueError, "no numbers"),
        (lambda: mg.matvec(3.0, [1]), TypeError, "got 3.0"),
        (lambda: mg.matvec([[1, 2]], 3.0), TypeError, "a list of numbers"),
        (lambda: mg.matvec([["a"]], [1]), TypeError, "number"),
        (lambda: mg.linear([[1]], [1], 2.0), TypeError, "linear takes a list of numbers, as in linear.rows"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
