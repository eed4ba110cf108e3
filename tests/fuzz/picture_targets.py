"""Targets that write drawings, steppers and tables of a graph whose labels, scopes and names are any texts."""

import json
import re
from xml.etree import ElementTree as ET

from byte_stream import Stream
from laws import check_html, check_plain, check_svg, require

import microgradlib as mg
from microgradlib import Symbol, Value, draw, explain, explain_gradient, grad_table, scope, to_latex, to_text
from microgradlib.viz import Chart, line_chart, math_text
from microgradlib.viz.dot.engine import render

__all__ = ["cells", "drawing", "label", "rendered", "stepper"]

UNARY = (mg.tanh, mg.exp, mg.relu, abs, mg.sqrt, mg.log, lambda x: -x, lambda x: x**2, mg.sigmoid)
BINARY = (
    lambda x, y: x * y, lambda x, y: x + y, lambda x, y: x / y, lambda x, y: x - y, lambda x, y: mg.maximum(x, y),
    lambda x, y: mg.dot([x, y], [y, x]), lambda x, y: mg.sum([x, y, x]), lambda x, y: mg.where(x > y, x, y),
)  # fmt: skip


def scope_name(text):
    """Return a text as a name of a scope, which must be seen."""
    return text if isinstance(text, str) and text.strip() else "a"


def graph(stream):
    """Return the nodes of a small graph: labels, scopes, numbers are read from a stream."""
    nodes = [Value(stream.number(), label=stream.text()) for _ in range(1 + stream.whole(4))]
    if stream.whole(16) == 15:
        nodes[0].label = stream.choice((0, 2.5, None, ["x"], b"x", ("a",), {"a": 1}))
    for _ in range(1 + stream.whole(9)):
        name = scope_name(stream.text())
        with scope(name, formula=stream.text() if stream.flag() else ""):
            for _ in range(1 + stream.whole(3)):
                if stream.flag():
                    nodes.append(stream.choice(UNARY)(stream.choice(nodes)))
                else:
                    nodes.append(stream.choice(BINARY)(stream.choice(nodes), stream.choice(nodes)))
        if stream.flag():
            nodes[-1].label = stream.text()
    if nodes[-1].op is None:
        nodes.append(nodes[-1] * 1.0)
    if stream.flag():
        nodes[-1].backward()
    return nodes


def drawing(data):
    """A drawing is well-formed, with nothing active in it, and its HTML too; the DOT text has every label quoted."""
    stream = Stream(data)
    nodes = graph(stream)
    output, names = nodes[-1], {stream.text(): node for node in nodes[:3]}
    options = {
        "theme": stream.choice((None, "light", "dark")), "direction": stream.choice((None, "right", "down")),
        "collapse": stream.choice((None, 0, 1, "layer")),
        "local_derivatives": stream.choice(("number", "formula", None)),
    }  # fmt: skip
    routes = (nodes[0], output) if stream.flag() and nodes[0] in mg.topological_sort(output) else None
    picture = draw(output, names=names if stream.flag() else None, highlight=routes, **options)
    check_svg(picture.svg)
    check_plain(picture.text)
    check_page(picture.html)
    check_plain(picture.source)


def check_page(text):
    """Require the HTML of a picture: one script of ours if groups open and close."""
    scripts = [r"^\(function\(\)\{\nvar moves="] if "<script>" in text else []
    for script in check_html(text, scripts):
        json.loads(re.search(r"titles=(\[.*?\]),packed=", script)[1])


def rendered(data):
    """Graphviz reads the DOT text, and shows the nodes, the arrows and the text of the first label."""
    stream = Stream(data)
    output = graph(stream)[-1]
    picture = draw(output, engine="dot") if stream.flag() else draw(output)
    found = render(picture.source, "svg").decode()
    root = ET.fromstring(found)  # noqa: S314  written by Graphviz
    kinds = [part.get("class") for part in root.iter() if part.tag.endswith("}g")]
    diagram = picture.diagram
    require(kinds.count("node") == len(diagram.boxes), kinds.count("node"), "nodes, not", len(diagram.boxes))
    require(kinds.count("edge") == len(diagram.arrows), kinds.count("edge"), "edges, not", len(diagram.arrows))
    check_svg(picture.svg, elements={"script", "foreignObject", "iframe", "image"})


def stepper(data):
    """A stepper's page has its three parts and no more, whatever the texts; the tape is read back as it was."""
    stream = Stream(data)
    nodes = graph(stream)
    title, names = stream.text(), {stream.text(): nodes[0]}
    explanation = explain(
        nodes[-1], title=title if stream.flag() else None, names=names, lang=stream.choice(("en", "zh"))
    )
    tape, _ = check_html(explanation.html, [r"^\{", "JSON.parse"])
    require(json.loads(tape) == json.loads(json.dumps(explanation.tape)), "another tape")
    check_plain(explanation.text)
    page = explanation._repr_mimebundle_()["text/html"]
    check_html(page)
    for level in explanation.tape["levels"]:
        require(isinstance(level, dict), level)


def cells(data):
    """Tables, formulas and explanations of a graph are printable, and markup is that of the library alone."""
    stream = Stream(data)
    nodes = graph(stream)
    output, leaf = nodes[-1], nodes[0]
    table = grad_table(output)
    texts = [str(table), repr(table), repr(output), to_text(output), to_latex(output)]
    texts += [table._repr_html_(), output._repr_html_()]
    explained = explain_gradient(output, leaf)
    texts += [str(explained), explained._repr_latex_(), explained._repr_markdown_()]
    name = stream.text()
    try:
        symbol = Symbol(name)
    except TypeError:
        require(not name.strip() or not name.isprintable(), "no Symbol", name)
    else:
        texts += [repr(symbol * 2.0), to_text(symbol**2), to_latex(mg.tanh(symbol))]
    for text in texts:
        if text is not None:
            check_plain(text)
    for text in (table._repr_html_(), output._repr_html_()):
        if text:
            check_page(text) if "mg-picture" in text else check_html(text)
    chart = line_chart({stream.text(): [stream.number() for _ in range(3)] for _ in range(2)}, title=stream.text())
    require(isinstance(chart, Chart), "no chart")
    check_svg(chart.svg)
    check_page(chart.html)


def label(data):
    """Any label set as mathematics has the width of a number and keeps no command that was read."""
    text = Stream(data).text() if data[:1] < b"\x80" else data[1:].decode("latin-1")
    pieces = math_text.pieces(text)
    require(pieces and all(piece.level in (-1, 0, 1) for piece in pieces), "pieces", pieces)
    require(0 <= math_text.width(text, 12.0) <= 30.0 * len(text), "the width")
    require(isinstance(math_text.plain(text), str), "no text")
    if len(pieces) == 1 and "\\" not in text and not set(text) & set("^_'$"):
        require(pieces[0].text == text, "a plain label was changed:", pieces)
    with_node = Value(1.0, label=text)
    check_plain(to_latex(with_node * 2.0))
