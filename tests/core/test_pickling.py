"""Pickling and copying several nodes of one graph: each node once, whatever picklers and attributes there are."""

import copy
import io
import pickle
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, topological_sort


def chain(length: int, leaf: Any = None) -> list[Any]:
    nodes = [Value(1.0) if leaf is None else leaf]
    for _ in range(length):
        nodes.append(nodes[-1] * 1.0000001)
    return nodes


def in_pure_python(thing: Any) -> Any:
    stream = io.BytesIO()
    pickle._Pickler(stream).dump(thing)  # type: ignore[attr-defined]
    stream.seek(0)
    return pickle._Unpickler(stream).load()  # type: ignore[attr-defined]


def by_pickle(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


every_way = pytest.mark.parametrize("duplicate", [by_pickle, in_pure_python, copy.deepcopy])


def calls(work: Callable[[], Any]) -> int:
    """Return how many calls, of C functions too, the work takes."""
    count = 0

    def on_event(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(on_event)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@every_way
@pytest.mark.parametrize("order", [1, -1])
def test_a_list_of_nodes_takes_each_once(duplicate: Callable[[Any], Any], order: int) -> None:
    short, long = chain(200)[::order], chain(400)[::order]
    once, twice = calls(lambda: duplicate(short)), calls(lambda: duplicate(long))
    assert twice < 2.1 * once
    twins = duplicate(long)[::order]
    assert topological_sort(twins[-1])[0] is twins[0]
    assert all(after.parents[0] is before for before, after in pairwise(twins))


def test_a_pickled_list_has_a_length_in_proportion() -> None:
    lengths = [len(pickle.dumps(chain(n))) / n for n in (500, 2000)]
    assert lengths[1] < 1.05 * lengths[0]


@every_way
def test_tables_and_symbols(duplicate: Callable[[Any], Any]) -> None:
    table = mg.grad_table(chain(1200)[-1])
    assert list(duplicate(table).values()) == list(table.values())
    nodes = chain(1200, Symbol("x"))
    assert len(topological_sort(duplicate(nodes)[-1])) == 2401


def test_picklers_that_take_turns() -> None:
    nodes = chain(3000)
    streams = [io.BytesIO(), io.BytesIO()]
    picklers = [pickle.Pickler(stream) for stream in streams]
    for i in (1000, 2000, 3000):
        for pickler in picklers:
            pickler.dump(nodes[i])
    for stream in streams:
        stream.seek(0)
        unpickler = pickle.Unpickler(stream)
        first, second, third = [unpickler.load() for _ in range(3)]
        assert len(topological_sort(third)) == 6001
        assert {first, second} < set(topological_sort(third))


def test_a_pickler_that_forgets_begins_anew() -> None:
    nodes = chain(2000)
    stream = io.BytesIO()
    pickler = pickle.Pickler(stream)
    pickler.dump(nodes[-1])
    pickler.clear_memo()
    start = stream.tell()
    pickler.dump(nodes[-1])
    stream.seek(start)
    assert len(topological_sort(pickle.Unpickler(stream).load())) == 4001


@every_way
def test_attributes_that_hold_later_nodes(duplicate: Callable[[Any], Any]) -> None:
    nodes = chain(2000)
    for before, after in pairwise(nodes):
        before.children = [after]
    nodes[-1].owner = nodes[-1]
    twin = duplicate(nodes[-1])
    assert twin.owner is twin
    order = topological_sort(twin)
    path = [node for node in order if node.op is not None or node is order[0]]
    assert len(path) == 2001
    assert all(before.children[0] is after for before, after in pairwise(path))


@every_way
def test_leaves_linked_by_attributes(duplicate: Callable[[Any], Any]) -> None:
    leaves = [Value(float(i)) for i in range(2000)]
    for before, after in pairwise(leaves):
        before.next = after
    node, count = duplicate(leaves[0]), 1
    while node.data < 1999:
        node, count = node.next, count + 1
    assert count == 2000


def test_bytes_are_the_same_each_time() -> None:
    nodes = chain(50)
    assert pickle.dumps(nodes) == pickle.dumps(nodes)
    assert pickle.dumps(nodes[-1]) == pickle.dumps(nodes[-1])
