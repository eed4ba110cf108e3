"""The tables of reverse and forward mode: each number as the sum of its terms, upstream · local derivative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib.ops import ZERO
from microgradlib.symbolic.local_derivatives import MOST_INPUTS, formula_holds, local_derivative_formula
from microgradlib.viz.cells.names import formula, named, short_name
from microgradlib.viz.cells.table import Cell, Column, Line, Span, Table, cell, equals, line, selected
from microgradlib.viz.numbers import MINUS, NOT_REACHED, number, precision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["gradient_table", "tangents_table"]

MOST_TERMS: Final = 4
"""Of more terms in one sum, so many in all of both ends are written."""


HEADINGS: Final = (Column("node"), Column("value", right=True), Column("local derivatives", "local"))
EMPTY: Final = Table("{}", (), ())


class Edge(NamedTuple):
    """One edge of the graph: the node computed, the place of the operand among its parents, and ∂head/∂operand."""

    head: Any
    operand: Any
    place: int
    local: float


def gradient_table(table: Mapping[Any, float], rows: int | None) -> Table:
    """Return a `grad_table` in the order in which it is filled, from the output to the inputs."""
    if not table:
        return EMPTY
    order = list(table)
    into: dict[Any, list[Edge]] = {order[-1 - i]: [] for part in selected(len(order), rows) for i in part}
    for head in reversed(order):  # in which grad_table uses the edges
        for place, operand in enumerate(head.parents):
            if operand in into:
                into[operand].append(Edge(head, operand, place, head.local_derivatives[place]))
    writer = _Writer(table, order)

    def row(i: int) -> tuple[Cell, ...]:
        node = order[-1 - i]
        terms = into[node]
        if not terms and i == 0:
            start = cell(Span(f"∂{writer.short(node)}/∂{writer.short(node)}", "muted"))
            return (*writer.head(node), start, cell(""), writer.total(node))
        return (*writer.head(node), *writer.sum(node, terms, upstream=lambda edge: edge.head), writer.total(node))

    output = writer.name(order[-1])
    return Table.of(
        f"∂{output}/∂u for each node u, from the output to the inputs",
        (*HEADINGS, Column("upstream · local", "term"), Column("gradient", "grad", right=True)),
        len(order),
        row,
        rows=rows,
        more="{} more nodes: show() shows all",
        notes=writer.notes(),
    )


def tangents_table(table: Mapping[Any, float], rows: int | None) -> Table:
    """Return a `tangent_table` in the order in which it is filled, from the inputs to the outputs."""
    if not table:
        return EMPTY
    order = list(table)
    writer = _Writer(table, order)

    def row(i: int) -> tuple[Cell, ...]:
        node = order[i]
        edges = [Edge(node, parent, k, d) for k, (parent, d) in enumerate(zip(node.parents, node.local_derivatives))]
        terms = [edge for edge in edges if writer.kind(edge.operand) != "constant"] or edges
        if not terms or not writer.explains(node, terms, [edge.operand for edge in terms]):
            given = cell(Span("" if table[node] is ZERO else "given", "muted"))
            return (*writer.head(node), given, cell(""), writer.total(node))
        return (*writer.head(node), *writer.sum(node, terms, upstream=lambda edge: edge.operand), writer.total(node))

    return Table.of(
        "u̇, the change of each node u along the tangents of the inputs, from the inputs to the outputs",
        (*HEADINGS, Column("tangent · local", "term"), Column("tangent", "grad", right=True)),
        len(order),
        row,
        rows=rows,
        more="{} more nodes: show() shows all",
        notes=writer.notes(),
    )


class _Writer:
    """Writes the cells of one table."""

    def __init__(self, table: Mapping[Any, float], order: Sequence[Any]) -> None:
        self.table, self.digits = table, precision(len(order))
        self.names = named(order, self.digits)

    def name(self, node: Any) -> str:
        return self.names[node].name

    def notes(self) -> list[str]:
        """Return a note on leaves that were changed after the graph was computed from them."""
        changed = self.names.changed
        if not changed:
            return []
        names = ", ".join(changed if len(changed) <= MOST_TERMS else [*changed[:MOST_TERMS], "…"])
        return [f"{names} changed since: results, local derivatives and gradients are those of the numbers before"]

    def kind(self, node: Any) -> str:
        return self.names[node].kind

    def short(self, node: Any) -> str:
        name, kind, _ = self.names[node]
        return f"({name})" if kind == "constant" else short_name(name)

    def number(self, x: float, *, factor: bool = False) -> str:
        text = number(x, self.digits)
        return f"({text})" if factor and text.startswith((MINUS, "≈")) else text

    def head(self, node: Any) -> tuple[Cell, Cell]:
        """Return the cells of the name, with the formula, and of the value."""
        name, kind, stale = self.names[node]
        parts = [Span(name, "muted" if kind == "constant" else "", bold=kind != "constant")]
        how = formula(node, self.names) or str(node.op or "")
        if how:
            parts.append(Span(f" = {how}", "muted"))
        if kind == "constant":
            parts.append(Span(" (constant)", "muted"))
        return (tuple(parts),), cell(Span(self.number(node.data), "stale" if stale else ""))

    def total(self, node: Any) -> Cell:
        x = self.table[node]
        return cell(Span(NOT_REACHED, "muted") if x is ZERO else Span(self.number(x), "grad", bold=True))

    def explains(self, node: Any, terms: Iterable[Edge], upstream: Iterable[Any]) -> bool:
        """Return whether the number of a node in the table is the sum of these terms."""
        total: float = ZERO
        for edge, other in zip(terms, upstream):
            if edge.local is not ZERO and self.table.get(other, ZERO) is not ZERO:
                total += self.table[other] * edge.local
        x = self.table[node]
        return x == total or math.isclose(x, total, rel_tol=1e-12) or (math.isnan(x) and math.isnan(total))

    def sum(self, node: Any, terms: list[Edge], *, upstream: Any) -> tuple[Cell, Cell]:
        """Return the cells of the local derivatives and of the terms, a line for each."""
        if not self.explains(node, terms, map(upstream, terms)):
            return cell(""), cell("")
        locals_: list[Line] = []
        products: list[Line] = []
        for part in selected(len(terms), MOST_TERMS):
            if part.start > 0:
                locals_.append(line(Span(f"… {len(terms) - MOST_TERMS} more terms", "muted")))
                products.append(line(Span("+ …", "muted")))
            for i in part:
                locals_.append(self._local(terms[i], repeated=_is_repeated(terms[i])))
                products.append(self._product(terms[i], upstream(terms[i]), first=not i))
        return tuple(locals_), tuple(products)

    def _local(self, edge: Edge, *, repeated: bool) -> Line:
        head, operand = edge.head, edge.operand
        symbol = f"∂{self.short(head)}/∂{self.short(operand)}"
        if repeated:
            symbol += f" (operand {edge.place + 1})"
        if edge.local is ZERO:
            return line(Span(f"{symbol} = 0, closed", "muted"))
        written = ""
        if len(head.parents) <= MOST_INPUTS:  # of more, each edge would go through them all
            names = [short_name(self.name(parent)) for parent in head.parents]
            written = local_derivative_formula(head.op, edge.place, names, short_name(self.name(head)))
        text = self.number(edge.local)
        holds = written not in {"", text} and not self.names.changed and _holds(edge)
        middle = f" = {written}" if holds else ""
        sign, shown = equals(text)
        return line(Span(f"{symbol}{middle}{sign}", "local"), Span(shown, "local", bold=True))

    def _product(self, edge: Edge, other: Any, *, first: bool) -> Line:
        plus = "" if first else "+ "
        upstream = self.table.get(other, ZERO)
        if upstream is ZERO or edge.local is ZERO:
            return line(Span(f"{plus}{NOT_REACHED}", "muted"))
        sign, product = equals(self.number(upstream * edge.local))
        return line(
            plus,
            Span(self.number(upstream, factor=True), "grad"),
            " · ",
            Span(self.number(edge.local, factor=True), "local"),
            sign,
            Span(product, "term"),
        )


def _is_repeated(edge: Edge) -> bool:
    parents = edge.head.parents
    return len(parents) <= MOST_INPUTS and sum(parent is edge.operand for parent in parents) > 1


def _holds(edge: Edge) -> bool:
    head = edge.head
    return formula_holds(head.op, edge.place, [parent.data for parent in head.parents], head.data, edge.local)
