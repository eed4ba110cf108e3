"""What the page computes from a tape, under Node: values, gradients, tangents, bugs and paths equal Python's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from page_modules import needs_node, page_modules
from tape_gradients import gradients_of

from microgradlib import Value, explain, grad_table, relu, tanh, where
from microgradlib.core.autodiff import tangent_table
from microgradlib.core.graph import topological_sort
from microgradlib.nn import MLP
from microgradlib.ops import ZERO

needs_node()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with page_modules(tmp_path_factory.mktemp("page")) as run:
        yield run


def neuron():
    w, x, b = Value(0.5, label="w"), Value(3.0, label="x"), Value(-1.0, label="b")
    return tanh(w * x + b)


def fan_out():
    x, y = Value(3.0, label="x"), Value(4.0, label="y")
    return x * x + x * y


def walls():
    x, y = Value(0.0, label="x"), Value(2.0, label="y")
    return relu(x) * y + x.detach() * y + where(x > 0, x.log(), 0.0) + x * x


def infinite():
    x, y = Value(0.0, label="x"), Value(3.0, label="y")
    return x.sqrt() * y + x * 0.0


def network():
    model = MLP(2, [3, 1], activation="tanh", rng=3)
    return (model([Value(1.0, label="x1"), Value(-2.0, label="x2")]) - 1.0) ** 2


GRAPHS = {make.__name__: make for make in (neuron, fan_out, walls, infinite, network)}


@pytest.fixture(scope="module", params=GRAPHS)
def graph(request):
    """An output, its nodes in order, and the level of its tape in which every node is seen."""
    output = GRAPHS[request.param]()
    explanation = explain(output, collapse=0, check=False)
    return output, topological_sort(output), explanation.level


def exact(numbers):
    """Numbers of Python or of the page, to compare bit for bit; None where nothing arrives."""
    return [None if x is None or x is ZERO else repr(float(x) + 0.0) for x in numbers]


FINAL = """
  const { trace, finals, framesOf } = await load("model/frames");
  const { compile, evaluate } = await load("model/numerics");
  const { encode } = await load("model/numbers");
  const { level } = data;
  const numbers = evaluate(level, compile(level), new Map(data.leaves ?? []));
