"""What every script of notebooks/networks keeps to: it says what it shows, and needs nothing but the library."""

import ast
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[3] / "notebooks" / "networks").glob("*.py"))


def imported(tree):
    """The packages a script imports when it is imported itself: what stands inside functions may need an extra."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_there_are_scripts():
    assert SCRIPTS


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_says_what_it_shows_needs_only_the_library_and_ends_by_calling_main(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert set(imported(tree)) - sys.stdlib_module_names == {"microgradlib"}
    assert ast.unparse(tree.body[-1]) == "if __name__ == '__main__':\n    main()"
