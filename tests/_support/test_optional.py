"""Optional dependencies: import_optional, and the error for a missing one."""

import sys

import pytest

from microgradlib._support.optional import import_optional
from microgradlib.errors import MissingExtraError


def test_an_installed_module_is_returned():
    pytest.importorskip("numpy")
    assert import_optional("numpy.linalg", "this test") is sys.modules["numpy.linalg"]


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("hypothesis", "Hypothesis", "testing"),
        ("torch.nn", "PyTorch", "torch"),
        ("numpy", "NumPy", "compile"),
        ("scipy.optimize", "SciPy", "scipy"),
        ("sympy", "SymPy", "sympy"),
        ("sklearn.datasets", "scikit-learn", "data"),
        ("tqdm.auto", "tqdm", "progress"),
    ],
)
@pytest.mark.parametrize("part", ["package", "module"])
def test_a_missing_module_names_its_extra(monkeypatch, module, package, extra, part):
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    missing = module if part == "module" else module.partition(".")[0]
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError) as caught:
        import_optional(module, "this test")
    message = f'this test needs {package}, which is not installed: pip install "microgradlib[{extra}]"'
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import a_module_that_is_nowhere", ModuleNotFoundError),
        ("raise ImportError('a shared library is missing')", ImportError),
        ("1 / 0", ZeroDivisionError),
    ],
)
def test_a_broken_installation_raises_its_own_error(monkeypatch, tmp_path, source, error):
    (tmp_path / "sympy").mkdir()
    (tmp_path / "sympy" / "__init__.py").write_text(source)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sympy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(error) as caught:
        import_optional("sympy", "to_sympy")
    assert not isinstance(caught.value, MissingExtraError)
