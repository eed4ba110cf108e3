"""A graph as plain data: its nodes with their names, kinds, numbers and scopes at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from microgradlib._support.printable import one_line
from microgradlib.symbolic.names import fresh_names

Kind = Literal["input", "parameter", "constant", "target", "op", "output"]


@dataclass(frozen=True, eq=False)
class Scope:
    """One entry into a scope: a call of a module or of a function, or one `with scope(name)` block.

    Two entries with the same name are two scopes, so scopes compare by identity.

    Args:
        name: as its frame shows it, relative to the scope around it: `neurons.3`, `example 1`, `softmax`.
        kind: what it is: "neuron", "layer", "module", "step", "example", "function" (a part of the library, such as a
            softmax or a cost), "derivative" (the local derivative of one op) or "block" (any other `with scope`).
        path: of a module, the path of its parameters, such as `layers.0.neurons.3`; empty otherwise.
        formula: what it computes, as a label: `tanh(W x + b)`; may be empty.
        parent: the scope around it, None for an outermost one.

    """

    name: str
    kind: str = "block"
    path: str = ""
    formula: str = ""
    parent: Scope | None = None

    def printable(self) -> Scope:
        r"""Return the scope with its texts on one line and without control characters.

        >>> Scope("two\nlines").printable().name
        'two lines'
        """
        name, path, formula = texts = self.name, self.path, self.formula
        if all(map(str.isprintable, texts)):
            return self
        return replace(self, name=one_line(name), path=one_line(path), formula=one_line(formula))


@dataclass(frozen=True)
class SnapshotNode:
    """One node.

    Args:
        index: its place in the topological order, from 0.
        kind: what it is for the reader of a drawing.
        name: its full name: the path of a parameter, the label, the variable; empty if it has none.
        op: how the op is shown, such as `×` or `tanh`; empty for a leaf.
        op_name: the op's name in the table, such as `mul`; empty for a leaf, and for a node made by hand.
        data: its number; None for a Symbol.
        grad: its gradient; None if nothing has reached it, and for Symbols, constants and targets.
        parents: the indices of its parents, repeats kept.
        local_derivatives: ∂node/∂parent for each parent; None where it is not known.
        scopes: the scopes that it belongs to, outermost first.
        stale: whether its number was computed from numbers that have been changed since.

    """

    index: int
    kind: Kind
    name: str = ""
    op: str = ""
    op_name: str = ""
    data: float | None = None
    grad: float | None = None
    parents: tuple[int, ...] = ()
    local_derivatives: tuple[float | None, ...] = ()
    scopes: tuple[Scope, ...] = ()
    stale: bool = False


@dataclass(frozen=True)
class Snapshot:
    """Nodes in topological order, parents first, the indices of the outputs, and the names of leaves changed since."""

    nodes: tuple[SnapshotNode, ...]
    outputs: tuple[int, ...]
    changed: tuple[str, ...] = ()

    @cached_property
    def automatic_names(self) -> dict[int, str]:
        """The names u1, u2, … of the nodes without a name, in topological order; plain numbers have none.

        >>> x, y = SnapshotNode(0, "input", "x"), SnapshotNode(1, "output", op="tanh", parents=(0,))
        >>> Snapshot((x, y), (1,)).automatic_names
        {1: 'u1'}
        """
        fresh = fresh_names("u", [node.name for node in self.nodes if node.name])
        return {node.index: next(fresh) for node in self.nodes if not node.name and node.kind != "constant"}
