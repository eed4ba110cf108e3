"""Import optional dependencies, with one error message for those that are not installed."""

from __future__ import annotations

from typing import Any

from microgradlib._support.interrupts import import_whole
from microgradlib.errors import MissingExtraError

__all__ = ["import_optional", "install_command", "missing_extra"]

_EXTRAS = {
    "anywidget": ("anywidget", "notebook"),
    "graphviz": ("the Python package graphviz", "viz"),
    "hypothesis": ("Hypothesis", "testing"),
    "llvmlite": ("llvmlite", "native"),
    "jax": ("JAX", "jax"),
    "matplotlib": ("matplotlib", "plot"),
    "numpy": ("NumPy", "compile"),
    "onnx": ("ONNX", "onnx"),
    "pygraphviz": ("Graphviz", "viz"),
    "scipy": ("SciPy", "scipy"),
    "sklearn": ("scikit-learn", "data"),
    "sympy": ("SymPy", "sympy"),
    "torch": ("PyTorch", "torch"),
    "tqdm": ("tqdm", "progress"),
}
"""For each top-level package: its name in prose, and the extra of microgradlib that installs it."""


def import_optional(module: str, feature: str) -> Any:
    """Import and return `module`, a package named in `_EXTRAS` or a module in one, such as `scipy.optimize`.

    `feature` names the function that needs it, for the message. If the package is installed but one of its own imports
    fails, that error is raised unchanged, since installing the extra would not help. Ctrl-C waits for the end of it.

    Raises:
        MissingExtraError: the package, or this module of it, is not installed.

    >>> import_optional("numpy", "compile").__name__
    'numpy'
    """
    try:
        return import_whole(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise missing_extra(module, feature) from None


def install_command(module: str) -> str:
    """Return the command that installs the extra with `module`.

    >>> install_command("scipy.optimize")
    'pip install "microgradlib[scipy]"'
    """
    return f'pip install "microgradlib[{_extra(module)[1]}]"'


def missing_extra(module: str, feature: str, hint: str = "") -> MissingExtraError:
    """Return the error for a `feature` whose `module` is not installed; `hint` names an alternative without it.

    >>> missing_extra("scipy.optimize", "minimize")
    MissingExtraError('minimize needs SciPy, which is not installed: pip install "microgradlib[scipy]"')
    """
    message = f"{feature} needs {_extra(module)[0]}, which is not installed: {install_command(module)}"
    return MissingExtraError(f"{message}; {hint}" if hint else message)


def _extra(module: str) -> tuple[str, str]:
    return _EXTRAS[module.partition(".")[0]]
