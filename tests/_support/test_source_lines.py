"""Lines are cited as a cell and a line in notebooks, as file and line elsewhere."""

import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib._support.source_lines import PACKAGE, cell_number, cited
from microgradlib.errors import AnomalyError, GradcheckError, SymbolHasNoValueError

FILE = "/kernels/ipykernel_7/123.py"

CELL = """\
import microgradlib as mg
def loss(x):
    return mg.log(x)
with mg.detect_anomaly():
    loss(mg.Value(-1.0))
"""


@pytest.fixture
def shell(monkeypatch):
    """IPython's shell, of which only the names of cells are looked at."""
    numbers = {FILE: 15}

    def format_code_name(name):
        return ("Cell", f"In[{numbers[name]}]") if name in numbers else None

    found = SimpleNamespace(compile=SimpleNamespace(format_code_name=format_code_name))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: found))
    return found


def run(source, filename=FILE):
    exec(compile(source, filename, "exec"), {"__name__": "__main__"})  # noqa: S102  as a kernel does


@pytest.mark.usefixtures("shell")
def test_a_cell_is_cited_by_its_number():
    with pytest.raises(AnomalyError, match=r"log gave nan from an input = -1.0 at cell \[15\], line 3, in loss$"):
        run(CELL)
    with pytest.raises(AnomalyError, match=r"at cell \[15\], line 3$"):
        run("import microgradlib as mg\nwith mg.detect_anomaly():\n    mg.log(mg.Value(-1.0))")


@pytest.mark.usefixtures("shell")
def test_compiling_cites_cells():
    pytest.importorskip("numpy")
    source = "import microgradlib as mg\nfast = mg.compile(lambda x: x if x > 0 else -x)\nfast([1.0])"
    with pytest.raises(SymbolHasNoValueError, match=r"\(at cell \[15\], line 2, in <lambda>\)"):
        run(source)


@pytest.mark.usefixtures("shell")
def test_gradcheck_cites_cells(temporary_op):
    rules = {"value": lambda xp, x: x * x, "derivatives": [lambda xp, z, x: 3 * x]}
    wrong = temporary_op("wrong", **rules, formula="x²")
    namespace = {"__name__": "__main__", "wrong": wrong, "mg": mg}
    source = "def f(x):\n    return wrong(x) + 1\nreport = mg.gradcheck(f, [2.0])"
    with pytest.raises(GradcheckError, match=r"made at cell \[15\], line 2, in f:"):
        exec(compile(source, FILE, "exec"), namespace)  # noqa: S102  as a kernel does


@pytest.mark.usefixtures("shell")
def test_files_and_unknown_cells_are_cited_as_files():
    with pytest.raises(AnomalyError, match=r"at model.py:3, in loss$"):
        run(CELL, "model.py")
    assert cell_number(FILE.replace("123", "9")) is None


def test_without_ipython_there_are_no_cells(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    code = compile("x = 1", FILE, "exec")
    assert cited(code, 1) == f"{FILE}:1, in <module>"


def test_a_shell_without_names_of_cells_does_no_harm(monkeypatch):
    for shell in (None, SimpleNamespace(), SimpleNamespace(compile=SimpleNamespace())):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert cell_number("model.py") is None
    assert Value(1.0).data == 1.0


def test_a_folder_whose_name_begins_as_the_packages_is_the_users():
    file = f"{PACKAGE.removesuffix(os.sep)}_course{os.sep}lesson.py"
    code = compile("with mg.detect_anomaly():\n    mg.log(mg.Value(-1.0))", file, "exec")
    with pytest.raises(AnomalyError, match=re.escape(f"at {file}:2, in <module>")):
        exec(code, {"mg": mg})  # noqa: S102  a lesson of this test


PROGRAM = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
cell = "import microgradlib as mg\\nwith mg.detect_anomaly():\\n    mg.log(mg.Value(-1.0))"
shell.run_cell("x = 1", store_history=True)
print(shell.run_cell(cell, store_history=True, silent=False).error_in_exec)
"""


@pytest.mark.slow
def test_a_real_shell(tmp_path):
    pytest.importorskip("IPython")
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "at cell [2], line 3\n" in output.stdout
