"""Pictures that a lecturer draws, from the graph to the SVG: nothing overlaps, and all fits a cell of a notebook."""

from itertools import combinations
from xml.etree import ElementTree as ET

import classroom_graphs as graphs
import pytest
from layout_faults import faults

from microgradlib import draw
from microgradlib.viz.painting.measure import measure
from microgradlib.viz.typography import mono_width, sans_width

SVG = "{http://www.w3.org/2000/svg}"
CELL = 960.0
SMALLEST = 9.0
TALLEST = 1_200.0
MOST_BOXES = 60

QUICK = {
    "derivative": graphs.derivative,
    "one iris": graphs.flower,
    "routes": graphs.routes,
}
SLOW = {
    "small network": graphs.small_network,
    "batch of 4": lambda: graphs.batch(4),
    "softmax": graphs.softmax_by_hand,
    "three steps": graphs.recurrent,
    "batch of 100": lambda: graphs.batch(100),
    "digit": graphs.digit,
    "chain": lambda: graphs.chain(10_000),
    "LSTM": graphs.lstm,
    "CNN": graphs.convolution,
}


@pytest.fixture(scope="module", params=[*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def drawing(request):
    thing, options = {**QUICK, **SLOW}[request.param]()
    return draw(thing, **options)


def texts_of(svg):
    """Return each text of a picture with its left, top, right and bottom side."""
    found = []
    for node in ET.fromstring(svg).iter(f"{SVG}text"):  # noqa: S314 - our own text
        words, size = "".join(node.itertext()), float(node.get("font-size"))
        width = (mono_width if "mono" in (node.get("font-family") or "") else sans_width)(words, size)
        left = (
            float(node.get("x")) - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[node.get("text-anchor", "start")]
        )
        base = float(node.get("y"))
        found.append((words, left, base - 0.75 * size, left + width, base + 0.2 * size))
    return found


def overlaps(texts, slack=2.0):
    return [
        (one[0], other[0])
        for one, other in combinations(texts, 2)
        if min(one[3], other[3]) - max(one[1], other[1]) > slack
        and min(one[4], other[4]) - max(one[2], other[2]) > slack
    ]


def test_nothing_overlaps(drawing):
    plan = drawing._content.canvas.scene.layout
    assert faults(drawing.diagram, measure(drawing.diagram, plan.direction), plan, foreign=True) == []
    assert overlaps(texts_of(drawing.svg)) == []


def test_overlapping_texts_are_found():
    words = '<svg xmlns="http://www.w3.org/2000/svg"><text x="1" y="10" font-size="10">one</text>{}</svg>'
    assert overlaps(texts_of(words.format('<text x="9" y="12" font-size="10">two</text>'))) == [("one", "two")]
    assert overlaps(texts_of(words.format('<text x="9" y="24" font-size="10">two</text>'))) == []


def test_it_fits_a_cell(drawing):
    canvas = drawing._content.canvas
    assert len(drawing.diagram.boxes) <= MOST_BOXES
    scale = min(1.0, CELL / canvas.width)
    sizes = [float(node.get("font-size")) for node in ET.fromstring(drawing.svg).iter(f"{SVG}text")]  # noqa: S314 - ours
    assert min(sizes) * scale >= SMALLEST
    assert canvas.height * scale <= TALLEST
    assert f"max-width:{canvas.width:g}" in drawing.html


def test_every_box_and_arrow_is_in_words_and_in_the_picture(drawing):
    assert drawing.text.startswith(repr(drawing))
    assert "loss" in drawing.text or "dz/dw" in drawing.text
    shown = [words for words, *_ in texts_of(drawing.svg)]
    for box in drawing.diagram.boxes:
        for row in box.rows:
            if row.kind == "parameter":
                assert row.value in shown
    ids = {box.id for box in drawing.diagram.boxes}
    assert all({arrow.tail, arrow.head} <= ids for arrow in drawing.diagram.arrows)


def test_graphviz_draws_the_same_boxes(drawing):
    source = drawing.source
    assert all(f'"{box.id}" [' in source for box in drawing.diagram.boxes)
    assert source.count(" -> ") >= len(drawing.diagram.arrows)
