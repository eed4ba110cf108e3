"""The engines as parameters of tests, and what one execution of a program gives beside the reference engine."""

from importlib.util import find_spec

import numpy as np
import pytest

from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import ENGINES
from microgradlib.compiler.program import Program
from microgradlib.compiler.reverse import reverse

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
    engine, given = fast._ready((program.rows,))
    source = engine.program
    joint = Program.of(reverse(Program.of(source, outputs=source.outputs[:1]), wrt=what), outputs=source.outputs)
    order = source.input_order if what == "inputs" else source.parameter_order
    with np.errstate(all="ignore"):
        outputs, (found,) = engine.execute(joint, *given, (1.0,))
    found = found.reshape(len(order), -1)[np.argsort(order)]
    return outputs[1:], found[: len(program.owners(what))], engine


def has_native_code(engine):
    """Return whether all that an engine has run was native code."""
    return None not in engine._codes.values()


def faults(program, found, expected, dtype="float64", what="inputs", *, exact=lambda name: False):
    """Return what is wrong in the results of `executed`: values first, then derivatives, the first of each number.

    Numbers agree to the precision, relative to themselves or to 1. `exact` says for which ops derivatives that are
    infinite or nan must be the same too; those of others may be wrong in an example in which the value or a derivative
    of the application is not finite, as that is run again, but nowhere else.
    """
    seen = dict(zip(program.names[1:], ~np.isfinite(found[0])))
    for owner, numbers in zip(program.owners(what), found[1]):
        seen[owner] = seen[owner] | ~np.isfinite(numbers)
    wrong = []
    for owners, *tables in [(program.names[1:], found[0], expected[0]), (program.owners(what), found[1], expected[1])]:
        ours, theirs = tables
        assert ours.shape == theirs.shape
        with np.errstate(invalid="ignore"):
            near = np.abs(ours - theirs) <= TOLERANCES[dtype] * np.maximum(np.abs(theirs), 1.0)
        bad = ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)) | (near & np.isfinite(theirs)))
        for k in np.flatnonzero(bad.any(1)).tolist():
            is_value = ours is found[0]
            counted = bad[k] if is_value or exact(owners[k].split(" ")[0]) else bad[k] & ~seen[owners[k]]
            if counted.any():
                j, kind = int(np.argmax(counted)), "value" if is_value else "derivative"
                wrong.append(f"{owners[k]}, {kind} in example {j}: {ours[k, j]!r} in place of {theirs[k, j]!r}")
    return wrong


def assert_none(found):
    """Fail with the first faults if there are any."""
    assert not found, "\n".join([f"{len(found)} faults", *found[:20]])
