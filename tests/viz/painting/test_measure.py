"""Sizes of boxes: large enough for their contents, equal for equal parts, with ports beside their rows and columns."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st

from microgradlib.viz.boxes.diagram import Box, Diagram, Frame, Row, Strip, Table
from microgradlib.viz.painting.measure import (
    HEADER,
    ROW,
    arrow_text_width,
    contents,
    frame_title,
    measure,
    shown,
    title_sizes,
)
from microgradlib.viz.painting.squares import strip_size
from microgradlib.viz.typography import mono_width, sans_width

TEXT = st.text(max_size=30)
ROWS = st.builds(Row, TEXT, st.text("0123456789.−", max_size=8), st.text("0123456789.−", max_size=8))


def size(box: Box, direction: str = "right") -> tuple[float, float]:
    found = measure(Diagram((box,), ()), direction)[box.id]  # type: ignore[arg-type]
    return found.width, found.height


@settings(max_examples=30)
@given(st.lists(ROWS, max_size=6), TEXT, TEXT)
def test_boxes_are_wide_enough_for_each_line(rows: list[Row], title: str, op: str) -> None:
    width, height = size(Box("n0", "op", title, op, tuple(rows)))
    assert width >= sans_width(shown(title), 12.5)
    assert width >= sans_width(shown(op), 12.5)
    assert height >= ROW * len(rows)
    for row in rows:
        assert width >= mono_width(row.value, 12) + mono_width(row.gradient, 12)


def test_ports_to_the_right_are_the_middles_of_the_rows() -> None:
    rows = tuple(Row(f"w.{i}", "1", "2", "parameter") for i in range(3))
    box = Box("n0", "card", "neuron", rows=rows)
    assert measure(Diagram((box,), ()), "right")["n0"].ports == tuple(HEADER + ROW * (i + 0.5) for i in range(3))
    assert measure(Diagram((box,), ()), "down")["n0"].ports == ()


def test_ports_down_are_the_middles_of_a_tables_columns_and_exits_to_the_right_its_rows() -> None:
    cells = (Row(value="0.25", gradient="1"), Row(value="−123.456", gradient="2"))
    table = Table(("w.0", "b"), 2, (("0", cells), ("1", cells), ("2", cells)))
    box = Box("t", "table", "layers.0", table=table)
    down, right = (measure(Diagram((box,), ()), direction)["t"] for direction in ("down", "right"))
    assert len(down.ports) == 2
    assert down.exits == ()
    assert 0 < down.ports[0] < down.ports[1] < down.width
    assert len(right.exits) == 3
    assert right.ports == ()
    assert right.exits[1] - right.exits[0] == right.exits[2] - right.exits[1] > 20
    assert right.exits[-1] < right.height


def test_boxes_of_one_key_are_equally_wide_and_others_are_not() -> None:
    boxes = (
        Box("a", "card", rows=(Row(value="1"),), alike="k"),
        Box("b", "card", rows=(Row(value="−0.00001234567"),), alike="k"),
        Box("c", "card", rows=(Row(value="1"),)),
    )
    sizes = measure(Diagram(boxes, ()), "right")
    assert sizes["a"].width == sizes["b"].width > sizes["c"].width


def test_the_word_share_has_room() -> None:
    plain, share = (size(Box("n0", "card", rows=(Row("w", "1", "2", share=share),))) for share in (False, True))
    assert share[0] - plain[0] >= sans_width("share", 10)


def test_captions_make_room_for_the_operation_on_its_own_ground() -> None:
    box = Box("n0", "op", "y", "tanh", rows=(Row("data", "1"), Row("grad", gradient="2")))
    assert contents(box, captions=True).height > contents(box).height
    assert contents(box, captions=True).width == 88


def test_strips_and_images_have_room() -> None:
    few, many = Strip("value", (1.0,) * 3), Strip("value", (1.0,) * 1000)
    for strip in (few, many, Strip("x", (0.5,) * 784, image=True)):
        width, height = size(Box("n0", "closed", "layer", strips=(strip,)))
        assert width >= strip_size(strip)[0]
        assert height >= strip_size(strip)[1]
    assert strip_size(many)[1] < 100
    assert strip_size(few)[1] < 20


def test_titles_of_frames_say_how_many_are_alike() -> None:
    one, many = Frame("f", "layers.0", "tanh(W x + b)"), Frame("f", "example 1", count=1200)
    assert frame_title(one) == "layers.0"
    assert frame_title(many) == "example 1 of 1,200, all alike"
    title, formula = title_sizes(Diagram((), (), (one,)))["f"]
    assert title > 0 < formula
    assert title_sizes(Diagram((), (), (many,)))["f"][1] == 0


def test_long_labels_and_texts_on_lines_are_shortened_in_the_middle() -> None:
    assert arrow_text_width("∂" * 10_000) < 400
    assert shown("x" * 10_000) == "x" * 14 + "…" + "x" * 13
    assert shown("two\nlines\x00") == "two lines\ufffd"
