"""The scopes of each node of a graph: recorded calls and blocks, layers and their units, softmaxes, examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.scopes import Block, Call, Function
from microgradlib.viz.snapshots.patterns import Pattern
from microgradlib.viz.snapshots.snapshot import Scope
from microgradlib.viz.snapshots.units import LayerCall, UnitCall

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from microgradlib.viz.snapshots.records import Records

__all__ = ["KnownModule", "ScopeBuilder", "batch_prefix", "place_leaves", "step_numbers"]

KINDS: Final = frozenset({"neuron", "layer", "module", "step", "example"})
"""A block whose name begins with one of these words, as `with scope("example 3")`, is of that kind."""
OF_LEAVES: Final = frozenset({"block", "example"})
"""A leaf belongs to scopes of these kinds, if all nodes that use it do; not to those of modules and functions."""


class KnownModule(NamedTuple):
    """A module that parameters in the graph belong to: its path, with the prefix of its root, and its root's name."""

    path: str
    shown: str
    module: Any


class ScopeBuilder:
    """It makes each scope once: a thing in the same scope around it is the same scope.

    A call that has nodes in several examples, such as the cost of a batch, is a scope in each of them. A call of a
    module directly inside a call of the same one, as by `super().__call__(x)`, is no scope of its own.
    """

    def __init__(self, modules: Iterable[KnownModule], steps: Mapping[Hashable, int], *, several_cells: bool) -> None:
        self._modules = {id(known.module): known for known in modules}
        self._steps, self._several_cells = steps, several_cells
        self._made: dict[tuple[Hashable, int], Scope] = {}
        self._formulas: dict[int, tuple[str, str]] = {}
        self._called: dict[Scope, Any] = {}

    def chain(self, things: Iterable[Any]) -> tuple[Scope, ...]:
        """Return the scopes of things, outer ones first: calls, blocks, layers, units, functions, example numbers."""
        scopes: tuple[Scope, ...] = ()
        for thing in things:
            around = scopes[-1] if scopes else None
            module = _module_of(thing)
            if around and module is not None and self._called.get(around) is module:
                continue
            key = _key(thing), id(around)
            scope = self._made.get(key)
            if scope is None:
                scope = self._scope(thing, around)
                if scope is None:
                    continue
                scope = self._made[key] = scope.printable()
                self._called[scope] = module
            scopes = (*scopes, scope)
        return scopes

    def _scope(self, thing: Any, around: Scope | None) -> Scope | None:
        if isinstance(thing, int):
            return Scope(f"example {thing}", "example", parent=around)
        if isinstance(thing, Block):
            word = re.match(r"[a-z]*", thing.name.lower())
            kind = word[0] if word and word[0] in KINDS else "block"
            return Scope(thing.name, kind, formula=thing.formula, parent=around)
        if isinstance(thing, Pattern):
            return Scope(thing.name, "function", formula=thing.formula, parent=around)
        if isinstance(thing, Call) and isinstance(thing.source, Function):
            return Scope(thing.source.name, "function", formula=thing.source.formula, parent=around)
        if isinstance(thing, UnitCall):
            return self._of_unit(thing, around)
        return self._of_module(thing, _module_of(thing), around)

    def _of_unit(self, call: UnitCall, around: Scope | None) -> Scope:
        path = around.path if around else ""
        name = call.unit.name
        if "." in name:
            path = f"{path}.{name}" if path else name
        return Scope(name, "neuron", path, self._formulas_of(call.layer)[1], around)

    def _formulas_of(self, module: Any) -> tuple[str, str]:
        """Return the formulas of a module and of its units."""
        formulas = self._formulas.get(id(module))
        if formulas is None:
            formulas = self._formulas[id(module)] = module.scope_formula, module.unit_formula
        return formulas

    def _of_module(self, thing: Any, module: Any, around: Scope | None) -> Scope | None:
        known = self._modules.get(id(module))
        if known is None:
            return None
        name = _relative(known, around)
        step = self._steps.get(_key(thing))
        if step is not None and not _is_in_step(around):
            name = f"{name} step {step}" if self._several_cells else f"step {step}"
            return Scope(name, "step", known.path, self._formulas_of(module)[0], around)
        if isinstance(thing, LayerCall) and not thing.units[0].unit.name:
            return Scope(name, "neuron", known.path, self._formulas_of(module)[0], around)
        kind = "layer" if module.summary_shape else "module"
        formula = self._formulas_of(module)[0] or (str(module.summary_shape) if kind == "layer" else "")
        return Scope(name, kind, known.path, formula, around)


