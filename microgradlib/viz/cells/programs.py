"""Compiled programs and training histories in cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from microgradlib.viz.cells.nodes import Written
from microgradlib.viz.cells.table import Cell, Column, Span, Table, cell, in_page, selected
from microgradlib.viz.charts.chart import line_chart
from microgradlib.viz.markup import escape
from microgradlib.viz.numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["compiled", "history", "program"]

LOWER_IS_BETTER: Final = {"loss": True, "validation loss": True, "accuracy": False, "validation accuracy": False}
"""The quantities of a history in the order of its table, and whether their best number is the smallest."""


def program(thing: Any, rows: int | None) -> Written:
    """Return a program as it is printed; of a long one both ends, if not all is asked for."""
    text = shortened(str(thing), rows)
    return Written(html=in_page(_code(text)), text=text)


def compiled(thing: Any, rows: int | None) -> Written:
    """Return a compiled function: what it is, and the program of its last call."""
    title = f'<div class="t">{escape(repr(thing).strip("<>"))}</div>'
    try:
        text = shortened(str(thing.program), rows)
    except ValueError:  # not called yet
        return Written(html=in_page(title))
    return Written(html=in_page(title + _code(text)), text=f"{thing!r}\n{text}")


def shortened(text: str, rows: int | None, more: str = "show() shows all") -> str:
    r"""Return a text of many lines without its middle, which says how many lines are left out.

    >>> shortened("a\nb\nc\nd", 2)
    'a\n… 2 more lines: show() shows all\nd'
    """
    lines = text.splitlines()
    parts = selected(len(lines), rows)
    if len(parts) == 1:
        return text
    left_out = f"… {len(lines) - sum(map(len, parts)):,} more lines: {more}"
    return "\n".join([*lines[: parts[0].stop], left_out, *lines[parts[1].start :]])


def _code(text: str) -> str:
    return f"<pre>{'&#10;'.join(escape(line) for line in text.splitlines())}</pre>"


def history(run: Any, rows: int | None) -> Written:
    """Return a training run: each quantity at its first, best and last epoch, and the curves of the loss."""
    lists = {name: getattr(run, name.replace(" ", "_")) for name in LOWER_IS_BETTER}
    recorded = [name for name, numbers in lists.items() if numbers]

    def row(i: int) -> tuple[Cell, ...]:
        name = recorded[i]
        best, epoch = _best(lists[name], min if LOWER_IS_BETTER[name] else max)
        ends = [cell(number(x)) for x in (lists[name][0], lists[name][-1])]
        at = cell(Span(number(best), bold=True), Span(f" (epoch {epoch})" if best is not None else "", "muted"))
        return cell(Span(name, bold=True)), *ends, at

    columns = (Column(""), Column("first", right=True), Column("last", right=True), Column("best", right=True))
    notes = [run.engine] if run.engine else []
    table = Table.of(repr(run).strip("<>"), columns, len(recorded), row, rows=rows, notes=notes)
    curves = {"training": run.loss, "validation": run.validation_loss}
    shown = {name: numbers for name, numbers in curves.items() if len(numbers) > 1}
    chart = line_chart(shown, x_label="epoch", y_label="mean cost").html if shown else ""
    return Written(html=table.html + chart, text=table.text)


def _best(numbers: Sequence[float], choose: Callable[..., float]) -> tuple[float | None, int]:
    """Return the best finite number and its epoch; None if there is none."""
    finite = [x for x in numbers if math.isfinite(x)]
    if not finite:
        return None, 0
    best = choose(finite)
    return best, numbers.index(best)
