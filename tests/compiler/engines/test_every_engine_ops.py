"""Every op of the table on every engine: values and derivatives, at samples and at special numbers, are the table's.

The ops are applied in one program, each to numbers of its own, so that one execution has all derivatives. Executions
are compared, not calls: a call runs examples whose numbers are not finite again on the reference engine.
"""

from functools import cache

import numpy as np
import pytest
from engine_checks import assert_none, engines, executed, faults, has_native_code
from op_programs import EXTREME, OpProgram, sample_applications, special_applications

from microgradlib.compiler import compile as compiled

SLOW = pytest.mark.slow
NOT_NATIVE = {"gamma", "lgamma", "polygamma", "digamma"}
"""What programs contain that NumPy runs: no machine has these derivatives, and NumPy's calls are SciPy's."""

BY_STATEMENTS = {"cross_entropy", "neg_log_softmax", "logsumexp"}
"""What engines compute by the kernel table, with one shift for all terms: not exact where numbers are not finite."""

CANCELLING = {"sum", "mean", "dot", "cross_entropy"}
"""Of 1e300 − 1e160 − 1e300 no digit is right but by the reference engine, which adds up exactly."""

CONTRACTED = ("cross_entropy",)
"""XLA rounds only one of the products in p Σ w − w (1 − p), which is then not 0 where they are equal: 2e-5 of 416."""

NUMBERS = {
    "samples": sample_applications,
    "special": special_applications,
    "extreme": lambda: [a for a in special_applications(EXTREME) if a.op.name not in CANCELLING],
}


@cache
def program(numbers, wide, parameters, *, is_native=True):
    """Return a program of all ops, those that have native code or those that have none, and the reference's results."""
    chosen = [a for a in NUMBERS[numbers]() if (a.op.name not in NOT_NATIVE) == is_native]
    return OpProgram(chosen, wide=wide, parameters=parameters)


@cache
def expected(numbers, wide, parameters, dtype, what, *, is_native=True):
    return executed(program(numbers, wide, parameters, is_native=is_native), "reference", dtype, what)[:2]


def compare(backend, dtype, numbers, wide, parameters=0, *, is_native=True):
    """Hold one execution of all ops to the reference engine."""
    what = "parameters" if parameters else "inputs"
    ops = program(numbers, wide, parameters, is_native=is_native)
    *found, engine = executed(ops, backend, dtype, what)
    exact = (lambda name: name not in BY_STATEMENTS) if backend == "native" else (lambda name: False)
    wanted = expected(numbers, wide, parameters, dtype, what, is_native=is_native)
    contracted = CONTRACTED if (backend, dtype) == ("jax", "float32") else ()
    all_faults = faults(ops, found, wanted, dtype, what, exact=exact)
    assert_none([fault for fault in all_faults if not fault.startswith(contracted)])
    assert backend != "native" or has_native_code(engine) == is_native


def cases(*ways):
    """Return parameters (backend, dtype, numbers, wide); slow are all but these of native code, and NumPy in double."""
    found = []
    for backend in ("numpy", "native", "jax"):
        for dtype in ("float64", "float32"):
            for numbers in ("samples", "special"):
                for wide in (False, True):
                    way = (dtype, numbers, wide)
                    is_quick = dtype == "float64" if backend == "numpy" else backend == "native" and way in ways
                    [engine] = engines(backend)
                    name = f"{backend}-{dtype}-{numbers}-{'wide' if wide else 'batch'}"
                    found.append(
                        pytest.param(backend, *way, marks=[*engine.marks, *(() if is_quick else (SLOW,))], id=name)
                    )
    return found


@pytest.mark.parametrize(
    ("backend", "dtype", "numbers", "wide"), cases(("float64", "special", True), ("float32", "samples", False))
)
def test_all_ops_by_their_inputs(backend, dtype, numbers, wide):
    compare(backend, dtype, numbers, wide)
    compare(backend, dtype, numbers, wide, is_native=False)


@pytest.mark.parametrize("backend", engines("numpy", "native"))
@pytest.mark.slow
@pytest.mark.parametrize("wide", [False, True])
def test_numbers_of_which_squares_and_inverses_are_out_of_range(backend, wide):
    compare(backend, "float64", "extreme", wide)


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax"))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("numbers", "wide", "parameters"), [
    ("samples", False, 1), ("samples", True, 9), ("special", True, 1), ("special", True, 9),
])  # fmt: skip
@pytest.mark.slow
def test_all_ops_by_their_parameters(backend, dtype, numbers, wide, parameters):
    """The first argument, or all, have no batch axis."""
    compare(backend, dtype, numbers, wide, parameters)


@pytest.mark.parametrize("backend", engines("numpy", "native", "jax"))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.slow
def test_second_derivatives_of_all_ops(backend, dtype):
    ops = program("samples", True, 9)
    vector = np.linspace(-1.0, 1.0, len(ops.parameters))
    found, wanted = (
        compiled(ops, ops.parameters, backend=b, dtype=dtype).hvp(ops.rows, vector=vector)
        for b in (backend, "reference")
    )
    tolerance = 1e-11 if dtype == "float64" else 1e-4
    wrong = ~(np.abs(found - wanted) <= tolerance * np.maximum(np.abs(wanted), 1.0))
    owners = ops.owners("parameters")
    assert_none([f"{owners[k]}: {found[k]} in place of {wanted[k]}" for k in np.flatnonzero(wrong).tolist()])


def test_wrong_numbers_are_faults():
    ops = OpProgram([a for a in special_applications() if a.op.name in ("mul", "exp", "log", "sqrt")], wide=False)
    outputs, slopes, _ = executed(ops, "reference")
    assert faults(ops, (outputs, slopes), (outputs, slopes)) == []
    wrong = outputs + np.where(np.arange(outputs.size).reshape(outputs.shape) == 2, 1e-11, 0.0)
    [fault] = faults(ops, (wrong, slopes), (outputs, slopes))
    assert fault.startswith(f"{ops.names[1]}, value in example 2: ")
    wrong = slopes + np.where(np.arange(slopes.size).reshape(slopes.shape) == 2, 1e-11, 0.0)
    [fault] = faults(ops, (outputs, wrong), (outputs, slopes))
    assert fault.startswith(f"{ops.owners('inputs')[0]}, derivative in example 2: ")


def test_what_is_not_finite_may_hide_a_wrong_derivative_but_not_a_wrong_value():
    ops = OpProgram([a for a in special_applications() if a.op.name == "log"], wide=False)
    outputs, slopes, _ = executed(ops, "reference")
    wrong = np.where(np.isfinite(outputs), slopes, 1.0)
    assert faults(ops, (outputs, wrong), (outputs, slopes)) == []
    assert len(faults(ops, (outputs, wrong), (outputs, slopes), exact=lambda name: name == "log")) == 3
    finite = np.where(np.isfinite(outputs), outputs, 1.0)  # nothing shows that anything is wrong
    found = [fault.split(", ")[1].split(" ")[0] for fault in faults(ops, (finite, wrong), (outputs, slopes))]
    assert found == ["value"] * 3 + ["derivative"] * 3
