"""One step of a group: its gradient, checked, and the new numbers and buffers by the rule; nothing is changed."""

# ruff: noqa: PLR0917  an update of pure functions takes all that it depends on

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import parameters_of, takes
from microgradlib._support.floats import FLOATS, evaluate_rule
from microgradlib._support.number import is_array
from microgradlib._support.shown import shown
from microgradlib.optim.groups import joined
from microgradlib.optim.parameters import checked_array, checked_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.optim.groups import Group
    from microgradlib.optim.types import Gradient, UpdateRule

__all__ = ["moved_array", "moved_values", "slopes_of_arrays", "slopes_of_values"]


def slopes_of_values(groups: Sequence[Group], gradient: Gradient | None) -> list[list[float]]:
    """Return the gradient of each group of Values, their `grad` if none is given.

    Raises `TypeError` or `ValueError` unless it is a list or array of one number for each Value of all groups.
    """
    values = joined(groups)
    given = [value.grad for value in values] if gradient is None else gradient
    slopes = checked_numbers(given, len(values), "the gradient")
    if len(groups) == 1:
        return [slopes]
    ends = list(accumulate(len(joined([group])) for group in groups))
    return [slopes[start:end] for start, end in zip([0, *ends], ends)]


def slopes_of_arrays(groups: Sequence[Group], gradient: Any) -> list[Any]:
    """Return the gradient of each group of arrays, each a new array.

    Raises `TypeError` or `ValueError` unless the gradient is of the shape of the only array, or is a list of an array
    for each group, or one flat array of all their numbers.
    """
    arrays: list[Any] = [group.parameters for group in groups]
    if gradient is None:
        raise TypeError("an array has no grad: pass its gradient, as in step(gradient)")
    if len(arrays) == 1:
        return [checked_array(gradient, arrays[0], "the gradient")]
    ends = list(accumulate(array.size for array in arrays))
    if is_array(gradient) and gradient.shape == (ends[-1],):
        gradient = [gradient[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends)]
    if not isinstance(gradient, (list, tuple)) or len(gradient) != len(arrays):
        message = f"the gradient must be a list of {len(arrays)} arrays, or one flat array of {ends[-1]} numbers"
        raise ValueError(message)
    return [checked_array(g, a, f"the gradient of group {i}") for i, (g, a) in enumerate(zip(gradient, arrays))]


def moved_values(rule: UpdateRule, group: Group, lr: float, slopes: list[float]) -> tuple[list[float], dict[str, Any]]:
    """Return the new numbers of a group of Values and its new buffers, by `rule.update`."""
    t, update = group.steps + 1, rule.update
    if rule.maximize:
        slopes = [-slope for slope in slopes]
    rows = list(zip([value.data for value in joined([group])], slopes, *group.buffers.values()))
    try:
        new = [update(FLOATS, t, lr, *row) for row in rows]
    except (ArithmeticError, ValueError):  # such as 0/0: compute by IEEE 754, as arrays do
        new = [evaluate_rule(lambda xp, *row: update(xp, t, lr, *row), *row) for row in rows]
    except TypeError:
        if takes(update, (FLOATS, t, lr, *rows[0])):
            raise
        names = ", ".join(["xp", "t", "lr", "p", "g", *group.buffers])
        message = (
            f"update of {type(rule).__name__} is called as update({names}), but is a method {parameters_of(update)}"
        )
        raise TypeError(message) from None
    if not isinstance(new[0], (tuple, list)) or len(new[0]) <= len(group.buffers):
        what = ", ".join(["the new p", *[f"the new {name}" for name in group.buffers]])
        message = f"update of {type(rule).__name__} must return a tuple of {what}, got {shown(new[0])}"
        raise TypeError(message)
    numbers, *columns = zip(*new)
    buffers = {name: list(column) for name, column in zip(group.buffers, columns)}
    return checked_numbers(numbers, len(rows), "what the rule returns"), buffers


def moved_array(
    xp: Any, rule: UpdateRule, t: Any, lr: Any, numbers: Any, slopes: Any, buffers: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return the new numbers of a group and its new buffers, as arrays of the module `xp`, by `rule.update`."""
    new, *found = rule.update(xp, t, lr, numbers, -slopes if rule.maximize else slopes, *buffers.values())
    return new, dict(zip(buffers, found))
