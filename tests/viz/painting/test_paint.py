"""Painting: what stands where, in which colours, and what a highlight and an open group change."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from microgradlib.viz.boxes.diagram import Arrow, Box, BoxKind, Diagram, Frame, Row, Strip, Table
from microgradlib.viz.drawings.placing import place
from microgradlib.viz.painting.paint import paint, size
from microgradlib.viz.painting.scene import MARGIN, Scene
from microgradlib.viz.routes.text import CaptionLine
from microgradlib.viz.theme import THEMES, colours
from microgradlib.viz.typography import mono_width, sans_width

CELLS = (Row(value="0.25", gradient="1"), Row(value="−123.4", gradient="2", stale=True))
WEIGHTS = (Row("w.0", "0.5", "−1.25", "parameter", share=True), Row("z = w·x + b", "2", "1"))
DIAGRAM = Diagram(
    (
        Box("x", "input", "x", rows=(Row(value="1", gradient="−0.5"),), tooltip="the input"),
        Box("w", "parameter", "w_{20}^{(1)}", rows=(Row(value="1", gradient="—"),)),
        Box("t", "target", "t", rows=(Row(value="1"),), frame="f1"),
        Box("c", "constant", "0.25"),
        Box("n", "card", "neurons.0", rows=WEIGHTS, frame="f1", group="s2"),
        Box("l", "table", "layers.1", "tanh(W x + b)", table=Table(("w.0", "b"), 2, (("0", CELLS), ("1", CELLS)))),
        Box("g", "closed", "layers.2", strips=(Strip("value", (1.0, -2.0)),), group="s3", count=3),
        Box("e", "elided", "… 9 more"),
        Box("b", "bus", rows=(Row(kind="note"), Row(kind="note"))),
        Box("y", "output", "loss", "**2", rows=(Row(value="2.5", gradient="1"),), number="9", output=True),
    ),
    (
        Arrow("x", "n", "0.5", "∂n/∂x = w = 0.5", port=0),
        Arrow("w", "n", passes=False),
        Arrow("n", "b", port=0),
        Arrow("c", "b", port=1),
        Arrow("b", "g", lines=2),
        Arrow("n", "l", lines=3),
        Arrow("l", "e"),
        Arrow("g", "y", "×100"),
        Arrow("e", "y", "−2.3"),
        Arrow("t", "y"),
    ),
    (Frame("f0", "model"), Frame("f1", "layers.0", "tanh(W x + b)", "f0", count=4, group="s1")),
    note="20 nodes in 9 boxes",
)


def scene(diagram: Diagram = DIAGRAM) -> Scene:
    return Scene(diagram, place(diagram, "right"))


def painted(shown: Scene, buttons: dict[str, bool] | None = None) -> ET.Element:
    markup = paint(shown, colours("light"), prefix="g", buttons=buttons)
    return ET.fromstring(f"<svg>{markup}</svg>")  # noqa: S314  our own text


def part(root: ET.Element, name: str) -> ET.Element:
    [found] = [node for node in root.iter("g") if node.get("id") == f"g-{name}"]
    return found


def fills(node: ET.Element, attribute: str = "fill") -> set[str | None]:
    return {child.get(attribute) for child in node.iter()} - {None}


def test_each_box_and_each_arrow_has_an_id() -> None:
    root = painted(scene())
    ids = [node.get("id") for node in root.iter("g") if node.get("id")]
    assert set(ids) == {f"g-{box.id}" for box in DIAGRAM.boxes} | {f"g-a{k}" for k in range(len(DIAGRAM.arrows))}
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", ["input", "parameter", "constant", "target", "op", "output"])
def test_kinds_have_their_colours(kind: BoxKind) -> None:
    box = Box("n0", kind, "x", rows=(Row(value="1"),), output=kind == "output")
    light = THEMES["light"]
    shape = part(painted(scene(Diagram((box,), ()))), "n0")
    assert light[kind] in fills(shape)
    assert light[f"{kind}_edge"] in fills(shape, "stroke")


def test_kinds_differ_by_shape_in_grey_too() -> None:
    def outline(kind: BoxKind) -> tuple[str | int | None, ...]:
        box = Box("n0", kind, "x", rows=(Row(value="1"),), output=kind == "output")
        shapes = part(painted(scene(Diagram((box,), ()))), "n0").findall("rect")
        return shapes[-1].get("rx"), shapes[-1].get("stroke-width"), shapes[-1].get("stroke-dasharray"), len(shapes)

    kinds: tuple[BoxKind, ...] = ("input", "parameter", "constant", "target", "op", "output")
    assert len({outline(kind) for kind in kinds}) == len(kinds)


def test_colours_have_one_meaning() -> None:
    root, light = painted(scene()), THEMES["light"]
    said: dict[str | None, set[str]] = {}
    for text in root.iter("text"):
        said.setdefault(text.get("fill"), set()).add("".join(text.itertext()))
    assert {"−0.5", "−1.25", "share", "gradient"} <= said[light["grad"]]
    assert {"0.5", "−2.3", "local derivative"} <= said[light["local"]]
    assert "×100" in said[light["muted"]]
    assert {"1", "2.5", "value"} <= said[light["ink"]]
    assert "−123.4*" in said[light["stale"]]


def test_lines_say_how_many_they_are_and_whether_a_gradient_passes() -> None:
    root, light = painted(scene()), THEMES["light"]
    thin, thick, dashed = (part(root, name)[-2 if name != "a2" else -1] for name in ("a2", "a5", "a1"))
    assert float(thick.get("stroke-width", 0)) >= 2 * float(thin.get("stroke-width", 0)) - 0.1
    assert (dashed.get("stroke"), dashed.get("stroke-dasharray")) == (light["zero"], "4 3")


def test_lines_into_a_bar_have_no_head() -> None:
    root = painted(scene())
    assert len(part(root, "a2").findall("path")) == 1
    assert len(part(root, "a4").findall("path")) == 2


def test_tooltips_tell_the_whole() -> None:
    root = painted(scene())
    assert part(root, "x").findtext("title") == "the input  x  1  gradient −0.5"
    assert part(root, "a0").findtext("title") == "∂n/∂x = w = 0.5"


def test_a_repeated_frame_has_sheets_behind_and_says_how_many() -> None:
    texts = ["".join(text.itertext()) for text in painted(scene()).iter("text")]
    assert "layers.0 of 4, all alike" in texts
    assert "×3" in texts
    count = sum(rect.get("rx") == "9" for rect in painted(scene()).iter("rect"))
    assert count == 4  # one of the model, three of layers.0


def test_routes_are_coloured_dashed_and_on_top_and_the_rest_is_pale() -> None:
    styles = ("route1", "", "route0", "", "", "shared", "other", "", "", "")
    caption = (CaptionLine("route0", "a → b: 2"), CaptionLine("sum", "sum: 2"), CaptionLine("warning", "stale"))
    shown = replace(scene(), styles=styles, caption=caption, marked=(3,))
    root, light = painted(shown), THEMES["light"]
    line = part(root, "a0").findall("path")[0]
    assert (line.get("stroke"), line.get("stroke-dasharray")) == (light["route1"], "10 4")
    assert part(root, "a5").findall("path")[0].get("stroke") == light["ink"]
    assert part(root, "a9").findall("path")[0].get("stroke") == light["zero"]
    order = [node.get("id", "") for node in root.iter("g") if node.get("id", "").startswith("g-a")]
    assert order.index("g-a0") > order.index("g-a9")
    assert size(shown)[1] - size(scene())[1] == pytest.approx(3 * 18 + 6)
    texts = {"".join(text.itertext()): text.get("fill") for text in root.iter("text")}
    assert (texts["sum: 2"], texts["stale"]) == (light["ink"], light["stale"])


def test_the_ends_of_a_highlight_are_marked() -> None:
    box = Box("n0", "card", rows=(Row("w", "1", kind="parameter", node=4), Row("b", "1", node=5)), nodes=(4, 5))
    shown = replace(scene(Diagram((box,), ())), marked=(4,))
    marked = [rect for rect in part(painted(shown), "n0").iter("rect") if rect.get("stroke") == THEMES["light"]["ink"]]
    assert len(marked) == 1
    assert float(marked[0].get("height", 0)) < 20


def test_groups_are_buttons_for_mouse_keyboard_and_screen_reader() -> None:
    root = painted(scene(), {"s1": True, "s3": False})
    buttons = {node.get("data-mg-group"): node for node in root.iter("g") if node.get("data-mg-group")}
    assert set(buttons) == {"s1", "s3"}
    assert [buttons[group].get("aria-expanded") for group in ("s1", "s3")] == ["true", "false"]
    assert [buttons[group].get("aria-label") for group in ("s1", "s3")] == ["layers.0: open", "layers.2: closed"]
    assert all(node.get("role") == "button" and node.get("tabindex") == "0" for node in buttons.values())
    assert not [node for node in painted(scene()).iter("g") if node.get("role")]


def test_every_text_lies_inside_the_picture_and_those_of_boxes_in_their_boxes() -> None:
    shown = scene()
    width, height = size(shown)
    root = painted(shown)
    for box in DIAGRAM.boxes:
        rect = shown.layout.boxes[box.id]
        for left, right, base in extents(part(root, box.id)):
            assert rect.x - 0.5 <= left <= right <= rect.x + rect.width + 0.5, box.id
            assert rect.y <= base <= rect.y + rect.height, box.id
    for left, right, base in extents(root):
        assert -MARGIN <= left <= right <= width
        assert 0 <= base <= height


def extents(root: ET.Element) -> list[tuple[float, float, float]]:
    """Return left end, right end and baseline of each text, by the estimated widths."""
    found = []
    for text in root.iter("text"):
        words, font = "".join(text.itertext()), float(text.get("font-size", 0))
        long = (mono_width if "mono" in text.get("font-family", "") else sans_width)(words, font)
        x = float(text.get("x", 0)) - {"end": long, "middle": long / 2}.get(text.get("text-anchor", ""), 0.0)
        found.append((x, x + long, float(text.get("y", 0))))
    return found


def test_a_dark_picture_has_no_light_colour_and_no_colour_of_its_own() -> None:
    markup = paint(scene(), colours("dark"), prefix="g")
    root = ET.fromstring(f"<svg>{markup}</svg>")  # noqa: S314  our own text
    used = fills(root) | fills(root, "stroke")
    assert used <= set(THEMES["dark"].values()) | {"none"}
