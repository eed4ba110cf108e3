"""The heading of the stepper: the output as a formula, in which a model is one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from microgradlib.core.hand_made import HandMadeOp
from microgradlib.ops.formula import write_op
from microgradlib.symbolic.book import Book
from microgradlib.viz.stepper.tapes.contracted import closable, contract
from microgradlib.viz.stepper.tapes.names import name_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.groups import Groups

__all__ = ["formula_of"]

LONGEST: Final = 60
"""A longer formula is no heading."""

_MOST_NODES: Final = 2000


def formula_of(groups: Groups, live: Sequence[Any]) -> str:
    """Return the output as a formula: y = tanh(w · x + b), L = (model(x) − 1)²; its name, or "", if that is long.

    >>> from microgradlib import Value
    >>> from microgradlib.nn import MLP
    >>> from microgradlib.viz.snapshots.capture import capture
    >>> from microgradlib.viz.boxes.groups import find_groups
    >>> net = MLP(2, [3, 1], rng=0)
    >>> L = (net([1.0, 2.0]) - 1.0) ** 2
    >>> snapshot, live = capture(L, names={"L": L, "net": net})
    >>> formula_of(find_groups(snapshot), live)
    'L = (net(x) − 1)²'
    """
    nodes = groups.snapshot.nodes
    name = nodes[-1].name
    if len(nodes) > _MOST_NODES:
        return name
    graph = contract(groups, [scope for scope in closable(groups) if scope.kind == "module" and scope.parent is None])
    names = name_nodes(groups)
    formulas: list[Book] = []
    for node in graph.nodes:
        op = live[node.of].op
        if node.scope is not None:
            formulas.append(Book(f"{node.scope.name}(x)"))
        elif op is None:
            noted = nodes[node.of]
            is_number = noted.kind == "constant" and not noted.name
            formulas.append(Book.number(live[node.of].data, 3) if is_number else Book.name(names[node.of].full))
        elif isinstance(op, HandMadeOp):
            return name
        else:
            formulas.append(write_op(Book, op, [formulas[parent] for parent in node.parents]))
        if len(formulas[-1].text) > LONGEST:
            return name
    text = str(formulas[-1])
    return f"{name} = {text}" if name and len(nodes) > 1 else text
