"""microgradlib: scalars that record how they were made, to be differentiated, drawn and checked.

Subpackages, and the functions that need more than the core, are imported at their first use.
"""

import builtins as _builtins
import typing as _typing

from microgradlib import ops as _ops
from microgradlib._support import display as _display
from microgradlib._support.interrupts import import_whole as _import_whole
from microgradlib._support.lookup import missing_names as _missing_names

if _typing.TYPE_CHECKING:
    from microgradlib.ops.activations import *
    from microgradlib.ops.arithmetic import *
    from microgradlib.ops.exponential import *
    from microgradlib.ops.log_functions import *
    from microgradlib.ops.rounding import *
    from microgradlib.ops.selection import *
    from microgradlib.ops.smooth_activations import *
    from microgradlib.ops.trigonometric import *

from microgradlib.core.autodiff import (
    evaluate as evaluate,
    grad_table as grad_table,
    gradients as gradients,
    tangent_table as tangent_table,
)
from microgradlib.core.graph import topological_sort as topological_sort
from microgradlib.core.kinks import kinks as kinks
from microgradlib.core.list_functions import *
from microgradlib.core.matrix_products import *
from microgradlib.core.modes import detect_anomaly as detect_anomaly, no_grad as no_grad
from microgradlib.core.scopes import scope as scope
from microgradlib.core.softmax import *
from microgradlib.core.statistics import *
from microgradlib.core.symbol import Symbol as Symbol
from microgradlib.core.value import Value as Value
from microgradlib.derivatives import *
from microgradlib.ops import define_op as define_op

if _typing.TYPE_CHECKING:
    from microgradlib import (
        compiler as compiler,
        costs as costs,
        data as data,
        engine as engine,
        errors as errors,
        interop as interop,
        krylov as krylov,
        metrics as metrics,
        nn as nn,
        numeric as numeric,
        ops as ops,
        optim as optim,
        plots as plots,
        regularisers as regularisers,
        symbolic as symbolic,
        testing as testing,
        training as training,
        viz as viz,
    )
    from microgradlib.compiler import compile as compile
    from microgradlib.nn import (
        load as load,
        sample as sample,
        sample_from_logits as sample_from_logits,
        save as save,
    )
    from microgradlib.numeric import gradcheck as gradcheck, numeric_gradient as numeric_gradient
    from microgradlib.plots import (
        plot_activations as plot_activations,
        plot_decision_boundary as plot_decision_boundary,
        plot_derivative_error as plot_derivative_error,
        plot_gradient_flow as plot_gradient_flow,
        plot_history as plot_history,
        plot_loss_surface as plot_loss_surface,
    )
    from microgradlib.symbolic import (
        explain_gradient as explain_gradient,
        simplify as simplify,
        to_latex as to_latex,
        to_sympy as to_sympy,
        to_text as to_text,
    )
    from microgradlib.training.fit import fit as fit
    from microgradlib.viz import draw as draw, name as name
    from microgradlib.viz.stepper import explain as explain


def _render(form: str, thing: object, rows: int | None) -> str | None:
    """Write a result for a cell: what writes it is imported when the first is shown."""
    result: str | None = _import_whole("microgradlib.viz.cells").render(form, thing, rows)
    return result


def _names(order: _typing.Any) -> dict[_typing.Any, str]:
    """Name the nodes of a graph for formulas and messages."""
    result: dict[_typing.Any, str] = _import_whole("microgradlib.viz.cells.names").known_names(order)
    return result


def _listing(program: object) -> str:
    """Write a compiled program as mathematics."""
    result: str = _import_whole("microgradlib.listing").written(program)
    return result


def _drawing(program: object, **options: object) -> object:
    """Draw a compiled program."""
    return _import_whole("microgradlib.listing").drawing_of(program, **options)


def _source(program: object, **options: object) -> str:
    """Write a compiled program as text for a framework."""
    result: str = _import_whole("microgradlib.source").to_source(program, **options)
    return result


_display.set_renderer(_render)
_display.set_namer(_names)
_display.set_program_writers(_listing, _drawing, _source)

__version__ = "0.1.0"

_SUBMODULES = (
    "compiler", "costs", "data", "engine", "errors", "interop", "krylov", "metrics", "nn", "numeric", "ops", "optim",
    "plots", "regularisers", "symbolic", "testing", "training", "viz",
)  # fmt: skip
_LAZY = {
    "compiler": ("compile",),
    "nn": ("load", "sample", "sample_from_logits", "save"),
    "numeric": ("gradcheck", "numeric_gradient"),
    "plots": (
        "plot_activations",
        "plot_decision_boundary",
        "plot_derivative_error",
        "plot_gradient_flow",
        "plot_history",
        "plot_loss_surface",
    ),
    "symbolic": ("explain_gradient", "simplify", "to_latex", "to_sympy", "to_text"),
    "training": ("fit",),
    "viz": ("draw", "name"),
    "viz.stepper": ("explain",),
}
_SUBMODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

globals().update({name: op for name, op in _ops.PUBLIC.items() if name not in globals()})

_LOADED = {name for name, loaded in globals().items() if name[0] != "_" and not isinstance(loaded, type(_builtins))}
_PUBLIC = sorted({*_SUBMODULE_OF, *_LOADED})
# abs, compile, pow, round and sum are public as mg.abs and so on; a star import does not shadow Python's builtins.
__all__ = [name for name in _PUBLIC if not hasattr(_builtins, name)]


if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist

    def __getattr__(name: str) -> object:
        if name in _SUBMODULES:
            return _import_whole(f"microgradlib.{name}")
        if name in _SUBMODULE_OF:
            attribute = globals()[name] = getattr(_import_whole(f"microgradlib.{_SUBMODULE_OF[name]}"), name)
            return attribute
        return _missing_names("microgradlib", _PUBLIC)(name)


def __dir__() -> list[str]:
    dunders = [name for name in globals() if name.startswith("__")]
    return sorted({*_PUBLIC, *_SUBMODULES, *dunders})
