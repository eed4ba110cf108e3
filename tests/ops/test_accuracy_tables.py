"""Values held to tables that others made: NumPy's validation sets of its ufuncs, SciPy's tables, PyTorch's samples."""

import math
import struct
from importlib.util import find_spec
from pathlib import Path

import mpmath
import numpy as np
import pytest
from peer_records import peer_record

from microgradlib import Value, grad_table, polygamma
from microgradlib.ops import TABLE

NUMPY_SETS = Path(np.__file__).parent / "_core" / "tests" / "data"
NUMPY_NAMES = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctanh": "atanh",
    **{name: name for name in ("cbrt", "cos", "cosh", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "sin",
                               "sinh", "tan", "tanh")},
}  # fmt: skip
SCIPY_TABLES = [
    ("cbrt_data_ipp-cbrt_data", "cbrt", 1, 0, 1e-15),  # its columns are the cube and the root
    ("erf_data_ipp-erf_data", "erf", 0, 1, 1e-14),
    ("erf_data_ipp-erf_data", "erfc", 0, 2, 1e-13),
    ("erf_large_data_ipp-erf_large_data", "erfc", 0, 2, 1e-13),
    ("erf_small_data_ipp-erf_small_data", "erf", 0, 1, 1e-15),
    ("log1p_expm1_data_ipp-log1p_expm1_data", "log1p", 0, 1, 1e-15),
    ("log1p_expm1_data_ipp-log1p_expm1_data", "expm1", 0, 2, 1e-15),
    ("test_gamma_data_ipp-factorials", "gamma", 0, 1, 1e-14),
    ("test_gamma_data_ipp-factorials", "lgamma", 0, 2, 1e-14),
    ("test_gamma_data_ipp-near_0", "lgamma", 0, 2, 5e-11),
    ("test_gamma_data_ipp-near_1", "lgamma", 0, 2, 5e-11),
    ("test_gamma_data_ipp-near_2", "lgamma", 0, 2, 2e-10),  # as SciPy: the table's inputs are rounded
    ("test_gamma_data_ipp-near_m10", "lgamma", 0, 2, 5e-11),
    ("test_gamma_data_ipp-near_m55", "lgamma", 0, 2, 5e-11),
]
"""Table, op, columns of input and output, and the relative error that SciPy's tests allow, or a smaller one."""


def float_of(bits: str, kind: str) -> float:
    whole, code = int(bits, 16), {"np.float32": ">f", "np.float64": ">d"}[kind]
    return struct.unpack(code, whole.to_bytes(struct.calcsize(code), "big"))[0]


def float32_ulps(x: float, y: float) -> float:
    """Return the distance of two doubles, as float32, in units in the last place of float32."""
    with np.errstate(over="ignore"):
        a, b = np.float32(x), np.float32(y)
    if a == b or (math.isnan(x) and math.isnan(y)):
        return 0.0
    return abs(float(a) - float(b)) / float(np.spacing(np.float32(min(abs(b), np.finfo(np.float32).max))))


@pytest.mark.parametrize("name", NUMPY_NAMES)
def test_numpys_validation_sets(name):
    path = NUMPY_SETS / f"umath-validation-set-{name}.csv"
    if not path.exists():
        pytest.skip("this NumPy comes without its validation sets")
    op, count = TABLE[NUMPY_NAMES[name]], 0
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split(",")
        if line[:1] in {"#", "$", ""} or len(fields) < 4:
            continue
        x, true = float_of(fields[1], fields[0]), float_of(fields[2], fields[0])
        found, count = op.compute(x), count + 1
        if fields[0] == "np.float32":
            assert float32_ulps(found, true) <= 1, (x, true)
        elif not (found == true or (math.isnan(found) and math.isnan(true))):
            assert abs(found - true) <= 2 * math.ulp(true), (x, true)
    assert count > 100


@pytest.mark.parametrize(("table", "name", "x", "y", "allowed"), SCIPY_TABLES)
def test_scipys_tables(table, name, x, y, allowed):
    spec = find_spec("scipy")
    path = Path(spec.origin).parent / "special" / "tests" / "data" / "boost.npz" if spec else None
    if path is None or not path.exists():
        pytest.skip("SciPy's tables are not installed")
    with np.load(path) as tables:
        rows = tables[table]
    for row in rows:
        assert TABLE[name].compute(float(row[x])) == pytest.approx(float(row[y]), rel=allowed, abs=1e-300), row


@pytest.mark.parametrize("root", [1.4616321449683623, -0.5040830082644554])
def test_digamma_near_its_roots(root):
    for distance in [0.0, *[s * 10.0**-k for k in range(1, 16) for s in (1, -1)], 0.24, -0.24]:
        x = root + distance
        with mpmath.workdps(40):
            true = float(mpmath.psi(0, x))
        assert polygamma(x, 0) == pytest.approx(true, rel=1e-15 if abs(distance) <= 0.07 or root > 0 else 4e-15, abs=0)


EXTREMAL = peer_record("extremal")["rows"]
OTHERWISE = {
    "tanh": "PyTorch subtracts from 1 what is near it: its slopes are exact to 1e-16",
    "sinc": "PyTorch's sine of a multiple of pi is 1e-16 instead of 0",
}
"""Ops of which PyTorch's slopes are compared to 1e-15 only, with the reason."""


def differs(row) -> bool:
    """Return whether this library documents another slope, or PyTorch's over- or underflows: xlogy of negative y is
    outside the domain; atan2's slopes divide by x² + y².
    """
    x, y = (*map(float, row["inputs"]), 1.0)[:2]
    return (row["op"] == "xlogy" and y < 0) or (row["op"] == "atan2" and max(abs(x), abs(y)) < 1e-150)


@pytest.mark.parametrize("name", sorted({row["op"] for row in EXTREMAL}))
def test_pytorchs_extremal_samples(name):
    slack = 1e-15 if name in OTHERWISE else 1e-300
    for row in [row for row in EXTREMAL if row["op"] == name]:
        values = [Value(float(x)) for x in row["inputs"]]
        out = TABLE[name](*values)
        assert same(out.data, float(row["value"]), slack), row
        if row["derivatives"] is not None and not differs(row):
            table = grad_table(out)
            slopes = [table.get(value, 0.0) for value in values]
            assert all(same(a, float(b), slack) for a, b in zip(slopes, row["derivatives"])), (row, slopes)


def same(found: float, expected: float, slack: float) -> bool:
    both_nan = math.isnan(found) and math.isnan(expected)
    return both_nan or found == pytest.approx(expected, rel=1e-12, abs=slack)
