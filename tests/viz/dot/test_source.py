"""Diagrams in DOT: what Graphviz draws of each kind of box, that it shows every text, and the Digraph to edit."""

import html
import importlib.util
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from hash_seeds import outputs_by_hash_seed

from microgradlib import Value, draw
from microgradlib.errors import MissingExtraError
from microgradlib.viz import theme
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Frame, Row, Strip, Table
from microgradlib.viz.dot.engine import render
from microgradlib.viz.dot.labels import quote, text_markup
from microgradlib.viz.dot.source import Look, to_dot, to_graphviz
from microgradlib.viz.routes.search import Highlight, Route
from microgradlib.viz.routes.text import CaptionLine

needs_graphviz = pytest.mark.skipif(
    shutil.which("dot") is None and importlib.util.find_spec("pygraphviz") is None, reason="needs Graphviz"
)
needs_package = pytest.mark.skipif(importlib.util.find_spec("graphviz") is None, reason="needs the package graphviz")
SVG = "{http://www.w3.org/2000/svg}"

NASTY = [
    "<script>alert(1)</script>",
    "\"quoted\" 'single'",
    r"\N \G \E \\ \l",
    "a & b &amp; &#65;",
    "]]> <![CDATA[x]]>",
    "{|} <port> [label=x]",
    "bell\x07 null\x00 end",
    "两层网络 权重",
    "two\nlines\tand a tab",
    "\u202eright to left",
    "</TABLE>><",
]


