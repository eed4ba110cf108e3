"""Scopes: which call of a module or function, or which `with scope(name)` block, made a node. For drawings only.

A node knows nothing of its scopes. A call leaves one record, reached by weak references to what it returned; a drawing
finds what else the call made by walking back from there to the call's inputs. Records die with the nodes.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import getweakrefs, ref

from microgradlib._support.calling import in_plain_words
from microgradlib._support.shown import shown
from microgradlib.core.graph import GraphNode
from microgradlib.core.modes import changed_mode, current_mode
from microgradlib.core.nested import nodes_in
from microgradlib.ops import GRAPH, reductions

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = [
    "MARKED_OUTPUTS", "MARKS", "Block", "Call", "Function", "Given", "Kept", "Mark", "Scope", "begin", "calls_of_many",
    "last_call", "mark_given", "mark_node", "marks_of", "name_number", "scope",
]  # fmt: skip

begin = count().__next__
"""It numbers the moments at which calls and blocks begin and end: what is inside another begins after it."""


class Mark(ref):  # type: ignore[type-arg]
    """A weak reference to a node with what is recorded of it: a `Call`, `Block` or `Given`, or the name of a number."""

    __slots__ = ("record",)
    record: Any  # a Block, a Given, a name, or the fields of a Call; outputs () for the node itself alone
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

    `begin`, `end`: the numbers of these moments. `source`: the function, or a weak reference to the module.
    `inputs`: the nodes among the arguments, in lists too. `outputs`: weak references to the nodes returned, of cells to
    one. `places`: the arguments as nested tuples and lists of nodes and numbers, where `note` was given them; else
    empty. `inside`: nodes made in the call that only nodes made in it read.
    """

    begin: int
    end: int
    source: Any
    inputs: tuple[Any, ...]
    outputs: tuple[ref[Any], ...]
    places: tuple[Any, ...] = ()
    inside: tuple[Any, ...] = ()

    @property
    def module(self) -> Any:
        """The module called, what stands for it if it is gone, or None if that is not known or it was a function."""
        source = self.source
        return source.module if source.__class__ is Kept else source() if source.__class__ is ref else None


class Kept(ref):  # type: ignore[type-arg]
    """A weak reference to a module that keeps some of its attributes, for drawings of a graph that outlives it.

    A reference to the module itself would keep it for ever with a result that a program hangs on it, as in
    `model.y = model(x)`: the result keeps the record, and the record the module.
    """

    __slots__ = ("_attributes", "_kind", "_stand_in")
    _attributes: dict[str, Any]
    _kind: type
    _stand_in: Any

    @classmethod
    def of(cls, module: Any, names: frozenset[str]) -> Kept:
        """Return the reference to a module that keeps the attributes with these names; one for all its records."""
        for reference in getweakrefs(module):
            if reference.__class__ is Kept:
                return reference
        kept = cls(module)
        kept._kind, kept._stand_in = module.__class__, None
        kept._attributes = {name: content for name, content in vars(module).items() if name in names}
        return kept

    @property
    def module(self) -> Any:
        """The module; if it is gone, another of its class with the same attributes."""
        module = self() or self._stand_in
        if module is None:
            module = self._stand_in = object.__new__(self._kind)
            module.__dict__.update(self._attributes)
        return module


class Block:
    """One entry into a `with scope(name)` block, inside that of `parent`."""

    __slots__ = ("begin", "formula", "name", "parent")

    def __init__(self, name: str, formula: str, parent: Block | None) -> None:
        self.name, self.formula, self.parent, self.begin = name, formula, parent, begin()

    def mark(self, node: Any) -> None:
        """Record that a node was made in the block."""
        mark_node(node, self)


class Given(NamedTuple):
    """A mark of a node that was made before calls which read it from elsewhere than their arguments.

    Walking back through a call that began later, a drawing stops at the node.
    """

    begin: int


def mark_given(node: Any) -> None:
    """Record that a node was made before any call that begins from now on, unless that is recorded."""
    if not any(mark.__class__ is Mark and mark.record.__class__ is Given for mark in getweakrefs(node)):
        mark_node(node, Given(begin()))


def mark_node(node: Any, record: Any) -> None:
    """Record something of a node, for as long as the node lives."""
    mark = Mark(node, _discard)
    mark.record = record
    MARKS.add(mark)


def marks_of(node: Any) -> list[Call | Block | Given | str]:
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
    began, end, source, inputs, outputs, *inside = mark.record
    places = inputs if inputs.__class__ is tuple and source.__class__ is not Function else ()
    return Call(began, end, source, tuple(nodes_in(inputs)), outputs or (mark,), places, tuple(nodes_in(inside)))


MARKED_OUTPUTS = 4
"""Of a call that returns more nodes than that, only the first and the last are marked, as marks take time."""


def calls_of_many() -> list[Call]:
    """Return the calls that returned more nodes than are marked, as long as the first or the last of them lives.

    >>> from microgradlib.nn import MLP
    >>> outputs = MLP(1, [5], rng=0)([2.0])
    >>> [len(call.outputs) for call in calls_of_many() if call.outputs[2]() is outputs[2]]
    [5]
    """
    marks = [mark for mark in MARKS.copy() if mark.record.__class__ is tuple and len(mark.record[4]) > MARKED_OUTPUTS]
    return list({id(mark.record): _call(mark) for mark in marks}.values())


def name_number(node: Any, name: str) -> Any:
    """Name a number that the library puts into a graph, such as `1/√d`, for drawings; return it."""
    mark_node(node, name)
    return node


@in_plain_words
def scope(name: str, formula: str = "") -> Scope:
    """Draw a frame around what a block computes, or around each call of a function that is decorated with it.

    Blocks nest, and each entry is a scope of its own, so a loop gives as many frames: name them `f"example {k}"`.
    `formula` is shown beside the name. The scope is a context variable: other threads and tasks do not see it, and it
    ends with the block, by an exception too; but while a generator waits at a `yield` in the block, what its caller
    computes is in the scope. It costs about 0.5 µs for each node made in the block, and nothing elsewhere. Raises
    `TypeError` for a name or formula that is not text, `ValueError` for an empty name.

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
            message = f'the {what} of a scope is text, as in scope("layer 1"), got {text!r:.80}'
            raise TypeError(message)
    if not name.strip():
        message = f'a scope needs a name, as in scope("layer 1"), got {shown(name)}'
        raise ValueError(message)
    return Scope(name, formula)


class Scope(ContextDecorator):
    """What `scope` returns: a block that may be entered again, each time as a scope of its own, or a decorator."""

    def __init__(self, name: str, formula: str) -> None:
        self._name, self._formula = name, formula
        self._entered: list[AbstractContextManager[None]] = []

    def _recreate_cm(self) -> Scope:  # each call of a decorated function has one, in threads too
        return Scope(self._name, self._formula)

    def __enter__(self) -> None:
        mode = current_mode()
        block = changed_mode(scope=Block(self._name, self._formula, None if mode is None else mode.scope))
        block.__enter__()
        self._entered.append(block)

    def __exit__(self, *error: object) -> None:
        self._entered.pop().__exit__(None, None, None)


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
