"""Keys of compiled programs: the same for one program in every process, others for what compiles to other code."""

import os
import subprocess
import sys

import numpy as np
import pytest

from microgradlib import Value, compiler, tanh
from microgradlib.compiler.engines.native import keys as made_of
from microgradlib.compiler.llvm import surroundings
from microgradlib.compiler.planning import plan
from microgradlib.ops import define_op, forget_op

pytest.importorskip("llvmlite", reason="keys name the machine, as LLVM knows it")


def plan_of(function, parameters=(), row=1.0, name="gradient"):
    compiled = compiler.compile(function, parameters, backend="numpy")
    compiled(np.array([row]))
    return plan(compiled._last.engine.joint(name) if name else compiled._last.engine.program)


def test_the_same_program_has_the_same_key():
    w, v = Value(1.0), Value(2.0)
    key = made_of.program_key(plan_of(lambda x: (w * x).exp(), [w]), "double", 8)
    assert key == made_of.program_key(plan_of(lambda x: (v * x).exp(), [v]), "double", 8)
    assert len(key) == 64


def test_what_differs_has_another_key():
    w, v = Value(1.0, label="w"), Value(2.0, label="v")
    plans = [
        plan_of(lambda x: (w * x).exp(), [w]),
        plan_of(lambda x: (w * x).exp(), [w], name=None),
        plan_of(lambda x: (w * x).exp(), [w], name="jacobian"),
        plan_of(lambda x: (w * x).log(), [w]),
        plan_of(lambda x: (w * x) ** 3, [w]),
        plan_of(lambda x: (w * x) ** 4, [w]),
        plan_of(lambda x: w * x + 2.0, [w]),
        plan_of(lambda x: w * x + 3.0, [w]),
        plan_of(lambda x: w * x[0] * x[1] + v, [w, v], [1.0, 2.0]),
        plan_of(lambda x: w * x[1] * x[0] + v, [w, v], [1.0, 2.0]),
        plan_of(lambda x: w * x[0] * x[1] + v, [v, w], [1.0, 2.0]),
        plan_of(lambda x: w * x[0][0] * x[0][1] + v, [w, v], [[1.0, 2.0]]),
        plan_of(lambda x: tanh(w * x), [w]),
    ]
    keys = [made_of.program_key(p, "double", 8) for p in plans] + [made_of.program_key(plans[0], "float", 8)]
    assert len(set(keys)) == len(keys)


def test_the_names_of_arguments_and_parameters_are_not_in_a_key():
    v, w = Value(1.0, label="v"), Value(1.0, label="w")
    assert made_of.program_key(plan_of(lambda x: v * x, [v])) == made_of.program_key(plan_of(lambda y: w * y, [w]))


def test_a_key_is_the_same_in_another_process():
    code = (
        "import numpy as np\nfrom microgradlib import Value, compile\nfrom microgradlib.nn import MLP\n"
        "from microgradlib.compiler.engines.native import keys as made_of\n"
        "from microgradlib.compiler.planning import plan\n"
        "import random\nrandom.seed(1)\nmodel = MLP(2, [3, 1])\n"
        "fast = compile(lambda x: model(x), model.parameters(), backend='numpy')\nfast(np.array([[1.0, 2.0]]))\n"
        "print(made_of.program_key(plan(fast._last.engine.joint('gradient'))))\n"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(keys) == 1


def test_an_op_of_a_users_has_no_key():
    twice = define_op("twice_cached", lambda xp, x: 2 * x, [lambda xp, z, x: 2.0], formula="2 x, derivative 2")
    try:
        assert made_of.program_key(plan_of(lambda x: twice(x).exp())) is None
    finally:
        forget_op("twice_cached")


def test_versions_machine_and_sources_are_in_a_key(monkeypatch):
    monkeypatch.setattr(made_of, "surroundings", surroundings.surroundings.__wrapped__)
    machine, program = surroundings.host(), plan_of(lambda x: x.exp())
    keys = [made_of.program_key(program)]
    for changed in ({"cpu": "another"}, {"features": "+another"}, {"versions": ("0.0.1", (1, 2, 3))}):
        monkeypatch.setattr(surroundings, "host", lambda changed=changed: machine._replace(**changed))
        keys.append(made_of.program_key(program))
    monkeypatch.setattr(surroundings, "SOURCES", surroundings.SOURCES[:-1])
    keys.append(made_of.program_key(program))
    assert len(set(keys)) == len(keys)
    monkeypatch.setattr(surroundings, "SOURCES", ("no such file",))  # a package in an archive
    assert made_of.program_key(program) is None
