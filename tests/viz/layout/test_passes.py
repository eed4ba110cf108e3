"""The passes of the layout, each against an independent statement of what it computes."""

import itertools
import random

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.viz.layout.corners import place_in_corners
from microgradlib.viz.layout.crossings import crossings
from microgradlib.viz.layout.grid import Line, make_grid
from microgradlib.viz.layout.ordering import order_columns
from microgradlib.viz.layout.placement import Rect
from microgradlib.viz.layout.ports import breadth_for, free_places
from microgradlib.viz.layout.ranks import rank, rank_frames, share_columns
from microgradlib.viz.layout.separation import Pull, least_squares_positions, place_things
from microgradlib.viz.layout.titles import place_title, with_extent

# Columns

acyclic = st.lists(st.tuples(st.integers(0, 19), st.integers(1, 20)), max_size=40).map(
    lambda pairs: [(tail, tail + step) for tail, step in pairs if tail + step < 20]
)


@given(acyclic)
def test_every_arrow_goes_to_a_later_column_and_some_box_stands_in_the_first(arrows):
    ranks = rank(20, arrows)
    assert all(ranks[tail] < ranks[head] for tail, head in arrows)
    assert min(ranks) == 0


def test_a_box_with_one_use_is_beside_it():
    # 0 → 1 → 2 → 3, and 6 = f(4, 5) enters at 3.
    assert rank(7, [(0, 1), (1, 2), (2, 3), (4, 6), (5, 6), (6, 3)]) == [0, 1, 2, 3, 1, 1, 2]


@given(acyclic, st.lists(st.sampled_from([(), (0,), (0, 1), (2,)]), min_size=20, max_size=20))
def test_frames_do_not_turn_arrows_round(arrows, frames_of):
    ranks = rank_frames(arrows, frames_of, 3)
    assert all(ranks[tail] < ranks[head] for tail, head in arrows)
    assert min(ranks) == 0


def test_frames_that_feed_each_other_both_ways_are_ranked_as_without_frames():
    # 0 (frame 0) → 2 (frame 1, with the leaf 1) → 3 → 4 (frame 0): a way leads back.
    arrows = [(0, 2), (1, 2), (2, 3), (3, 4)]
    assert rank_frames(arrows, [(0,), (1,), (1,), (), (0,)], 2) == rank(5, arrows)


def test_inputs_share_a_column_unless_they_are_far_apart_or_used_once():
    uses = [(0, 9), (0, 8), (1, 8), (1, 9), (2, 9), (3, 9)]
    assert share_columns([0, 3, 4, 2, *range(6)], ["k"] * 4 + [None] * 6, uses)[:4] == [0, 0, 4, 2]
    assert share_columns([0, 1, *range(8)], ["k"] * 2 + [None] * 8, [(0, 9), (1, 9)])[:2] == [0, 0]


# Lanes


def test_a_long_line_is_shared_by_all_its_uses():
    lines = [Line(i, i + 1) for i in range(9)] + [Line(0, i) for i in range(2, 10)]
    grid = make_grid([40.0] * 10, list(range(10)), [()] * 10, [], lines)
    assert len(grid.breadths) - grid.boxes == 8  # one lane in each column between the first and the last


@given(acyclic)
def test_paths_go_from_column_to_column(arrows):
    lines = [Line(*pair) for pair in arrows]
    grid = make_grid([40.0] * 20, rank(20, arrows), [()] * 20, [], lines)
    for line, path in zip(lines, grid.paths, strict=True):
        assert (path[0], path[-1]) == (line.tail, line.head)
        assert all(grid.column_of[b] == grid.column_of[a] + 1 for a, b in itertools.pairwise(path))
    assert sorted(cell for column in grid.columns for cell in column) == list(range(len(grid.breadths)))


def test_a_lane_stays_in_the_frame_of_its_tail_and_a_frame_has_a_cell_in_each_of_its_columns():
    # 0 is in frame 0, which spans the columns 0 to 3; its line to 4, outside, passes the columns 1 to 3 inside it.
    grid = make_grid([40.0] * 3, [0, 3, 4], [(0,), (0,), ()], [-1], [Line(0, 2)])
    assert [grid.frames_of[lane] for lane in grid.paths[0][1:-1]] == [(0,), (0,), (0,)]
    empty = make_grid([40.0] * 2, [0, 2], [(0,), (0,)], [-1], [])
    assert empty.frames_of[2:] == [(0,)]
    assert empty.column_of[2:] == [1]


# Order


def brute_force_crossings(grid):
    place = {cell: i for column in grid.columns for i, cell in enumerate(column)}
    count = 0
    for one, other in itertools.combinations(grid.links, 2):
        if grid.column_of[one.tail] == grid.column_of[other.tail]:
            before = place[one.tail] - place[other.tail]
            behind = place[one.head] - place[other.head]
            count += before * behind < 0
    return count


def random_grid(seed, boxes, lines):
    chance = random.Random(seed)
    heads = [chance.randint(1, boxes - 1) for _ in range(lines)]
    arrows = [(max(0, head - chance.randint(1, 12)), head) for head in heads]
    return make_grid([40.0] * boxes, rank(boxes, arrows), [()] * boxes, [], [Line(*pair) for pair in arrows])


@given(st.integers(0, 1000))
@settings(max_examples=30)
def test_crossings_are_counted_as_by_trying_all_pairs(seed):
    grid = random_grid(seed, 16, 24)
    assert crossings(grid) == brute_force_crossings(grid)