def _module_of(thing: Any) -> Any:
    """Return the module whose call a thing is, or None."""
    return thing.layer if isinstance(thing, LayerCall) else thing.module if isinstance(thing, Call) else None


def _is_in_step(scope: Scope | None) -> bool:
    while scope is not None:
        if scope.kind == "step":
            return True
        scope = scope.parent
    return False


def _key(thing: Any) -> Hashable:
    if isinstance(thing, (Block, Call)):
        return thing.begin
    return ("example", thing) if isinstance(thing, int) else ("graph", id(thing))


def _relative(known: KnownModule, around: Scope | None) -> str:
    """Return the path of a module relative to that of the scope around it; for an outermost one the name it has.

    A place in a list is followed by the class of what is there: `modules.0 Conv2d`, but `layers.0` for a Layer.
    """
    while around is not None and around.kind in {"block", "example", "function", "derivative"}:
        around = around.parent
    if not known.path:
        return known.shown
    inside = around is not None and around.path and known.path.startswith(f"{around.path}.")
    name = known.path[len(around.path) + 1 :] if around is not None and inside else known.path
    stem, _, place = known.path.rpartition(".")
    kind = type(known.module).__name__
    says_kind = not place.isdigit() or kind.lower() in stem.rpartition(".")[2].lower()
    return name if says_kind else f"{name} {kind}"


def step_numbers(
    calls: Iterable[Call], layers: Iterable[LayerCall], index: Mapping[Any, int]
) -> tuple[dict[Hashable, int], bool]:
    """Return the numbers of time steps, for the calls of recurrent cells, and whether there are several cells.

    A call is the step after the one whose outputs it was given as its state. A call without such neighbours is no step.
    """
    numbers: dict[Hashable, int] = {}
    before: dict[tuple[int, int], Hashable] = {}
    cells: set[int] = set()
    for thing, module, given, returned in _cell_calls(calls, layers, index):
        previous = next((before[id(module), i] for i in given if (id(module), i) in before), None)
        key = _key(thing)
        if previous is not None:
            numbers.setdefault(previous, 1)
            numbers[key] = numbers[previous] + 1
            cells.add(id(module))
        before.update(dict.fromkeys([(id(module), i) for i in returned], key))
    return numbers, len(cells) > 1


def _cell_calls(
    calls: Iterable[Call], layers: Iterable[LayerCall], index: Mapping[Any, int]
) -> Iterable[tuple[Any, Any, Sequence[int], Sequence[int]]]:
    """Yield the calls of recurrent cells, each with its cell and the nodes it was given and returned."""
    for call in calls:
        module = call.module
        if getattr(module, "scope_kind", "") == "step":
            returned = [index[node] for node in (output() for output in call.outputs) if node in index]
            yield call, module, [index[node] for node in call.inputs if node in index], returned
    for layer in layers:
        if layer.layer.scope_kind == "step":
            yield layer, layer.layer, layer.units[0].inputs, [unit.output for unit in layer.units]


def batch_prefix(batch: Sequence[Sequence[int]], records: Records) -> set[int] | None:
    """Return the beginnings of the records around all examples of a batch; None if blocks tell the examples already."""
    chains = [records.chains[i] for nodes in batch for i in nodes]
    common = {record.begin for record in chains[0]}
    for chain in chains[1:]:
        if common:
            common &= {record.begin for record in chain}
    inner = [next((record for record in chain if record.begin not in common), None) for chain in chains]
    return None if all(isinstance(record, Block) for record in inner) else common


def place_leaves(
    order: Sequence[Any], index: Mapping[Any, int], scopes: list[tuple[Scope, ...]], leaves: Collection[int]
) -> None:
    """Put each leaf into the blocks and examples that all nodes which use it are in."""
    common: dict[int, tuple[Scope, ...]] = {}
    for i, node in enumerate(order):
        for parent in node.parents:
            p = index[parent]
            if p in leaves:
                common[p] = _prefix(common[p], scopes[i]) if p in common else _of_leaf(scopes[i])
    for i, chain in common.items():
        scopes[i] = chain


def _of_leaf(chain: tuple[Scope, ...]) -> tuple[Scope, ...]:
    ends = [n for n, scope in enumerate(chain) if scope.kind not in OF_LEAVES]
    return chain[: ends[0]] if ends else chain


def _prefix(chain: tuple[Scope, ...], other: tuple[Scope, ...]) -> tuple[Scope, ...]:
    for n, (scope, another) in enumerate(zip(chain, other)):
        if scope is not another:
            return chain[:n]
    return chain[: len(other)]
