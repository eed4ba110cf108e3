"""The laws of the house on imports: they point down, rooms of one floor are strangers, the core needs nothing."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import microgradlib

ROOT = Path(microgradlib.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A file may import from its own floor and those below; a package (nn, viz, …) counts as one.
FLOORS = [
    ["errors", "files", "graph", "naming", "number", "polygamma", "randomness", "structure"],
    ["elementary", "ops"],
    ["copying", "math_calls", "modes", "autodiff", "known_number", "scalar"],
    ["value", "symbol"],
    ["call_record", "classes", "krylov", "numeric", "reductions", "simplification", "transforms", "viz"],
    ["costs", "data", "expression", "metrics", "nn", "notation", "optim", "compiler", "regularisers"],
    ["demo", "testing", "training"],
    ["cli", "__main__", "__init__"],
]  # fmt: skip
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
STRANGERS = {"costs", "data", "expression", "metrics", "nn", "notation", "optim", "compiler", "regularisers"}
NEEDS = {"testing": {"hypothesis", "pytest"}}
"""What an extra brings, imported when its room is: nothing else may import that room at the start."""


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(tree, *, inside_functions):
    """Yield the full name of all that a module imports, `from a import b` as a.b; not what only type checkers see."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
        elif is_type_checking(node):
            waiting += node.orelse
        elif inside_functions or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def rooms_imported(tree, room):
    """The rooms of the package that a file of `room` imports, wherever in the file; names of `__init__` count as it."""
    rooms = set()
    for name in imports(tree, inside_functions=True):
        first, *rest = name.split(".")
        if first == "microgradlib":
            rooms.add(rest[0] if rest and rest[0] in LEVEL else "__init__")
    return rooms - {room}


def upward(source, room):
    """The imports of a file that break law 1."""
    rooms = rooms_imported(ast.parse(source), room)
    return {r for r in rooms if LEVEL[r] > LEVEL[room] or (r in STRANGERS and room in STRANGERS)}


def foreign(source, room):
    """What a file imports, when it is imported, that is neither Python's, nor ours, nor its extra's."""
    names = {name.split(".")[0] for name in imports(ast.parse(source), inside_functions=False)}
    return names - sys.stdlib_module_names - {"microgradlib"} - NEEDS.get(room, set())


each_file = pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])


@each_file
def test_every_file_has_a_floor(path):
    assert room_of(path) in LEVEL, f"give {room_of(path)!r} a floor in {Path(__file__).name}"


@each_file
def test_imports_point_down(path):
    assert upward(path.read_text(encoding="utf-8"), room_of(path)) == set()


@each_file
def test_only_the_standard_library_is_imported(path):
    assert foreign(path.read_text(encoding="utf-8"), room_of(path)) == set()


@each_file
def test_imports_are_absolute(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [name for name in imports(tree, inside_functions=True) if name.startswith(".")]


def test_imports_make_no_circles():
    graph = {}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        graph.setdefault(room_of(path), set()).update(rooms_imported(tree, room_of(path)))
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("graph") < order.index("value") < order.index("cli")


@pytest.mark.parametrize(
    ("source", "room", "expected"),
    [
        ("from microgradlib.value import Value", "ops", {"value"}),
        ("import microgradlib.notation.text", "nn", {"notation"}),
        ("import microgradlib.viz.svg", "nn", set()),
        ("import microgradlib.compiler.program", "viz", {"compiler"}),
        ("from microgradlib import Value", "graph", {"__init__"}),
        ("from microgradlib import value", "graph", {"value"}),
        ("def f():\n    from microgradlib.cli import main", "nn", {"cli"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from microgradlib.cli import main", "nn", set()),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from microgradlib.cli import main", "nn", {"cli"}),
        ("try:\n    import microgradlib.nn\nexcept ImportError:\n    pass", "value", {"nn"}),
        ("from microgradlib.graph import topological_sort", "value", set()),
        ("import math", "graph", set()),
    ],
)
def test_the_checker_of_floors_sees(source, room, expected):
    assert upward(source, room) == expected


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
    assert foreign(source, "value") == expected


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
