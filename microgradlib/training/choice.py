"""How a training run is computed: example by example, or compiled, on one of the compiler's engines."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Literal

from microgradlib._support.interrupts import import_whole
from microgradlib._support.shown import shown
from microgradlib.compiler.engines import checked_options, choose_backend
from microgradlib.errors import LabelError
from microgradlib.training.compiled_steps import CompiledSteps
from microgradlib.training.eager_steps import EagerSteps

if TYPE_CHECKING:
    from microgradlib.training.run import Steps
    from microgradlib.training.task import Task

__all__ = ["check_engine", "choose_steps"]


def check_engine(compiled: Any, backend: str, devices: Any) -> None:
    """Raise unless `compiled` is True, False or "auto", and fits the backend, which fits the devices."""
    if not isinstance(compiled, Hashable) or isinstance(compiled, float) or compiled not in {True, False, "auto"}:
        message = f'compiled must be True, False or "auto", got {shown(compiled)}'
        raise ValueError(message)
    checked_options(choose_backend(backend), devices)
    if backend == "jax" and not compiled:
        raise ValueError('backend="jax" runs compiled programs: leave out compiled=False')


def choose_steps(task: Task, compiled: bool | Literal["auto"], backend: str, devices: Any) -> tuple[Steps, str]:
    """Return the steps of the task, compiled if requested and possible, and a description of how they are computed."""
    eager = EagerSteps(task)
    if not compiled:
        return eager, eager.description
    try:
        steps = _compiled_steps(task, backend, devices)
    except LabelError:
        raise
    except Exception as error:
        if compiled != "auto" or backend == "jax":
            raise
        return eager, f"{eager.description}, as it cannot be compiled: {str(error).splitlines()[0]}"
    return steps, steps.description


def _compiled_steps(task: Task, backend: str, devices: Any) -> CompiledSteps:
    """Return the steps of a task on a backend, "jax" on these devices."""
    if backend != "jax":
        return CompiledSteps(task, backend)
    steps: CompiledSteps = import_whole("microgradlib.training.jax_steps").JaxSteps(task, devices)
    return steps
