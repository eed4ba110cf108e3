"""Names of nodes: labels, paths of parameters, and the variables that are bound to these very objects now."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from os.path import dirname
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.pytree import is_ndarray
from microgradlib.core.node import Node
from microgradlib.nn.module import Module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["Bindings", "automatic_label", "is_module", "name", "named_parameters", "users_frame", "users_variables"]

MOST_ELEMENTS: Final = 100_000
"""So many elements of containers are searched at most; larger containers are left out."""
DEEPEST: Final = 8
"""Containers are searched down to this depth: `model.layers[0].neurons[1].w[2]` has depth 6."""
INTERACTIVE: Final = frozenset({"In", "Out", "exit", "quit", "get_ipython"})
"""Variables that IPython puts among the user's."""

_PACKAGE = dirname(dirname(dirname(__file__)))  # noqa: PTH120  as text, since it is compared with the frames' file names


def users_frame() -> FrameType | None:
    """Return the innermost frame outside the package: the cell, script or function that asked for a picture."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def users_variables(frame: FrameType | None) -> list[dict[str, Any]]:
    """Return the variables that a frame sees, by name: its locals, then the globals that they do not hide.

    Private ones are left out, and those that IPython puts among the user's.
    """
    if frame is None:
        return []
    if frame.f_locals is frame.f_globals:
        return [_public(frame.f_globals)]
    seen = frame.f_locals
    return [_public(seen), _public({name: thing for name, thing in frame.f_globals.items() if name not in seen})]


def _public(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables without private ones, IPython's, and those whose names no program can write."""
    return {
        name: thing
        for name, thing in variables.items()
        if not name.startswith("_") and name not in INTERACTIVE and name.isidentifier()
    }


def is_module(thing: Any) -> bool:
    """Return whether a thing is a network or layer of this library, not the class of one."""
    return isinstance(thing, Module)


def named_parameters(module: Any) -> list[tuple[str, Any]]:
    """Return the parameters of a module with their dotted paths.

    >>> from microgradlib.nn import Neuron
    >>> [path for path, _ in named_parameters(Neuron(2))]
    ['w.0', 'w.1', 'b']
    """
    parameters: list[tuple[str, Any]] = module.named_parameters()
    return parameters


_SHORT = {"gain": "g", "bias": "b", "width": "σ"}


def automatic_label(label: str, path: str) -> bool:
    """Return whether a parameter's label is the one that the library gave it: `w1` says less than its path `….w.1`.

    >>> automatic_label("w1", "layers.0.neurons.3.w.1"), automatic_label("slope of the line", "w.1")
    (True, False)
    """
    parts = path.split(".")
    numbers: list[str] = []
    while len(parts) > 1 and parts[-1].isdigit():
        numbers.insert(0, parts.pop())
    stem = parts[-1]
    if label in {stem, _SHORT.get(stem)}:
        return True
    written = re.split("[,_]", label[len(stem) :])
    return label.startswith(stem) and numbers[-len(written) :] == written


def name(variables: Mapping[str, Any]) -> None:
    """Label Values by the variables they are bound to: `name(locals())` in a cell, script or function.

    Values that have a label keep it, and so do the parameters of modules, whose paths are their names. The elements of
    lists, tuples, dicts and arrays are named by the container, `xs[0]` or `weights['w']`. A Value that several
    variables are bound to gets no name, nor do variables that begin with `_`. Drawings find the variables of the code
    that calls them by themselves; `name` is for Values that later code, which does not see these variables, draws.
    Raises `TypeError` for anything but a dict.

    >>> from microgradlib import Value
    >>> x, ws = Value(1.0), [Value(2.0), Value(3.0, label="slope")]
    >>> name({"x": x, "ws": ws})
    >>> x.label, ws[0].label, ws[1].label
    ('x', 'ws[0]', 'slope')
    """
    given: Any = variables
    if not isinstance(given, Mapping):
        message = f"name takes a dict from names to Values, as in name(locals()), got {given!r:.80}"
        raise TypeError(message)
    bindings = Bindings(_public(variables))
    parameters = {parameter for module in bindings.modules for _, parameter in named_parameters(module)}
    for node in bindings.nodes:
        if not node.label and node not in parameters:
            node.label = bindings.name(node)


