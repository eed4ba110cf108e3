"""The numbers of all arguments are loaded where they belong, as plain indexing puts them there."""

import numpy as np
import pytest
from hypothesis import assume, example, given, strategies as st

from microgradlib.compiler.engines.numpy_engine import NumpyEngine
from microgradlib.compiler.instructions import BATCHED, Operand, ProgramData

ORDERS = ("own", "turned round", "each within", "arguments", "transposed", "interleaved", "anyhow")


def drawn_order(kind, sizes, rng):
    """Return which number, of all arguments one after another, stands in each slot."""
    total = sum(sizes)
    parts = np.split(np.arange(total), np.cumsum(sizes)[:-1])
    if kind == "turned round":
        return np.arange(total)[::-1]
    if kind == "each within":
        return np.concatenate([rng.permutation(part) for part in parts])
    if kind == "arguments":
        return np.concatenate([parts[i] for i in rng.permutation(len(parts))])
    if kind == "transposed":
        return np.concatenate([part.reshape(2, -1).T.ravel() if len(part) % 2 == 0 else part for part in parts])
    if kind == "interleaved":  # first numbers, then second ones, …
        places = np.concatenate([np.arange(size) for size in sizes])
        return np.argsort(places, kind="stable")
    return rng.permutation(total) if kind == "anyhow" else np.arange(total)


def columns_of(sizes, batch, rng, *, gaps=False):
    """Return an argument of each size, 1-D where that is None; with gaps, each is a part of a larger array."""
    if gaps:
        return [rng.normal(size=(2 * batch, 2 * (n or 1)))[::2, 1::2][:, 0 if n is None else slice(n)] for n in sizes]
    return [rng.normal(size=batch if n is None else (batch, n)) for n in sizes]


def loaded(order, columns, dtype=float, engine=None):
    """Return the numbers of the input slots of each example, (slots, batch), and the engine that loaded them."""
    outputs = tuple([Operand.of(BATCHED, [slot]) for slot in range(len(order))])
    shape, order = [None] * len(order), tuple(np.asarray(order).tolist())
    program = ProgramData((), outputs, shape, order, (), (), (), 0, len(order))
    engine = engine or NumpyEngine(program, np.dtype(dtype))
    return engine.values(np.zeros(0, dtype), columns).T, engine


def all_numbers(columns):
    return np.concatenate([column.reshape(len(column), -1) for column in columns], axis=1)


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=4),
    st.sampled_from(ORDERS),
    st.sampled_from([1, 2, 5]),
    st.booleans(),
    st.integers(0, 1000),
)
@example([6, 6], "transposed", 2, True, 0)
@example([None, 0, 3], "own", 1, False, 0)
@example([4, 4], "interleaved", 5, False, 0)
@example([None, None], "turned round", 1, True, 0)
def test_each_slot_holds_its_number(sizes, kind, batch, gaps, seed):
    rng = np.random.default_rng(seed)
    order = drawn_order(kind, [1 if n is None else n for n in sizes], rng)
    columns = columns_of(sizes, batch, rng, gaps=gaps)
    assume(len(order) > 0)
    engine = None
    for again in (columns, columns_of(sizes, batch, rng), columns_of(sizes, batch, rng, gaps=True)):
        found, engine = loaded(order, again, engine=engine)
        assert found.tolist() == all_numbers(again)[:, order].T.tolist()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_are_rounded_to_the_type_of_the_program(dtype):
    columns, order = [np.array([0.1, 0.2]), np.array([[0.3, 0.4], [0.5, 0.6]])], [2, 0, 1]
    found, _ = loaded(order, columns, dtype)
    assert found.dtype == dtype
    assert found.tolist() == all_numbers(columns)[:, order].T.astype(dtype).tolist()


def test_an_argument_without_numbers_fills_nothing():
    columns = [np.zeros((3, 0)), np.arange(6.0).reshape(3, 2), np.zeros((3, 0))]
    assert loaded([1, 0], columns)[0].tolist() == [[1.0, 3.0, 5.0], [0.0, 2.0, 4.0]]
