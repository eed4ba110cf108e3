"""Ops as JavaScript: every op of the table is written from its rules, and computes what Python does, under Node."""

import itertools
import json
import math
import random
import shutil
import subprocess

import pytest

from microgradlib import Value, explain, mean, scope
from microgradlib.costs import squared_error
from microgradlib.nn import MLP
from microgradlib.ops import TABLE, ZERO, define_op, forget_op
from microgradlib.viz.stepper.javascript.elementary import SPECIAL, special_functions
from microgradlib.viz.stepper.javascript.rules import UntranslatableError, function_text, literal

NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 0.25, -0.25, 1.7, -5.5, 1e-9, 1e-300, 40.0, -40.0, 800.0, -800.0, 1e300,
    math.inf, -math.inf, math.nan,
]  # fmt: skip
TOLERANCE = 1e-13
ILL_CONDITIONED = {("pow_log", (3.0, -0.25, 800.0))}
"""Where a rounding error of an input moves the result further: here (ln 3)^800."""


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_every_op_can_be_written(op):
    for inputs in [1, 3] if op.arity is None else [op.arity]:
        text, special = function_text(op, inputs)
        assert text.startswith("([x0")
        assert set(special) <= SPECIAL


def test_a_rule_that_looks_at_a_number_is_refused():
    define_op("looks", lambda xp, x: x if x > 0 else 0.0, [lambda xp, z, x: 1.0], formula="x, derivative 1")
    try:
        with pytest.raises(UntranslatableError, match="looks cannot be written as JavaScript: the rule looks"):
            function_text(TABLE["looks"], 1)
    finally:
        forget_op("looks")


def test_a_rule_that_calls_math_is_refused():
    define_op("calls", lambda xp, x: math.sin(x), [lambda xp, z, x: 1.0], formula="sin x, derivative 1")
    try:
        with pytest.raises(UntranslatableError, match="calls cannot be written"):
            function_text(TABLE["calls"], 1)
    finally:
        forget_op("calls")


def test_special_functions_come_with_those_they_call():
    text = special_functions(["gamma"])
    assert [name for name in sorted(SPECIAL) if f"function {name}(" in text] == [
        "gamma", "lanczosSum", "polynomial", "sinOfPi",
    ]  # fmt: skip


def points(op, inputs, rng):
    intervals = [op.sample[min(i, len(op.sample) - 1)] for i in range(inputs)]
    found = [[rng.uniform(*interval) for interval in intervals] for _ in range(30)]
    if inputs <= 2:
        found += map(list, itertools.product(NUMBERS, repeat=inputs))
    else:
        found += [rng.choices(NUMBERS, k=inputs) for _ in range(200)]
    if op.name == "polygamma":  # of which high orders take long, in Python too
        found = [[x, min(order, 12.0) if order == round(order, 0) else order] for x, order in found if order < math.inf]
    return found


def differs(expected, found):
    if expected is None or found is None:
        return expected is not found
    found = float(found)
    if math.isnan(expected) or math.isinf(expected):
        return not (math.isnan(expected) and math.isnan(found)) and expected != found
    return not abs(expected - found) <= TOLERANCE * max(abs(expected), 1e-300)


def encoded(x):
    return None if x is ZERO else x if math.isfinite(x) else literal(x)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH")
def test_values_and_derivatives_are_those_of_python(tmp_path):
    rng, cases, functions = random.Random(0), [], {}
    for op in TABLE.values():
        for inputs in [1, 2, 3, 5] if op.arity is None else [op.arity]:
            functions[f"{op.name}/{inputs}"] = function_text(op, inputs)[0]
            cases += [(op, f"{op.name}/{inputs}", point) for point in points(op, inputs, rng)]
    table = ",".join(f"{json.dumps(key)}:{text}" for key, text in functions.items())
    program = f"""{special_functions(SPECIAL)}
const operations = {{{table}}};
const encoded = x => x === null || Number.isFinite(x) ? x : String(x);
const cases = JSON.parse(require("fs").readFileSync("cases.json"));
const results = cases.map(([key, xs]) => {{
  const [value, slopes] = operations[key](xs.map(Number));
  return [value, ...slopes].map(encoded);
}});
console.log(JSON.stringify(results));"""
    (tmp_path / "program.cjs").write_text(program, encoding="utf-8")
    (tmp_path / "cases.json").write_text(json.dumps([(key, [*map(encoded, point)]) for _, key, point in cases]))
    run = subprocess.run(["node", "program.cjs"], cwd=tmp_path, capture_output=True, check=True)
    wrong = []
    for (op, key, point), found in zip(cases, json.loads(run.stdout)):
        value, slopes = op.record(point)
        expected = [None if x is ZERO else x for x in (value, *slopes)]
        if len(expected) != len(found) or any(map(differs, expected, found)):
            wrong.append((key, tuple(point), expected, found))
    assert len(cases) > 10_000
    assert [case for case in wrong if (case[0].partition("/")[0], case[1]) not in ILL_CONDITIONED] == []


RUN = """
const { level, leaves } = JSON.parse(require("fs").readFileSync("level.json"));
const operations = new Function(level.program)();
const value = level.nodes.map(node => Number(node.value)), local = level.edges.map(edge => edge.local);
for (const [place, x] of leaves) value[place] = x;
for (const node of level.nodes) if (node.op) {
  const [z, slopes] = operations[node.op](node.in.map(edge => value[level.edges[edge].tail]));
  value[node.id] = z;
  node.in.forEach((edge, k) => { local[edge] = slopes[k]; });
}
console.log(JSON.stringify([value, local]));
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH")
@pytest.mark.parametrize("collapse", [0, "neuron", "example", 9])
def test_the_program_of_every_level_gives_pythons_numbers_at_other_inputs(collapse, tmp_path):
    model = MLP(2, [3, 1], activation="tanh", rng=3)
    losses = []
    for k, x in enumerate(([0.3, -1.0], [1.2, 0.4])):
        with scope(f"example {k}"):
            losses.append(squared_error(model([Value(number, label=f"x{k}{i}") for i, number in enumerate(x)]), 0.5))
    explanation = explain(mean(losses), collapse=collapse)
    level, rng = explanation.level, random.Random(1)
    leaves = [(place, rng.uniform(-1.5, 1.5)) for place in level["inputs"]]
    (tmp_path / "run.cjs").write_text(RUN, encoding="utf-8")
    (tmp_path / "level.json").write_text(json.dumps({"level": level, "leaves": leaves}), encoding="utf-8")
    run = subprocess.run(["node", "run.cjs"], cwd=tmp_path, capture_output=True, check=True)
    values, slopes = json.loads(run.stdout)
    widget = explanation.widget
    widget.leaves = {str(level["nodes"][place]["of"]): x for place, x in leaves}
    moved = widget.tape["levels"][widget.tape["start"]]
    assert values == pytest.approx([node["value"] for node in moved["nodes"]], rel=1e-12, abs=1e-14)
    assert [slope is None for slope in slopes] == [edge["local"] is None for edge in moved["edges"]]
    computed = [slope or 0.0 for slope in slopes]
    assert computed == pytest.approx([edge["local"] or 0.0 for edge in moved["edges"]], rel=1e-12, abs=1e-14)
