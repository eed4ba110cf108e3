"""Copying and pickling modules without recursion, however deep they are nested: all empty first, then what each holds.

`copy` and `pickle` take four and two calls for each level. So the modules of a module are made together, without their
attributes; each then gets a copy of these, in which all others are known already. A class that says itself how it is
copied or pickled is asked, as by Python.
"""

from __future__ import annotations

from contextvars import ContextVar
from copy import deepcopy
from copyreg import dispatch_table
from typing import TYPE_CHECKING, Any
from weakref import ref

from microgradlib.core.value import Value
from microgradlib.ops.signatures import Unary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["copied", "deep_copied", "reduced"]

NESTED = 50
"""Modules and lists nested deeper are pickled together; others as before, so that older versions read these pickles."""

_CONTAINERS = frozenset({dict, list, tuple, set, frozenset})
_HOLD_NONE = frozenset({Value, Unary, float, int, str, bool, type(None)})
"""The classes of most of what modules have, for speed."""


def _modules_in(module: Any, module_class: Any) -> tuple[list[Any], int]:
    """Return the modules in a module, each behind those that it holds, and how deep modules and containers nest."""
    order: list[Any] = []
    seen: set[int] = {id(module)}
    searched: list[tuple[Any, Iterator[Any]]] = [(module, iter(vars(module).values()))]  # the innermost last
    depth = 1
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
            depth = max(depth, len(searched))
            break
        else:
            searched.pop()
            if owner is not None:
                order.append(owner)
    return order, depth


def copied(module: Any, module_class: Any) -> Any:
    """Return a module with the same attributes: `copy.copy`. `module_class` is `Module`, of another file."""
    made = _made(module, 4, module_class)
    return module if isinstance(made, str) else _filled(made[0](*made[1]), made, lambda part: part)


def deep_copied(module: Any, memo: dict[int, Any], module_class: Any) -> Any:
    """Return a copy of a module and of all it holds: `copy.deepcopy`."""
    twins: list[tuple[Any, Any]] = []
    for inner in _modules_in(module, module_class)[0]:
        is_own = inner is not module and type(inner).__deepcopy__ is not module_class.__deepcopy__
        if is_own or id(inner) in memo:
            continue
        made = _made(inner, 4, module_class)
        if isinstance(made, str):
            memo[id(inner)] = inner
        else:
            memo[id(inner)] = made[0](*deepcopy(made[1], memo))
            twins.append((memo[id(inner)], made))
    for twin, made in twins:
        _filled(twin, made, lambda part: deepcopy(part, memo))
    return memo[id(module)]


def _made(module: Any, protocol: Any, module_class: Any) -> Any:
    """Return what Python's `__reduce_ex__` gives, or that of the module's class if it has one."""
    by_default = type(module).__reduce_ex__ is module_class.__reduce_ex__
    return object.__reduce_ex__(module, protocol) if by_default else module.__reduce_ex__(protocol)


def _filled(module: Any, made: Any, copy_of: Callable[[Any], Any]) -> Any:
    """Return a new module after setting what `__reduce_ex__` gave beside the function and its arguments."""
    state, members, pairs = (*made[2:5], None, None, None)[:3]
    if state is not None:
        _set_state(module, copy_of(state))
    for member in members or ():
        module.append(copy_of(member))
    for key, content in pairs or ():
        module[copy_of(key)] = copy_of(content)
    return module


def _set_state(module: Any, state: Any) -> None:
    """Set the state of a new module, as `copy` and `pickle` do: by `__setstate__`, or the attributes and the slots."""
    if hasattr(module, "__setstate__"):
        module.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    vars(module).update(attributes or {})
    for name, content in slots.items():
        setattr(module, name, content)


def set_states(states: list[tuple[Any, Any]]) -> None:
    """Set the state of each of these new modules. Pickles name this function."""
    for module, state in states:
        if state is not None:
            _set_state(module, state)


class _Together:
    """The modules in a module, which `pickle` meets as a list: it asks each for itself, and at the end for all states.

    While the list is written, the modules that are `pending` give themselves without a state.
    """

    def __init__(self, modules: list[Any], protocol: Any) -> None:
        made: list[Any] = [object.__reduce_ex__(module, protocol) for module in modules]
        self.modules = modules
        self.pending = {id(module): parts[:2] for module, parts in zip(modules, made)}
        self.states = [(module, parts[2]) for module, parts in zip(modules, made)]

    def __reduce__(self) -> tuple[Any, ...]:
        _writing.set(ref(self))
        return list, (), None, iter([*self.modules, _States(self)])


class _States:
    """The last element of such a list: what sets the states of its modules, which all exist by now."""

    def __init__(self, written: _Together) -> None:
        self.written = written

    def __reduce__(self) -> tuple[Any, ...]:
        self.written.pending.clear()
        return set_states, (self.written.states,)


_writing: ContextVar[ref[_Together] | None] = ContextVar("microgradlib_pickled_modules", default=None)

_shallow: ContextVar[set[int]] = ContextVar("microgradlib_shallow_modules")
"""The ids of the modules in one that was found not to be nested deeply: `pickle` asks them next, and need not wait."""


def reduced(module: Any, protocol: Any, module_class: Any) -> Any:
    """Return what `pickle` needs of a module: `__reduce_ex__`."""
    known = _writing.get()
    written = known() if known is not None else None
    if written is not None and id(module) in written.pending:
        return written.pending.pop(id(module))
    shallow = _shallow.get(set())
    if id(module) in shallow:
        shallow.discard(id(module))  # the next time it may hold others
        return object.__reduce_ex__(module, protocol)
    modules, depth = _modules_in(module, module_class)
    if depth <= NESTED or not _is_by_default(type(module), module_class):
        _shallow.set({id(inner) for inner in modules[:-1]} if depth <= NESTED else set())
        return object.__reduce_ex__(module, protocol)
    # Pickling the list makes the module itself: pickle then drops what is returned here, and takes that.
    return tuple, ((_Together([inner for inner in modules if _is_by_default(type(inner), module_class)], protocol),),)


def _is_by_default(kind: Any, module_class: Any) -> bool:
    """Return whether a class of modules leaves it to Python how they are pickled, apart from their state."""
    own = kind.__reduce_ex__ is not module_class.__reduce_ex__ or kind.__reduce__ is not object.__reduce__
    return not own and kind not in dispatch_table and not issubclass(kind, (list, dict))
