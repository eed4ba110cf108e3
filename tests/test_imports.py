"""Rules for imports in the package: from lower layers only, acyclic, absolute; the core has no dependencies."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import microgradlib

ROOT = Path(microgradlib.__file__).parent
SOURCES = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}

# A subpackage may import from lower layers only, not from its own layer.
LAYERS = [
    ["errors"],
    ["_support"],
    ["ops"],
    ["core"],
    ["data", "derivatives", "engine", "krylov", "nn", "numeric", "symbolic"],
    ["viz"],
    ["compiler", "costs", "metrics", "optim", "regularisers"],
    ["listing", "plots"],
    ["source", "testing", "training"],
    ["interop"],
    ["demo"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
LAYER = {package: number for number, packages in enumerate(LAYERS) for package in packages}
ROOMS_OF_VIZ = [
    ["snapshots"],
    ["boxes"],
    ["layout", "routes"],
    ["painting"],
    ["charts", "dot", "networks"],
    ["cells", "drawings"],
    ["stepper"],
]
"""The rooms of `viz` likewise; all may import what lies beside them in its folder, which imports none of them."""
HEIGHT = {room: number for number, rooms in enumerate(ROOMS_OF_VIZ) for room in rooms}
NEEDS = {"testing": {"hypothesis", "pytest"}}
"""Third-party packages that a subpackage may import at its own import."""


parsed = cache(ast.parse)


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@cache
def imports(source, *, at_import_only=False):
    """Return the full names that a file imports, `from a import b` as a.b.

    `at_import_only` excludes imports inside functions and under TYPE_CHECKING.
    """
    names = []
    stack = list(ast.iter_child_nodes(parsed(source)))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
        elif at_import_only and is_type_checking(node):
            stack += node.orelse
        elif not (at_import_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))):
            stack += ast.iter_child_nodes(node)
    return names


def module_name(path):
    components = ["microgradlib", *path.with_suffix("").parts]
    return ".".join(components[:-1] if components[-1] == "__init__" and len(components) > 2 else components)


MODULES = {module_name(path): source for path, source in SOURCES.items()}


def module_of(name):
    """Return the module of microgradlib that defines an imported name, or None: core.value for core.value.Value."""
    components = name.split(".")
    if components[0] != "microgradlib":
        return None
    longest = next(
        (".".join(components[:n]) for n in range(len(components), 1, -1) if ".".join(components[:n]) in MODULES), None
    )
    return longest or "microgradlib.__init__"


def package_of(module):
    return module.split(".")[1]


def upward(source, package):
    """Return the subpackages of the same or of higher layers that a file of `package` imports."""
    packages = {package_of(module) for module in map(module_of, imports(source)) if module} - {package}
    return {other for other in packages if LAYER[other] >= LAYER[package]}


def upward_in_viz(source, room):
    """Return the rooms of `viz`, not below this one, that a file imports; what lies beside the rooms is below all."""
    viz = "microgradlib.viz."
    rooms = {name.removeprefix(viz).split(".")[0] for name in imports(source) if name.startswith(viz)} - {room}
    return {other for other in rooms if HEIGHT.get(other, -2) >= HEIGHT.get(room, -1)}


def foreign(source, package):
    """Return the third-party packages that a file imports at its own import, except those of its extra."""
    names = {name.split(".")[0] for name in imports(source, at_import_only=True)}
    return names - sys.stdlib_module_names - {"microgradlib"} - NEEDS.get(package, set())


def find_cycle(modules):
    """Return the modules of an import cycle, or an empty list if there is none."""
    graph = {name: set(map(module_of, imports(source))) - {None, name} for name, source in modules.items()}
    for name, found in graph.items():  # importing a module also imports its parent packages, which is no cycle
        found -= {parent for parent in found if name.startswith(f"{parent}.")}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def test_imports_point_down():
    unknown = {package_of(module) for module in MODULES} - LAYER.keys()
    assert not unknown, f"add {unknown} to LAYERS in {Path(__file__).name}"
    wrong = {name: upward(source, package_of(name)) for name, source in MODULES.items()}
    assert {name: packages for name, packages in wrong.items() if packages} == {}


def test_imports_in_viz_point_down():
    sources = {name: source for name, source in MODULES.items() if name.startswith("microgradlib.viz.")}
    wrong = {name: upward_in_viz(source, name.split(".")[2]) for name, source in sources.items()}
    assert {name: rooms for name, rooms in wrong.items() if rooms} == {}
    assert {path.name for path in (ROOT / "viz").iterdir() if (path / "__init__.py").exists()} == HEIGHT.keys()


def test_an_import_of_a_higher_room_is_found():
    source = "from microgradlib.viz.boxes.diagram import Box\nfrom microgradlib.viz.drawings.draw import draw"
    assert upward_in_viz(source, "painting") == {"drawings"}
    assert upward_in_viz(source, "markup") == {"boxes", "drawings"}
    assert upward_in_viz(source, "drawings") == set()


def test_imports_make_no_cycles():
    assert find_cycle(MODULES) == []


def test_imports_are_absolute():
    relative = {name: [n for n in imports(source) if n.startswith(".")] for name, source in MODULES.items()}
    assert {name: names for name, names in relative.items() if names} == {}


def test_only_the_standard_library_is_imported():
    wrong = {name: foreign(source, package_of(name)) for name, source in MODULES.items()}
    assert {name: names for name, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("from microgradlib.core.value import Value", "ops", {"core"}),
        ("import microgradlib.symbolic.text", "nn", {"symbolic"}),
        ("import microgradlib.viz.charts.chart", "nn", {"viz"}),
        ("import microgradlib.viz.charts.chart", "compiler", set()),
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
def test_upward_finds_imports_from_higher_layers(source, package, expected):
    assert upward(source, package) == expected


def test_find_cycle_finds_cycles():
    one = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from microgradlib.core.value import Value"
    other = "def f():\n    from microgradlib.core.graph import topological_sort"
    assert find_cycle({"microgradlib.core.graph": one, "microgradlib.core.value": "import math"}) == []
    assert find_cycle({"microgradlib.core.graph": one, "microgradlib.core.value": other}) != []


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
def test_foreign_finds_third_party_imports(source, expected):
    assert foreign(source, "core") == expected


def run(*options):
    program = (
        "import sys; before = set(sys.modules); import microgradlib;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=True).stdout.split()


def test_the_package_imports_without_third_party_packages():
    loaded = run("-S", "-W", "error")
    assert "microgradlib" in loaded
    assert set(loaded) <= sys.stdlib_module_names | {"microgradlib"}


def test_the_package_loads_no_installed_third_party_package():
    assert set(run("-W", "error")) <= sys.stdlib_module_names | {"microgradlib"}


def test_public_names_exist():
    assert len(set(microgradlib.__all__)) == len(microgradlib.__all__)
    assert all(hasattr(microgradlib, name) for name in microgradlib.__all__)
