"""The laws of a layout over random diagrams with nested frames, in both directions and wrapped into rows."""

import random
import time
from dataclasses import replace

import pytest
from hash_seeds import outputs_by_hash_seed
from hypothesis import given, settings, strategies as st
from layout_faults import diagrams, faults, text_width

from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame
from microgradlib.viz.layout.layout import layout
from microgradlib.viz.layout.placement import FramePlace, Rect, Size, Spacing

ways = st.sampled_from([("right", None), ("down", None), ("right", 400.0)])


def check_laws(case, way):
    diagram, sizes = case
    direction, width = way
    plan = layout(diagram, sizes, direction=direction, width=width, text_width=text_width)
    assert not faults(diagram, sizes, plan)
    assert layout(diagram, sizes, direction=direction, width=width, text_width=text_width) == plan


@given(diagrams(), ways)
@settings(max_examples=10)
def test_nothing_overlaps_and_every_line_goes_from_its_port_to_its_port(case, way):
    check_laws(case, way)


@pytest.mark.slow
@given(diagrams(most=40), ways)
@settings(max_examples=60)
def test_the_same_over_many_larger_diagrams(case, way):
    check_laws(case, way)


def chain(count, **arrow):
    boxes = [Box(f"n{i}", "op" if i else "input") for i in range(count)]
    return Diagram(tuple(boxes), tuple(Arrow(f"n{i}", f"n{i + 1}", **arrow) for i in range(count - 1)))


def sized(diagram, width=80.0, height=46.0):
    return {box.id: Size(width, height) for box in diagram.boxes}


def laid_out(diagram, direction="right", **options):
    plan = layout(diagram, sized(diagram), direction=direction, **options)
    assert not faults(diagram, sized(diagram), plan)
    return plan


# The checker itself: each wrong layout is found


def two_frames():
    frames = (Frame("f", "first"), Frame("g", "second"))
    boxes = (Box("x", "input"), Box("a", "op", frame="f"), Box("b", "op", frame="g"), Box("y", "output"))
    ends = [("x", "a"), ("x", "b"), ("a", "y"), ("b", "y")]
    return Diagram(boxes, tuple(Arrow(*pair, text="1.5") for pair in ends), frames)


def with_box(plan, name, rect):
    return replace(plan, boxes={**plan.boxes, name: rect})


def with_route(plan, number, **changes):
    routes = list(plan.routes)
    routes[number] = replace(routes[number], **changes)
    return replace(plan, routes=tuple(routes))


