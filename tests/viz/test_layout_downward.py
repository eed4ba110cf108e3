"""Downward diagrams: layout and SVG are those of diagrams to the right, transposed."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.viz.diagram import Arrow, Box, Diagram
from microgradlib.viz.dot import to_dot
from microgradlib.viz.layout import layout, ports_height
from microgradlib.viz.svg import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own text


@st.composite
def diagrams(draw):
    count = draw(st.integers(0, 20))
    tails = [draw(st.lists(st.integers(0, head - 1), max_size=4)) if head else [] for head in range(count)]
    rows = st.sampled_from([(), (("size", "2"),), (("", "= relu(w @ x + b)"), ("", "+ c"), ("size", "16 × 2"))])
    boxes = tuple([Box(f"n{i}", "op" if tails[i] else "leaf", f"h{i}", rows=draw(rows)) for i in range(count)])
    arrows = [
        Arrow(f"n{tail}", f"n{head}", draw(st.sampled_from(["", "1"]))) for head in range(count) for tail in tails[head]
    ]
    return Diagram(boxes, tuple(arrows))


@given(diagrams())
def test_a_downward_layout_is_the_transposed_layout(diagram):
    down = replace(diagram, down=True)
    bare = Diagram(diagram.boxes, tuple(Arrow(arrow.tail, arrow.head) for arrow in diagram.arrows))
    sizes = {
        box.id: (60.0 + 9 * (number % 4), max(40.0, ports_height(len(diagram.arrows_into(box.id)), texts=True)))
        for number, box in enumerate(diagram.boxes)
    }
    turned = {name: (height, width) for name, (width, height) in sizes.items()}
    plan, right = layout(down, turned, lambda text: 6.0 * len(text)), layout(bare, sizes, lambda text: 6.0 * len(text))
    assert not any(map(down.shown_text, down.arrows))
    assert [down.tooltip(arrow) for arrow in down.arrows] == [diagram.tooltip(arrow) for arrow in diagram.arrows]
    assert (plan.width, plan.height) == (right.height, right.width)
    for name, place in right.rects.items():
        there = plan.rects[name]
        assert (there.x, there.y, there.width, there.height) == (place.y, place.x, place.height, place.width)


@settings(max_examples=60)
@given(diagrams())
def test_lines_are_painted_down_from_the_lower_edge_to_the_upper(diagram):
    root = parse(to_svg(replace(diagram, down=True), prefix="g"))
    groups = {group.get("id"): group for group in root.iter(f"{SVG}g")}

    def edges(name):
        frame = groups[f"g-{name}"].findall(f"{SVG}rect")[-1]
        x, y, width, height = (float(frame.get(key)) for key in ("x", "y", "width", "height"))
        return x, x + width, y, y + height

    for number, arrow in enumerate(diagram.arrows):
        line, tip = groups[f"g-a{number}"].findall(f"{SVG}path")
        [start, *_, last] = re.findall(r"[MCV][^MCV]*", line.get("d"))
        x, y = map(float, start[1:].split())
        left, right, _, lower = edges(arrow.tail)
        assert left < x < right
        assert y == pytest.approx(lower, abs=0.02)
        tip_x, tip_y = map(float, re.match(r"M(\S+) ([\d.]+)", tip.get("d")).groups())
        left, right, upper, _ = edges(arrow.head)
        assert left < tip_x < right
        assert tip_y == pytest.approx(upper, abs=0.02)
        assert float(last[1:]) == pytest.approx(tip_y - 8, abs=0.02)


def test_a_text_without_caption_is_a_line_from_the_left():
    box = Box("n0", "op", "h", rows=(("", "= relu(w @ x"), ("", "+ b)"), ("size", "16")))
    assert box.text == "n0  h  = relu(w @ x + b)  size 16"
    svg = to_svg(Diagram((box,), (), down=True))
    assert [text.text for text in parse(svg).iter(f"{SVG}text")] == ["h", "= relu(w @ x", "+ b)", "size", "16"]
    assert [text.get("x") for text in parse(svg).iter(f"{SVG}text")][:4] == ["30"] * 4
    assert '<TD COLSPAN="2" ALIGN="LEFT"><FONT FACE="Courier">= relu(w @ x</FONT></TD>' in to_dot(Diagram((box,), ()))


def test_the_direction_changes_ids_and_svg():
    right = Diagram((Box("n0", "leaf"), Box("n1", "output")), (Arrow("n0", "n1"),))
    down = replace(right, down=True)
    ids = [parse(to_svg(diagram)).get("id") for diagram in (right, down)]
    assert ids[0] != ids[1]
    assert "rankdir=LR" in to_dot(right)
    assert "rankdir=TB" in to_dot(down)
