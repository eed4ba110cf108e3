"""The engines as parameters of tests, and what one execution of a program gives beside the reference engine."""

from importlib.util import find_spec

import numpy as np
import pytest

from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import ENGINES

__all__ = ["assert_none", "each_engine", "engines", "executed", "faults", "has_native_code"]

NEEDS = {"native": "llvmlite", "jax": "jax"}
TOLERANCES = {"float64": 1e-12, "float32": 2e-5}


def engines(*names, marks=()):
    """Return engines as parameters of a test, all if none is named; it is skipped where what they need is missing.

    `marks` are put on engines whose programs take seconds to compile: "slow" for those of JAX.
    """
    found = []
    for name in names or ENGINES:
        module = NEEDS.get(name, "numpy")
        missing = pytest.mark.skipif(find_spec(module) is None, reason=f'backend="{name}" needs {module}')
        found.append(pytest.param(name, marks=[missing, *(marks if name == "jax" else ())]))
    return found


each_engine = pytest.mark.parametrize("backend", engines())


def executed(program, backend, dtype="float64", what="inputs"):
    """Execute the joint program of an `OpProgram` once, with no second run where numbers are not finite.

    Returns the outputs, (outputs, batch), and the derivatives of their sum by the inputs, (inputs, batch), or by the
    parameters, (parameters, 1), in the order of the arguments; and the engine.
    """
    fast = compiled(program, program.parameters, backend=backend, dtype=dtype)
    engine, (parameters, columns) = fast._ready((program.rows,))
    seed = np.zeros((len(program.names), len(program.rows)), dtype)
    seed[1:] = 1.0
    joint = engine.joint("jacobian" if what == "inputs" else "gradient")
    order = engine.program.input_order if what == "inputs" else engine.program.parameter_order
    with np.errstate(all="ignore"):
        outputs, (found,) = engine.execute(joint, parameters, columns, (seed if what == "inputs" else 1.0,))
    found = found.reshape(len(order), -1)[np.argsort(order)]
    return outputs[1:], found[: len(program.owners(what))], engine


def has_native_code(engine):
    """Return whether all that an engine has run was native code."""
    return None not in engine._codes.values()


def faults(program, found, expected, dtype="float64", what="inputs", *, exact=lambda name: False):
    """Return what is wrong in the results of `executed`, an entry for each application.

    Numbers agree to the precision, relative to themselves or to 1. For an application `exact` says whether infinities
    and nan must be the same too; otherwise an example may have any number that is not finite in a value or derivative
    of the application, as it is then run again, but no finite wrong ones alone.
    """
    wrong, again = {}, {}
    given = [(program.names[1:], found[0], expected[0]), (program.owners(what), found[1], expected[1])]
    for owners, ours, theirs in given:
        assert ours.shape == theirs.shape
        with np.errstate(invalid="ignore"):
            near = np.abs(ours - theirs) <= TOLERANCES[dtype] * np.maximum(np.abs(theirs), 1.0)
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs)) | (near & np.isfinite(theirs))
        for owner, *numbers in zip(owners, same, np.isfinite(ours), ours, theirs):
            is_same, is_finite, got, wanted = numbers
            bad = ~is_same
            again[owner] = again.get(owner, False) | ~is_finite
            if bad.any():
                wrong.setdefault(owner, []).append((bad, got, wanted))
    found = []
    for owner, numbers in wrong.items():
        for bad, got, wanted in numbers:
            counted = bad if exact(owner.split(" ")[0]) else bad & ~np.broadcast_to(again[owner], bad.shape)
            if counted.any():
                k = int(np.argmax(counted))
                found.append(f"{owner}: {got[k]!r} in place of {wanted[k]!r} in example {k}")
    return found


def assert_none(found):
    """Fail with the first faults if there are any."""
    assert not found, "\n".join([f"{len(found)} faults", *found[:20]])
