"""Names of nodes: labels, paths of parameters, and the variables that are bound to these very objects now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.nn.module import Module
from microgradlib.symbolic.names import label_of
from microgradlib.viz.snapshots.containers import contents
from microgradlib.viz.snapshots.frames import public

__all__ = ["Bindings", "automatic_label", "is_module", "name", "named_parameters"]

BUDGET: Final = 1_000_000
"""So much is searched at most: an element of a container costs 10, one of a list of nothing but numbers 1."""
DEEPEST: Final = 8
"""Containers are searched down to this depth: `model.layers[0].neurons[1].w[2]` has depth 6."""
_PLAIN: Final = frozenset({float, int, bool, str, type(None)})


def is_module(thing: Any) -> bool:
    """Return whether a thing is a network or layer of this library, not the class of one."""
    return issubclass(type(thing), Module)  # isinstance would ask a proxy for its class, which may raise


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
        message = f"name takes a dict from names to Values, as in name(locals()), got {shown(given)}"
        raise TypeError(message)
    bindings = Bindings(public(variables))
    parameters = {parameter for module in bindings.modules for _, parameter in named_parameters(module)}
    for node in bindings.nodes:
        if not label_of(node) and node not in parameters:
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
        self._budget = BUDGET
        found = {name: thing for name, thing in variables.items() if self._may_have_names(thing)}
        for name, thing in found.items():
            self._variables.setdefault(id(thing), []).append(name)
        self._search(list(found.values()))

    def _may_have_names(self, thing: Any) -> bool:
        """Return whether a thing is a node or a module, or may contain some."""
        if type(thing) in _PLAIN:
            return False
        return _is_node(thing) or is_module(thing) or contents(thing, self._own) is not None

    def _search(self, things: list[Any]) -> None:
        """Note where the nodes and modules in things are, those nearest to the variables first."""
        for depth in range(DEEPEST + 1):
            below: list[Any] = []
            for thing in things:
                if _is_node(thing):
                    self.nodes.append(thing)
                if is_module(thing):
                    if not any(thing is module for module in self.modules):
                        self.modules.append(thing)
                elif depth < DEEPEST and id(thing) not in self._contents:
                    below += self._noted_parts(thing)
            things = below

    def _noted_parts(self, container: Any) -> list[Any]:
        """Note the places of what a container has, and return that; nothing of one that is too large to be searched."""
        found = contents(container, self._own)
        if found is None:
            return []
        size, parts = found
        plain = size <= self._budget and type(container) in {list, tuple} and _PLAIN.issuperset(map(type, container))
        cost = size if plain else 10 * size
        if cost > self._budget:
            return []
        self._budget -= cost
        elements = [(key, part) for key, part in parts if self._may_have_names(part)] if not plain else []
        if _lists_a_graph([element for _, element in elements]):
            return []
        self._kept.append([container, elements])
        self._contents[id(container)] = [element for _, element in elements]
        for key, element in elements:
            self._places.setdefault(id(element), []).append((id(container), key))
        return [element for _, element in elements]

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
    if len(elements) < 4 or not all(map(_is_node, elements)):
        return False
    ids = set(map(id, elements))
    made = [element for element in elements if element.op is not None]
    return len(made) > 1 and all(id(parent) in ids for element in made for parent in element.parents)


def _is_node(thing: Any) -> bool:
    return issubclass(type(thing), Node)
