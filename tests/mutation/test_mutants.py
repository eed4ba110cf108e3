"""The mutation script itself: every kind of fault, a good test that kills it and a weak one that does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from module_files import ROOT, load_module

FOLDER = Path(__file__).parent

FAULTS = [
    ("x = a < b", {"a <= b"}),
    ("x = a == b != c", {"a != b != c", "a == b == c"}),
    ("x = a + b * c", {"a - b * c", "b / c"}),
    ("x = a and b", {"a or b"}),
    ("x = 3", {"x = 4", "x = 2"}),
    ("x = True", {"x = False"}),
    ("x = not a", {"a"}),
    ("x = a if b else c", {"True", "False"}),
    ("x = [a for a in b if a]", {"True", "False"}),
    ("x = a[1:b]", {":b", "1:", "2:b", "0:b"}),
    ("def f(i, n=1): a[i]", {"i, n=2", "i, n=0", "a[i + 1]"}),
    ("def f(): return a", {"return None"}),
    ("def f(): a(b)", {"pass"}),
    ("def f(): raise ValueError('1' + '2')", {"pass"}),
    ("a.b = c", {"pass"}),
    ("x += a", {"x -= a", "pass"}),
    ("while a: break", {"True", "False", "continue"}),
    ("try: a\nexcept ValueError: b", {"except ValueError:\n    raise"}),
    ("'a text'", set()),
    ("__all__ = [1]", set()),
    ("x: Tuple[1] = a", set()),
    ("@cache(1)\nclass A(B[1], metaclass=C[2]): pass", set()),
    ("def f(): return None", set()),
    ("if TYPE_CHECKING: x = 1", set()),
    ("@overload\ndef f(x=1): ...", set()),
    ("define_op(sample=(0.5, 3.0), kink=1)", {"kink=2", "kink=0", "pass"}),
    ("sample: T = (0.5, 3.0)", set()),
    ("x = xp.undefined(a + b)", set()),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS, ids=[text for text, _ in FAULTS])
def test_faults_of_every_kind(tmp_path, text, expected):
    (tmp_path / "module.py").write_text(text, encoding="utf-8")
    assert {
        mutant.after for mutant in load_module("tests/mutation", "mutants").mutants(tmp_path, "module.py")
    } == expected


PLANTED = {
    "planted/__init__.py": "",
    "planted/steps.py": """
def step(x):
    \'\'\'
    >>> step(0.0), step(0.5)
    (0, 1)
    \'\'\'
    return 1 if x > 0 else 0
def wait(n):
    while n > 0:
        n -= 1
""",
    "test_good.py": """
from planted.steps import step
def test_step():
    assert [step(x) for x in (-1, 0, 0.5, 2)] == [0, 0, 1, 1]
""",
    "test_weak.py": """
from planted.steps import step, wait
def test_far():
    assert [step(x) for x in (-1, 2)] == [0, 1]
def test_wait():
    assert wait(3) is None
""",
}
TRIALS = """
import json, sys
from pathlib import Path
from mutants import mutants
from trial import try_mutant
root = Path(sys.argv[1])
found = []
doctest = "planted/steps.py::planted.steps.step"
for test in ("test_good.py::test_step", doctest, "test_weak.py::test_far", "test_weak.py::test_wait"):
    for mutant in [None, *mutants(root, "planted/steps.py")]:
        if mutant is None or (mutant.after == "pass" if "wait" in test else mutant.function == "step"):
            outcome = try_mutant(root, mutant, [test], cpu_seconds=1, settings=["--doctest-modules"])
            found.append([test, mutant and mutant.after, outcome["status"]])
print(json.dumps(found))
"""


def test_the_same_seed_draws_the_same_mutants():
    script = load_module("tests/mutation", "mutants")
    files = ["microgradlib/core/value.py", "microgradlib/core/nested.py"]
    first, again, other = (script.sample(ROOT, files, seed, 20) for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) == 20
    assert {mutant.file for mutant in first} == set(files)
    assert len(script.sample(ROOT, files, 0, 10_000)) == sum(len(script.mutants(ROOT, file)) for file in files)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="trials are forked processes")
def test_good_tests_kill_and_weak_ones_do_not(tmp_path):
    for name, text in PLANTED.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", TRIALS, str(tmp_path)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # each trial would import the plugins
    finished = subprocess.run(command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, check=True)
    found = [tuple(row) for row in json.loads(finished.stdout)]
    assert [row[2] for row in found if row[1] is None] == ["survived"] * 4
    alive = {
        test: {fault for name, fault, status in found if name == test and status == "survived"} for test, _, _ in found
    }
    assert alive == {
        "test_good.py::test_step": {None},
        "planted/steps.py::planted.steps.step": {None},
        "test_weak.py::test_far": {None, "x >= 0", "x > 1", "x > -1"},
        "test_weak.py::test_wait": {None},
    }
    assert len(found) == 3 * 11 + 2
    assert found[-1] == ("test_weak.py::test_wait", "pass", "timeout")
