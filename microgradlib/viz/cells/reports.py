"""Reports in cells: models, gradient checks, data sets, training histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from microgradlib.ops import ZERO
from microgradlib.viz.cells.nodes import Written
from microgradlib.viz.cells.table import Cell, Column, Span, Table, cell, in_page, line, line_markup
from microgradlib.viz.numbers import MINUS, NOT_REACHED, counted, number

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["data_set", "gradient_check", "model", "numeric_derivative", "parameters", "summary", "taylor_remainder"]

FIRST_EXAMPLES: Final = 6
"""How many examples of a data set are shown if nothing else is asked for."""

VERDICTS: Final = {"ok": "term", "FAIL": "stale"}
"""The roles of the colours of verdicts; all others are in ink."""


def summary(table: Any, rows: int | None, title: str = "") -> Table:
    """Return the layers of a model with their shapes and how many parameters they have."""

    def row(i: int) -> tuple[Cell, ...]:
        layer, kind, shape, parameters = table.rows[i]
        return cell(Span(layer or "model", bold=True)), cell(kind), cell(shape), cell(f"{parameters:,}")

    columns = (Column("layer"), Column("kind"), Column("shape"), Column("parameters", right=True))
    made = Table.of(title, columns, len(table.rows), row, rows=rows, more="{} more layers: show() shows all")
    total = (cell(Span("total", bold=True)), cell(""), cell(""), cell(Span(f"{table.total:,}", bold=True)))
    return Table(made.title, made.columns, (*made.rows, total), made.notes)


def model(module: Any, rows: int | None) -> Table:
    """Return the summary of a module, under the name of its class."""
    return summary(module.summary(), rows, title=type(module).__name__)


def parameters(found: Any, rows: int | None) -> Table:
    """Return the parameters of a model with their paths, numbers and gradients."""

    def row(i: int) -> tuple[Cell, ...]:
        gradient = found[i].grad
        shown = Span(NOT_REACHED, "muted") if gradient is ZERO else Span(number(gradient), "grad", bold=True)
        return cell(Span(found.names[i], bold=True)), cell(number(found[i].data)), cell(shown)

    columns = (Column("parameter"), Column("value", right=True), Column("gradient", "grad", right=True))
    title = counted(len(found), "parameter")
    if len(found.names) != len(found):  # changed since, as any list can be
        return Table(title, (), ())
    return Table.of(title, columns, len(found), row, rows=rows, more="{} more: show() shows all")


def gradient_check(report: Any, rows: int | None) -> Table:
    """Return a gradient check as a table: of many derivatives those that agree are left out first."""
    checks, left_out = report.rows(rows)

    def row(i: int) -> tuple[Cell, ...]:
        argument, reverse, forward, numeric, error, verdict = checks[i].cells()
        role = VERDICTS.get(checks[i].verdict, "")
        cells = [
            cell(Span(argument, bold=True)),
            *[cell(x.replace("-", "−")) for x in (reverse, forward, numeric, error)],
        ]
        return (*cells, cell(Span(verdict, role, bold=True)))

    numbers = [Column(name, right=True) for name in ("reverse", "forward", "numeric", "± estimated error")]
    headings = (Column("argument"), *numbers, Column("verdict"))
    more = [f"… {left_out:,} more: show() shows all"] if left_out else []
    return Table.of(report.headline(), headings, len(checks), row, rows=None, notes=[*more, *report.notes(rows)])


def data_set(data: Any, rows: int | None) -> Table:
    """Return the first examples of a data set, each with its class or its number."""
    classes: Sequence[str] = getattr(data, "class_names", ())
    target = "class" if classes else data.target_name
    count = len(data) if rows is None else min(len(data), FIRST_EXAMPLES, rows)

    def row(i: int) -> tuple[Cell, ...]:
        y = data.targets[i]
        shown = _first([cell(number(x)) for x in data.inputs[i]], cell(Span("…", "muted")))
        return cell(Span(str(i), "muted")), *shown, cell(Span(classes[y] if classes else number(y), bold=True))

    names = _first([Column(name, right=True) for name in data.feature_names], Column("…"))
    columns = (Column("", right=True), *names, Column(target, right=not classes))
    left = len(data) - count
    notes = [f"… {left:,} more examples: show() shows all"] if left else []
    return Table.of(repr(data)[1:-1], columns, count, row, rows=None, notes=notes)


def _first(entries: Sequence[Any], more: Any, most: int = 8) -> list[Any]:
    """Return entries; of more than `most` the first ones, and `more` in the place of the others."""
    return list(entries) if len(entries) <= most else [*entries[:most], more]


def numeric_derivative(derivative: Any, _rows: int | None) -> Written:
    """Return a derivative by differences as one line: value ± error, the step, and the gap at a kink."""
    value, error = [text.replace("-", MINUS) for text in (f"{derivative.value:.10g}", f"{derivative.error:.2g}")]
    about = f" (step {number(derivative.step)})" if derivative.step else ""
    if derivative.gap:
        about += f": a kink, {number(derivative.gap)} more to the right than to the left"
    shown = line(Span(value, bold=True), f" ± {error}", Span(about, "muted"))
    return Written(html=in_page(f"<div>{line_markup(shown)}</div>"))


def taylor_remainder(remainder: Any, rows: int | None) -> Table:
    """Return the remainders of a Taylor test for each step."""

    def row(i: int) -> tuple[Cell, ...]:
        return cell(number(remainder.steps[i])), cell(number(remainder.remainders[i]))

    columns = (Column("step h", right=True), Column("remainder", right=True))
    return Table.of(str(remainder), columns, len(remainder.steps), row, rows=rows)