WRONG = {
    "overlap": lambda plan: with_box(plan, "a", plan.boxes["b"]),
    "outside the drawing": lambda plan: with_box(plan, "y", Rect(-500.0, 0.0, 80.0, 46.0)),
    "is not inside f": lambda plan: with_box(plan, "a", Rect(plan.boxes["x"].x, 300.0, 80.0, 46.0)),
    "smaller than its size": lambda plan: with_box(plan, "y", plan.boxes["y"]._replace(width=20.0)),
    "foreign frame": lambda plan: replace(
        plan, frames={**plan.frames, "f": FramePlace(Rect(0, 0, 900, 900), Rect(0, 0, 9, 9))}
    ),
    "leave the side": lambda plan: with_route(plan, 0, start=(0.0, 0.0)),
    "enter the side": lambda plan: with_route(plan, 0, steps=((50.0, 500.0),)),
    "goes backward": lambda plan: with_route(plan, 2, steps=((0.0, 0.0), *plan.routes[2].steps)),
    "passes through": lambda plan: with_route(
        plan, 0, steps=((plan.boxes["y"].x + 40, plan.boxes["y"].y + 20), *plan.routes[0].steps)
    ),
    "'1.5' and '1.5' overlap": lambda plan: with_route(plan, 2, text=plan.routes[3].text),
    "title": lambda plan: replace(
        plan, frames={**plan.frames, "g": FramePlace(plan.frames["g"].rect, Rect(0.0, 0.0, 40.0, 9.0))}
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_the_checker_finds_what_is_wrong(fault):
    diagram = two_frames()
    plan = laid_out(diagram)
    assert any(fault in found for found in faults(diagram, sized(diagram), WRONG[fault](plan)))


# Edges


def test_an_empty_diagram_has_no_size():
    plan = laid_out(Diagram((), ()))
    assert (plan.width, plan.height, plan.boxes, plan.routes) == (0.0, 0.0, {}, ())


def test_one_box_is_the_whole_drawing():
    plan = laid_out(Diagram((Box("x", "input"),), ()))
    assert plan.boxes == {"x": Rect(0.0, 0.0, 80.0, 46.0)}
    assert (plan.width, plan.height) == (80.0, 46.0)


@pytest.mark.parametrize("direction", ["right", "down"])
def test_200_parallel_arrows_enter_side_by_side_without_texts(direction):
    diagram = Diagram((Box("x", "input"), Box("y", "output")), tuple(Arrow("x", "y", "1") for _ in range(200)))
    plan = layout(diagram, sized(diagram), direction=direction)
    ends = {route.end for route in plan.routes}
    assert len(ends) == 200
    assert all(route.text is None for route in plan.routes)
    side = plan.boxes["y"].height if direction == "right" else plan.boxes["y"].width
    assert side >= 199 * Spacing().tight


@pytest.mark.parametrize(
    ("diagram", "message"),
    [
        (Diagram((Box("a", "op"), Box("b", "op")), (Arrow("a", "b"), Arrow("b", "a"))), "2 boxes lie on or behind"),
        (Diagram((Box("a", "op"),), (Arrow("a", "a"),)), "1 boxes lie on or behind"),
        (Diagram((Box("a", "op"), Box("a", "op")), ()), "two boxes share the id 'a'"),
        (Diagram((Box("a", "op"),), (Arrow("a", "b"),)), "there is no box 'b'"),
        (Diagram((Box("a", "op", frame="f"),), ()), "the frame 'f', which is not among the frames"),
        (Diagram((), (), (Frame("f", "", parent="g"), Frame("g", ""))), "put outer frames first"),
        (Diagram((), (), (Frame("f", ""), Frame("f", ""))), "two frames share the id 'f'"),
    ],
)  # fmt: skip
def test_what_cannot_be_laid_out_raises(diagram, message):
    with pytest.raises(ValueError, match=message):
        layout(diagram, sized(diagram), direction="right")


def test_a_wrong_direction_and_a_missing_size_raise():
    with pytest.raises(ValueError, match="direction is 'left'; give 'right' or 'down'"):
        layout(Diagram((), ()), {}, direction="left")
    with pytest.raises(ValueError, match="box 'x' has no size"):
        layout(Diagram((Box("x", "input"),), ()), {}, direction="down")


# What makes a drawing read well


def test_a_chain_is_straight_also_with_a_leaf_at_each_step():
    links = chain(8, text="0.5")
    leaves = tuple(Box(f"w{i}", "parameter") for i in range(1, 8))
    uses = tuple(Arrow(f"w{i}", f"n{i}", "2") for i in range(1, 8))
    plan = laid_out(Diagram(links.boxes + leaves, links.arrows + uses))
    middles = [plan.boxes[f"n{i}"].y + plan.boxes[f"n{i}"].height / 2 for i in range(1, 8)]
    assert max(middles) - min(middles) < 0.05


def test_a_line_that_skips_columns_bends_twice_at_most():
    links = chain(8)
    diagram = replace(links, arrows=(*links.arrows, Arrow("n0", "n7")))
    for direction in ("right", "down"):
        steps = laid_out(diagram, direction).routes[-1].steps
        assert sum(len(step) == 6 for step in steps) <= 2


def test_lines_of_one_source_share_their_way_and_of_two_sources_do_not():
    links = chain(6)
    for sources, starts in ((("", ""), 1), (("p", "q"), 2)):
        uses = (Arrow("n0", "n4", source=sources[0]), Arrow("n0", "n5", source=sources[1]))
        plan = laid_out(Diagram(links.boxes, links.arrows[1:] + uses))
        assert len({route.start for route in plan.routes[-2:]}) == starts


def example(k):
    """One of several equal groups: two inputs, a table, a difference from a target, and its square."""
    frames = (Frame(f"e{k}", f"example {k}", alike="example"), Frame(f"l{k}", "layer", parent=f"e{k}"))
    kinds = {"x": "input", "u": "input", "a": "op", "b": "op", "t": "target", "d": "op", "s": "op"}
    boxes = [Box(f"{name}{k}", kind, frame=f"{'l' if name in 'ab' else 'e'}{k}") for name, kind in kinds.items()]
    arrows = [Arrow(f"{i}{k}", f"{j}{k}", "0.25") for i, j in ("xa", "ua", "xb", "ub", "ad", "bd", "td", "ds")]
    return frames, boxes, arrows


@pytest.mark.parametrize("direction", ["right", "down"])
def test_equal_groups_look_alike(direction):
    parts = [example(k) for k in range(4)]
    boxes = [box for _, group, _ in parts for box in group]
    arrows = [arrow for _, _, group in parts for arrow in group] + [Arrow(f"s{k}", "loss", "0.25") for k in range(4)]
    frames = [frame for group, _, _ in parts for frame in group]
    plan = laid_out(Diagram((*boxes, Box("loss", "output")), tuple(arrows), tuple(frames)), direction)
    shapes = set()
    for k in range(4):
        outer = plan.frames[f"e{k}"].rect
        inner = [plan.boxes[box.id] for box in parts[k][1]] + [plan.frames[f"l{k}"].rect]
        offsets = [(r.x - outer.x, r.y - outer.y, r.width, r.height) for r in inner]
        shapes.add(tuple(round(number, 6) for offset in offsets for number in offset))
    assert len(shapes) == 1
    starts = [plan.frames[f"e{k}"].rect[1 if direction == "right" else 0] for k in range(4)]
    assert starts == sorted(starts)
    assert plan.foreign == 0


def test_boxes_that_are_alike_are_equally_large():
    diagram = Diagram((Box("a", "op", alike="k"), Box("b", "op", alike="k")), (Arrow("a", "b"),))
    plan = layout(diagram, {"a": Size(60, 30), "b": Size(90, 50)}, direction="right")
    assert plan.boxes["a"][2:] == plan.boxes["b"][2:] == (90, 50)


def test_a_title_stands_left_of_the_lines_that_come_in_from_above():
    diagram = two_frames()
    plan = laid_out(diagram, "down", title_sizes={"f": (70.0, 40.0), "g": (70.0, 0.0)})
    for route, frame in zip(plan.routes[:2], "fg", strict=True):
        title = plan.frames[frame].title
        assert title.width == 70.0
        assert title.x + title.width < route.end[0]


def test_a_box_without_lines_takes_a_free_corner_or_stands_below():
    diagram = two_frames()
    alone = replace(diagram, boxes=(*diagram.boxes, Box("totals", "card")))
    plan = layout(alone, {**sized(diagram), "totals": Size(30, 20)}, direction="right")
    assert not faults(alone, {**sized(diagram), "totals": Size(30, 20)}, plan)
    assert (plan.width, plan.height) == (laid_out(diagram).width, laid_out(diagram).height)
    wide = layout(alone, {**sized(diagram), "totals": Size(600, 60)}, direction="right")
    assert wide.boxes["totals"].y > laid_out(diagram).height


# Rows


def test_a_chain_is_wrapped_into_even_rows_that_fit():
    plan = laid_out(chain(20, text="0.5"), width=960.0)
    assert (plan.rows, plan.returns) == (4, 3)
    assert plan.width <= 960.0
    firsts = [rect for rect in plan.boxes.values() if rect.x < 80]
    assert len(firsts) == 4


def test_rows_do_not_break_frames_nor_many_lines():
    links = chain(12)
    framed = Diagram(tuple(replace(box, frame="f") for box in links.boxes), links.arrows, (Frame("f", "all"),))
    assert laid_out(framed, width=400.0).rows == 1
    skips = tuple(Arrow(f"n{i}", f"n{i + 9}") for i in range(3))
    assert laid_out(replace(links, arrows=links.arrows + skips), width=400.0).rows <= 3
    assert laid_out(links, width=10_000.0).rows == 1


def test_a_leaf_stands_in_the_row_that_uses_it():
    links = chain(12)
    leaves = tuple(Box(f"w{i}", "parameter") for i in range(1, 12))
    uses = tuple(Arrow(f"w{i}", f"n{i}") for i in range(1, 12))
    plan = laid_out(Diagram(links.boxes + leaves, links.arrows + uses), width=500.0)
    assert plan.returns == plan.rows - 1 >= 2
    for i in range(1, 12):
        assert abs(plan.boxes[f"w{i}"].y - plan.boxes[f"n{i}"].y) < 100


# Same bytes, and time


def random_diagram(seed, boxes, frames=0):
    chance = random.Random(seed)
    made = [Box(f"n{i}", "op", frame=f"f{i * frames // boxes}" if frames else "") for i in range(boxes)]
    arrows = []
    for head in range(1, boxes):
        tails = [max(0, head - chance.randint(1, 20)) for _ in range(chance.randint(1, 2))]
        arrows += [Arrow(f"n{tail}", f"n{head}", "0.5") for tail in tails]
    return Diagram(tuple(made), tuple(arrows), tuple(Frame(f"f{i}", "g") for i in range(frames)))


@pytest.mark.slow
def test_the_hash_seed_changes_nothing():
    program = """
import sys
sys.path[:0] = ["tests/viz/layout", "tests/common"]
from test_layout import layout, random_diagram, sized
for direction in ("right", "down"):
    diagram = random_diagram(3, 60, frames=6)
    print(layout(diagram, sized(diagram), direction=direction, width=900.0))
"""
    assert len(outputs_by_hash_seed(program, 0, 1, 2)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("boxes", "frames", "seconds"), [(300, 0, 0.3), (300, 20, 0.5), (1000, 0, 2.0), (1000, 50, 2.0)]
)
def test_large_diagrams_take_no_longer_than_this(boxes, frames, seconds):
    diagram = random_diagram(0, boxes, frames)
    times = []
    for _ in range(2):
        begin = time.process_time()
        layout(diagram, sized(diagram), direction="right")
        times.append(time.process_time() - begin)
    assert min(times) < seconds