"""


def gradients_in_page(run, level, bug="", leaves=()):
    body = f"""{FINAL}
      const frames = level.passes[data.bug === "stale" ? "twice" : "reverse"];
      const pass = trace(level, numbers, frames, data.bug);
      return [finals(level, pass).map(encode), numbers.value.map(encode)];"""
    return run(body, {"level": level, "bug": bug, "leaves": list(leaves)})


def asked_for(level):
    return [node["id"] for node in level["nodes"] if node["role"] not in {"constant", "target"}]


def test_gradients_equal_grad_table(run, graph):
    output, order, level = graph
    found, values = gradients_in_page(run, level)
    table = grad_table(output)
    assert exact(values) == exact(node.data for node in order)
    assert exact(found[i] for i in asked_for(level)) == exact(table[order[i]] for i in asked_for(level))


@pytest.mark.parametrize("bug", ["assign", "stale"])
def test_wrong_programs_give_the_wrong_gradients_of_python(run, graph, bug):
    _, _, level = graph
    if bug not in level["bugs"]:
        pytest.skip("this bug changes nothing here")
    found, _ = gradients_in_page(run, level, bug)
    wanted = gradients_of(level, bug)
    assert exact(found[i] or 0.0 for i in asked_for(level)) == exact(wanted[i] + 0.0 for i in asked_for(level))


@given(numbers=st.lists(st.floats(1e-3, 3) | st.floats(-3, -1e-3), min_size=15, max_size=15))
@settings(max_examples=6, deadline=None)
def test_moved_sliders_give_python_s_numbers(run, graph, numbers):
    output, order, level = graph
    moved = dict(zip(level["inputs"], numbers))
    leaves = {order[i]: Value(x) for i, x in moved.items()}
    again = {}
    for node in order:
        again[node] = leaves.get(node) or (node.op(*[again[p] for p in node.parents]) if node.op else Value(node.data))
    if any(node.op is None and node not in leaves and "detach" in str(node.label) for node in order):
        pytest.skip("a detached number is a constant of the tape")
    found, values = gradients_in_page(run, level, leaves=moved.items())
    table = grad_table(again[output])
    assert [float(x) for x in values] == pytest.approx([again[node].data for node in order], rel=1e-12, nan_ok=True)
    assert [float(found[i] or 0.0) for i in asked_for(level)] == pytest.approx(
        [table.get(again[order[i]], 0.0) for i in asked_for(level)], rel=1e-11, abs=1e-300, nan_ok=True
    )


def test_sweeps_equal_tangent_table(run, graph):
    output, order, level = graph
    body = f"""{FINAL}
      return level.inputs.map(input => {{
        const pass = trace(level, numbers, framesOf(level, "forward", input));
        return encode(pass.answers.get(input)?.value ?? null);
      }});"""
    found = run(body, {"level": level})
    wanted = [tangent_table(output, {order[i]: 1.0})[output] for i in level["inputs"]]
    assert [float(x or 0.0) for x in found] == pytest.approx([x + 0.0 for x in wanted], rel=1e-13, nan_ok=True)


def test_frames_of_a_sweep_are_python_s(run, graph):
    _, _, level = graph
    body = """const { sweepFrames } = await load("model/frames");
              return data.sweeps.map((x, k) => sweepFrames(data, x, k, data.inputs.length));"""
    frames = [frame for sweep in run(body, level) for frame in sweep]
    assert frames == [frame for frame in level["passes"]["forward"] if frame["do"] in {"sweep", "tangent"}]


def test_the_sum_over_all_paths_is_the_gradient(run, graph):
    output, order, level = graph
    body = f"""{FINAL}
      const {{ paths }} = await load("model/paths");
      return level.inputs.map(input => {{
        const ways = paths(level, numbers.local, input, 1000);
        return [Number(ways.count) === ways.found.length, ways.found.map(way => encode(way.product))];
      }});"""
    table = grad_table(output)
    for node, (all_found, products) in zip(level["inputs"], run(body, {"level": level})):
        assert all_found
        total = sum(float(x) for x in products if x is not None)
        assert total == pytest.approx(table[order[node]] + 0.0, rel=1e-12, abs=1e-15, nan_ok=True)


def test_paths_are_counted_without_listing_them(run):
    x = y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    level = explain(y, collapse=0, check=False).level
    body = """const { paths } = await load("model/paths");
              const ways = paths(data, data.edges.map(e => e.local), 0, 5);
              return [String(ways.count), ways.found.length];"""
    assert run(body, level) == [str(2**60), 5]
    assert grad_table(y)[x] == 2.0**60


def test_a_wrong_local_derivative_is_found_by_differences(run):
    level = explain(fan_out(), check=False).level
    body = f"""{FINAL}
      const {{ numericDerivative, agrees }} = await load("model/numerics");
      const operations = compile(level);
      numbers.local[0] *= 1.001;
      const right = finals(level, trace(level, evaluate(level, operations, new Map()), level.passes.reverse));
      const wrong = finals(level, trace(level, numbers, level.passes.reverse));
      return level.inputs.map(x => {{
        const check = numericDerivative(level, operations, new Map(), x);
        return [agrees(check, right[x]), agrees(check, wrong[x]), check.kink];
      }});"""
    assert run(body, {"level": level}) == [[True, False, False], [True, True, False]]


def test_a_kink_is_seen_from_both_sides(run):
    level = explain(relu(Value(0.0, label="x")), check=False).level
    body = f"""{FINAL}
      const {{ numericDerivative }} = await load("model/numerics");
      return numericDerivative(level, compile(level), new Map(), 0);"""
    check = run(body, {"level": level})
    assert check["kink"]
    assert (check["left"], check["right"]) == pytest.approx((0, 1))
