"""Scopes: which call of a module or function, or which `with scope(name)` block, made a node. For drawings only.

A node knows nothing of its scopes. A call leaves one record, reached by weak references to what it returned; a drawing
finds what else the call made by walking back from there to the call's inputs. Records die with the nodes.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from itertools import count
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import getweakrefs, ref

from microgradlib.core.graph import GraphNode
from microgradlib.core.modes import MODES_IN_USE, changed_mode, current_mode, is_compiling
from microgradlib.core.value import Value
from microgradlib.ops import GRAPH, reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = [
    "Block", "Call", "Function", "RecordedCalls", "Unit", "begin", "last_call", "marks_of", "name_number",
    "nodes_in", "note", "recorded", "scope", "unrecorded",
]  # fmt: skip

F = TypeVar("F", bound="Callable[..., Any]")

begin = count().__next__
"""It numbers the moments at which calls and blocks begin and end: what is inside another begins after it."""


class Mark(ref):  # type: ignore[type-arg]
    """A weak reference to a node with what is recorded of it: a `Call`, a `Block`, or the name of a number."""

    __slots__ = ("record",)
    record: Any  # a Block, the name of a number, or the fields of a Call; outputs () for the node itself alone
    __hash__ = object.__hash__  # those of nodes run Python code
    __eq__ = object.__eq__


MARKS: set[Mark] = set()
"""The marks of all living nodes. A mark leaves the set when its node dies."""

_discard = MARKS.discard


class Function(NamedTuple):
    """A function of the library whose calls are scopes: its name and formula as drawings show them.

    `target`: for a cost, the op and the place in it of the target: `("sub", 1)` for (ŷ − y)². None if no node has it.
    """

    name: str
    formula: str = ""
    target: tuple[str, int] | None = None


class Call(NamedTuple):
    """One call that returned nodes.

    `begin`, `end`: the numbers of these moments. `source`: the function, the module, or a weak reference to it.
    `inputs`: the nodes among the arguments, in lists too. `outputs`: weak references to the nodes returned.
    """

    begin: int
    end: int
    source: Any
    inputs: tuple[Any, ...]
    outputs: tuple[ref[Any], ...]

    @property
    def module(self) -> Any:
        """The module called, or None if it is gone or a function was called."""
        source = self.source
        return source() if source.__class__ is ref else None if source.__class__ is Function else source


class Unit(NamedTuple):
    """A unit of a layer, whose calls drawings tell by its parameters: f(z), z = Σ wᵢ xᵢ (+ b) as one `dot` or as sums.

    `name` is relative to the layer, such as `neurons.3`, empty for a layer that is one unit. `op` names f in the table
    of ops: "" if f(z) is z, None for a function that is no op. `inputs` names the xᵢ, where they have no names.
    """

    name: str
    weights: list[Any]
    bias: Any
    op: str | None
    inputs: list[str]


class Block:
    """One entry into a `with scope(name)` block, inside that of `parent`."""

    __slots__ = ("begin", "formula", "name", "parent")

    def __init__(self, name: str, formula: str, parent: Block | None) -> None:
        self.name, self.formula, self.parent, self.begin = name, formula, parent, begin()

    def mark(self, node: Any) -> None:
        """Record that a node was made in the block."""
        _mark(node, self)


def _mark(node: Any, record: Any) -> None:
    mark = Mark(node, _discard)
    mark.record = record
    MARKS.add(mark)


def marks_of(node: Any) -> list[Call | Block | str]:
    """Return what is recorded of a node, in the order of recording.

    >>> from microgradlib import Value
    >>> x = Value(3.0)
    >>> with scope("square"):
    ...     y = x * x
    >>> [block.name for block in marks_of(y)]
    ['square']
    """
    marks = [mark for mark in getweakrefs(node) if mark.__class__ is Mark]
    return [_call(mark) if mark.record.__class__ is tuple else mark.record for mark in reversed(marks)]


def _call(mark: Mark) -> Call:
    began, end, source, inputs, outputs = mark.record
    return Call(began, end, source, tuple(nodes_in(inputs)), outputs or (mark,))


def name_number(node: Any, name: str) -> Any:
    """Name a number that the library puts into a graph, such as `1/√d`, for drawings; return it."""
    _mark(node, name)
    return node


def scope(name: str, formula: str = "") -> AbstractContextManager[None]:
    """Draw a frame around what a block computes, or around each call of a function that is decorated with it.

    Blocks nest, and each entry is a scope of its own, so a loop gives as many frames: name them `f"example {k}"`.
    `formula` is shown beside the name. The scope is a context variable: other threads and tasks do not see it, and it
    ends with the block, by an exception too. It costs about 0.5 µs for each node made in the block, and nothing
    elsewhere. Raises `TypeError` for a name or formula that is not text, `ValueError` for an empty name.

    >>> from microgradlib import Value
    >>> w, x = Value(2.0, label="w"), Value(3.0, label="x")
    >>> with scope("error", formula="(w x − 1)²"):
    ...     loss = (w * x - 1) ** 2
    >>> loss.data
    25.0
    """
    texts: dict[str, Any] = {"name": name, "formula": formula}
    for what, text in texts.items():
        if not isinstance(text, str):
            message = f'the {what} of a scope is text, as in scope("layer 1"), got {text!r}'
            raise TypeError(message)
    if not name.strip():
        message = f'a scope needs a name, as in scope("layer 1"), got {name!r}'
        raise ValueError(message)
    return _scope(name, formula)


@contextmanager
def _scope(name: str, formula: str) -> Iterator[None]:
    mode = current_mode()
    with changed_mode(scope=Block(name, formula, None if mode is None else mode.scope)):
        yield


MARKED_OUTPUTS = 4
"""A call that returns more nodes than that is found from the first and the last of them only: marks take time."""


def note(began: int, source: Any, inputs: Sequence[Any], result: Any) -> None:
    """Record a call that began at the moment `began` and returned `result`, unless it returned no node of an op.

    `source` is the module, or a `Function`; `inputs` are the nodes that it was given, among numbers.
    """
    if result.__class__ is float:
        return
    if result.__class__ is Value:
        outputs: Any = (result,)
    elif result.__class__ is list and _VALUES.issuperset(map(type, result)):
        outputs = result
    else:
        outputs = nodes_in((result,))
    if not outputs or outputs[0]._left is None or (MODES_IN_USE and is_compiling()):
        return
    if source.__class__ is not Function:
        source = _kept_or_weak(source)
        for mark in getweakrefs(outputs[0]):
            if mark.__class__ is Mark and mark.record.__class__ is tuple and mark.record[2] is source:
                return  # a module that returns the same node again, or calls its base class
    record = began, begin(), source, inputs, tuple(map(ref, outputs))
    mark = Mark(outputs[0], _discard)
    mark.record = record
    MARKS.add(mark)
    if len(outputs) > 1:
        for node in outputs[1:] if len(outputs) <= MARKED_OUTPUTS else outputs[-1:]:
            _mark(node, record)


_VALUES = frozenset({Value})
_NUMBERS = frozenset({float, int})
_SINGLE = frozenset({Value, float, int, bool, str})


def nodes_in(things: Iterable[Any]) -> list[Any]:
    """Return the nodes in nested lists, tuples, dicts and arrays, each as often as it occurs.

    >>> nodes_in([1.0, (GraphNode(), {"h": [GraphNode()]})])
    [<...GraphNode object at ...>, <...GraphNode object at ...>]
    """
    found: list[Any] = []
    for thing in things:
        kind = thing.__class__
        if kind is Value:
            found.append(thing)
        elif kind is list or kind is tuple:
            kinds = set(map(type, thing))
            if kinds <= _VALUES:
                found += thing
            elif not kinds <= _NUMBERS:
                found += nodes_in(thing)
        elif kind not in _NUMBERS:
            found += _nodes_of_others(thing)
    return found


def _nodes_of_others(thing: Any) -> list[Any]:
    """Return the nodes in what is no plain list or tuple."""
    if isinstance(thing, GraphNode):
        return [thing]
    if isinstance(thing, (list, tuple)):
        return nodes_in(iter(thing))
    if isinstance(thing, dict):
        return nodes_in(thing.values())
    return nodes_in(thing.ravel().tolist()) if getattr(thing, "dtype", None) == "O" else []


def recorded(function: Function) -> Callable[[F], F]:
    """Return a decorator of a function of nodes: its calls are scopes, shown as the name and formula of `function`."""

    def decorate(body: F) -> F:
        @wraps(body)
        def call(*inputs: Any, **options: Any) -> Any:
            began = begin()
            given = inputs if _SINGLE.issuperset(map(type, inputs)) else nodes_in(inputs)
            result = body(*inputs, **options)
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
    """Whether records keep a module of this very class alive, for the names in `draw(MLP(2, [3, 1])(x))`. A module that
    stores what it returns must not be kept: neither would ever die."""

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
        body = vars(cls).get("__call__")
        if isinstance(body, FunctionType) and vars(cls).get("is_recorded", True):
            setattr(cls, "__call__", _recorded_method(body))  # noqa: B010  type checkers refuse an assignment


def _kept_or_weak(module: Any) -> Any:
    return module if vars(module.__class__).get("is_kept") else ref(module)


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
        result = body(self, *inputs, **options)
        if result.__class__ is not Value or MODES_IN_USE or result._left is None or getweakrefs(result):
            note(began, self, given, result)
            return result
        mark = Mark(result, _discard)  # as `note` does, in a third of the time
        mark.record = began, begin(), _kept_or_weak(self), given, ()
        MARKS.add(mark)
        return result

    return __call__


def last_call(module: Any) -> Call | None:
    """Return the record of the last call of a module some of whose outputs still exist; None if there is none.

    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1], rng=0)
    >>> y = model([0.5, -1.0])
    >>> call = last_call(model)
    >>> call.inputs, call.outputs[0]() is y
    ((), True)
    """
    calls = [_call(mark) for mark in MARKS.copy() if mark.record.__class__ is tuple]
    return max([call for call in calls if call.module is module], key=lambda call: call.end, default=None)


_detach = GRAPH.detach


def _detach_and_name(x: Any) -> Any:
    """Return x as a constant, as derivative graphs need it; the largest of several numbers is named so."""
    constant = _detach(x)
    if isinstance(constant, GraphNode) and getattr(x, "op", None) is reductions.maximum:
        name_number(constant, "largest")
    return constant


GRAPH.detach = _detach_and_name
