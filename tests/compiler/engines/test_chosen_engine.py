"""`backend="auto"` is the native engine where it can run, else NumPy's; "native" says why it cannot."""

import subprocess
import sys

import pytest

from microgradlib import Value, compiler
from microgradlib.compiler.engines import choose_backend
from microgradlib.compiler.llvm import machine
from microgradlib.errors import MissingExtraError


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch):
    monkeypatch.delenv("MICROGRADLIB_BACKEND", raising=False)


def fail(monkeypatch, error):
    """Let the machine be one that has no native code."""

    def host():
        raise error

    monkeypatch.setattr(machine, "host", host)


def test_auto_is_native_where_that_runs():
    pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
    assert choose_backend("auto") == choose_backend("native") == "native"
    assert compiler.compile(lambda x: x, backend="auto").backend == "native"


@pytest.mark.parametrize(
    "error", [MissingExtraError("no llvmlite"), RuntimeError("no AVX2"), OSError("no library"), ImportError("broken")]
)
def test_auto_is_numpy_elsewhere(monkeypatch, error):
    fail(monkeypatch, error)
    assert choose_backend("auto") == "numpy"
    w = Value(2.0)
    fast = compiler.compile(lambda x: w * x, [w], backend="auto")
    assert fast.backend == "numpy"
    assert fast([1.0, 2.0]).tolist() == [2.0, 4.0]
    with pytest.raises(type(error), match=str(error)):
        compiler.compile(lambda x: w * x, [w], backend="native")


def test_a_setting_says_what_auto_is(monkeypatch):
    monkeypatch.setenv("MICROGRADLIB_BACKEND", "numpy")
    assert [choose_backend(name) for name in ("auto", "numpy", "reference", "jax")] == [
        "numpy",
        "numpy",
        "reference",
        "jax",
    ]
    monkeypatch.setenv("MICROGRADLIB_BACKEND", "nunpy")
    assert choose_backend("numpy") == "numpy"
    with pytest.raises(
        ValueError, match="no backend in MICROGRADLIB_BACKEND 'nunpy'; did you mean 'numpy'\\? known: auto, n"
    ):
        choose_backend("auto")
    monkeypatch.setenv("MICROGRADLIB_BACKEND", "native")
    fail(monkeypatch, RuntimeError("no AVX2"))
    with pytest.raises(RuntimeError, match="no AVX2"):
        choose_backend("auto")
    monkeypatch.setenv("MICROGRADLIB_BACKEND", "")
    assert choose_backend("auto") == "numpy"


def test_programs_from_files_run_on_any_engine(tmp_path):
    w = Value(3.0)
    fast = compiler.compile(lambda x: w * x[0] + x[1], [w], backend="numpy")
    fast([[1.0, 2.0]])
    path = fast.save(tmp_path / "line.json")
    for backend in ("numpy", "reference"):
        program = compiler.load_program(path, backend=backend)
        assert (program.backend, program([[1.0, 2.0]]).tolist()) == (backend, [5.0])
    with pytest.raises(ValueError, match="no backend 'nunpy'"):
        compiler.load_program(path, backend="nunpy")
    pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
    program = compiler.load_program(path)
    assert (program.backend, program([[1.0, 2.0]]).tolist()) == ("native", [5.0])
    assert program.value_and_grad([[1.0, 2.0]])[1].tolist() == [1.0]


def test_native_without_llvmlite_names_the_extra():
    code = (
        "import sys\nsys.modules['llvmlite'] = None\nfrom microgradlib import compile\n"
        "from microgradlib.errors import MissingExtraError\nprint(compile(lambda x: x, backend='auto').backend)\n"
        "try: compile(lambda x: x, backend='native')\nexcept MissingExtraError as error: print(error)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [
        "numpy",
        'the native engine needs llvmlite, which is not installed: pip install "microgradlib[native]"',
    ]


def test_other_names_are_as_they_are():
    assert [choose_backend(name) for name in ("numpy", "jax", "reference")] == ["numpy", "jax", "reference"]
    with pytest.raises(ValueError, match="no backend 'nativ'; did you mean 'native'\\? known: numpy, native, jax"):
        choose_backend("nativ")


def test_engines_are_imported_when_they_are_asked_for():
    code = (
        "import sys, microgradlib.compiler\n"
        "print([name for name in sys.modules if name.startswith('microgradlib.compiler.engines.')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "numpy_engine" in printed
    assert "native" not in printed
    assert "jax" not in printed
