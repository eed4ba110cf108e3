"""Strategies: intervals of numbers, limits of graphs, shrinking to short source."""

import math
import subprocess
import sys

import pytest
from hypothesis import Phase, find, given, settings, strategies as st

import microgradlib as mg
from microgradlib.core.autodiff import evaluate
from microgradlib.ops import TABLE
from microgradlib.testing import ExpressionGraph, Step, floats_for, graphs, inputs_for, values
from microgradlib.testing.conditioning import crosses_kink, is_smooth, sample_interval

ALL_OPS = list(TABLE.values())
NO_DEADLINE = settings(deadline=None, max_examples=90)
SHRINKING = settings(
    database=None,
    derandomize=True,
    max_examples=3000,
    report_multiple_bugs=False,
    phases=[Phase.generate, Phase.shrink],
)


def ops_of(graph: ExpressionGraph) -> list[str]:
    return [step.op.name for step in graph.steps]


@pytest.mark.parametrize("op", ALL_OPS, ids=lambda op: op.name)
def test_inputs_keep_to_the_sample_region_and_away_from_kinks(op) -> None:
    @settings(deadline=None, max_examples=8)
    @given(inputs_for(op), st.data())
    def drawn(inputs, data) -> None:
        assert op.arity in {None, len(inputs)}
        for i, x in enumerate(inputs):
            low, high = sample_interval(op, i)
            assert low <= x <= high
        assert not crosses_kink(op, inputs)
        x = data.draw(floats_for(op))
        low, high = op.sample[0]
        assert low <= x <= high
        if op.arity == 1:
            assert not crosses_kink(op, [x])

    drawn()


@given(values(0.5, 2.0))
def test_values_are_leaves_within_limits(v) -> None:
    assert 0.5 <= v.data <= 2.0
    assert v.op is None
    assert v.grad == 0.0


@given(v=..., graph=...)
@settings(deadline=None)
def test_type_hints_find_the_strategies(v: mg.Value, graph: ExpressionGraph) -> None:
    assert -10.0 <= v.data <= 10.0
    assert math.isfinite(graph(*graph.inputs))


@pytest.mark.parametrize(
    "program",
    [
        "from hypothesis.strategies import from_type; from microgradlib import Value; from_type(Value).validate()",
        "import microgradlib.testing as t, hypothesis.strategies as s; s.from_type(t.ExpressionGraph).validate()",
    ],
)
def test_strategies_are_registered_in_either_import_order(program) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_missing_hypothesis_names_the_extra() -> None:
    program = "import sys; sys.modules['hypothesis'] = None; import microgradlib; import microgradlib.testing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("microgradlib.errors.MissingExtraError: ")
    assert 'pip install "microgradlib[testing]"' in done.stderr


@NO_DEADLINE
@given(graphs(ALL_OPS))
def test_inputs_of_ops_are_in_their_sample_intervals(graph) -> None:
    table = dict(zip(graph.names, graph.inputs))
    for step in graph.steps:
        arguments = [table[a] if isinstance(a, str) else a for a in step.arguments]
        assert not crosses_kink(step.op, arguments)
        for i, x in enumerate(arguments):
            low, high = sample_interval(step.op, i)
            slack = 0.05 * (high - low)  # ranges are judged from a grid
            assert low - slack <= x <= high + slack or (low, high) == (-3.0, 3.0)
        table[step.name] = step.op.compute(*arguments)
    assert abs(table[graph.output]) < 200


@NO_DEADLINE
@given(st.data(), st.integers(1, 4), st.integers(1, 15), st.integers(1, 6), st.integers(1, 3), st.booleans())
def test_limits_are_respected(data, inputs, nodes, depth, width, sharing) -> None:  # noqa: PLR0917
    limits = {"inputs": inputs, "max_nodes": nodes, "max_depth": depth, "max_width": width, "sharing": sharing}
    graph = data.draw(graphs(**limits))
    used = [a for step in graph.steps for a in step.arguments if isinstance(a, str)]
    depths = list(graph.depths.values())
    assert 1 <= len(graph.names) <= inputs
    assert len(graph.steps) <= nodes
    assert max(depths) <= depth
    assert max(depths.count(d) for d in range(1, depth + 1)) <= width
    assert sharing or all(used.count(step.name) <= 1 for step in graph.steps)
    assert all(used.count(name) >= 1 or name == graph.output for name in graph.depths)