def parts_of(svg):
    """Return the texts of a picture, and its tooltips."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    texts = ["".join(node.itertext()).replace("\xa0", " ").strip() for node in root.iter(f"{SVG}text")]
    return texts, [node.get("{http://www.w3.org/1999/xlink}title") for node in root.iter(f"{SVG}a")]


def shown_as(label):
    """Return a label as Graphviz can show it: on one line, without characters that XML forbids."""
    return re.sub(r"[\n\t\r]", " ", re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", "�", label)).strip()


@pytest.fixture
def everything():
    """One box of each kind, nested frames, ports, and each kind of arrow."""
    numbers = tuple((str(i), tuple(Row("", f"{i}.{j}", "−0.5") for j in range(3))) for i in range(2))
    boxes = (
        Box("n0", "input", "x_1^(2)", rows=(Row("", "0.5", "—"),)),
        Box("n1", "parameter", "w", rows=(Row("", "2", "3"),)),
        Box("n2", "constant", op="0.25"),
        Box("n3", "target", "t", rows=(Row("", "1"),), number="4"),
        Box(
            "n4",
            "card",
            "neurons.0",
            rows=(Row("w.0", "0.7", "0.1", "parameter", share=True), Row("z", "1", "2", stale=True, number="9")),
            frame="f1",
        ),
        Box("n5", "table", "layers.1", "tanh", table=Table(("w.0", "b", "z"), 2, numbers), frame="f0"),
        Box("n6", "closed", "layers.2", count=4, rows=(Row("24 nodes", kind="note"),), strips=(
            Strip("values", (0.5, -1.0, None, float("nan"), float("inf"))),
            Strip("", tuple(k / 16 for k in range(16)), image=True),
        )),
        Box("n7", "elided", "… 4,994 more"),
        Box("n8", "bus", rows=(Row(kind="note"), Row(kind="note"))),
        Box("n9", "op", op="−", note="1 of 3", output=True),
        Box("n10", "output", "loss", "**2", rows=(Row("", "1.58", "1"),)),
        Box("n11", "op"),
    )  # fmt: skip
    arrows = (
        Arrow("n0", "n4", "0.7", "∂z/∂x = w = 0.7", port=0, edges=((4, 0),)),
        Arrow("n4", "n5", port=0),
        Arrow("n5", "n8", tail_port=1),
        Arrow("n8", "n6", lines=12),
        Arrow("n3", "n10", "−1", passes=False),
        Arrow("n9", "n10", "2", edges=((10, 0),)),
        Arrow("n1", "n9"),
        Arrow("n1", "n9"),
    )
    frames = (Frame("f0", "layers", "y = f(x)"), Frame("f1", "layers.0", parent="f0", count=100))
    return Diagram(boxes, arrows, frames, "25 nodes in 12 boxes")


@needs_graphviz
@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("name", ["light", "dark"])
def test_graphviz_draws_everything_in_the_colours_of_the_theme(everything, direction, name):
    source = to_dot(everything, Look(direction=direction, theme=name))
    command = shutil.which("dot")
    if command:
        done = subprocess.run([command, "-Tsvg"], input=source.encode(), capture_output=True, check=True)
        assert done.stderr == b""  # no warning about sizes or attributes either
    svg = render(source, "svg").decode()
    texts, tooltips = parts_of(svg)
    for word in ["neurons.0", "0.7", "—", "layers.1", "× 4", "24 nodes", "… 4,994 more", "(1 of 3)", "loss", "stale",
                 "share", "× 100", "y = f(x)", "25 nodes in 12 boxes", "values"]:  # fmt: skip
        assert word in texts, word
    assert "∂z/∂x = w = 0.7" in tooltips
    colour = theme.colours(name)
    used = {found.lower() for found in re.findall(r"#[0-9a-fA-F]{6}", svg)}
    assert {colour(role) for role in ("paper", "grad", "local", "parameter", "input_edge", "output_edge")} <= used
    other = theme.colours("dark" if name == "light" else "light")
    assert not {other(role) for role in ("paper", "grad", "local", "input_edge")} & used


@needs_graphviz
def test_frames_are_nested_clusters_around_their_boxes(everything):
    root = ET.fromstring(render(to_dot(everything), "svg").decode())  # noqa: S314
    clusters = [node.findtext(f"{SVG}title") for node in root.iter(f"{SVG}g") if node.get("class") == "cluster"]
    assert sorted(clusters) == ["cluster_f0", "cluster_f1"]
    source = to_dot(everything)
    inner = source[source.index('"cluster_f1"') :]
    assert inner.index('"n4" [') < inner.index("}")


@needs_graphviz
@pytest.mark.parametrize("label", NASTY)
def test_graphviz_shows_every_label_as_it_was_written(label):
    row = Row(label, label, label)
    diagram = Diagram(
        (
            Box("n0", "input", label, rows=(row,), frame="f"),
            Box("n1", "output", op=label, note=label),
            Box("n2", "table", table=Table((label,), 1, ((label, (row,)),)), strips=(Strip(label, (1.0,)),)),
        ),
        (Arrow("n0", "n1", label, label), Arrow("n0", "n2")),
        (Frame("f", label, label),),
        label,
    )
    texts, tooltips = parts_of(render(to_dot(diagram), "svg").decode())
    expected = shown_as(label)
    assert texts.count(expected) >= 9
    assert f"({expected})" in texts
    assert expected in [tooltip and tooltip.strip() for tooltip in tooltips]
    if shutil.which("dot") and importlib.util.find_spec("graphviz"):
        again, _ = parts_of(to_graphviz(diagram).pipe("svg").decode())
        assert again == texts


def test_a_label_of_ten_thousand_characters_is_shortened():
    long = "x" * 10_000
    diagram = Diagram(
        (Box("n0", "input", long, long, (Row(long, long, long),), note=long),),
        (Arrow("n0", "n0", long, long),),
        (Frame("f", long, long),),
        long,
    )
    assert len(to_dot(diagram)) < 25_000
    assert text_markup(long) == "x" * 20 + "…" + "x" * 19


def test_labels_are_set_as_mathematics():
    assert text_markup("x_1^(2)") == "x<SUB>1</SUB><SUP>(2)</SUP>"
    assert text_markup("w_out") == "w_out"
    assert text_markup("") == " "


def test_quoted_texts_are_one_literal():
    assert quote('a "b" \\n & \x00') == '"a \\"b\\" \\\\n &amp; �"'


@pytest.mark.slow
def test_same_diagram_same_text_whatever_the_hash_seed():
    program = (
        "from microgradlib import nn, draw; model = nn.MLP(2, [3, 1], rng=0); "
        "print(draw(model([0.5, -1.0]) * 2, model=model).source)"
    )
    assert len(outputs_by_hash_seed(program, 1, 2)) == 1


def edges_of(source):
    return [line for line in source.splitlines() if " -> " in line and "label=<" not in line]


def test_arrows_enter_beside_their_row_or_column(everything):
    right, down = (edges_of(to_dot(everything, Look(direction=direction))) for direction in ("right", "down"))
    assert right[0].startswith('\t"n0" -> "n4":"r0":w ')
    assert down[0].startswith('\t"n0" -> "n4" ')
    assert right[1].startswith('\t"n4" -> "n5" ')
    assert down[1].startswith('\t"n4" -> "n5":"c0":n ')
    assert right[2].startswith('\t"n5":"s1":e -> "n8" ')
    assert 'arrowhead="none"' in right[2]
    assert 'penwidth="4"' in right[3]
    assert 'style="dashed"' in right[4]


def test_highlighted_routes_stand_out(everything):
    found = Highlight(0, 10, 2, 3.0, (Route(((4, 0),), 2.0),), frozenset([(4, 0), (10, 0)]))
    lines = (CaptionLine("route0", "x → z → loss:   2"), CaptionLine("sum", "sum of 2 routes:   3"))
    source = to_dot(everything, Look(highlight=found, caption=lines))
    colour = theme.colours("light")
    edges = edges_of(source)
    assert f'color="{colour("route0")}"' in edges[0]
    assert f'color="{colour("ink")}"' in edges[5]
    assert all(f'color="{colour("rule")}"' in edges[k] for k in (1, 2, 3, 4, 6, 7))
    label = html.unescape(re.sub(r"<[^>]*>", "", source.splitlines()[1]))
    assert label.index("x → z → loss:") < label.index("sum of 2 routes") < label.index("25 nodes in 12 boxes")


@needs_graphviz
def test_the_ends_of_routes_are_framed(everything):
    found = Highlight(4, 10, 0, 0.0, (), frozenset())
    boxes = list(everything.boxes)
    boxes[4] = Box("n4", "card", "neuron", rows=(Row("w", "1", "2", "parameter", node=4), Row("z", "1", node=5)))
    boxes[10] = Box("n10", "output", "loss", nodes=(10,), rows=(Row("", "1", "1", node=10),))
    source = to_dot(Diagram(tuple(boxes), everything.arrows, everything.frames), Look(highlight=found))
    card, output = (
        next(line for line in source.splitlines() if line.startswith(f'\t"{name}" [')) for name in ("n4", "n10")
    )
    assert re.findall('SIDES="([A-Z]+)"', card) == ["TBL", "TB", "TBR"]
    assert f'COLOR="{theme.colours("light")("ink")}"' in output[:200]
    assert render(source, "svg")


def test_an_unknown_theme_is_named(everything):
    with pytest.raises(ValueError, match="theme must be 'light' or 'dark', got 'blue'"):
        to_dot(everything, Look(theme="blue"))


@needs_package
def test_the_digraph_can_be_edited(everything):
    graph = to_graphviz(everything, Look(direction="down", theme="dark"))
    assert graph.graph_attr["rankdir"] == "TB"
    assert graph.graph_attr["size"] == "8.5,100"
    graph.graph_attr["rankdir"] = "LR"
    graph.node("mine", "my own")
    graph.edge("n0", "mine")
    assert "rankdir=LR" in graph.source
    if shutil.which("dot"):
        texts, _ = parts_of(graph.pipe("svg").decode())
        assert "my own" in texts
        assert "neurons.0" in texts


def test_without_the_package_the_error_names_the_extra(everything, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(MissingExtraError, match=r'needs the Python package graphviz, .*"microgradlib\[viz\]"'):
        to_graphviz(everything)


def test_deeply_nested_frames_need_no_recursion():
    frames = tuple(Frame(f"f{k}", f"{k}", parent=f"f{k - 1}" if k else "") for k in range(1_500))
    source = to_dot(Diagram((Box("n0", "op", frame="f1499"),), (), frames))
    assert source.count("{") == source.count("}") == 1_501


@needs_graphviz
@pytest.mark.parametrize("label", ["x", "#01ab99", "#01ab05", '" id="', "9" * 17_000, "漢" * 17_000, "<a&b>" * 3_400])
def test_both_renderers_write_an_svg_document_of_any_label(label):
    x = Value(2.0, label=label)
    for engine in ("own", "dot"):
        root = ET.fromstring(draw((x * x).tanh(), engine=engine).svg)  # noqa: S314  written by the library
        titles = [element.text for element in root.iter() if element.tag.endswith("}title")]
        assert any(label[:10] in title for title in titles)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
            "svg", "title", "desc", "g", "rect", "path", "text", "tspan", "polygon", "ellipse", "polyline", "defs",
            "marker", "circle", "line",
        }  # fmt: skip
