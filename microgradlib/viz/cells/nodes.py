"""Single nodes in cells: a Value with name, formula, number and gradient; a Symbol as mathematics; lists of kinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.core.graph import topological_sort
from microgradlib.core.kinks import described
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops import ZERO
from microgradlib.symbolic.latex import to_latex
from microgradlib.symbolic.local_derivatives import value_formula
from microgradlib.symbolic.names import label_of
from microgradlib.viz.cells.names import formula, named
from microgradlib.viz.cells.table import Column, Span, Table, cell, equals, in_page, line, line_markup
from microgradlib.viz.numbers import NOT_REACHED, counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Written", "kinks_table", "symbol", "value"]

MOST_SEARCHED: Final = 2_000
"""In a larger graph, a Value is shown by its label, and by the labels or numbers of its parents."""


class Written(NamedTuple):
    """A thing in the forms that it has."""

    html: str | None = None
    latex: str | None = None
    text: str | None = None


def value(node: Any, _rows: int | None) -> Written:
    """Return a Value as one line: name = formula = number, gradient."""
    name, how = _name_and_formula(node)
    sign, shown_number = equals(number(node._float))
    parts: list[str | Span] = []
    if name:
        parts += [Span(name, bold=True), " = " if how else sign]
    if how:
        parts += [Span(how, "muted"), sign]
    parts.append(Span(shown_number if parts else number(node._float), bold=not name))
    gradient = Span(NOT_REACHED, "muted") if node.grad is ZERO else Span(number(node.grad), "grad", bold=True)
    shown = line(*parts, Span(", gradient ", "muted"), gradient)
    return Written(html=in_page(f"<div>{line_markup(shown)}</div>"))


def _name_and_formula(node: Any) -> tuple[str, str]:
    order = _small_graph(node)
    if order:
        names = named(order)
        own, kind, _ = names[node]
        is_named = kind != "constant" and (label_of(node) or not own.startswith("u") or not own[1:].isdecimal())
        return (own if is_named else ""), formula(node, names)
    parents = [label_of(parent) or number(parent.data) for parent in node.parents[:MOST_SEARCHED]]
    complete = node.op is not None and len(parents) == len(node.parents)
    return label_of(node), value_formula(node.op, parents) if complete else ""


def _small_graph(node: Any) -> Sequence[Any]:
    """Return the nodes below a node in order, or none if there are too many to look at for one line."""
    seen, stack = {node}, [node]
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
        if len(seen) > MOST_SEARCHED:
            return ()
    return topological_sort(node)


def symbol(node: Any, _rows: int | None) -> Written:
    """Return a Symbol as mathematics, if it is not too long to be read."""
    try:
        return Written(latex=rf"$\displaystyle {to_latex(node, limit=100)}$")
    except GraphTooLargeError:
        return Written()


def kinks_table(found: Any, rows: int | None) -> Table:
    """Return the nodes at which a derivative is a convention or cannot be had, each with its note."""
    nodes = [node for node in found if node in found.notes]

    def row(i: int) -> Any:
        return (
            cell(Span(described(nodes[i]), bold=True)),
            cell(number(nodes[i].data)),
            cell(Span(found.notes[nodes[i]])),
        )

    columns = (Column("node"), Column("value", right=True), Column("its derivative there"))
    title = counted(len(nodes), "kink") if nodes else "no kinks"
    return Table.of(title, columns if nodes else (), len(nodes), row, rows=rows)
