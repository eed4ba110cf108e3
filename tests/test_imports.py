"""The laws of the package on imports: they point down, make no circles, are absolute; the core needs nothing."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import microgradlib

ROOT = Path(microgradlib.__file__).parent
SOURCES = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

# A room may import from the floors below it; rooms of one floor do not know one another.
FLOORS = [
    ["errors"],
    ["_support"],
    ["ops"],
    ["core"],
    ["data", "derivatives", "krylov", "nn", "numeric", "symbolic", "viz"],
    ["compiler", "costs", "metrics", "optim", "regularisers"],
    ["testing", "training"],
    ["demo"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
NEEDS = {"testing": {"hypothesis", "pytest"}}
"""What an extra brings, imported when its room is: nothing else may import that room at the start."""


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(source, *, at_import_only=False):
    """Yield the full name of all that a file imports, `from a import b` as a.b, what only type checkers see included.

    `at_import_only` leaves out what functions import when they run, and what only type checkers see.
    """
    waiting = list(ast.iter_child_nodes(ast.parse(source)))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
        elif at_import_only and is_type_checking(node):
            waiting += node.orelse
        elif not (at_import_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))):
            waiting += ast.iter_child_nodes(node)


def module_name(path):
    parts = ["microgradlib", *path.with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


MODULES = {module_name(path): source for path, source in SOURCES.items()}


def module_of(name):
    """The module of ours that an imported name lies in, or None: microgradlib.core.value.Value is in core.value."""
    parts = name.split(".")
    if parts[0] != "microgradlib":
        return None
    longest = next((".".join(parts[:n]) for n in range(len(parts), 1, -1) if ".".join(parts[:n]) in MODULES), None)
    return longest or "microgradlib.__init__"


def room_of(module):
    return module.split(".")[1]


def upward(source, room):
    """The rooms that a file of `room` imports and may not: above it, or beside it."""
    rooms = {room_of(module) for module in map(module_of, imports(source)) if module} - {room}
    return {other for other in rooms if FLOOR[other] >= FLOOR[room]}


def foreign(source, room):
    """What a file imports, when it is imported, that is neither Python's, nor ours, nor its extra's."""
    names = {name.split(".")[0] for name in imports(source, at_import_only=True)}
    return names - sys.stdlib_module_names - {"microgradlib"} - NEEDS.get(room, set())


def circle(modules):
    """The modules of one circle of imports, from file to file; none if there is none."""
    graph = {name: set(map(module_of, imports(source))) - {None, name} for name, source in modules.items()}
    for name, found in graph.items():  # a package's door is passed on the way to its files, not asked for anything
        found -= {door for door in found if name.startswith(f"{door}.")}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def test_imports_point_down():
    unknown = {room_of(module) for module in MODULES} - FLOOR.keys()
    assert not unknown, f"give {unknown} a floor in {Path(__file__).name}"
    wrong = {name: upward(source, room_of(name)) for name, source in MODULES.items()}
    assert {name: rooms for name, rooms in wrong.items() if rooms} == {}


def test_imports_make_no_circles():
    assert circle(MODULES) == []


def test_imports_are_absolute():
    relative = {name: [n for n in imports(source) if n.startswith(".")] for name, source in MODULES.items()}
    assert {name: names for name, names in relative.items() if names} == {}


def test_only_the_standard_library_is_imported():
    wrong = {name: foreign(source, room_of(name)) for name, source in MODULES.items()}
    assert {name: names for name, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "room", "expected"),
    [
        ("from microgradlib.core.value import Value", "ops", {"core"}),
        ("import microgradlib.symbolic.text", "nn", {"symbolic"}),
        ("import microgradlib.viz.svg", "nn", {"viz"}),
        ("import microgradlib.viz.svg", "compiler", set()),
        ("import microgradlib.compiler.program", "viz", {"compiler"}),
        ("from microgradlib import Value", "core", {"__init__"}),
        ("from microgradlib import core", "ops", {"core"}),
        ("def f():\n    from microgradlib.cli import main", "nn", {"cli"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from microgradlib.cli import main", "nn", {"cli"}),
        ("try:\n    import microgradlib.nn\nexcept ImportError:\n    pass", "core", {"nn"}),
        ("from microgradlib.core.graph import topological_sort", "nn", set()),
        ("import math", "core", set()),
    ],
)
def test_the_checker_of_floors_sees(source, room, expected):
    assert upward(source, room) == expected


def test_the_checker_of_circles_sees():
    one = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from microgradlib.core.value import Value"
    other = "def f():\n    from microgradlib.core.graph import topological_sort"
    assert circle({"microgradlib.core.graph": one, "microgradlib.core.value": "import math"}) == []
    assert circle({"microgradlib.core.graph": one, "microgradlib.core.value": other}) != []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np", {"numpy"}),
        ("from numpy.linalg import norm", {"numpy"}),
        ("class A:\n    import scipy", {"scipy"}),
        ("try:\n    import numpy\nexcept ImportError:\n    pass", {"numpy"}),
        ("def f():\n    import numpy", set()),
        ("import math, json", set()),
    ],
)
def test_the_checker_of_the_core_sees(source, expected):
    assert foreign(source, "core") == expected


def run(*options):
    program = (
        "import sys; before = set(sys.modules); import microgradlib;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=True).stdout.split()


def test_the_package_imports_without_any_other():
    loaded = run("-S", "-W", "error")
    assert "microgradlib" in loaded
    assert set(loaded) <= sys.stdlib_module_names | {"microgradlib"}


def test_the_package_loads_no_other_even_where_there_is_one():
    assert set(run("-W", "error")) <= sys.stdlib_module_names | {"microgradlib"}


def test_what_is_public_exists():
    assert len(set(microgradlib.__all__)) == len(microgradlib.__all__)
    assert all(hasattr(microgradlib, name) for name in microgradlib.__all__)
