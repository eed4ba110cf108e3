"""The names of the nodes of a graph: labels, paths of parameters, given names and the variables of the user's frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.nn.module import parts_of
from microgradlib.viz.snapshots.names import Bindings, automatic_label, is_module, users_variables
from microgradlib.viz.snapshots.scoping import KnownModule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import FrameType

    from microgradlib.viz.snapshots.records import Records

__all__ = ["Names", "names_of"]


class Names(NamedTuple):
    """The names of nodes: of parameters of modules, and of other nodes; and the modules they belong to."""

    paths: dict[Any, str]
    given: dict[Any, str]
    modules: list[KnownModule]


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
    modules are in the graph. Another node's is its label, else the name that `given` has for it, else the variable of
    `frame`. The modules are `model`, those in `given` and in variables, and those called.
    """
    own = str(frame.f_globals.get("__name__", "")) if frame else ""
    bindings = [Bindings(given), *[Bindings(variables, own) for variables in users_variables(frame)]]
    explicit = Bindings(model if isinstance(model, dict) else {"": [model] if is_module(model) else list(model or ())})
    called = [call.module for call in records.calls if call.module is not None]
    bound = [module for names in bindings for module in names.modules]
    roots = _roots([*explicit.modules, *bound, *called], index)
    naming = [explicit, *bindings] if isinstance(model, dict) else bindings
    shown = {id(root.module): _name(root.module, naming) for root in roots}
    prefixes = _prefixes([root.module for root in roots], shown)
    paths: dict[Any, str] = {}
    modules: list[KnownModule] = []
    for root in roots:
        prefix = prefixes[id(root.module)]
        for path, parameter in root.parameters:
            if parameter in index and parameter not in paths:
                own = "" if automatic_label(parameter.label, path) else parameter.label
                paths[parameter] = own or (f"{prefix}.{path}" if prefix else path)
        name = prefix or shown[id(root.module)] or type(root.module).__name__.lower()
        modules += [KnownModule(".".join(filter(None, (prefix, path))), name, part) for path, part in root.modules]
    others: dict[Any, str] = {}
    for node in order:
        if node not in paths:
            name = node.label or _name(node, bindings)
            if name:
                others[node] = name
    return Names(paths, others, modules)


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


def _prefixes(roots: list[Any], shown: Mapping[int, str]) -> dict[int, str]:
    """Return what the paths of each module begin with: nothing if it is the only one, else its variable or class."""
    if len(roots) < 2:
        return {id(root): "" for root in roots}
    taken = [name for name in shown.values() if name]
    classes = [type(root).__name__.lower() for root in roots if not shown[id(root)]]
    count: dict[str, int] = {}
    prefixes: dict[int, str] = {}
    for root in roots:
        name, kind = shown[id(root)], type(root).__name__.lower()
        if not name:
            count[kind] = count.get(kind, 0) + 1
            name = f"{kind}{count[kind]}" if classes.count(kind) > 1 or kind in taken else kind
        prefixes[id(root)] = name
    return prefixes
