"""PyTorch and JAX as references: recorded values and, if installed, random graphs."""

import runpy

import pytest
from hypothesis import given, settings
from peer_records import FOLDER, peer_record

import microgradlib as mg
from microgradlib.ops import TABLE
from microgradlib.testing import graphs

PEER_TABLE = peer_record("ops")
SMALL = {"rel": 1e-13, "abs": 1e-14}


def ours(f, xs):
    leaves = [mg.Value(x) for x in xs]
    output = f(*leaves)
    reverse = mg.grad_table(output)
    return output.data, [reverse.get(x, 0.0) for x in leaves]


@pytest.mark.parametrize("row", PEER_TABLE["rows"], ids=lambda row: f"{row['op']}{row['inputs']}")
def test_recorded_values_and_derivatives(row) -> None:
    value, derivatives = ours(TABLE[row["op"]], row["inputs"])
    for peer in PEER_TABLE["versions"]:
        if peer in row:
            assert value == pytest.approx(row[peer]["value"], **SMALL)
            assert derivatives == pytest.approx(row[peer]["derivatives"], **SMALL)


def test_the_recorded_cases_cover_the_table() -> None:
    rows = PEER_TABLE["rows"]
    assert len(rows) >= 60
    assert len({row["op"] for row in rows}) >= 38
    assert sum("torch" in row and "jax" in row for row in rows) >= 55


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["torch", "jax"])
def test_random_graphs(peer) -> None:
    pytest.importorskip(peer)
    recorder = runpy.run_path(str(FOLDER / "record_ops.py"))
    functions, gradient = recorder[f"{peer}_functions"](), recorder[f"{peer}_gradient"]
    number = pytest.importorskip("torch").as_tensor if peer == "torch" else float

    @settings(max_examples=200, deadline=None)
    @given(graphs([op for op in TABLE.values() if op.name in functions and op.name != "where"], inputs=4))
    def agree(graph) -> None:
        def theirs(*xs):
            table = dict(zip(graph.names, xs))
            for step in graph.steps:
                arguments = [table[a] if isinstance(a, str) else number(a, **doubles) for a in step.arguments]
                table[step.name] = functions[step.op.name](*arguments)
            return table[graph.output]

        value, derivatives = gradient(theirs, graph.inputs)
        our_value, our_derivatives = ours(graph, graph.inputs)
        assert our_value == pytest.approx(value, rel=1e-10, abs=1e-11)
        assert our_derivatives == pytest.approx(derivatives, rel=1e-9, abs=1e-10)

    doubles = {"dtype": pytest.importorskip("torch").float64} if peer == "torch" else {}
    agree()