class Bindings:
    """What is bound to which name at one moment: variables, and elements of the containers bound to them.

    `name(thing)` is a name that reaches this very object, or "" where none does or several do. Of several it is silent,
    with three exceptions: a loop over a list leaves its variable bound to the last element, whose name is then
    `xs[2]`; in `xs = [a, b]`, all of whose elements have variables, the variables are the names; and a place in an
    object comes before one in a list, as in `ps = [neuron.b]`. `own` is the name of the Python module whose classes'
    instances are searched: the user's, such as `__main__`.

    >>> a, b, c = Node(), Node(), Node()
    >>> bindings = Bindings({"a": a, "b": b, "xs": [a, b], "w": {"in": c}})
    >>> bindings.name(a), bindings.name(c)
    ('a', "w['in']")
    """

    def __init__(self, variables: Mapping[str, Any], own: str = "") -> None:
        self._own = own
        self._variables: dict[int, list[str]] = {}
        self._places: dict[int, list[tuple[int, str]]] = {}
        self._contents: dict[int, list[Any]] = {}
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []  # lists made here, whose ids must not serve again
        self.modules: list[Any] = []
        """The modules found, each once, in the order of the variables."""
        self.nodes: list[Node] = []
        """The nodes found, some more than once."""
        self._budget = MOST_ELEMENTS
        for name, thing in variables.items():
            if _is_named(thing) or self._is_container(thing):
                self._variables.setdefault(id(thing), []).append(name)
                self._search(thing)

    def _search(self, thing: Any) -> None:
        """Note where the nodes and modules in a thing are, without recursion."""
        stack = [(thing, 0)]
        while stack:
            found, depth = stack.pop()
            if isinstance(found, Node):
                self.nodes.append(found)
            elif is_module(found):
                if not any(found is module for module in self.modules):
                    self.modules.append(found)
                continue
            if id(found) in self._contents or depth == DEEPEST or not self._is_container(found):
                continue
            size = len(vars(found)) if self._is_own(found) else len(found)
            if size > self._budget:
                continue
            self._budget -= size
            parts = _attributes(found) if self._is_own(found) else _elements(found)
            elements = [(key, part) for key, part in parts if _is_named(part) or self._is_container(part)]
            if _lists_a_graph([element for _, element in elements]):
                continue
            self._kept.append([found, elements])
            self._contents[id(found)] = [element for _, element in elements]
            for key, element in elements:
                self._places.setdefault(id(element), []).append((id(found), key))
            stack += [(element, depth + 1) for _, element in reversed(elements)]

    def _is_own(self, thing: Any) -> bool:
        """Return whether a thing is an instance of a class of the user's own code."""
        kind = type(thing)
        return bool(self._own) and kind.__module__ == self._own and kind.__dictoffset__ != 0 and not _is_plain(thing)

    def _is_container(self, thing: Any) -> bool:
        return _is_plain(thing) or self._is_own(thing)

    def name(self, thing: Any) -> str:
        """Return the name of a thing, "" if it has none or more than one."""
        key = id(thing)
        if key not in self._names:
            self._names[key] = ""  # of a list that contains itself
            self._names[key] = self._resolved(key)
        return self._names[key]

    def _resolved(self, key: int) -> str:
        variables, places = self._variables.get(key, []), self._places.get(key, [])
        if len(variables) > 1 or not places:
            return variables[0] if len(variables) == 1 else ""
        if variables:
            others = [id(other) for container, _ in places for other in self._contents[container] if id(other) != key]
            with_variables = [other in self._variables for other in others]
            if any(with_variables) or not others:
                return variables[0] if all(with_variables) else ""
        names = [name for name in (self._element_name(container, index) for container, index in places) if name]
        of_objects = [name for name in names if "." in name]
        chosen = of_objects or names
        return chosen[0] if len(chosen) == 1 else ""

    def _element_name(self, container: int, index: str) -> str:
        if container not in self._names:
            self._names[container] = ""
            self._names[container] = self._resolved(container)
        name = self._names[container]
        return f"{name}{index}" if name else ""


def _lists_a_graph(elements: list[Any]) -> bool:
    """Return whether a container holds a whole graph, as `topological_sort` returns it: places in it are no names."""
    if len(elements) < 4 or not all(isinstance(element, Node) for element in elements):
        return False
    ids = set(map(id, elements))
    made = [element for element in elements if element.op is not None]
    return len(made) > 1 and all(id(parent) in ids for element in made for parent in element.parents)


def _is_named(thing: Any) -> bool:
    return isinstance(thing, Node) or is_module(thing)


def _is_plain(thing: Any) -> bool:
    """Return whether a thing is a list, tuple, dict or array of objects."""
    is_array = is_ndarray(thing) and thing.dtype == "O" and thing.ndim > 0
    return is_array or isinstance(thing, (list, tuple, dict))


def _attributes(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public attributes of an object, each with its name as it is written."""
    for name, attribute in vars(thing).items():
        if not name.startswith("_"):
            yield f".{name}", attribute


def _elements(container: Any) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a container, each with its index as it is written."""
    if isinstance(container, dict):
        for key, element in container.items():
            if key.__class__ in {str, int}:
                yield f"[{key!r}]", element
    elif is_ndarray(container):
        yield from _elements_of_array(container)
    else:
        for i, element in enumerate(container):
            yield f"[{i}]", element


def _elements_of_array(array: Any) -> Iterator[tuple[str, Any]]:
    shape: Sequence[int] = array.shape
    for number, element in enumerate(array.ravel().tolist()):
        index: list[str] = []
        rest = number
        for size in reversed(shape):
            rest, i = divmod(rest, size)
            index.insert(0, f"[{i}]")
        yield "".join(index), element
