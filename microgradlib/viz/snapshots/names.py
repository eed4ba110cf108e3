"""The names of the nodes of a graph: labels, paths of parameters, given names and the variables of the user's frame."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.nn.module import parts_of
from microgradlib.symbolic.names import fresh_names, label_of
from microgradlib.viz.snapshots.bindings import Bindings, automatic_label, is_module
from microgradlib.viz.snapshots.frames import users_variables
from microgradlib.viz.snapshots.scoping import KnownModule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from microgradlib.viz.snapshots.records import Records

__all__ = ["Names", "names_of"]


class Names(NamedTuple):
    """The names of nodes: of parameters of modules, and of other nodes; and the modules they belong to.

    `held` are the nodes that the user's variables hold, those with doubtful names too.
    """

    paths: dict[Any, str]
    given: dict[Any, str]
    modules: list[KnownModule]
    held: set[Any]


def names_of(
    order: Sequence[Any],
    index: Mapping[Any, int],
    records: Records,
    *,
    model: Any,
    given: Mapping[str, Any],
    frame: FrameType | None,
) -> Names:
    """Return the names of the nodes that have one.

    A parameter's name is its user's label, else its path, with its module before it where parameters of several
    modules are in the graph, or where another node has its path as a name. Another node's is its label, else the name
    that `given` has for it, else the variable of `frame`, unless that is already the name of another node. The modules
    are `model`, those in `given` and in variables, and those called.
    """
    own = str(frame.f_globals.get("__name__", "")) if frame else ""
    variables = users_variables(frame)
    bindings = [Bindings(given), *[Bindings(seen, own) for seen in variables]]
    explicit = Bindings(model if isinstance(model, dict) else {"": [model] if is_module(model) else list(model or ())})
    called = [call.module for call in records.calls if call.module is not None]
    bound = [module for names in bindings for module in names.modules]
    roots = _roots([*explicit.modules, *bound, *called], index)
    parameters = {parameter for root in roots for _, parameter in root.parameters}
    others = [node for node in order if node not in parameters]
    named = {node: name for node in others if (name := label_of(node) or bindings[0].name(node))}
    by_variable = {node: name for node in others if node not in named and (name := _name(node, bindings[1:]))}
    shown = _names_of_roots(roots, [explicit, *bindings] if isinstance(model, dict) else bindings, variables)
    taken = {*named.values(), *by_variable.values()}
    is_alone = len(roots) == 1 and taken.isdisjoint([path for path, _ in roots[0].parameters])
    paths: dict[Any, str] = {}
    modules: list[KnownModule] = []
    for root, name in zip(roots, shown):
        prefix = () if is_alone else (name,)
        for path, parameter in root.parameters:
            if parameter in index and parameter not in paths:
                label = "" if automatic_label(label_of(parameter), path) else label_of(parameter)
                paths[parameter] = label or ".".join((*prefix, path))
        modules += [KnownModule(".".join(filter(None, (*prefix, path))), name, part) for path, part in root.modules]
    taken = {*named.values(), *paths.values()}
    given = {**named, **{node: name for node, name in by_variable.items() if name not in taken}}
    return Names(paths, given, modules, {node for names in bindings for node in names.nodes})


def _name(thing: Any, bindings: Iterable[Bindings]) -> str:
    for bound in bindings:
        name = bound.name(thing)
        if name:
            return name
    return ""


class _Root(NamedTuple):
    """An outermost module, with the modules in it, itself first, and its parameters, each with its path."""

    module: Any
    modules: list[tuple[str, Any]]
    parameters: list[tuple[str, Any]]


def _roots(modules: Iterable[Any], index: Mapping[Any, int]) -> list[_Root]:
    """Return the outermost of some modules that have parameters in the graph."""
    found: list[_Root] = []
    inner: set[int] = set()
    known = {id(module): module for module in modules}
    for key, module in known.items():
        if key in inner:
            continue
        try:
            parts, parameters = parts_of(module)
        except Exception:  # noqa: BLE001, S112  another module in the notebook may be broken
            continue
        inner.update(id(part) for _, part in parts if part is not module)
        if any(parameter in index for _, parameter in parameters):
            found.append(_Root(module, parts, parameters))
    return [root for root in found if id(root.module) not in inner]


def _names_of_roots(roots: list[_Root], naming: list[Bindings], variables: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the name of each module: that of its variable, else its class in lower case, numbered if that is taken."""
    names = [_name(root.module, naming) for root in roots]
    classes = [type(root.module).__name__.lower() for root in roots]
    nameless = Counter([kind for kind, name in zip(classes, names) if not name])
    taken = {*names, *[name for seen in variables for name in seen]}
    numbered = {kind: fresh_names(kind, taken) for kind in nameless}
    return [
        name or (kind if nameless[kind] == 1 and kind not in taken else next(numbered[kind]))
        for name, kind in zip(names, classes)
    ]
