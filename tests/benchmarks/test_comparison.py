"""A rival that computes something else than ours is found before anything is timed."""

from importlib import import_module
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

from microgradlib import Value  # noqa: E402


@pytest.fixture(autouse=True)
def neighbours(monkeypatch) -> None:
    """Let the benchmarks, which lie in no package, import one another."""
    monkeypatch.syspath_prepend(Path(__file__).parent)


def line(rival, dtype="float64"):
    """Return the comparison of a mean of w·x, x = 1 and 3, with a rival."""
    weight = Value(2.0)
    return import_module("comparison").Comparison(
        name="line",
        title="a line",
        loss=lambda x, y: weight * x + y,
        parameters=[weight],
        weights=[[weight]],
        data=(np.array([1.0, 3.0]), np.zeros(2)),
        rivals={"rival": rival},
        dtype=dtype,
        backend="numpy",
    )


def test_a_rival_that_agrees_is_measured() -> None:
    problem = line(lambda arrays: lambda: (4.0, [np.full(1, 2.0)]))
    assert problem.prepare(2) == []
    assert list(problem.steps) == ["ours", "rival"]
    assert len(problem.first_calls) == 2


@pytest.mark.parametrize(
    ("value", "gradient"), [(4.001, [2.0]), (4.0, [2.001]), (4.0, [np.nan]), (np.nan, [2.0]), (4.0, [[2.0]])]
)
def test_a_rival_that_differs_is_refused(value, gradient) -> None:
    problem = line(lambda arrays: lambda: (value, [np.array(gradient)]))
    with pytest.raises(ValueError, match="a line: rival differs from ours"):
        problem.prepare(1)


def test_a_rival_in_another_precision_is_refused() -> None:
    problem = line(lambda arrays: lambda: (4.0, [np.full(1, 2.0)]), "float32")
    with pytest.raises(ValueError, match="rival computes in float64, not in float32"):
        problem.prepare(1)


def test_a_rival_that_is_not_installed_is_named() -> None:
    def absent(arrays):
        raise ImportError("no module named rival")

    problem = line(absent)
    assert problem.prepare(1) == ["rival is left out: no module named rival"]
    assert list(problem.steps) == ["ours"]


def test_the_bar_of_pytorch_is_for_the_layout_of_its_own_layers() -> None:
    seconds = {"ours": [1.0], "torch, features first": [5.0], "torch, batch first": [8.0]}
    rows = import_module("compiled").ratios([{"name": "mlp-100", "backend": "native", "seconds": seconds}], "float64")
    assert [(row["rival"], row["ratios"], row["bar"]) for row in rows] == [
        ("torch, features first", [0.2], None),
        ("torch, batch first", [0.125], 0.1),
    ]


def test_the_bar_is_for_the_fastest_program_of_a_library() -> None:
    run = {
        "name": "mlp-100",
        "backend": "native",
        "seconds": {"ours": [1.0, 1.0], "jax, slow": [9.0, 9.0], "jax, quick": [5.0, 2.0], "other": [1.0, 1.0]},
    }
    rows = import_module("compiled").ratios(
        [run, {**run, "seconds": {**run["seconds"], "jax, quick": [2.0, 2.0]}}], "float64"
    )
    assert [(row["rival"], row["ratios"], row["bar"], row["held"]) for row in rows] == [
        ("other", [1.0, 1.0], None, None),
        ("jax, quick", [0.35, 0.5], 0.25, 0),
        ("jax, slow", [1 / 9, 1 / 9], None, None),
    ]
