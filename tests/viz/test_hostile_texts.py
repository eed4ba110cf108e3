"""No text of the user's breaks out of an output, stops it, or carries control characters into it."""

import json
import re
import time
from xml.etree import ElementTree as ET

import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, draw, explain, explain_gradient, grad_table, scope, to_latex, to_text
from microgradlib._support.printable import one_line
from microgradlib.viz import math_text
from microgradlib.viz.boxes import closed
from microgradlib.viz.cells.names import short_name
from microgradlib.viz.snapshots.snapshot import Scope

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
HOSTILE = [
    "<script>alert(1)</script>]]>-->\"'`&#60;", "a\u2028b\x00c\x1b[2Jd\ud800", "\u202egnp.exe", "two\nlines\r\n",
    "{0}{z}{name}%s\\x_{$x$", "x" * 10_000,
]  # fmt: skip
MORE = [
    "</script>", "]]>", "-->", '"', "'", "`", "&#60;", "\u2028", "\x00", "\x1b[2J", "\ud800", "\ufffe", "{0}", "{z}",
    "{}", "%s", "\\", "x_{", "^_^", "$x$", "\\href{javascript:alert(1)}{x}", "__proto__", "constructor", "梯度",
    "e\u0301\u0301", "👩‍👩‍👧", " ", "n0", "s0", "1", "</style>", "</title></svg></div>", '" onload="alert(1)',
]  # fmt: skip


def graph(text):
    x, w = Value(2.0, label=text), Value(0.5, label=f"{text}w")
    with scope(text if text.strip() else "a", formula=text):
        u = (w * x).tanh()
    y = u * x + Value(1.0, label=text)
    u.label = text
    y.backward()
    return x, y


def outputs(text):
    x, y = graph(text)
    drawing, stepper = draw(y, highlight=(x, y), names={text: y}), explain(y, title=text)
    yield from (drawing.svg, drawing.html, drawing.text, drawing.source, repr(drawing))
    yield from (json.dumps(stepper.tape, ensure_ascii=False), stepper.text, repr(stepper))
    yield from (str(grad_table(y)), str(grad_table(y)._repr_html_()), str(y._repr_html_()), to_text(y), to_latex(y))
    yield from (str(explain_gradient(y, x)), str(explain_gradient(y, x)._repr_latex_()))


@pytest.mark.parametrize("text", [*HOSTILE, *[pytest.param(text, marks=pytest.mark.slow) for text in MORE]])
def test_every_output_is_printable_and_its_svg_well_formed(text):
    svg, html, *texts = outputs(text)
    ET.fromstring(svg)  # noqa: S314  written by the library
    for written in (svg, html, *texts):
        assert written.encode()
        assert not UNPRINTABLE.search(written)
    assert "<script>alert" not in svg + html


def test_the_check_finds_what_it_looks_for():
    assert all(UNPRINTABLE.search(text) for text in ("a\u2028b", "a\x00b", "\x1b[2J", "a\ud800b", "\u202egnp.exe"))


@pytest.mark.parametrize("text", ["x" * 17_000 + "! ^2" * 20, "1" * 17_000 + "x", f"a.{'x' * 17_000}!"])
def test_the_time_that_a_long_text_takes_is_linear(text):
    """Of each a pattern was tried from every letter on: seconds for each mark, and for each name in a table."""
    start = time.process_time()
    assert math_text.pieces(text)
    assert closed._series_title([Scope(f"{text} 1", "step"), Scope(f"{text} 2", "step")]) == f"{text} 1 … 2"
    assert closed._series_title([Scope(text, "step"), Scope("t2", "step")]) == f"{text} … t2"
    assert len(short_name(text)) <= 24
    assert time.process_time() - start < 1


@pytest.mark.parametrize("label", [0, 2.5, None, ["x"]])
def test_a_label_that_is_no_text_is_shown_as_python_writes_it(label):
    x = Value(2.0)
    x.label = label
    y = x * x + 1
    y.backward()
    shown = "x" if label is None else one_line(str(label))
    assert f"  {shown}  data 2" in draw(y).text
    assert explain(y).html
    assert f"grad({shown}) = " in str(explain_gradient(y, x))
    assert shown in str(grad_table(y))


@pytest.mark.parametrize("name", ["", " ", "\n", "\u2028"])
def test_a_symbol_needs_a_name_that_is_seen(name):
    with pytest.raises(TypeError, match="a Symbol needs a name"):
        Symbol(name)


def test_one_line_keeps_what_is_printable():
    assert one_line("x₁ 梯度 e\u0301 👩‍👩‍👧") == "x₁ 梯度 e\u0301 👩‍👩‍👧"
    assert one_line("a\tb\r\nc\u2028d\x85e\ud800") == "a b  c d\ufffde\ufffd"


def test_a_highlight_finds_a_label_as_it_was_given():
    x, y = graph("a\x00b")
    x.label = "only\nthis"
    assert "∂" in draw(y, highlight=("only\nthis", y)).text
    assert mg.draw(y, highlight="only this").text


def test_the_formula_of_an_op_is_printable(temporary_op):
    op = temporary_op(
        "odd", value=lambda xp, x: xp.exp(x), derivatives=[lambda xp, z, x: z], formula="exp\x1b[2J\n\ud800"
    )
    assert repr(op) == "<Op odd: exp\ufffd[2J \ufffd>"
