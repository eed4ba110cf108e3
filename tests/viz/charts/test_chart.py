"""Line charts and their axes."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from microgradlib.viz import line_chart
from microgradlib.viz.charts.axis import Axis
from microgradlib.viz.typography import sans_width

SVG = "{http://www.w3.org/2000/svg}"
finite = st.floats(-1e300, 1e300)


def parse(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own text


def curves(chart):
    """The points of every stroke and dot, by curve, in pixels."""
    groups = list(parse(chart.svg).iter(f"{SVG}g"))
    found = []
    for group in groups:
        strokes = []
        for part in group:
            if part.tag == f"{SVG}path":
                strokes.append([tuple(map(float, pair.split())) for pair in re.split("[ML]", part.get("d"))[1:]])
            if part.tag == f"{SVG}circle":
                strokes.append([(float(part.get("cx")), float(part.get("cy")))])
        found.append(strokes)
    return found


def test_points_match_the_axes():
    ((stroke,),) = curves(line_chart({"loss": [4.0, 2.0, 0.0]}))
    (x0, y0), (x1, y1), (x2, y2) = stroke
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.02)
    assert y0 < y1 < y2  # downwards on the page
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.02)
    assert y2 - y0 == pytest.approx(260)  # the axis runs from 0 to 4 over the whole height


def test_non_finite_numbers_are_gaps():
    nan, inf = math.nan, math.inf
    (strokes,) = curves(line_chart({"loss": [1.0, 2.0, nan, 3.0, inf, 2.0, 1.0, -inf]}))
    assert [len(stroke) for stroke in strokes] == [2, 1, 2]


def test_names_are_set_as_mathematics_as_in_drawings():
    chart = line_chart({r"$\frac{a}{b}$": [1.0], r"\theta": [2.0], "from $5 to $6": [3.0]}, title=r"$\nabla f$")
    words = ["".join(node.itertext()) for node in parse(chart.svg).iter(f"{SVG}text")]
    assert words[:4] == ["∇f", "a/b", "θ", "from $5 to $6"]


@pytest.mark.parametrize("long", ["W" * 300, "il" * 90 + "W" * 90, "a name of many letters, " * 9, "梯度" * 99])
def test_long_texts_lose_their_middle_and_stay_within_the_chart(long):
    chart = line_chart({"loss": [1.0, 2.0]}, title=long, x_label=long, y_label=long, marks={long: 0.2})
    root = parse(chart.svg)
    cut = [node for node in root.iter(f"{SVG}text") if "…" in (node.text or "")]
    assert len(cut) == 4
    for node in cut:
        assert node.text[:5] == long[:5]
        assert node.text[-5:] == long[-5:]
        width = sans_width(node.text, float(node.get("font-size")))
        if node.get("transform"):
            assert width <= float(root.get("height"))
        else:
            share = 0.5 if node.get("text-anchor") == "middle" else 0.0
            assert float(node.get("x")) - share * width >= 0
            assert float(node.get("x")) + (1 - share) * width <= float(root.get("width"))


def test_the_legend_lists_series_in_order():
    chart = line_chart({"train": [2.0, 1.0], "<valid> &": [3.0]}, title="Loss", x_label="epoch", y_label="nats")
    words = [node.text for node in parse(chart.svg).iter(f"{SVG}text")]
    assert words[:3] == ["Loss", "train", "<valid> &"]
    assert {"epoch", "nats"} <= set(words)
    assert chart.text.splitlines() == [
        "Loss",
        "  train: 2 numbers, from 2 to 1, lowest 1, highest 2",
        "  <valid> &: 1 number, from 3 to 3, lowest 3, highest 3",
    ]
    assert repr(chart) == "<Chart: Loss>"


@pytest.mark.parametrize("values", [[], [math.nan], [0.0], [5.0], [7.0] * 10, [-1e-320], [1e308, -1e308, 0.0]])
def test_every_series_can_be_drawn(values):
    root = parse(line_chart({"loss": values}).svg)
    assert "nan" not in ET.tostring(root, encoding="unicode").lower()


def test_a_long_series_keeps_its_spikes():
    values = [0.0] * 100_000
    values[54_321] = 9.0
    values[77_777] = -9.0
    ((stroke,),) = curves(line_chart({"loss": values}))
    assert len(stroke) < 5_000
    heights = [y for _, y in stroke]
    assert max(heights) - min(heights) == pytest.approx(260 * 18 / 20)
    assert stroke == sorted(stroke, key=lambda point: point[0])


@pytest.mark.parametrize(
    ("series", "error", "said"),
    [
        ({}, ValueError, "no series to draw"),
        ([1.0, 2.0], TypeError, "must be a mapping .* got list"),
        ({"loss": 3.0}, TypeError, r"'loss' must be a sequence of numbers, got 3\.0"),
        ({"loss": "123"}, TypeError, "'loss' must be a sequence of numbers, got '123'"),
        ({"loss": [1.0, "2"]}, TypeError, "'loss' must be a sequence of numbers"),
        ({"loss": [1.0, None]}, TypeError, "'loss' must be a sequence of numbers"),
        ({"loss": [10**400]}, TypeError, "'loss' must be a sequence of numbers"),
    ],
)
def test_invalid_input_raises(series, error, said):
    with pytest.raises(error, match=said):
        line_chart(series)


def test_charts_save_as_svg_only(tmp_path):
    chart = line_chart({"loss": [1.0, 0.5]})
    assert chart.save(tmp_path / "curve.svg").read_text(encoding="utf-8") == chart.svg
    with pytest.raises(ValueError, match=r"is not one of \.svg"):
        chart.save(tmp_path / "curve.png")


@given(st.dictionaries(st.text(max_size=20), st.lists(st.floats(), max_size=20), min_size=1, max_size=5), st.text())
def test_charts_are_well_formed_and_inside_their_page(series, title):
    chart = line_chart(series, title=title, y_label=title)
    root = parse(chart.svg)
    width, height = float(root.get("width")), float(root.get("height"))
    for strokes in curves(chart):
        for stroke in strokes:
            for x, y in stroke:
                assert 0 <= x <= width
                assert 0 <= y <= height


@given(st.lists(finite, min_size=1, max_size=10))
def test_an_axis_spans_its_numbers_and_has_few_distinct_marks(numbers):
    axis = Axis.over(numbers)
    assert axis.low <= min(numbers)
    assert max(numbers) <= axis.high
    assert all(-1e-9 <= axis.fraction(number) <= 1 + 1e-9 for number in numbers)
    assert 2 <= len(axis.marks) <= 9
    assert all(low < high for (low, _), (high, _) in pairwise(axis.marks))
    texts = [text for _, text in axis.marks]
    assert len(set(texts)) == len(texts)
    for place, text in axis.marks:
        assert float(text) == pytest.approx(place, rel=1e-6, abs=(axis.high - axis.low) * 1e-3)


@given(st.integers(1, 10**7))
def test_steps_are_marked_at_whole_numbers(last):
    axis = Axis.over([0.0, float(last)], marks=6, tight=True, whole=True)
    assert (axis.low, axis.high) == (0.0, float(last))
    assert all(place == int(place) and 0 <= place <= last for place, _ in axis.marks)
    assert 2 <= len(axis.marks) <= 8


def ticks(chart):
    return [node.text for node in parse(chart.svg).iter(f"{SVG}text")]


def test_curves_over_x_stand_at_their_positions():
    ((stroke,),) = curves(line_chart({"y": [0.0, 1.0, 0.0]}, x=[0.0, 1.0, 4.0]))
    (x0, _), (x1, _), (x2, _) = stroke
    assert x2 - x0 == pytest.approx(4 * (x1 - x0), abs=0.05)


def test_a_power_is_a_straight_line_on_logarithmic_scales():
    steps = [10.0**-k for k in range(12, -1, -1)]
    chart = line_chart({"ε²": [h**2 for h in steps]}, x=steps, x_scale="log", y_scale="log")
    ((stroke,),) = curves(chart)
    slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(stroke)]
    assert slopes == pytest.approx([slopes[0]] * len(slopes), rel=0.01)
    assert {"10⁻¹²", "1"} <= set(ticks(chart))


@pytest.mark.parametrize("number", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_place_on_a_logarithmic_scale_is_a_gap(number):
    (strokes,) = curves(line_chart({"loss": [1.0, 0.1, number, 0.01, 0.001]}, y_scale="log"))
    assert [len(stroke) for stroke in strokes] == [2, 2]


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=9))
def test_a_logarithmic_axis_has_few_marks_in_order_and_contains_all(numbers):
    axis = Axis.over_decades(numbers)
    positions = [position for position, _ in axis.marks]
    assert axis.low <= min(numbers)
    assert max(numbers) <= axis.high
    assert positions == sorted(set(positions))
    assert 1 <= len(positions) <= 12
    assert len({text for _, text in axis.marks}) == len(positions)
    assert 0 <= axis.fraction(numbers[0]) <= 1


def test_marks_are_named_lines():
    chart = line_chart({"loss": [1.0, 0.5, 0.7]}, marks={"kept": 1})
    assert 'stroke-dasharray="4 3"' in chart.svg
    assert "kept" in ticks(chart)
    assert chart.text.endswith("kept: at 1")
    with_mark_outside = line_chart({"loss": [1.0, 0.5]}, marks={"later": 9})
    assert "8" in ticks(with_mark_outside)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"x": [0.0]}, ValueError, "x has 1 positions, the series 'a' has 2"),
        ({"x": [1.0, 1.0]}, ValueError, "ascending"),
        ({"x": [0.0, math.inf]}, ValueError, "finite"),
        ({"x": "ab"}, TypeError, "sequence of numbers"),
        ({"x": [0.0, 1.0], "x_scale": "log"}, ValueError, "greater than 0"),
        ({"y_scale": "ln"}, ValueError, "'linear' or 'log'"),
        ({"x_scale": []}, ValueError, "'linear' or 'log'"),
        ({"marks": [1]}, TypeError, "mapping"),
        ({"marks": {"best": "x"}}, TypeError, "'best'"),
        ({"marks": {"best": math.nan}}, ValueError, "no place"),
        ({"marks": {"best": 0}, "x": [1.0, 2.0], "x_scale": "log"}, ValueError, "no place"),
    ],
)
def test_wrong_scales_and_positions_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        line_chart({"a": [1.0, 2.0]}, **options)
