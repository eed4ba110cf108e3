"""Import optional dependencies, with one error message for those that are not installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from microgradlib.errors import MissingExtraError

__all__ = ["import_optional", "missing_extra"]

_EXTRAS = {
    "hypothesis": ("Hypothesis", "testing"),
    "numpy": ("NumPy", "compile"),
    "pygraphviz": ("Graphviz", "viz"),
    "scipy": ("SciPy", "scipy"),
    "sklearn": ("scikit-learn", "data"),
    "sympy": ("SymPy", "sympy"),
    "tqdm": ("tqdm", "progress"),
}
"""For each top-level package: its name in prose, and the extra of microgradlib that installs it."""


def import_optional(module: str, feature: str) -> Any:
    """Import and return `module`, a package named in `_EXTRAS` or a module in one, such as `scipy.optimize`.

    `feature` is what needs it, for the message. An installed package whose own imports fail raises its own error
    unchanged: installing the extra would not repair it.

    Raises:
        MissingExtraError: the package, or this module of it, is not installed.

    >>> import_optional("numpy", "compile").__name__
    'numpy'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise missing_extra(module, feature) from None


def missing_extra(module: str, feature: str) -> MissingExtraError:
    """Return the error that says which extra to install for `feature`, where `module` is not installed.

    >>> missing_extra("scipy.optimize", "minimize")
    MissingExtraError('minimize needs SciPy, which is not installed: pip install "microgradlib[scipy]"')
    """
    package, extra = _EXTRAS[module.partition(".")[0]]
    return MissingExtraError(f'{feature} needs {package}, which is not installed: pip install "microgradlib[{extra}]"')
