"""The legend: what occurs in the drawing and nothing else, in lines that are not too wide."""

from __future__ import annotations

from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Row, Strip
from microgradlib.viz.painting.legend import entries, lines


def signs(*boxes: Box, arrows: tuple[Arrow, ...] = (), note: str = "", captions: bool = False) -> list[str]:
    return [entry.sign for entry in entries(Diagram(boxes, arrows, note=note, captions=captions))]


def test_only_what_occurs_is_explained() -> None:
    neuron = Box("n1", "card", rows=(Row("w", "1", "2", "parameter"),), output=True)
    arrow = Arrow("n0", "n1", "0.5")
    assert signs(Box("n0", "input"), neuron, arrows=(arrow,)) == [
        "value",
        "grad",
        "local",
        "input",
        "parameter",
        "output",
    ]
    assert signs(Box("n0", "op", op="tanh")) == []


def test_strips_explain_their_signs_and_images_only_those_with_signs() -> None:
    assert signs(Box("n0", "closed", strips=(Strip("value", (1.0, -2.0)),))) == ["plus", "minus"]
    assert signs(Box("n0", "closed", strips=(Strip("value", (1.0, None)),))) == ["plus"]
    assert signs(Box("n0", "input", strips=(Strip("x", (1.0,) * 4, image=True),))) == ["input"]


def test_lines_without_gradients_and_stale_numbers_are_explained() -> None:
    arrow = Arrow("n0", "n1", passes=False)
    boxes = (Box("n0", "op", rows=(Row(value="1", stale=True),)), Box("n1", "op"))
    assert signs(*boxes, arrows=(arrow,), note="w has changed") == ["value", "zero", "stale", "note"]


def test_small_graphs_that_name_their_rows_need_few_words() -> None:
    boxes = (Box("n0", "input", rows=(Row("data", "1"),)), Box("n1", "output", rows=(Row("data", "1"),)))
    assert signs(*boxes, captions=True) == []
    assert signs(*boxes, Box("n2", "parameter"), captions=True) == ["input", "parameter", "output"]


def test_a_factor_on_a_line_is_no_local_derivative() -> None:
    boxes = (Box("n0", "op"), Box("n1", "op"))
    assert signs(*boxes, arrows=(Arrow("n0", "n1", "×100"),)) == []


def test_lines_are_not_wider_than_the_drawing() -> None:
    found = entries(Diagram((Box("n0", "input"), Box("n1", "target"), Box("n2", "constant")), (), note="n " * 20))
    broken = lines(found, 150)
    written = [entry for line in broken for entry in line]
    assert [entry for entry in written if entry.sign != "note"] == [entry for entry in found if entry.sign != "note"]
    assert " ".join(entry.words for entry in written if entry.sign == "note") == "n " * 19 + "n"
    assert all(sum(entry.width for entry in line) <= 150 for line in broken)