@pytest.mark.parametrize(("seed", "most"), list(enumerate([98, 67, 120, 66, 57, 47])))
def test_no_more_crossings_than_barycentre_sweeps_alone(seed, most):
    """`most`: the crossings after twelve sweeps, counted once with another program."""
    chance = random.Random(seed)
    arrows = []
    for _ in range(100):
        head = chance.randint(1, 59)
        arrows.append((max(0, head - chance.randint(1, 12)), head))
    grid = make_grid([40.0] * 60, rank(60, arrows), [()] * 60, [], [Line(*pair) for pair in arrows])
    order_columns(grid, [None] * 60)
    assert crossings(grid) <= most


def test_equal_boxes_keep_their_own_order_where_it_costs_one_crossing():
    lines = [Line(0, 3), Line(1, 2)]
    for kin, count in ((None, 0), ("k", 1)):
        grid = make_grid([40.0] * 4, [0, 0, 1, 1], [()] * 4, [], lines)
        order_columns(grid, [kin] * 4)
        assert crossings(grid) == count


# Ports


@given(st.lists(st.floats(8, 200), max_size=5), st.integers(0, 6), st.sampled_from([8.0, 14.0]))
def test_free_lines_enter_within_the_side_apart_from_each_other_and_from_fixed_ones(fixed, free, pitch):
    breadth = breadth_for(fixed, free, pitch, max([30.0, *fixed]) + 8.0)
    places = free_places(fixed, free, pitch, breadth)
    assert len(places) == free
    assert all(7.9 <= place <= breadth - 7.9 for place in places)
    assert all(abs(a - b) >= pitch - 1e-6 for a, b in itertools.combinations(places, 2))
    assert all(abs(a - b) >= pitch - 1e-6 for a in places for b in fixed)


# Places across


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 5), st.floats(0, 20)), min_size=1, max_size=6),
    st.lists(st.floats(-1, 1), min_size=6, max_size=6),
)
def test_no_other_allowed_positions_are_closer_to_the_targets(things, step):
    targets, weights, gaps = zip(*things, strict=True)
    best = least_squares_positions(targets, weights, gaps[1:])

    def cost(places):
        return sum(w * (p - t) ** 2 for p, t, w in zip(places, targets, weights, strict=True))

    assert all(b - a >= gap - 1e-9 for (a, b), gap in zip(itertools.pairwise(best), gaps[1:], strict=True))
    moved = [place + change for place, change in zip(best, step, strict=False)]
    if all(b - a >= gap for (a, b), gap in zip(itertools.pairwise(moved), gaps[1:], strict=True)):
        assert cost(best) <= cost(moved) + 1e-9


def test_columns_with_frames_in_different_orders_raise():
    with pytest.raises(ValueError, match="different orders"):
        place_things([[0, 1], [1, 0]], lambda one, other: 10.0, {0: [], 1: []})


def test_chains_that_meet_stay_straight_up_to_there():
    # 0 → 1 → 2 → 6 and 3 → 4 → 5 → 6; 0 and 3 stand far apart.
    pulls = {i: [] for i in range(7)}
    for tail, head, weight in [(0, 1, 4), (1, 2, 4), (2, 6, 1), (3, 4, 4), (4, 5, 4), (5, 6, 1)]:
        pulls[head].append(Pull(tail, 0.0, weight, before=True))
        pulls[tail].append(Pull(head, 0.0, weight, before=False))
    place = place_things([[0, 3], [1, 4], [2, 5], [6]], lambda one, _: 200.0 if one == 0 else 20.0, pulls)
    assert place[0] == pytest.approx(place[1], abs=1e-6) == place[2]
    assert place[3] == pytest.approx(place[4], abs=1e-6) == place[5]
    assert place[6] == pytest.approx((place[2] + place[5]) / 2)


# Titles and corners


def test_a_title_stands_in_the_first_gap_and_a_formula_only_where_there_is_one():
    frame, bar = Rect(0, 0, 200, 100), Rect(10, 4, 180, 15)
    line = [(30.0, -20.0), (30.0, 60.0)]
    place = place_title(frame, (60.0, 40.0), bar, [with_extent(line)])
    assert (place.title.x, place.formula.x) == (35.0, 109.0)
    assert place_title(frame, (60.0, 90.0), bar, [with_extent(line)]).formula is None
    assert place_title(frame, (60.0, 0.0), bar, []).title.x == 10.0


def test_corners_that_lines_pass_are_not_free():
    box, whole = Rect(0.0, 0.0, 20.0, 20.0), (880.0, 100.0)
    lines = [[(0.0, 90.0), (880.0, 90.0)], [(870.0, 0.0), (870.0, 100.0)]]
    [place], size = place_in_corners([(30.0, 20.0)], [box], lines, whole, 10.0)
    assert place.y == 110.0
    assert size == (880.0, 130.0)
    [place], size = place_in_corners([(30.0, 20.0)], [box], lines[:1], whole, 10.0)
    assert (place.x, place.y, size) == (850.0, 0.0, whole)


def test_a_box_without_a_corner_stands_beside_what_leaves_room_in_a_cell():
    line = [[(0.0, 0.0), (200.0, 0.0)], [(0.0, 100.0), (200.0, 100.0)]]
    assert place_in_corners([(30.0, 20.0)], [], line, (200.0, 100.0), 10.0)[1] == (240.0, 100.0)
    assert place_in_corners([(30.0, 120.0)], [], line, (200.0, 100.0), 10.0)[1] == (200.0, 230.0)
