"""Network pictures as marks: nothing covers a number, all is inside, the same model gives the same bytes."""

import math
import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import Value, nn
from microgradlib.viz.networks.body import pooled, weight_image
from microgradlib.viz.networks.columns import CIRCLES, fitted
from microgradlib.viz.networks.layout import network_picture
from microgradlib.viz.networks.marks import Circle, Line, Squares, Words, mark_markup
from microgradlib.viz.networks.network import Column, FeatureMap, Network, Unit
from microgradlib.viz.networks.reading import network
from microgradlib.viz.numbers import number
from microgradlib.viz.theme import colours


def picture(model, **options):
    return network_picture(network(model, **options))


def trained(sizes, *, seed=0):
    model = nn.MLP(sizes, activation="tanh", rng=seed)
    y = model([math.sin(i) for i in range(sizes[0])])
    loss = sum(v * v for v in (y if isinstance(y, list) else [y]))
    loss.backward()
    return model, loss


def rectangle(words):
    return words.left, words.y - 0.72 * words.size, words.left + words.width, words.y + 0.2 * words.size


def overlap(one, other, slack=1.5):
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > slack and min(one[3], other[3]) - max(one[1], other[1]) > slack
    )


@pytest.mark.parametrize("sizes", [[2, 3, 1], [4, 8, 3], [2, 16, 16, 1], [1, 1], [64, 18, 4], [20, 18, 13, 2]])
def test_no_text_covers_another_or_a_circle(sizes):
    model, loss = trained(sizes)
    drawn = picture(model, outputs=loss)
    words = [mark for mark in drawn.marks if isinstance(mark, Words)]
    circles = [mark for mark in drawn.marks if isinstance(mark, Circle)]
    for one, other in combinations(words, 2):
        assert not overlap(rectangle(one), rectangle(other)), (one, other)
    for circle in circles:
        around = (circle.x - circle.r, circle.y - circle.r, circle.x + circle.r, circle.y + circle.r)
        inside = [mark for mark in words if overlap(rectangle(mark), around)]
        assert len(inside) <= 1
        assert all(mark.width <= 2 * circle.r for mark in inside)
    for one, other in combinations(circles, 2):
        assert math.hypot(one.x - other.x, one.y - other.y) >= one.r + other.r


@pytest.mark.parametrize("sizes", [[2, 3, 1], [2, 16, 16, 1], [64, 32, 10], [196, 18, 2]])
def test_everything_is_inside_and_fits_a_cell(sizes):
    model = nn.MLP(sizes, rng=0)
    drawn = picture(model)
    for mark in drawn.marks:
        left, right = (mark.x1, mark.x2) if hasattr(mark, "x1") else (mark.x, mark.x)
        if isinstance(mark, Words):
            left, right = mark.left, mark.left + 0.9 * mark.width
        elif isinstance(mark, Squares):
            right = mark.x + mark.width
        assert 0 <= left <= right <= drawn.width + 1
        assert 0 <= (mark.y1 if hasattr(mark, "y1") else mark.y) <= drawn.height
    assert drawn.width <= 1_100
    assert drawn.height <= 1_000
    assert len(drawn.markup(colours("light"))) < 150_000


def test_lines_tell_sign_and_size_twice():
    model = nn.Neuron(3, "linear", init="zeros")
    for w, value in zip(model.w, (2.0, -1.0, 0.0), strict=True):
        w.data = value
    lines = [mark for mark in picture(model).marks if isinstance(mark, Line) and mark.tip]
    by_tip = {line.tip: line for line in lines}
    assert set(by_tip) == {"w 2", "w −1", "w 0"}
    assert by_tip["w 2"].width > by_tip["w −1"].width > by_tip["w 0"].width > 0
    markup = mark_markup(by_tip["w −1"], colours("light"))
    assert "stroke-dasharray" in markup
    assert colours("light")("minus") in markup
    assert "stroke-dasharray" not in mark_markup(by_tip["w 2"], colours("light"))
    assert lines[-1] is by_tip["w 2"]  # the strongest is painted last


def test_small_networks_have_their_weights_in_figures():
    drawn = picture(nn.MLP(2, [3, 1], rng=0))
    figures = [mark.text for mark in drawn.marks if isinstance(mark, Words) and mark.patch]
    assert sorted(figures) == sorted(
        number(w.data, 2) for layer in nn.MLP(2, [3, 1], rng=0).layers for neuron in layer.neurons for w in neuron.w
    )
    assert not [mark for mark in picture(nn.MLP(4, [8, 3], rng=0)).marks if isinstance(mark, Words) and mark.patch]


