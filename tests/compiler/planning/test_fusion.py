"""Fusion: chains computed entry by entry leave what their steps leave one by one, and are as long as they can be."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from plan_checker import rows_of

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.planning import Rows, Step, StridedView
from microgradlib.compiler.planning.fusion import MOST_TOGETHER, Flow, Key, chains_of, contiguous
from microgradlib.ops import TABLE

SHAPES = [(12,), (3, 4), (4, 3), (2, 6), (2, 2, 3), (12, 1), (1, 3, 1, 4)]
ROWS = 40
LATER = 1000


def elementwise(results, *operands):
    return Step(SimpleNamespace(kind="elementwise", op=TABLE["neg"], wrt=None), results, operands, 0)


def gather(results, place):
    return Step(None, results, (place,), 0)


def view(start, sizes, steps, space=BATCHED):
    return StridedView(space, start, sizes, steps)


def line(start, n=12, step=1, space=BATCHED):
    return view(start, (n,), (step,), space)


@st.composite
def places(draw, shape, *, distinct=False):
    """Draw a view in few rows, so that many overlap; of results, each row once."""
    n = math.prod(shape)
    if distinct:
        order = draw(st.permutations(range(len(shape))))
        steps = [0] * len(shape)
        width = draw(st.sampled_from([1, 1, 1, 2]))
        for axis in order:
            steps[axis], width = width, width * shape[axis]
    else:
        steps = draw(st.sampled_from([contiguous(shape), [0] * len(shape), *[[k] * len(shape) for k in (1, 2, -1)]]))
    space = draw(st.sampled_from([BATCHED, BATCHED, BATCHED, UNBATCHED]))
    low = sum((size - 1) * min(step, 0) for size, step in zip(shape, steps))
    high = sum((size - 1) * max(step, 0) for size, step in zip(shape, steps))
    found = view(draw(st.integers(0, 3)) * n // 2 - low, tuple(shape), tuple(steps), space)
    return found if found.start + high < ROWS else view(-low, tuple(shape), tuple(steps), space)


@st.composite
def runs(draw):
    """Draw steps of twelve results each; what one reads is what it writes, or elsewhere."""
    steps = []
    for _ in range(draw(st.integers(1, 7))):
        shape = draw(st.sampled_from(SHAPES))
        results = draw(places(shape, distinct=True))
        if shape == (12,) and draw(st.booleans()):
            read = [Rows(results.space, np.array(draw(st.lists(st.integers(0, ROWS - 1), min_size=12, max_size=12))))]
        else:
            # what earlier steps wrote and read is read again, if it is on these axes
            known = [place for step in steps for place in (step.results, *step.operands) if len(shape) > 1]
            known = [place for place in known if isinstance(place, StridedView) and place.sizes == shape] or [results]
            read = draw(st.lists(st.one_of(places(shape), st.sampled_from(known)), min_size=1, max_size=3))
        read = [place for place in read if place == results or not meet(place, results)] or [line(60)]
        steps.append(gather(results, read[0]) if isinstance(read[0], Rows) else elementwise(results, *read))
    return steps


def meet(one, other):
    return one.space == other.space and not set(rows_of(one).tolist()).isdisjoint(rows_of(other).tolist())


def same(one, other):
    return one.space == other.space and rows_of(one).tolist() == rows_of(other).tolist()


def memory():
    return [[(space, row) for row in range(100)] for space in range(2)]


def result_of(k, step, read):
    return read[0] if step.kind == "gather" else (k, *read)


def run_one_by_one(steps):
    """Return what the memory holds after all entries of each step, one step after another: of results, how made."""
    held = memory()
    for k, step in enumerate(steps):
        read = [[held[place.space][row] for row in rows_of(place)] for place in step.operands]
        for row, *numbers in zip(rows_of(step.results), *read):
            held[step.results.space][row] = result_of(k, step, numbers)
    return held


def run_fused(steps, flows):
    """The same by chains: entry by entry, numbers passed on in registers; what is not needed is not stored."""
    held, number, done = memory(), {id(step): k for k, step in enumerate(steps)}, []
    for chain in chains_of(steps, flows):
        done += [number[id(link.step)] for link in chain.links]
        rows = {key: key.rows(chain.sizes) for link in chain.links for key in (link.results, *link.operands)}
        for entry in range(12):
            registers = {key: held[key.space][rows[key][entry]] for key in rows}
            for link in chain.links:
                read = [registers[key] for key in link.operands]
                registers[link.results] = result_of(number[id(link.step)], link.step, read)
            for key in {link.results for link in chain.links}:
                stored = registers[key] if key in chain.needed else "lost"
                held[key.space][rows[key][entry]] = stored
    assert sorted(done) == list(range(len(steps)))
    return held


def reach(steps, k, last):
    """Say how many steps later the results of step k are read for the last time; `last`: those behind all steps."""
    if k in last:
        return LATER
    readers = [j for j in range(k + 1, len(steps)) if any(meet(steps[k].results, x) for x in steps[j].operands)]
    return max(readers, default=k) - k


@settings(max_examples=150, deadline=None)
@given(runs(), st.sets(st.integers(0, 6)))
def test_chains_leave_what_the_steps_leave(steps, last):
    flows = [Flow(reach(steps, k, last), (False,) * len(step.operands)) for k, step in enumerate(steps)]
    expected, found = run_one_by_one(steps), run_fused(steps, flows)
    owner = {}
    for k, step in enumerate(steps):
        owner |= {(step.results.space, row): k for row in rows_of(step.results).tolist()}
    for (space, row), k in owner.items():
        if k in last:
            assert found[space][row] == expected[space][row]
    everything = run_fused(steps, ())
    assert everything == expected


def parts_of(step):
    """Return how many entries apart the axes of a step are."""
    place = step.operands[0] if step.kind == "gather" else step.results
    sizes = [len(rows_of(place))] if isinstance(place, Rows) else place.sizes
    return {math.prod(sizes[k:]) for k in range(len(sizes) + 1)}


def have_common_axes(steps):
    widths = sorted(set().union(*map(parts_of, steps)))
    return all(b % a == 0 for a, b in pairwise(widths))


def may_follow(step, earlier):
    """Say whether no entry of one meets another entry of the other, by their rows."""
    if step.results.space != earlier.results.space:
        return False
    pairs = [(earlier.results, x) for x in (step.results, *step.operands)]
    pairs += [(step.results, x) for x in earlier.operands]
    return not any(meet(a, b) and not same(a, b) for a, b in pairs)


def touches(one, other):
    return any(same(one.results, x) for x in (other.results, *other.operands)) or any(
        same(other.results, x) for x in one.operands
    )


def expected_chains(steps):
    """Return the numbers of the steps of each chain, found by rows: those that touch, of steps that may be together."""
    together = []
    for k, step in enumerate(steps):
        now = together[-1] if together else []
        fits = have_common_axes([*[steps[j] for j in now], step]) and all(may_follow(step, steps[j]) for j in now)
        if not now or not fits or len(now) == MOST_TOGETHER:
            together.append([])
        together[-1].append(k)
    for group in together:
        chains = []
        for k in group:
            own = [chain for chain in chains if any(touches(steps[k], steps[j]) for j in chain)]
            chains = [chain for chain in chains if chain not in own] + [[*sum(own, []), k]]  # noqa: RUF017  short
        yield from sorted(map(sorted, chains))


def found_chains(steps):
    number = {id(step): k for k, step in enumerate(steps)}
    return sorted([number[id(link.step)] for link in chain.links] for chain in chains_of(steps))


@settings(max_examples=150, deadline=None)
@given(runs())
def test_chains_are_those_steps_that_touch_and_may_be_together(steps):
    assert found_chains(steps) == sorted(expected_chains(steps))


@pytest.mark.parametrize("count", [MOST_TOGETHER - 1, MOST_TOGETHER, MOST_TOGETHER + 1, 2 * MOST_TOGETHER + 1])
def test_so_many_steps_are_together_at_most(count):
    found = [len(chain.links) for chain in chains_of([elementwise(line(0), line(0))] * count)]
    assert found == [MOST_TOGETHER] * (count // MOST_TOGETHER) + [count % MOST_TOGETHER] * (count % MOST_TOGETHER > 0)


def test_axes_that_fit_no_others_begin_a_chain_on_their_own_axes():
    steps = [
        elementwise(line(0), line(12)),
        elementwise(view(24, (3, 4), (4, 1)), view(0, (3, 4), (4, 1))),
        elementwise(view(36, (2, 6), (6, 1)), view(24, (2, 6), (6, 1))),
        elementwise(line(48), line(36)),
    ]
    found = list(chains_of(steps))
    assert [(chain.sizes, [link.results for link in chain.links]) for chain in found] == [
        ((3, 4), [Key(BATCHED, 0, (4, 1)), Key(BATCHED, 24, (4, 1))]),
        ((2, 6), [Key(BATCHED, 36, (6, 1)), Key(BATCHED, 48, (6, 1))]),
    ]
    assert [chain.needed for chain in found] == [{link.results for link in chain.links} for chain in found]


def test_one_number_has_an_axis_too():
    (chain,) = chains_of([elementwise(view(3, (), ()), view(1, (1, 1), (5, 7)))])
    assert (chain.sizes, chain.links[0].results, chain.links[0].operands) == (
        (1,), Key(BATCHED, 3, (0,)), (Key(BATCHED, 1, (0,)),)
    )  # fmt: skip


@given(st.data())
def test_keys_overlap_where_they_share_rows_and_are_others(data):
    sizes = data.draw(st.sampled_from([(5,), (2, 3), (1,), (4, 1)]))
    keys = []
    for _ in range(2):
        steps = data.draw(st.tuples(*[st.integers(-3, 3) if size > 1 else st.just(0) for size in sizes]))
        rows = data.draw(st.lists(st.integers(8, 30), min_size=math.prod(sizes), max_size=math.prod(sizes)))
        table = np.array(rows, "int32").tobytes() if data.draw(st.booleans()) else b""
        start = 0 if table else data.draw(st.integers(10, 24))
        keys.append(Key(data.draw(st.integers(0, 1)), start, contiguous(sizes) if table else steps, table))
    one, other = keys
    shared = set(one.rows(sizes).tolist()) & set(other.rows(sizes).tolist())
    expected = one != other and one.space == other.space and bool(shared)
    assert one.overlaps(other, sizes) == other.overlaps(one, sizes) == expected


@pytest.mark.parametrize("step", [1, -1, 2, -2])
def test_views_that_share_their_outermost_rows_alone_overlap(step):
    one, *others = [Key(BATCHED, start, (step,)) for start in (10, 10 + step, 10 - step, 10 + 2 * step, 10 - 2 * step)]
    assert [one.overlaps(other, (2,)) for other in others] == [True, True, False, False]
    table = Key(BATCHED, 0, (1,), np.array([10 + step, 99], "int32").tobytes())
    assert one.overlaps(table, (2,))
    assert table.overlaps(one, (2,))
