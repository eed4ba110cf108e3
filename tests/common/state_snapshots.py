"""Snapshots: the state of some objects, and of the process, as a flat dict from places to what is there.

`snapshot(things)` walks through lists, dicts, arrays, nodes, modules, optimisers and other objects; two snapshots of
the same things are equal if nothing has changed that a user can see. Caches and buffers that no result depends on are
left out: the compiled forms of a function, cached properties.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import os
import random
import signal
import struct
import sys
import types
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from microgradlib.compiler.batched import Batched
from microgradlib.core import peer_names
from microgradlib.core.graph import GraphNode
from microgradlib.nn import Module
from microgradlib.ops import ZERO
from microgradlib.ops.record import TABLE
from microgradlib.optim.groups import Group

__all__ = ["changes", "global_state", "snapshot"]

PLAIN = (type(None), bool, int, complex, str, bytes, Fraction, range, slice, Path)
OPAQUE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.GeneratorType)
UNSEEN = {"__weakref__", "__dict__", "_assignments"}
"""Slots that are not looked at: `_assignments` counts, and never decides more than whether to look closer."""
MOST = 100_000
"""So many places are looked at, at most: the valid arguments of the tests are small."""


def snapshot(*things: Any) -> dict[str, Any]:
    """Return what is at each place of these things, by the path to it, such as `0.layers[1].neurons[0].w[2]._float`."""
    state: dict[str, Any] = {}
    seen: dict[int, str] = {}
    waiting = [(str(i), thing) for i, thing in enumerate(things)]
    kept = []  # objects made by the walk itself, so that no other gets their id
    while waiting:
        path, thing = waiting.pop()
        assert len(state) < MOST, f"too much to look at: {path}"
        if isinstance(thing, PLAIN):
            state[path] = (type(thing).__name__, thing)
        elif isinstance(thing, float):
            state[path] = ("float", struct.pack("d", thing), thing is ZERO)
        elif isinstance(thing, OPAQUE):
            state[path] = ("is", id(thing))
        elif id(thing) in seen:
            state[path] = ("same as", seen[id(thing)])
        else:
            seen[id(thing)] = path
            kept.append(thing)
            state[path], parts = _parts(thing)
            waiting += [(f"{path}.{name}", part) for name, part in parts]
    return state


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the places at which two snapshots differ, each with what was there and what is there."""
    places = [place for place in {**before, **after} if before.get(place) != after.get(place)]
    return [
        f"{place}: {before.get(place, 'nothing')!r:.120} → {after.get(place, 'nothing')!r:.120}" for place in places
    ]


def _parts(thing: Any) -> tuple[Any, list[tuple[str, Any]]]:
    """Return what identifies a thing, and its parts by name."""
    kind = type(thing).__name__
    if isinstance(thing, dict):
        return (kind, [repr(key) if isinstance(key, (str, int)) else id(key) for key in thing]), [
            (f"[{i}]", part) for i, part in enumerate(thing.values())
        ]
    if isinstance(thing, (list, tuple, deque)):
        own = list(getattr(thing, "__dict__", {}).items())
        return (kind, len(thing)), [*own, *[(f"[{i}]", part) for i, part in enumerate(thing)]]
    if isinstance(thing, (set, frozenset)):
        return (kind, frozenset(map(id, thing))), []
    if isinstance(thing, np.ndarray):
        if thing.dtype == object:
            return (kind, thing.shape), [(f"[{i}]", part) for i, part in enumerate(thing.ravel().tolist())]
        return (kind, thing.dtype.str, thing.shape, thing.flags.writeable, thing.tobytes()), []
    if isinstance(thing, (random.Random, np.random.Generator)):
        return (kind, thing.getstate() if isinstance(thing, random.Random) else repr(thing.bit_generator.state)), []
    if isinstance(thing, functools.partial):
        return (kind, id(thing.func)), [("args", thing.args), ("keywords", thing.keywords)]
    if isinstance(thing, GraphNode):
        return (kind, id(thing)), _slots(thing)
    if isinstance(thing, Group):
        held = {name: np.asarray(buffer, float).tolist() for name, buffer in thing.held.items()}
        return kind, [("parameters", thing.parameters), ("own", thing.own), ("steps", thing.steps), ("held", held)]
    if isinstance(thing, Batched):
        shapes = None if thing._last is None else thing._last.shapes
        return (kind, shapes, str(thing.dtype), thing.backend), [("parameters", thing._parameters)]
    if isinstance(thing, Module):  # whether `training` is an attribute of the object or of its class is all one
        own = {name: part for name, part in _attributes(thing) if name != "training"}
        return (kind, thing.training), list(own.items())
    if type(thing).__module__.partition(".")[0] in {"matplotlib", "sklearn", "jax", "torch", "hypothesis"}:
        return ("is", id(thing)), []
    return ("a", kind, id(type(thing))), [*_slots(thing), *_attributes(thing)]


def _slots(thing: Any) -> list[tuple[str, Any]]:
    """Return what the slots of an object hold, and for a node what was added to it."""
    names = [name for cls in type(thing).__mro__ for name in _names(vars(cls).get("__slots__", ()))]
    slots = [(name, _held(thing, name)) for name in names if name not in UNSEEN]
    return slots + (_attributes(thing) if isinstance(thing, GraphNode) else [])


def _held(thing: Any, name: str) -> Any:
    try:
        return inspect.getattr_static(type(thing), name).__get__(thing)
    except AttributeError:  # an empty slot
        return ("empty",)


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _attributes(thing: Any) -> list[tuple[str, Any]]:
    """Return an object's attributes, without those that a cached property keeps."""
    own = getattr(thing, "__dict__", {})
    kind = type(thing)
    return [
        (name, part)
        for name, part in own.items()
        if not isinstance(inspect.getattr_static(kind, name, None), functools.cached_property)
    ]


def _setting(variable: contextvars.ContextVar[Any]) -> Any:
    try:
        return variable.get()
    except LookupError:  # without a default
        return None


@functools.cache
def _context_variables(_modules: int) -> list[contextvars.ContextVar[Any]]:
    """Return the context variables of this library and of NumPy, anew when there are more modules."""
    named = [module for name, module in sys.modules.items() if name.partition(".")[0] in {"microgradlib", "numpy"}]
    found = [variable for module in named for variable in vars(module).values()]
    return [variable for variable in found if isinstance(variable, contextvars.ContextVar)]


def global_state(folder: Path | None = None) -> dict[str, Any]:
    """Return the state of the process that calls must leave alone, and the files of a folder with their contents."""
    state: dict[str, Any] = {
        f"context variable {variable.name}": id(_setting(variable)) for variable in _context_variables(len(sys.modules))
    }
    state["random"] = random.getstate()
    state["numpy.random"] = np.random.get_state()[1].tobytes(), np.random.get_state()[2:]  # noqa: NPY002  the global state is what is tested
    state["numpy.geterr"] = np.geterr()
    state["ops"] = {name: id(op) for name, op in TABLE.items()}
    state["declared attributes"] = frozenset(peer_names._declared)
    state["recursion limit"] = sys.getrecursionlimit()
    state["interrupt handler"] = signal.getsignal(signal.SIGINT)
    state["environment"] = dict(os.environ)
    state["working folder"] = str(Path.cwd())
    if "matplotlib.pyplot" in sys.modules:  # tests that plot import it first
        state["figures"] = sys.modules["matplotlib.pyplot"].get_fignums()
        state["matplotlib settings"] = list(dict.items(sys.modules["matplotlib"].rcParams))
    if folder is not None:
        state["files"] = {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return state