def test_large_layers_are_squares_not_lines():
    drawn = picture(nn.MLP(20, [CIRCLES + 1, 3], rng=0))
    assert not [mark for mark in drawn.marks if isinstance(mark, Line) and mark.tip]
    matrix = max((mark for mark in drawn.marks if isinstance(mark, Squares)), key=lambda mark: mark.width * mark.height)
    assert (len(matrix.numbers), len(matrix.numbers[0])) == (17, 20)
    tiles = [mark for mark in picture(nn.MLP(64, [20, 3], rng=0)).marks if isinstance(mark, Squares) and mark.shades]
    assert len(tiles) == 21  # the image of the inputs, and one for each unit
    assert {(len(mark.numbers), len(mark.numbers[0])) for mark in tiles} == {(8, 8)}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=16), st.floats(20, 60))
@settings(max_examples=40)
def test_numbers_fit_into_their_circles(values, width):
    texts, size = fitted(values, width)
    assert size <= 11.0
    assert all(0.61 * size * len(text) <= width + 1e-6 for text in texts)
    for text, value in zip(texts, values, strict=True):
        shown = float(text.replace("≈", "").replace("−", "-"))
        assert abs(shown - value) <= max(0.06, 0.5 * abs(value))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_shown(bad):
    model = nn.MLP(2, [2, 1], rng=0)
    model.layers[0].neurons[0].w[0].data = bad
    markup = picture(model, inputs=[1.0, 2.0]).markup(colours("light"))
    ET.fromstring(f"<svg>{markup}</svg>")  # noqa: S314 - our own text
    assert number(bad) in markup
    large = nn.MLP(20, [20, 1], rng=0)
    large.layers[0].neurons[0].w[0].data = bad
    assert colours("light")("stale") in picture(large).markup(colours("light"))


def test_names_are_escaped():
    names = ["<script>alert(1)</script>", "a & b", '"q"', "x_1", "两层", "\x00", "]]>", "n" * 10_000]
    model = nn.Neuron(len(names), rng=0)
    y = model([Value(1.0, name) for name in names])
    markup = network_picture(network(model, outputs=y)).markup(colours("dark"))
    root = ET.fromstring(f"<svg>{markup}</svg>")  # noqa: S314 - our own text
    texts = ["".join(node.itertext()) for node in root.iter("text")]
    assert "<script>alert(…ert(1)</script>"[:10] in next(text for text in texts if "script" in text)
    assert "a & b" in texts
    assert "x1" in texts
    assert "script" not in {node.tag for node in root.iter()}
    assert max(map(len, texts)) < 60


def test_same_model_same_bytes_in_every_theme():
    markups = []
    for _ in range(2):
        model, loss = trained([4, 8, 3])
        markups.append([picture(model, outputs=loss).markup(colours(name)) for name in ("light", "dark", "page")])
    assert markups[0] == markups[1]
    assert "var(--mg-plus)" in markups[0][2]
    assert not re.search(r"#[0-9a-f]{6}", markups[0][2])


def test_columns_built_by_hand_are_drawn():
    grid = ((1.0, 2.0), (3.0, None))
    columns = (
        Column("image", "9 channels", "input", maps=(FeatureMap(grid),) * 9),
        Column("maps", "9 maps", maps=(FeatureMap(None, (grid,) * 9, 0.5),) * 9),
        Column("units", "2", "output", (Unit(weights=(1.0,) * 36), Unit(weights=(-1.0,) * 36))),
    )
    drawn = network_picture(Network("Hand-made", columns, 3, "a note"))
    words = [mark.text for mark in drawn.marks if isinstance(mark, Words)]
    assert "⋮ 2 more" in words
    assert "a note" in words
    assert drawn.title.startswith("Network picture of Hand-made: an image of 9 channels")


def test_many_weights_are_shown_by_the_largest_of_neighbours():
    assert pooled([1.0, -3.0, 2.0, 0.5, 0.25], 2) == (-3.0, 0.5)
    assert pooled([1.0, 2.0], 4) == (1.0, 2.0)
    assert weight_image([float(-k) for k in range(28 * 28)], 28)[0][0] == -29.0


def test_a_deep_network_has_narrow_gaps_and_no_figures():
    picture = network_picture(network(nn.MLP(2, [3] * 9 + [1], rng=0)))
    assert picture.width < 1250
    assert not [mark for mark in picture.marks if isinstance(mark, Words) and mark.patch]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_network_lies_on_paper_so_that_it_is_read_on_a_page_of_another_colour(theme):
    drawn = picture(nn.MLP([2, 3, 1], rng=0))
    paper = ET.fromstring(f"<svg>{drawn.markup(colours(theme))}</svg>")[0]  # noqa: S314  our own
    assert (paper.tag, paper.get("fill")) == ("rect", colours(theme)("paper"))
    size = float(paper.get("width")), float(paper.get("height"))
    assert size == pytest.approx((drawn.width, drawn.height), abs=0.01)
