"""Public names and subpackages: what dir() shows, and when each is imported."""

import builtins
import os
import subprocess
import sys

import pytest

import microgradlib as mg

SUBPACKAGES = {
    "compiler", "costs", "data", "engine", "errors", "interop", "krylov", "metrics", "nn", "numeric", "ops", "optim",
    "plots", "regularisers", "symbolic", "testing", "training", "viz",
}  # fmt: skip


def visible():
    return {name for name in dir(mg) if not name.startswith("_")}


def test_every_visible_name_exists_and_is_documented():
    for name in visible():
        assert getattr(mg, name).__doc__, name


def test_only_public_names_and_subpackages_are_visible():
    assert visible() >= SUBPACKAGES
    functions = visible() - SUBPACKAGES
    assert functions == set(mg.__all__) | {"abs", "compile", "pow", "round", "sum"}
    for name in functions:
        assert callable(getattr(mg, name)), name


def test_a_star_import_does_not_shadow_builtins():
    assert not [name for name in mg.__all__ if hasattr(builtins, name)]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'microgradlib' has no attribute 'tahn'; did you mean 'tan'"):
        mg.tahn  # noqa: B018


def run(program):
    command = [sys.executable, "-W", "error", "-c", program]
    unmeasured = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured).stdout.split()


@pytest.mark.parametrize("name", sorted(SUBPACKAGES | {"fit", "draw", "compile", "gradcheck", "save", "to_latex"}))
def test_public_names_are_available_after_a_bare_import(name):
    assert run(f"import microgradlib; print(microgradlib.{name}.__name__)")[0].endswith(name)


def test_the_import_loads_few_modules():
    program = (
        "import sys, microgradlib; print(*[m for m in ('ast', 'inspect', 'subprocess', 'numpy') if m in sys.modules])"
    )
    loaded_by_named_tuples = ["ast"] if sys.version_info >= (3, 14) else []
    assert run(program) == loaded_by_named_tuples
