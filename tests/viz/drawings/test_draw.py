"""draw(): what it takes, what its options do, how drawings are shown and saved, and that no label breaks out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hash_seeds import outputs_by_hash_seed

import microgradlib as mg
from microgradlib import Symbol, Value, draw, nn
from microgradlib.errors import DrawingError

if TYPE_CHECKING:
    from pathlib import Path

    from microgradlib.viz import Drawing

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  our own text


def words(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in parse(svg).iter(f"{SVG}text")]


@pytest.fixture
def square() -> Value:
    x = Value(3.0, label="x")
    return x * x


def loss_of_mlp(label: str = "x") -> Value:
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    loss: Value = (model([Value(0.5, label), Value(-1.0)]) - 1.0) ** 2
    loss.backward()
    return loss


def test_a_drawing_is_a_snapshot(square: Value) -> None:
    drawing = draw(square)
    before = drawing.svg, drawing.source, drawing.text, drawing.html
    square.backward()
    square.parents[0].data = 5.0
    assert (drawing.svg, drawing.source, drawing.text, drawing.html) == before
    assert "grad —" in drawing.text
    assert "grad 6" in draw(square).text


def test_text_is_one_line_for_each_box(square: Value) -> None:
    assert draw(square).text.splitlines() == [
        "<Drawing of 2 boxes and 2 arrows>",
        "  n0  x  data 3  grad —",
        "  n1  square  ×  data 9  grad —  from n0, n0",
    ]


def test_notebooks_get_html_svg_and_text_and_may_choose(square: Value) -> None:
    drawing = draw(square)
    forms = drawing._repr_mimebundle_()
    assert list(forms) == ["text/html", "image/svg+xml", "text/plain"]
    assert forms["text/html"] == drawing.html == drawing._repr_html_()
    assert forms["image/svg+xml"] == drawing.svg == drawing._repr_svg_()
    assert drawing._repr_mimebundle_(include={"text/plain"}) == {"text/plain": drawing.text}
    assert list(drawing._repr_mimebundle_(exclude=["text/plain"])) == ["text/html", "image/svg+xml"]


def test_what_is_drawn_of_lists_dicts_and_symbols() -> None:
    x = Value(0.5, label="x")
    a, b = x.exp(), x.tanh()
    both = draw([a, (b,)])
    assert [box.output for box in both.diagram.boxes] == [False, True, True]
    named = draw({"first": a, "second": b})
    assert {"first", "second"} <= set(words(named.svg))
    assert [box.rows for box in draw(mg.sigmoid(Symbol("s"))).diagram.boxes] == [(), ()]
    assert len(draw(x).diagram.boxes) == 1


def test_modules_and_compiled_functions_draw_themselves() -> None:
    model = nn.MLP(2, [3, 1], rng=0)
    network = draw(model)
    assert "Network picture of MLP" in network.text
    assert parse(network.svg).get("role") == "img"
    with pytest.raises(DrawingError, match="no boxes and arrows"):
        network.to_graphviz()
    fast = mg.compile(lambda x: model([x, x]), model.parameters())
    fast([1.0])
    assert draw(fast).svg == draw(fast.program).svg == fast.program.draw().svg


def test_options_that_mean_nothing_for_a_thing_are_refused() -> None:
    model = nn.MLP(2, [1], rng=0)
    fast = mg.compile(lambda x: model([x, x]), model.parameters())
    fast([1.0])
    with pytest.raises(TypeError, match="a program does not take direction, numbers; leave them out"):
        draw(fast, direction="right", numbers=True)
    with pytest.raises(TypeError, match="the picture of a network does not take collapse; leave it out"):
        draw(model, collapse="layer")


def test_a_single_target_and_arrays_of_values() -> None:
    numpy = pytest.importorskip("numpy")
    t, x = Value(1.0, label="t"), Value(0.5, label="x")
    diagram = draw((x - t) ** 2, targets=t).diagram
    assert [box.kind for box in diagram.boxes if box.title == "t"] == ["target"]
    assert len(draw(numpy.array([x.exp(), x.tanh()], dtype=object)).diagram.boxes) == 3


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (3.0, r"got 3\.0\. Make one first: x = Value\(2\.0"),
        (None, "got None"),
        (Value, "got the class Value"),
        ([Value(1.0), 2.0], r"got a list that contains 2\.0"),
        ({"x": "y"}, "got a dict that contains 'y'"),
    ],
)
def test_other_things_are_refused_with_advice(thing: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=f"draw\\(\\) takes a Value or Symbol.*{reason}"):
        draw(thing)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "neato"}, ValueError, r"'own' .* or 'dot' .*, got 'neato'"),
        ({"theme": "blue"}, ValueError, "theme must be 'light' or 'dark', or None.*got 'blue'"),
        ({"theme": 3}, ValueError, "got 3"),
        ({"direction": "up"}, ValueError, "'right' or 'down'.*got 'up'"),
        ({"collapse": "word"}, ValueError, "'neuron', 'layer', 'step', 'example'.*got 'word'"),
        ({"collapse": 1.5}, TypeError, r"got 1\.5"),
        ({"local_derivatives": "x"}, ValueError, "'number', 'formula' or None, got 'x'"),
        ({"numbers": 1}, TypeError, "numbers must be True or False, got 1"),
        ({"max_nodes": 0}, ValueError, "max_nodes must be a whole number >= 1, got 0"),
        ({"names": 3}, TypeError, "names must be a dict"),
        ({"highlight": (1, 2, 3)}, ValueError, r"highlight=\(w, loss\); got 3"),
        ({"inputs": [1.0]}, TypeError, "anything but a module does not take inputs; leave it out"),
        ({"model": 3}, TypeError, "model must be a module, .*got 3"),
        ({"model": {"a": 3}}, TypeError, "model must be a module, .*got 3"),
        ({"targets": 3}, TypeError, "targets must be Values.*got 3"),
        ({"targets": [1.0]}, TypeError, r"targets must be Values.*got 1\.0"),
    ],
)
def test_bad_options_are_refused(square: Value, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        draw(square, **options)


def test_nothing_is_nothing_to_draw() -> None:
    for empty in ([], {}, [[], ()]):
        with pytest.raises(ValueError, match="there is nothing to draw: got an empty"):
            draw(empty)


def test_a_highlight_of_several_outputs_needs_an_end() -> None:
    x = Value(1.0, label="x")
    with pytest.raises(ValueError, match="2 outputs; say which one"):
        draw([x.exp(), x.tanh()], highlight=x)


def test_routes_are_written_below_with_their_sum() -> None:
    x = Value(2.0, label="x")
    y = x * x
    y.backward()
    drawing = draw(y, highlight=x)
    assert "2 + 2 = 4" in drawing.text
    assert drawing.svg == draw(y, highlight=(x, y)).svg == draw(y, highlight=("x", y)).svg
    assert any("2 + 2 = 4" in text for text in words(drawing.svg))


def test_a_large_graph_collapses_by_itself_and_says_so() -> None:
    y = Value(0.5, label="x")
    for _ in range(1000):
        y = (y * 0.999).tanh()
    drawing = draw(y)
    assert len(drawing.diagram.boxes) <= 60
    assert "3,001 nodes in" in drawing.text


def test_numbers_and_formulas_on_request(square: Value) -> None:
    assert "1." not in words(draw(square).svg)
    assert {"1.", "2."} <= set(words(draw(square, numbers=True).svg))
    assert "∂square/∂x = x = 3" in words(draw(square, local_derivatives="formula").svg)
    assert "3" not in words(draw(square, local_derivatives=None).svg)[-1:]


@pytest.mark.parametrize("name", ["g.svg", "g.SVG", "g.html", "g.dot", "g.gv"])
def test_saving_needs_no_extra(square: Value, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    drawing = draw(square)
    path = drawing.save(tmp_path / name)
    assert path == tmp_path / name
    text = path.read_text(encoding="utf-8")
    assert {"svg": drawing.svg, "dot": drawing.source, "gv": drawing.source}.get(name.lower()[2:], drawing.html) in text
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert drawing.save(str(path)) == path


def test_an_unknown_suffix_lists_the_known_ones(square: Value, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'g\.jpg': .* not one of \.svg, \.html, \.png, \.pdf, \.dot, \.gv"):
        draw(square).save(tmp_path / "g.jpg")
    with pytest.raises(ValueError, match=r"'g\.png': .* not one of \.svg, \.html$"):
        draw(nn.MLP(2, [1], rng=0)).save(tmp_path / "g.png")


def test_a_missing_folder_is_named(square: Value, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*; make it first"):
        draw(square).save(tmp_path / "nowhere" / "g.svg")


def test_an_interrupted_save_leaves_only_the_old_file(
    square: Value, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "g.svg"
    target.write_bytes(b"old")

    def fail(_self: Any, _other: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(type(target), "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        draw(square).save(target)
    assert target.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["g.svg"]


def test_files_keep_their_natural_size_and_have_a_title_and_a_description(square: Value) -> None:
    root = parse(draw(square).svg)
    assert f"0 0 {root.get('width')} {root.get('height')}" == root.get("viewBox")
    assert "style" not in root.attrib
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    title, description = root[0], root[1]
    assert (title.tag, title.text) == (f"{SVG}title", "Computation graph: 2 boxes and 2 arrows")
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == description.get("id")
    assert "data 9" in str(description.text)
    assert not list(root.iter(f"{SVG}style"))


def test_themes_of_files(square: Value) -> None:
    light, dark = draw(square).svg, draw(square, theme="dark").svg
    assert draw(square, theme="light").svg == light != dark
    assert "#ffffff" in light
    assert "#ffffff" not in dark
    assert "var(" not in light + dark
    assert "prefers-color-scheme" in draw(square).html
    assert "var(--mg" not in draw(square, theme="dark").html


SEEDED = """
import sys
import microgradlib as mg
from microgradlib import Value, draw, nn
from microgradlib.viz import line_chart
model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
loss = (model([Value(0.5), Value(-1.0)]) - 1.0) ** 2
loss.backward()
drawing = draw(loss, highlight=model.parameters()[0])
print(drawing.svg.encode(), drawing.html.encode(), drawing.text.encode(), line_chart({"a": [1.0]}).html.encode())
print([name for name in ("graphviz", "pygraphviz", "numpy", "subprocess", "IPython") if name in sys.modules])
"""


def test_the_same_graph_gives_the_same_bytes_without_extras_and_processes() -> None:
    [output] = outputs_by_hash_seed(SEEDED, 1, 2)
    assert output.splitlines()[-1] == "[]"


LABELS = (
    "<script>alert(1)</script>", '"quoted" & \'single\'', "]]><script>", "a\x00b\x1b[31m", "x" * 10_000, "输入 α",
    "\u202egnp.exe", "\u200fשלום", "</title></svg></div>", "&lt;b&gt;", "\ud800", '" onload="alert(1)', "{{7*7}}",
    "</script><script>", "var(--mg-ink)", "x_1^(2)", "url(#a)", "<!--", "%3Cscript%3E", "mg0123456789",
)  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=range(len(LABELS)))
def test_no_label_breaks_out(label: str) -> None:
    with mg.scope(label, formula=label):
        x = Value(0.5, label)
        y = mg.exp(x * mg.tanh(x))
        y.label = label
    y.backward()
    drawing = draw(y, highlight=(x, y), local_derivatives="formula")
    check_markup(drawing, label)


def check_markup(drawing: Drawing, label: str) -> None:
    root = parse(drawing.svg)
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags <= {"svg", "title", "desc", "g", "rect", "path", "text", "tspan"}
    names = {name for node in root.iter() for name in node.attrib}
    assert not [name for name in names if name.startswith("on") or name in ("href", "style", "src")]
    html = drawing.html
    assert html.count("<script>") == html.count("</script>") == 1
    assert html.count("<style>") == html.count("</style>") == 1
    assert html.count("<div") == html.count("</div>")
    if len(label) < 100:
        shown = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", "\ufffd", label)
        assert any(shown[:10] in text or "x1" in text for text in root.itertext())
    assert "\x00" not in html
    html.encode()


def test_the_checker_finds_markup_in_labels() -> None:
    drawing = draw(loss_of_mlp())
    svg = drawing.svg.replace(">x<", "><script>alert(1)</script><")
    assert "script" in {node.tag.removeprefix(SVG) for node in parse(svg).iter()}


def test_steps_that_are_left_out_among_other_ops_are_named() -> None:
    model = nn.RNN(1, 2, rng=0)
    states, _ = model([[0.1 * t] for t in range(10)])
    readout = nn.Layer(2, 1, "linear", rng=1)
    assert "step 3 … 9" in draw(mg.sum([(readout(state) - 0.5) ** 2 for state in states])).text


def test_a_picture_that_is_too_large_at_every_step_is_drawn_at_the_last(monkeypatch):
    """As that of a sum of a million leaves: the last steps show the same as those before."""
    monkeypatch.setattr("microgradlib.viz.drawings.detail._most_area", lambda: 0.0)
    assert "<svg" in mg.draw(mg.sum([mg.Value(float(i)) for i in range(40)])).svg