@NO_DEADLINE
@given(graphs([TABLE["sin"], TABLE["add"]]))
def test_only_chosen_and_squashing_ops_occur(graph) -> None:
    assert set(ops_of(graph)) <= {"sin", "add", "mul", "tanh"}


@NO_DEADLINE
@given(graphs([op for op in ALL_OPS if op.name != "detach"], max_nodes=20))
def test_source_runs_and_is_the_same_function(graph) -> None:
    assert repr(graph).splitlines()[-1] == f"f({', '.join(map(repr, graph.inputs))})"
    scope = {}
    exec(repr(graph), scope)  # noqa: S102  our own text
    leaves = [mg.Value(x) for x in graph.inputs]
    again = [mg.Value(x) for x in graph.inputs]
    ours, theirs = graph(*leaves), scope["f"](*again)
    assert ours.data == theirs.data == graph(*graph.inputs)
    symbols = [mg.Symbol(name) for name in graph.names]
    assert evaluate(graph(*symbols), dict(zip(symbols, graph.inputs))) == ours.data
    mine, yours = mg.grad_table(ours), mg.grad_table(theirs)
    assert [mine[x] for x in leaves] == [yours[x] for x in again]


def test_graphs_grow_large_and_share() -> None:
    sizes, shared = [], 0

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(graphs(max_nodes=60, inputs=4))
    def look(graph) -> None:
        nonlocal shared
        sizes.append(len(graph.steps))
        used = [a for step in graph.steps for a in step.arguments]
        shared += any(used.count(step.name) > 1 for step in graph.steps)

    look()
    assert max(sizes) >= 25
    assert shared >= 40


@pytest.mark.parametrize(
    "name",
    [
        "pow",
        "relu",
        *[
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("sub", "exp", "acosh", "log", "floor", "div", "logsumexp", "gamma")
        ],
    ],
)
def test_a_graph_shrinks_to_the_relevant_op(name) -> None:
    graph = find(graphs(ALL_OPS), lambda g: name in ops_of(g), settings=SHRINKING)
    assert ops_of(graph) == [name]
    assert len(graph.names) <= 2 + (name == "logsumexp")
    assert all(x == round(x, 3) for x in graph.inputs)


def test_failing_graphs_shrink_to_short_source() -> None:
    graph = find(graphs(), lambda g: max(g.depths.values()) >= 3 and len(g.names) >= 2, settings=SHRINKING)
    assert len(graph.steps) <= 6
    assert len(repr(graph)) < 260
    assert graph.inputs == (0.0, 0.0) or max(map(abs, graph.inputs)) <= 2.0


def test_failing_examples_are_reported_as_source() -> None:
    @settings(SHRINKING, max_examples=1000)
    @given(graph=graphs())
    def fails(graph) -> None:
        assert "exp" not in ops_of(graph)

    with pytest.raises(AssertionError) as caught:
        fails()
    if sys.version_info >= (3, 11):  # before, Hypothesis prints it
        assert "t1 = mg.exp(x)\n" in "\n".join(caught.value.__notes__)


def test_user_defined_ops_are_among_the_default_ops(temporary_op) -> None:
    swish = temporary_op(
        "swish",
        value=lambda xp, x: x * xp.sigmoid(x),
        derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
        formula="x σ(x)",
    )
    assert is_smooth(swish)
    graph = find(graphs(), lambda g: "swish" in ops_of(g), settings=SHRINKING)
    assert 'swish = TABLE["swish"]' in repr(graph)
    scope = {}
    exec(repr(graph), scope)  # noqa: S102
    assert scope["f"](1.0) == graph(1.0) == swish(1.0)


def test_smooth_ops() -> None:
    smooth = {op.name for op in ALL_OPS if is_smooth(op)}
    assert {"add", "pow", "hypot", "atan2", "logsumexp", "softplus", "where"} <= smooth
    kinky = {"relu", "leaky_relu", "elu", "hard_tanh", "hard_sigmoid", "abs", "maximum", "clip", "floor", "less"}
    assert not smooth & (kinky | {"detach"})


def test_invalid_calls_raise() -> None:
    with pytest.raises(ValueError, match="at least one op, got none"):
        graphs([])
    with pytest.raises(ValueError, match="inputs must be a whole number >= 1, got 0"):
        graphs(inputs=0)
    graph = ExpressionGraph(("x", "y"), (Step("t1", TABLE["add"], ("x", "y")),), "t1", (1.0, 2.0))
    with pytest.raises(TypeError, match=r"takes 2 arguments \(x, y\), got 1"):
        graph(1.0)
