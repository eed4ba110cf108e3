"""Copying modules without recursion, however deep they are nested: all empty first, then what each holds.

`copy.deepcopy` takes four calls for each level. So the modules of a module are made together, without their attributes;
each then gets a copy of these, in which all others are known already. A class that says itself how it is copied is
asked, as by Python.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from microgradlib.core.value import Value
from microgradlib.ops.signatures import Unary

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["deep_copied"]

_CONTAINERS = frozenset({dict, list, tuple, set, frozenset})
_HOLD_NONE = frozenset({Value, Unary, float, int, str, bool, type(None)})
"""The classes of most of what modules have, for speed."""


def deep_copied(module: Any, memo: dict[int, Any], module_class: Any) -> Any:
    """Return a copy of a module and of all it holds: `copy.deepcopy`. `module_class` is `Module`, of another file."""
    twins: list[tuple[Any, Any]] = []
    for inner in _modules_in(module, module_class):
        is_own = inner is not module and type(inner).__deepcopy__ is not module_class.__deepcopy__
        if is_own or id(inner) in memo:
            continue
        made = inner.__reduce_ex__(4)
        if isinstance(made, str):
            memo[id(inner)] = inner
        else:
            memo[id(inner)] = made[0](*deepcopy(made[1], memo))
            twins.append((memo[id(inner)], made))
    for twin, made in twins:
        _fill(twin, made[2:5], memo)
    return memo[id(module)]


def _modules_in(module: Any, module_class: Any) -> list[Any]:
    """Return the modules in a module, each behind those that it holds."""
    order: list[Any] = []
    seen: set[int] = {id(module)}
    searched: list[tuple[Any, Iterator[Any]]] = [(module, iter(vars(module).values()))]  # the innermost last
    while searched:
        owner, members = searched[-1]
        for member in members:
            kind = member.__class__
            if kind in _HOLD_NONE or id(member) in seen:
                continue
            if kind in _CONTAINERS:
                searched.append((None, iter(member.values() if kind is dict else member)))
            elif isinstance(member, module_class):
                searched.append((member, iter(vars(member).values())))
            else:
                continue
            seen.add(id(member))
            break
        else:
            searched.pop()
            if owner is not None:
                order.append(owner)
    return order


def _fill(module: Any, parts: tuple[Any, ...], memo: dict[int, Any]) -> None:
    """Set copies of what `__reduce_ex__` gives beside a function and its arguments: a state, members of a list or dict.

    A state is set by `__setstate__`, or is the attributes, or these and the slots.
    """
    state, members, pairs = (*parts, None, None, None)[:3]
    state = deepcopy(state, memo)
    if state is not None and hasattr(module, "__setstate__"):
        module.__setstate__(state)
    elif state is not None:
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        vars(module).update(attributes or {})
        for name, content in slots.items():
            setattr(module, name, content)
    for member in members or ():
        module.append(deepcopy(member, memo))
    for key, content in pairs or ():
        module[deepcopy(key, memo)] = deepcopy(content, memo)
