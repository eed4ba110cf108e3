"""Scheduling: each node after its arguments, no later than it must be, with others of its kind where it can wait."""

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.compiler.trace import TracedNode
from microgradlib.compiler.vectorize.packs import schedule
from microgradlib.ops import TABLE

TANH, EXP, ADD = TABLE["tanh"], TABLE["exp"], TABLE["add"]


def scheduled(nodes):
    return schedule(nodes, [None if node.op is None else node.op.name for node in nodes])


def leaf():
    return TracedNode("input", index=0)


def op(kind, *arguments):
    return TracedNode("op", kind, arguments)


def test_a_node_follows_its_last_argument() -> None:
    assert scheduled([leaf(), op(TANH, 0), op(EXP, 1), op(ADD, 0, 2)]) == [0, 1, 2, 3]


def test_a_node_waits_for_at_least_twice_as_many_of_its_kind() -> None:
    nodes = [leaf(), op(EXP, 0), op(TANH, 0), op(EXP, 2), op(EXP, 2), op(ADD, 3, 4), op(ADD, 1, 5)]
    assert scheduled(nodes) == [0, 2, 1, 2, 2, 3, 4]
    nodes = [leaf(), op(EXP, 0), op(TANH, 0), op(EXP, 2), op(ADD, 1, 3)]  # only one there
    assert scheduled(nodes) == [0, 1, 1, 2, 3]


def test_a_node_that_is_needed_at_once_does_not_wait() -> None:
    nodes = [leaf(), op(EXP, 0), op(TANH, 1), op(EXP, 2), op(EXP, 2), op(ADD, 3, 4)]
    assert scheduled(nodes) == [0, 1, 2, 3, 3, 4]


def test_a_node_looks_no_further_than_the_next_level_with_its_kind() -> None:
    nodes = [leaf(), op(EXP, 0), op(TANH, 0), op(EXP, 2), op(TANH, 3), op(EXP, 4), op(EXP, 4), op(EXP, 4), op(EXP, 4)]
    levels = scheduled([*nodes, *[op(ADD, 1, 8)]])
    assert levels[1] == 1  # not 4, where there are four, as there is only one at 2
    assert levels[5:9] == [4] * 4


@st.composite
def node_lists(draw):
    nodes = [leaf()]
    for _ in range(draw(st.integers(1, 30))):
        arguments = draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=3))
        nodes.append(op(draw(st.sampled_from([TANH, EXP, ADD])), *arguments))
    return nodes


@settings(max_examples=200, deadline=None)
@given(node_lists())
def test_no_schedule_is_longer_than_the_longest_way_from_a_leaf(nodes) -> None:
    levels, early = scheduled(nodes), [0] * len(nodes)
    for i, node in enumerate(nodes):
        if node.op is not None:
            early[i] = 1 + max(early[a] for a in node.arguments)
            assert levels[i] > max(levels[a] for a in node.arguments)
            assert levels[i] >= early[i]
    assert max(levels) == max(early)


def test_a_node_does_not_wait_as_long_as_the_last_that_reads_it() -> None:
    nodes = [leaf(), op(EXP, 0), op(ADD, 0, 1), op(TANH, 0), op(EXP, 3), op(EXP, 3)]
    assert scheduled(nodes) == [0, 1, 2, 1, 2, 2]


@settings(max_examples=200, deadline=None)
@given(node_lists())
def test_a_node_waits_for_the_next_of_its_kind_if_they_are_twice_as_many_and_no_reader_is_there(nodes) -> None:
    levels, early = scheduled(nodes), [0] * len(nodes)
    for i, node in enumerate(nodes):
        early[i] = 1 + max((early[a] for a in node.arguments), default=-1)
    alike = Counter((node.op, first) for node, first in zip(nodes, early))
    for i, node in enumerate(nodes):
        if node.op is None:
            assert levels[i] == 0
            continue
        readers = [levels[k] for k, other in enumerate(nodes) if i in other.arguments]
        later = min((first for op, first in alike if op is node.op and first > early[i]), default=None)
        may_wait = later is not None and later < min(readers, default=max(early) + 1)
        waits = may_wait and alike[node.op, later] >= 2 * alike[node.op, early[i]]
        assert levels[i] == (later if waits else early[i])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_so_many_wait_for_twice_as_many(count) -> None:
    for more in (2 * count - 1, 2 * count, 2 * count + 1):
        nodes = [leaf(), *[op(EXP, 0)] * count, op(TANH, 0), *[op(EXP, count + 1)] * more]
        levels = scheduled(nodes)
        assert levels[1 : count + 1] == [2 if more >= 2 * count else 1] * count
        assert levels[-more:] == [2] * more
