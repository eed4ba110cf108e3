"""The arguments of fit, checked: each function returns one in the form that training uses, or raises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from microgradlib._support.calling import call, refuse_class
from microgradlib._support.checks import WholeNumber, real_number, whole_number
from microgradlib._support.shown import shown
from microgradlib.costs import decision_of
from microgradlib.data.checks import check_augmentation
from microgradlib.optim import Adam
from microgradlib.training.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from microgradlib.nn import Module
    from microgradlib.training.types import Loss, OneOrMore, OptimizerLike, SupportsStep

__all__ = ["augmentation", "functions_of", "limit", "optimizer_of", "stopping_rule"]

F = TypeVar("F")


def stopping_rule(early_stopping: WholeNumber | EarlyStopping | None, loss: Loss) -> EarlyStopping | None:
    """Return the rule of a run, None without one; raises `ValueError` if it watches what this loss does not have."""
    if early_stopping is None or early_stopping is False:
        return None
    if not isinstance(early_stopping, EarlyStopping):
        reason = "the epochs to wait for a better loss"
        return EarlyStopping(whole_number(early_stopping, "early_stopping", reason=reason, example=10))
    if early_stopping.monitor == "error_rate" and decision_of(loss) is None:
        message = "early stopping is to watch the error rate, but this loss does not classify: give monitor='loss'"
        raise ValueError(message)
    return replace(early_stopping)  # a copy without a best epoch, so that one rule can be used for several runs


def functions_of(functions: OneOrMore[F], name: str) -> tuple[F, ...]:
    """Return one function, a list of them, or None as a tuple of functions. Raises `TypeError` for anything else."""
    given: Any = () if functions is None else (functions,) if callable(functions) else functions
    if not isinstance(given, (list, tuple)) or not all(map(callable, given)):
        message = f"{name} must be a function or a list of functions, got {shown(functions)}"
        raise TypeError(message)
    for function in given:
        refuse_class(function, name)
    return tuple(given)


def augmentation(augment: Any) -> Any:
    """Return the augmentation, None without one. Raises `TypeError` for anything but a function."""
    if augment is not None:
        check_augmentation(augment, "augment")
    return augment


def limit(number: float | None, name: str) -> float | None:
    """Return a limit of gradients as a float ≥ 0, perhaps infinite; None without one."""
    return None if number is None else real_number(number, name, ge=0, finite=False, example=1.0)


def optimizer_of(optimizer: OptimizerLike | None, model: Module) -> SupportsStep:
    """Return the optimizer itself, or the one that the given function makes, or Adam.

    Raises `TypeError` for anything without a method `step`.
    """
    if optimizer is None:
        return Adam(model.parameters(), lr=0.01)
    given: Any = optimizer
    is_function = callable(given) and (isinstance(given, type) or not hasattr(given, "step"))
    made: Any = (
        call(given, "a function that makes an optimizer takes the parameters", model.parameters())
        if is_function
        else given
    )
    if isinstance(made, type) or not callable(getattr(made, "step", None)):
        what = f"the function returned {shown(made)}" if is_function else f"got {shown(made)}"
        message = f"optimizer must have a method step, as Adam(model.parameters(), lr=0.01) has, {what}"
        raise TypeError(message)
    checked: SupportsStep = made
    return checked
