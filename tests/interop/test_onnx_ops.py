"""Every op of the table as an ONNX graph: in onnxruntime its values are those of the reference engine."""

import itertools

import numpy as np
import pytest

from microgradlib.compiler import compile as compiled
from microgradlib.interop import to_onnx
from microgradlib.ops import TABLE

pytest.importorskip("onnx", reason="to_onnx needs the package onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="models are run by onnxruntime")

INF, NAN = np.inf, np.nan
ALONE = [
    -INF, -1e300, -1000, -40.5, -26.3, -7.3, -3, -2.5, -1.5, -1, -0.7, -0.5, -0.2, -1e-8, -1e-300, -0.0,
    0.0, 1e-300, 1e-8, 0.01, 0.3, 0.5, 0.97, 1, 1.2, 1.5, 2, 2.5, 3.3, 7, 12.4, 30.0, 40, 171, 1000, 1e300, INF, NAN,
]  # fmt: skip
"""Points of ops of one number: special ones, and both sides of every branch of the functions that are written out."""
IN_PAIRS = [-INF, -1000, -2.5, -1, -0.3, -0.0, 0.0, 0.3, 1, 2.5, 1000, INF, NAN]
SINGLE_PRECISION_ROOM = {"lgamma": 1e-4, "gamma": 3e-5, "polygamma": 1e-4, "sum": 1e-4, "mean": 1e-4}
CASES = {
    **{name: (op, op.arity or 3) for name, op in TABLE.items() if name not in {"dot", "polygamma"}},
    **{f"{name} of {n}": (op, n) for name, op in TABLE.items() if op.variadic for n in (1, 2, 4, 5)
       if name != "dot" or n > 1},
    **{f"polygamma {n}": (lambda x, n=n: TABLE["polygamma"](x, n), 1) for n in (0, 1, 2, 5)},
}  # fmt: skip


def rows_of(count, points=None):
    if count == 1:
        return [[x] for x in points or ALONE]
    if count == 2:
        return [list(pair) for pair in itertools.product(points or IN_PAIRS, repeat=2)]
    return np.random.default_rng(count).choice(points or IN_PAIRS, (250, count)).tolist()


def both(op, count, rows, dtype, path):
    """Return the values of an op at rows, by the reference engine and by onnxruntime."""
    fast = compiled(lambda x: op(*[x[k] for k in range(count)]), backend="reference", dtype=dtype)
    with np.errstate(over="ignore"):
        rows = np.array(rows).astype(dtype)
    expected = fast(rows)
    session = onnxruntime.InferenceSession(to_onnx(fast, path), providers=["CPUExecutionProvider"])
    return expected, session.run(None, {"x": rows})[0]


def differing(expected, got, room):
    return [pair for pair in zip(expected, got) if not np.isclose(*pair, rtol=room, atol=room / 10, equal_nan=True)]


@pytest.mark.parametrize("name", CASES)
def test_values_at_special_numbers(name, tmp_path):
    op, count = CASES[name]
    expected, got = both(op, count, rows_of(count), np.float64, tmp_path / "op.onnx")
    assert differing(expected, got, 1e-12) == []


@pytest.mark.parametrize("name", CASES)
def test_values_in_single_precision(name, tmp_path):
    op, count = CASES[name]
    finite = [x for x in (ALONE if count == 1 else IN_PAIRS) if 1e-20 < abs(x) < 1e3 or x == 0]
    expected, got = both(op, count, rows_of(count, finite), np.float32, tmp_path / "op.onnx")
    assert differing(expected, got, SINGLE_PRECISION_ROOM.get(name.split()[0], 1e-5)) == []


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if name not in {"dot", "polygamma"}])
def test_digits_inside_the_domain(name, tmp_path):
    op, rng = TABLE[name], np.random.default_rng(1)
    count = op.arity or 4
    intervals = [op.sample[min(k, len(op.sample) - 1)] for k in range(count)]
    rows = np.transpose([rng.uniform(*interval, 200) for interval in intervals]).tolist()
    expected, got = both(op, count, rows, np.float64, tmp_path / "op.onnx")
    assert differing(expected, got, 1e-12 if name == "lgamma" else 3e-14) == []


def test_the_comparison_finds_a_wrong_digit():
    assert differing([1.0, NAN, INF], [1.0 + 2e-12, NAN, INF], 1e-12) == [(1.0, 1.0 + 2e-12)]
    assert len(differing([INF, 0.0, NAN], [NAN, 1e-12, 0.0], 1e-12)) == 3
