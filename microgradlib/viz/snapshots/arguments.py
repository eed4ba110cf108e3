"""The arguments that say more of a graph, of `draw` and `explain`: modules, names and targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.viz.snapshots.bindings import is_module

__all__ = ["check_names", "checked_targets"]


def check_names(model: Any, names: Any) -> None:
    """Raise an error unless `model` is a module or a dict of modules, and `names` a dict.

    Raises:
        TypeError: one is not.

    """
    modules = list(model.values()) if isinstance(model, Mapping) else [] if model is None else [model]
    wrong = next((module for module in modules if not is_module(module)), None)
    if wrong is not None:
        message = f"model must be a module, or a dict of modules such as {{'cell': cell}}; got {shown(wrong)}"
        raise TypeError(message)
    if names is not None and not isinstance(names, Mapping):
        message = f"names must be a dict from names to nodes, such as {{'w': w}} or locals(); got {shown(names)}"
        raise TypeError(message)


def checked_targets(targets: Any) -> tuple[Node, ...]:
    """Return the nodes that are targets: one, or those of a list.

    Raises:
        TypeError: there is something else among them.

    """
    if isinstance(targets, Node):
        return (targets,)
    given = tuple(targets) if isinstance(targets, Iterable) else (targets,)
    wrong = next((target for target in given if not isinstance(target, Node)), None)
    if wrong is not None or not isinstance(targets, Iterable):
        message = f"targets must be Values, such as targets=[t]; got {shown(wrong)}"
        raise TypeError(message)
    return given
