"""Every fuzz target on its corpus, on seeded random bytes and on texts of Hypothesis; the laws reject breaches."""

import importlib.util
import random
import shutil
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="programs are arrays")

from byte_stream import FRAGMENTS  # noqa: E402
from hypothesis import given, settings, strategies as st  # noqa: E402
from laws import BrokenLawError, check_html, check_plain, check_python, check_svg  # noqa: E402
from run_fuzz import mutated  # noqa: E402
from targets import TARGETS  # noqa: E402

from microgradlib import Value, draw  # noqa: E402
from microgradlib.errors import ExpressionError  # noqa: E402
from microgradlib.symbolic.parser import build  # noqa: E402

CORPUS = Path(__file__).parent / "corpus"
COUNTS = {
    "expression": 150, "formula": 40, "command_line": 20, "drawing": 10, "rendered": 3, "stepper": 8, "cells": 8,
    "label": 300, "source": 30, "model_file": 80, "optimiser_state": 300, "program_file": 60, "native_program": 4,
}  # fmt: skip
"""So many random inputs in a normal run; slow tests take ten times as many."""


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_once(path):
    need(path.parent.name)
    TARGETS[path.parent.name](path.read_bytes())


def test_the_corpus_is_of_known_targets():
    assert {path.name for path in CORPUS.iterdir()} <= {*TARGETS}


def run_random(name, count, seed):
    need(name)
    rng, corpus = random.Random(f"{name} {seed}"), [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    for _ in range(count):
        data = mutated(rng, corpus)
        try:
            TARGETS[name](data)
        except Exception as error:
            message = f"{name} breaks a law for bytes.fromhex({data.hex()!r})"
            raise AssertionError(message) from error


def need(target):
    """Skip a target that needs what is not installed."""
    if target == "rendered" and shutil.which("dot") is None and importlib.util.find_spec("pygraphviz") is None:
        pytest.skip("needs Graphviz")
    if target == "native_program":
        pytest.importorskip("llvmlite", reason="needs the extra native")


@pytest.mark.parametrize("name", TARGETS)
def test_random_bytes(name):
    run_random(name, COUNTS[name], 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_random_bytes(name):
    run_random(name, 10 * COUNTS[name], 1)


TEXTS = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join))


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_text_is_an_expression_or_refused(text):
    try:
        result = build(text, {"x": 2.0})
    except ExpressionError as error:
        check_plain(str(error))
    else:
        assert isinstance(result, float)


@settings(max_examples=15, deadline=None)
@given(TEXTS, TEXTS)
def test_any_text_is_a_label_in_a_drawing(one, other):
    x, w = Value(2.0, label=one), Value(0.5, label=other)
    picture = draw((x * w).tanh(), names={other: x})
    check_svg(picture.svg)
    check_html(picture.html)


SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    ["<script/>", "<g onload='x'/>", "<g><title></g>", "<image href='http://x'/>", "<g xlink:title='x'/>", "\x1b",
     "&x;", '<g style="fill:url(http://x)"/>', '<a href="#x"/>', '<x:g xmlns:x="http://www.w3.org/1999/xhtml"/>',
     "<foreignObject/>", "\u202e"],
)  # fmt: skip
def test_a_wrong_svg_is_rejected(inside):
    check_svg(SVG.format("<g id='a'><title>t</title></g>"))
    with pytest.raises(BrokenLawError):
        check_svg(SVG.format(inside))


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<p onclick='x'>", "<!-- x -->", "<img src='http://x'>", "<a href='javascript:x'>",
     "<iframe srcdoc='x' onload='evil()'>", "\x00"],
)  # fmt: skip
def test_wrong_html_is_rejected(text):
    check_html("<p>1 < 2</p><style>p{}</style>")
    with pytest.raises(BrokenLawError):
        check_html(text)


def test_a_script_that_was_not_asked_for_is_rejected():
    page = '<script>var tape={"a":"b"}</script>'
    assert check_html(page, ["^var tape="]) == ['var tape={"a":"b"}']
    for wrong in ([], ["^other"], ["^var", "^var"]):
        with pytest.raises(BrokenLawError):
            check_html(page, wrong)
    with pytest.raises(BrokenLawError):
        check_html("<script>var tape='<!--'</script>", ["^var tape="])


@pytest.mark.parametrize(
    "text",
    ["def f(:", "import os\ndef f():\n    pass", "def f():\n    return evil", "def g():\n    pass",
     "print(1)\ndef f(): 1", "def f():\n    '''a''' + __import__('os')", "if 1:\n    pass\ndef f(): 1",
     "from os import path\ndef f(): 1"],
)  # fmt: skip
def test_wrong_python_is_rejected(text):
    check_python(
        '"""Doc."""\n\nimport numpy as np\n\n\ndef f(x):\n    return np.tanh(x) + len(x)\n', {"numpy"}, "f", ["len"]
    )
    with pytest.raises(BrokenLawError):
        check_python(text, {"numpy"}, "f", ["len"])
