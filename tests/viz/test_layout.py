"""Properties of the layout and of its SVG, over random diagrams."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.viz.diagram import MAX_TEXTS, Arrow, Box, Diagram
from microgradlib.viz.dot import to_dot
from microgradlib.viz.layout import TEXT_RISE, layout, ports_height
from microgradlib.viz.ordering import arrange, rank
from microgradlib.viz.spacing import least_squares_positions
from microgradlib.viz.svg import to_svg

SVG = "{http://www.w3.org/2000/svg}"
texts = st.text(max_size=12)


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own text


@st.composite
def diagrams(draw, labels=texts, most=25):
    count = draw(st.integers(0, most))
    ends = [
        (tail, head)
        for head in range(1, count)
        for tail in draw(st.lists(st.integers(0, head - 1), max_size=12 if head == count - 1 else 4))
    ]
    inner = {head for _, head in ends}
    boxes = tuple(
        Box(
            f"n{i}",
            "leaf" if i not in inner else "output" if i == count - 1 else "op",
            title=draw(labels),
            op=draw(labels) if i in inner else "",
            rows=draw(st.sampled_from([(), (("data", "-1.234e-05"), ("grad", "0"))])),
            note=draw(st.sampled_from(["", "1 of 2"])),
        )
        for i in range(count)
    )
    return Diagram(boxes, tuple(Arrow(f"n{tail}", f"n{head}", draw(labels)) for tail, head in ends))


def placed(diagram):
    sizes = {
        box.id: (60.0 + 9 * (number % 4), max(40.0, ports_height(len(diagram.arrows_into(box.id)), texts=True)))
        for number, box in enumerate(diagram.boxes)
    }
    return sizes, layout(diagram, sizes, lambda text: 6.0 * len(text))


def words(svg):
    """Return the visible texts of the picture, without tooltips."""
    lines = parse(svg).iter(f"{SVG}text")
    return ["".join([line.text or "", *(part.tail or "" for part in line)]) for line in lines]


@given(diagrams())
def test_boxes_never_overlap_and_keep_their_size(diagram):
    sizes, plan = placed(diagram)
    places = list(plan.rects.items())
    for number, (name, one) in enumerate(places):
        assert one.width >= sizes[name][0]
        assert one.height == sizes[name][1]
        assert one.x >= 0
        assert one.y >= 0
        assert one.x + one.width <= plan.width
        assert one.y + one.height <= plan.height
        for _, other in places[number + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            above = one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            assert beside or above


@given(diagrams())
def test_every_line_goes_right_from_its_tail_to_its_head_and_through_no_box(diagram):
    _, plan = placed(diagram)
    assert [route.arrow for route in plan.routes] == list(diagram.arrows)
    for route in plan.routes:
        tail, head = plan.rects[route.arrow.tail], plan.rects[route.arrow.head]
        first, last = route.runs[0], route.runs[-1]
        assert first[0] == tail.x + tail.width
        assert tail.y < first[2] < tail.y + tail.height
        assert last[1] == head.x
        assert head.y < last[2] < head.y + head.height
        for start, end, _ in route.runs:
            assert start <= end
        for (_, end, _), (start, _, _) in pairwise(route.runs):
            assert end < start
        for start, end, y in route.runs[1:-1]:
            for box in plan.rects.values():
                inside = box.x < end and start < box.x + box.width and box.y < y < box.y + box.height
                assert not inside
        # Lines bend only between columns, where no box is.
        for (_, end, _), (start, _, _) in pairwise(route.runs):
            assert all(box.x + box.width <= end + 1e-6 or box.x >= start for box in plan.rects.values())


@given(diagrams(labels=st.text("abc0123", max_size=6)))
def test_texts_do_not_overlap_boxes_or_texts(diagram):
    _, plan = placed(diagram)
    rectangles = []
    for route in plan.routes:
        text = diagram.shown_text(route.arrow)
        if text:
            right, foot = route.text_at
            rectangles.append((right - 6.0 * len(text), foot - 9.0, right, foot))
            assert route.runs[-1][0] <= right - 6.0 * len(text)
            assert foot == route.runs[-1][2] - TEXT_RISE
    boxes = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in plan.rects.values()]
    for number, one in enumerate(rectangles):
        for other in rectangles[number + 1 :] + boxes:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=60))
def test_every_cell_has_one_position_and_paths_advance_one_column_at_a_time(count, pairs):
    arrows = [(tail, head) for tail, head in pairs if tail < head < count]
    grid = arrange(count, arrows)
    assert sorted(cell for column in grid.columns for cell in column) == list(range(len(grid.column_of)))
    for (tail, head), path in zip(arrows, grid.paths, strict=True):
        assert (path[0], path[-1]) == (tail, head)
        assert all(grid.column_of[right] == grid.column_of[left] + 1 for left, right in pairwise(path))


def test_a_long_line_is_shared_by_all_its_uses():
    chain = [(number, number + 1) for number in range(9)]
    uses = [(0, number) for number in range(2, 10)]
    grid = arrange(10, chain + uses)
    assert len(grid.column_of) - grid.boxes == 8  # one lane in each column between the first and the last


def test_a_box_with_one_use_is_beside_it():
    # n0 → n1 → n2 → n3, and n6 = f(n4, n5) enters at n3.
    assert rank(7, [(0, 1), (1, 2), (2, 3), (4, 6), (5, 6), (6, 3)]) == [0, 1, 2, 3, 1, 1, 2]


def test_avoidable_crossings_are_avoided():
    grid = arrange(6, [(0, 5), (1, 4), (2, 3)])
    left, right = grid.columns
    partner = {0: 5, 1: 4, 2: 3}
    assert [partner[cell] for cell in left] == list(right)


def test_a_cycle_raises():
    with pytest.raises(ValueError, match="2 boxes lie on or behind a cycle"):
        arrange(3, [(0, 1), (1, 2), (2, 1)])


numbers = st.floats(-1e3, 1e3)


@given(st.lists(st.tuples(numbers, st.floats(0.1, 10), st.floats(0, 50)), min_size=1, max_size=12))
def test_positions_are_the_weighted_least_squares_optimum(cells):
    targets, weights, distances = ([cell[k] for cell in cells] for k in range(3))
    places = least_squares_positions(targets, weights, distances[1:])
    for (low, high), distance in zip(pairwise(places), distances[1:], strict=True):
        assert high - low >= distance - 1e-6
    # Karush-Kuhn-Tucker: the push passed on to the next cell is never a pull, and is zero where there is room.
    push = 0.0
    for number, (target, weight, place) in enumerate(zip(targets, weights, places, strict=True)):
        push += weight * (target - place)
        assert push >= -1e-6 * (1 + abs(push)) - 1e-6
        room = number + 1 < len(places) and places[number + 1] - place > distances[number + 1] + 1e-6
        if room or number + 1 == len(places):
            assert push == pytest.approx(0, abs=1e-5)


@settings(max_examples=60)
@given(diagrams())
def test_svg_is_well_formed_and_holds_every_box_whatever_the_labels(diagram):
    root = parse(to_svg(diagram, prefix="g"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert set(ids) == {"g"} | {f"g-{box.id}" for box in diagram.boxes} | {
        f"g-a{number}" for number in range(len(diagram.arrows))
    }
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert not list(root.iter(f"{SVG}style"))
    assert not [element for element in root.iter() if element.get("class")]


@given(diagrams())
@settings(max_examples=50)
def test_the_same_diagram_gives_the_same_bytes(diagram):
    again = Diagram(tuple(diagram.boxes), tuple(diagram.arrows))
    assert to_svg(diagram) == to_svg(again)
    assert to_dot(diagram) == to_dot(again)


def test_a_label_is_shown_as_it_was_written():
    assert words(to_svg(Diagram((Box("n0", "leaf", title='<b>&"'),), ()))) == ['<b>&"']


def test_a_square_has_two_lines():
    square = Diagram((Box("n0", "leaf", "x"), Box("n1", "output", op="×")), (Arrow("n0", "n1", "3"),) * 2)
    _, plan = placed(square)
    assert len({route.runs for route in plan.routes}) == 2
    assert words(to_svg(square)).count("3") == 2


def test_many_arrows_have_texts_in_tooltips_only():
    count = MAX_TEXTS + 1
    boxes = (*(Box(f"n{number}", "leaf") for number in range(count)), Box("sum", "output", op="+"))
    crowd = Diagram(boxes, tuple(Arrow(f"n{number}", "sum", "0.125") for number in range(count)))
    root = parse(to_svg(crowd))
    assert "0.125" not in words(to_svg(crowd))
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert [text for text in titles if "0.125" in text] == [f"∂sum/∂n{number} = 0.125" for number in range(count)]


def test_a_diagram_rejects_unknown_and_repeated_ids():
    with pytest.raises(ValueError, match="'n1', which is not among the boxes"):
        Diagram((Box("n0", "leaf"),), (Arrow("n0", "n1"),))
    with pytest.raises(ValueError, match="two boxes share the id 'n0'"):
        Diagram((Box("n0", "leaf"), Box("n0", "leaf")), ())


def test_dot_escapes_special_characters():
    source = to_dot(Diagram((Box("n0", "leaf", title='a\\N"<'), Box("n1", "output")), (Arrow("n0", "n1", '"\\E'),)))
    assert "<B>a\\\\N&quot;&lt;</B>" in source
    assert 'label="\\"\\\\E"' in source
    assert "rankdir=LR nslimit=2" in source
