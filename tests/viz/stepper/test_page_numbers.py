"""The page's numbers, formulas and judgements, under Node, against Python's."""

from __future__ import annotations

import math
import random
import struct

import pytest
from page_modules import needs_node, page_modules

from microgradlib.viz.numbers import number
from microgradlib.viz.stepper.sentences import fill

needs_node()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with page_modules(tmp_path_factory.mktemp("page")) as run:
        yield run


def coded(x):
    """A number as the tape has it."""
    return x if math.isfinite(x) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(x, "NaN")


EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, 0.99999, 1 - 1e-12, 99999.5, 999999.5, 1e6, 1e-4, 9.9999e-5, 0.00012345, 123456.789,
    5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 2.00005, 0.12345, 0.012345, -1.25e-7, 12345.0,
]  # fmt: skip


def drawn_numbers(count):
    rng = random.Random(0)
    bits = (struct.unpack("<d", rng.randbytes(8))[0] for _ in range(count))
    ordinary = (rng.uniform(-1, 1) * 10 ** rng.randint(-8, 9) for _ in range(count))
    near_whole = (rng.randint(-200_000, 200_000) + rng.choice([1e-3, 1e-6, -1e-9, 0.5]) for _ in range(count))
    return [*EDGES, *bits, *ordinary, *near_whole]


def test_numbers_are_written_as_in_python(run):
    numbers = drawn_numbers(400)
    body = """const { format, decode } = await load("model/numbers");
              return data.map(x => [1, 2, 3, 4, 7].map(digits => format(decode(x), digits)));"""
    written = run(body, [coded(x) for x in numbers])
    assert written == [[number(x, digits) for digits in (1, 2, 3, 4, 7)] for x in numbers]


TEMPLATES = [
    "{0} · {1}",
    "1 − {z}²",
    "{z}·(1 − {z})",
    "{0}²",
    "({0} + {1})/2",
    "|{0}|",
    "−{0}/{1}²",
    "{1}",
    "tanh({0})",
    "{0}",
]
TEXTS = ["x", "−3", "0.5", "a + b", "h⁽³⁾", "w₂₀⁽¹⁾", "≈1", "−1.25e−7", "x_1^(2)", "layers.0.w"]


def test_formulas_are_filled_as_in_python(run):
    cases = [[template, [a, b], c] for template in TEMPLATES for a in TEXTS for b in TEXTS for c in TEXTS[:6]]
    body = 'const { fill } = await load("model/formulas"); return data.map(([t, parts, own]) => fill(t, parts, own));'
    assert run(body, cases) == [fill(*case) for case in cases]


def test_typed_numbers_are_read(run):
    typed = {
        "−0.5": -0.5, " 1,5 ": 1.5, "1/3": 1 / 3, "2e-3": 0.002, "3*0.5": 1.5, "0.5 · −3": -1.5, "(−2)": -2.0,
        "+4": 4.0, ".25": 0.25, "7.": 7.0, "": None, "x": None, "1 2 3 x": None, "1*2*3": None, "--1": None, "1/": None,
    }  # fmt: skip
    body = 'const { parse } = await load("model/numbers"); return data.map(parse);'
    assert run(body, list(typed)) == list(typed.values())
    body = 'const { parse } = await load("model/numbers"); return data.map(x => String(parse(x)));'
    assert run(body, ["∞", "−inf", "nan", "1/0"]) == ["Infinity", "-Infinity", "NaN", "Infinity"]


ROW = {"up": 0.5, "local": -3.0, "add": -1.5, "before": 4.0, "after": 2.5}
JUDGED = {
    -1.5: "", -1.5004: "", 1.5: "mistake_sign", 0.5: "mistake_upstream", -3.0: "mistake_local", 2.5: "mistake_sum",
    -2.5: "mistake_plus", 3.5: "mistake_minus", 4.0: "mistake_before", -6.0: "mistake_divide", 77.0: "mistake_other",
    -1.52: "mistake_other",
}  # fmt: skip


def test_a_wrong_prediction_is_told_by_its_mistake(run):
    body = 'const { judge } = await load("model/judge"); return data.typed.map(x => judge("term", x, data.row));'
    found = run(body, {"typed": list(JUDGED), "row": ROW})
    assert [x["hint"] for x in found] == list(JUDGED.values())
    assert [x["right"] for x in found] == [not hint for hint in JUDGED.values()]


def test_factors_are_asked_for_and_judged_too(run):
    body = """const { judge } = await load("model/judge");
              return data.cases.map(([asked, x]) => judge(asked, x, data.row).hint);"""
    cases = {
        ("upstream", 0.5): "", ("upstream", -3.0): "mistake_is_local", ("upstream", -1.5): "mistake_is_term",
        ("local", -3.0): "", ("local", 0.5): "mistake_is_upstream", ("local", 9.0): "mistake_other_local",
    }  # fmt: skip
    assert run(body, {"cases": list(cases), "row": ROW}) == list(cases.values())


def test_infinite_and_undefined_terms_can_be_predicted(run):
    body = """const { near } = await load("model/judge");
              return [near(NaN, NaN), near(Infinity, Infinity), near(1e9, Infinity), near(0, 0),
                      near(1e-9, 1e-3), near(1, NaN)];"""
    assert run(body) == [True, True, False, True, False, False]


def test_the_score_counts_first_tries_and_is_written_as_a_table(run):
    body = """const { emptyScore, scored, scoreTable } = await load("model/judge");
      const entry = (tries, solved) => ({ frame: 6, node: 'w"1', asked: "term", answer: 1.5, tries, solved });
      const score = [entry([1.5], true), entry([3, 1.5], true), entry([9], false)].reduce(scored, emptyScore());
      return [score.asked, score.right, scoreTable(score)];"""
    asked, right, table = run(body)
    assert (asked, right) == (3, 1)
    assert table.splitlines()[:2] == ["frame,node,asked,answer,typed,solved", '6,"w""1",term,1.5,"1.5",true']
