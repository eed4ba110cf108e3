"""Recorded calls: decorators and a base class that leave a record of each call for drawings (`core.scopes`)."""

from __future__ import annotations

from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import getweakrefs, ref

from microgradlib._support.calling import check_call
from microgradlib.core.modes import MODES_IN_USE, is_compiling
from microgradlib.core.nested import nodes_in
from microgradlib.core.scopes import MARKED_OUTPUTS, MARKS, Function, Kept, Mark, begin, mark_node
from microgradlib.core.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["RecordedCalls", "Unit", "note", "note_inside", "recorded", "unrecorded"]

F = TypeVar("F", bound="Callable[..., Any]")
R = TypeVar("R")

_discard = MARKS.discard
_VALUES = frozenset({Value})
_SINGLE = frozenset({Value, float, int, bool, str})


class Unit(NamedTuple):
    """A unit of a layer, whose calls drawings tell by its parameters: f(z), z = Σ wᵢ xᵢ (+ b).

    `name` is relative to the layer, such as `neurons.3`, empty for a layer that is one unit. `op` names f in the table
    of ops: "" if f(z) is z, None for a function that is no op. `inputs` names the xᵢ, where they have no names.
    z is one node `dot`, or if `expanded` the sums and products of `Neuron`.
    """

    name: str
    weights: list[Any]
    bias: Any
    op: str | None
    inputs: list[str]
    expanded: bool = False


def note_inside(began: int, source: Any, inputs: Sequence[Any], inside: Sequence[Any], result: list[Value]) -> None:
    """Record a call, as `note` does, of which `inside` tells the results: all nodes that read those in its lists.

    For calls that return many nodes: weak references to them would take longer. `result` is one list of them, in which
    all but the first and the last may be left out: these two are marked.
    """
    if result[0]._left is None or (MODES_IN_USE and is_compiling()):
        return
    source = source if source.__class__ is Function else _reference_to(source)
    record = began, begin(), source, inputs, tuple(map(ref, result)), inside
    for node in (result[0], result[-1]):
        mark_node(node, record)


def note(began: int, source: Any, inputs: Sequence[Any], result: R) -> R:
    """Record a call that began at the moment `began` and returned `result`, unless it returned no node of an op.

    `source` is the module, or a `Function`; `inputs` holds the nodes that it was given. As a tuple they are in their
    places, perhaps nested: leaves among them are then named `x.3` or `x.0.2`. Returns the result.
    """
    if result.__class__ is float:
        return result
    outputs: Any
    if result.__class__ is Value:
        outputs = (result,)
    elif isinstance(result, list) and _VALUES.issuperset(map(type, result)):
        outputs = result
    else:
        outputs = nodes_in((result,))
    if not outputs or outputs[0]._left is None or (MODES_IN_USE and is_compiling()):
        return result
    if source.__class__ is not Function:
        source = _reference_to(source)
        for mark in getweakrefs(outputs[0]):
            if mark.__class__ is Mark and mark.record.__class__ is tuple and mark.record[2] is source:
                return result  # a module that returns the same node again, or calls its base class
    record = began, begin(), source, inputs, tuple(map(ref, outputs))
    mark = Mark(outputs[0], _discard)
    mark.record = record
    MARKS.add(mark)
    if len(outputs) > 1:
        for node in outputs[1:] if len(outputs) <= MARKED_OUTPUTS else outputs[-1:]:
            mark_node(node, record)
    return result


def recorded(function: Function) -> Callable[[F], F]:
    """Return a decorator of a function of nodes: its calls are scopes, shown as the name and formula of `function`."""

    def decorate(body: F) -> F:
        @wraps(body)
        def call(*inputs: Any, **options: Any) -> Any:
            began = begin()
            given = inputs if _SINGLE.issuperset(map(type, inputs)) else nodes_in(inputs)
            try:
                result = body(*inputs, **options)
            except TypeError as error:
                check_call(body, body.__name__, error, inputs, options)
                raise
            if result.__class__ is not Value or MODES_IN_USE or result._left is None:
                note(began, function, given, result)
                return result
            mark = Mark(result, _discard)  # as `note` does, in a third of the time
            mark.record = began, begin(), function, given, ()
            MARKS.add(mark)
            return result

        return call  # type: ignore[return-value]

    return decorate


class RecordedCalls:
    """The base of classes whose calls are scopes: `__call__` of each subclass is wrapped when the class is made.

    A subclass sets `is_recorded = False` in its own body where drawings tell its calls by the graph alone, at no cost.
    """

    is_recorded = True

    is_kept = False
    """Whether records keep what `__init__` set of a module of this very class, for the names in `draw(MLP(2, [1])(x))`.
    Not for a module that stores what it returns there: neither would ever die."""

    scope_formula = ""
    """What a call computes, as drawings show it: `tanh(W x + b)`."""

    scope_kind = ""
    """"step" for a recurrent cell, whose calls are time steps; by default "layer" or "module"."""

    unit_formula = ""
    """The same for one unit: `tanh(w x + b)`."""

    def scope_units(self) -> list[Unit]:
        """Return the units of this layer itself, not those of layers in it; empty for a module without units."""
        return []

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if vars(cls).get("is_kept"):
            _KEPT[cls] = frozenset(name for init in _inits_of(cls) for name in init.__code__.co_names)
        body = vars(cls).get("__call__")
        if isinstance(body, FunctionType) and vars(cls).get("is_recorded", True):
            setattr(cls, "__call__", _recorded_method(body))  # noqa: B010  type checkers refuse an assignment


_KEPT: dict[type, frozenset[str]] = {}
"""The classes whose modules are kept, with all names in their `__init__`, of attributes and of other things."""


def _inits_of(kind: type) -> list[FunctionType]:
    inits = [vars(base).get("__init__") for base in kind.__mro__[:-1]]  # object's is a function too, in PyPy
    return [getattr(init, "__wrapped__", init) for init in inits if isinstance(init, FunctionType)]


def _reference_to(module: Any) -> ref[Any]:
    names = _KEPT.get(module.__class__)
    return ref(module) if names is None else Kept.of(module, names)


def unrecorded(method: F) -> F:
    """Return a `__call__` that was wrapped for its class as it was before, for a subclass that needs no records."""
    body: F = method.__wrapped__  # type: ignore[attr-defined]
    return body


def _recorded_method(body: Any) -> Any:
    @wraps(body)
    def __call__(self: Any, *inputs: Any, **options: Any) -> Any:  # noqa: N807
        began = begin()
        x = inputs[0] if inputs else None
        if len(inputs) == 1 and x.__class__ is list and x and x[0].__class__ in _SINGLE:
            given: Any = tuple(x)  # a copy, as the list may be changed later
        else:
            given = nodes_in(inputs)
        if options:
            given = [*given, *nodes_in(options.values())]
        try:
            result = body(self, *inputs, **options)
        except TypeError as error:
            check_call(body.__get__(self), type(self).__name__, error, inputs, options)
            raise
        if result.__class__ is not Value or MODES_IN_USE or result._left is None or getweakrefs(result):
            note(began, self, given, result)
            return result
        mark = Mark(result, _discard)  # as `note` does, in a third of the time
        mark.record = began, begin(), _reference_to(self), given, ()
        MARKS.add(mark)
        return result

    return __call__
